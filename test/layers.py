#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The tree is the pipeline: a layer includes only itself and earlier layers, one header includes xsimd, one Hana, umbrellas
are complete (`--write` completes them), whatever users include ignores shadows of their globals, gradus.hpp has every layer but the optional ones, no header has over 400 lines, no line over 140 characters, every test is listed in test/meson.build.
Outside of op/ nobody asks for an operation by name, and attributes have names: their numbers are read where the operation is."""
import re
import sys
from pathlib import Path

LAYERS = [
    "core", "op", "expr", "graph", "transform", "lower", "schedule", "kernel",
    "exec", "program", "tensor", "nn", "optim", "io", "data", "dist", "python",
]
# files, what is drawn from them, MPI and modules of Python: programs that have any of them include it
OPTIONAL = ["io", "data", "dist", "python"]
MAX_LINES = 400
MAX_WIDTH = 140
ONE_INCLUDE = {
    "xsimd/": "kernel/xsimd.hpp",
    "boost/": "core/meta.hpp",
    "Eigen/": ("tensor/eigen.hpp", "tensor/eigen_sparse.hpp", "optim/trust_region.hpp"),
    "nlohmann/": "io/safetensors_header.hpp",
    "zlib.h": "io/zlib.hpp",
    "oneapi/": "exec/onetbb.hpp",
    "mpi.h": "dist/mpi.hpp",
    "pybind11/": "python/numpy.hpp",
}
# the oracle of the tests, what few programs need, and what needs Eigen, nlohmann::json, zlib, oneTBB or OpenMP, which are no dependencies
NOT_IN_UMBRELLA = {
    "exec/onetbb.hpp",
    "exec/openmp.hpp",
    "graph/interpret.hpp",
    "io/safetensors.hpp",
    "io/safetensors_header.hpp",
    "io/zlib.hpp",
    "optim/lbfgs.hpp",
    "optim/least_squares.hpp",
    "optim/mixed_precision.hpp",
    "optim/strong_wolfe.hpp",
    "optim/trust_region.hpp",
    "tensor/eigen.hpp",
    "tensor/eigen_sparse.hpp",
    "tensor/functional.hpp",
    "tensor/gradcheck.hpp",
    "tensor/autograd/pullback.hpp",
}
# what translation units of different instruction sets share
FOR_ALL_ARCHITECTURES = {("core/error.hpp", "gradus"), ("tensor/state/mode.hpp", "gradus::common")}
# What asks for an operation by name, `n.is<op::sum>()`. Passes and kernels ask its record (docs/operations.md).
NAMES = r"\bis<(?:gradus::)?op::|is_same_v<\w+, (?:gradus::)?op::|op->name == \""
# Who touches the numbers of attributes without knowing what they mean, or writes what users gave an operation, and how often.
NUMBERS = r"attr(?:\(\))?\.n\["
NUMBERS_TOUCHED = {
    "graph/graph.hpp": 2,  # a hash
    "graph/results.hpp": 2,  # all but the number of the result are the same
    "expr/expression.hpp": 5,  # parameters of one result
    "expr/convolution.hpp": 1,
    "expr/pooling.hpp": 3,
    "expr/rearrange.hpp": 5,
    "expr/reductions.hpp": 1,
}
COMPILED_BY_SCRIPTS = {f"test/consumer/{name}.cpp" for name in ("arch", "arch_main", "main", "machines", "wasi")}
LICENCE = "SPDX-License-Identifier: BSL-1.0"

root = Path(__file__).resolve().parent.parent
include = root / "include"
faults = []


def included(path):
    return re.findall(r"^#include <([^>]+)>", path.read_text(), re.M)


def check_header(path):
    name = path.relative_to(include / "gradus").as_posix()
    layer = LAYERS.index(name.split("/")[0])
    for header in included(path):
        for prefix, place in ONE_INCLUDE.items():
            places = place if isinstance(place, tuple) else (place,)
            if header.startswith(prefix) and name not in places:
                faults.append(f"{name} includes <{header}>, which only {' and '.join(places)} do")
        target = re.fullmatch(r"gradus/(\w+)/.*", header)
        if header.startswith("gradus") and not target:
            faults.append(f"{name} includes an umbrella, <{header}>")
        elif target and LAYERS.index(target[1]) > layer:
            faults.append(f"{name} includes the later layer {target[1]}: <{header}>")
    opened = re.findall(r"^namespace (gradus[\w: ]*) \{", path.read_text(), re.M)
    for one in opened:
        if not one.startswith("gradus::inline GRADUS_ARCH") and (name, one) not in FOR_ALL_ARCHITECTURES:
            faults.append(f"{name} opens {one}, not gradus::inline GRADUS_ARCH")
    if layer != LAYERS.index("op"):
        if asked := re.findall(NAMES, path.read_text()):
            faults.append(f"{name} asks {len(asked)} times for an operation by name: ask a facet of its record")
        if (touched := len(re.findall(NUMBERS, path.read_text()))) > NUMBERS_TOUCHED.get(name, 0):
            faults.append(f"{name} reads the number of an attribute, {touched} times: name it in the operation's file")
    lines = path.read_text().splitlines()
    if len(lines) > MAX_LINES:
        faults.append(f"{name} has {len(lines)} lines, over {MAX_LINES}")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_WIDTH:
            faults.append(f"{name}:{number} has {len(line)} characters, over {MAX_WIDTH}")


def check_umbrella(layer):
    umbrella = include / "gradus" / f"{layer}.hpp"
    headers = sorted(p.relative_to(include).as_posix() for p in (include / "gradus" / layer).rglob("*.hpp"))
    wanted = [h for h in headers if h.removeprefix("gradus/") not in NOT_IN_UMBRELLA]
    if included(umbrella) == wanted:
        return
    if sys.argv[1:] == ["--write"]:
        before, after = re.split(r"(?:^#include.*\n)+", umbrella.read_text(), maxsplit=1, flags=re.M)
        umbrella.write_text(before + "".join(f"#include <{h}>\n" for h in wanted) + after)
    else:
        faults.append(f"{umbrella.name} is not the sorted list of its layer; `test/layers.py --write` mends it")


def check_quiet(name):
    """g++ takes names of locals in what it includes for shadows of the user's globals; test/consumer/every_header.cpp."""
    text = (include / name).read_text()
    at = [text.find('#pragma GCC diagnostic ignored "-Wshadow"'), text.find("#include <"), text.rfind("#pragma GCC diagnostic pop")]
    if not -1 < at[0] < at[1] < at[2]:
        faults.append(f"{name} has to ignore -Wshadow from before its first inclusion to its end")


def check_tests_are_listed():
    listing = (root / "test/meson.build").read_text()
    for path in (root / "test").glob("*/*.cpp"):
        if path.relative_to(root).as_posix() in COMPILED_BY_SCRIPTS:
            continue
        if f"'{path.stem}'" not in listing and f"'{path.parent.name}/{path.name}'" not in listing:
            faults.append(f"{path.relative_to(root)} is not in test/meson.build")


for path in (include / "gradus").glob("*/**/*.hpp"):
    check_header(path)
for layer in LAYERS:
    check_umbrella(layer)
if included(include / "gradus.hpp") != ["gradus/core/config.hpp", "gradus/version.hpp", *[f"gradus/{layer}.hpp" for layer in LAYERS if layer not in OPTIONAL]]:
    faults.append("gradus.hpp is not the configuration, the version and the list of layers that are not optional")
public = ["gradus.hpp", *[f"gradus/{layer}.hpp" for layer in LAYERS], *sorted(f"gradus/{name}" for name in NOT_IN_UMBRELLA)]
for name in public:
    check_quiet(name)
if missing := set(public) - set(included(root / "test/consumer/every_header.cpp")):
    faults.append(f"test/consumer/every_header.cpp does not include {', '.join(sorted(missing))}")
for folder in ("include", "test", "examples", "bench"):
    for path in (root / folder).rglob("*.[ch]pp"):
        if LICENCE not in path.read_text().split("\n", 1)[0]:
            faults.append(f"{path.relative_to(root)}: the first line is not // {LICENCE}")
check_tests_are_listed()
sys.exit("\n".join(faults) or 0)
