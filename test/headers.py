#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""headers.py COMPILER... [-- HEADER...]: every header compiles alone, without a warning; but for those that need Eigen, which tests include first,
and those whose library is not there.

A header that includes one of BASES, itself or through others, finds it precompiled: it has all of that anyway, and no more. So what a header uses
and does not include is found as if it were parsed from its first line.
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

include = Path(__file__).resolve().parent.parent / "include"
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror", f"-I{include}"]
NEEDS = {
    "io/zlib.hpp": "zlib.h", "io/safetensors.hpp": "nlohmann/json.hpp", "io/safetensors_header.hpp": "nlohmann/json.hpp",
    "exec/onetbb.hpp": "oneapi/tbb.h",
    **{f"dist/{path.name}": "mpi.h" for path in (include / "gradus/dist").glob("*.hpp")},
    "dist.hpp": "mpi.h",
    **{f"python/{path.name}": "pybind11/numpy.h" for path in (include / "gradus/python").glob("*.hpp")},
    "python.hpp": "pybind11/numpy.h",
}
PYTHON = [f"-isystem{header.parent}" for header in sorted(Path("/usr/include").glob("python3*/Python.h"))[-1:]]  # Debian's, as its pybind11
try:  # MPI's headers have a place of their own
    mpi = subprocess.run(["pkg-config", "--cflags-only-I", "ompi-c"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    FLAGS += [flag.replace("-I", "-isystem") for flag in mpi.split()]
except FileNotFoundError:
    pass
BASES = [
    "core/shape", "graph/graph", "expr/functions", "graph/info", "kernel/simd", "exec/plan", "exec/run", "tensor/state/tensor",
]  # from the least to the most


@cache
def closure(path):
    """The library's headers that a header includes, itself and through others."""
    found, open_ = set(), [path]
    while open_:
        for name in re.findall(r"^#include <(gradus[^>]*)>", open_.pop().read_text(), re.M):
            if include / name not in found:
                found.add(include / name)
                open_.append(include / name)
    return found


def bases():
    return [include / "gradus" / f"{name}.hpp" for name in BASES]


def base_of(path):
    """The largest base that a header includes. Where two headers include each other, neither is the other's base."""
    return next((base for base in reversed(bases()) if base in closure(path) and path not in closure(base) | {base}), None)


def run(compiler, source, *flags):
    return subprocess.run([*compiler, *FLAGS, *flags, "-x", "c++", "-"], input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def precompile(compiler, directory, base):
    """Flags that include the precompiled base; g++ takes the one beside the header of the name."""
    header = directory / f"{base.stem}.hpp"
    header.write_text(f"#include <{base.relative_to(include).as_posix()}>\n")
    clang = "clang" in subprocess.run([*compiler, "--version"], stdout=subprocess.PIPE, text=True).stdout
    output = f"{header}.pch" if clang else f"{header}.gch"
    subprocess.run([*compiler, *FLAGS, "-x", "c++-header", header, "-o", output], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ["-include-pch", output] if clang else ["-Winvalid-pch", "-include", str(header)]


def needs_eigen(path):
    return any("Eigen" in name for each in closure(path) | {path} for name in re.findall(r"^#include <(.*)>", each.read_text(), re.M))


def compile_alone(compiler, path, flags):
    source = f"#include <{path.relative_to(include).as_posix()}>\n"
    name = path.relative_to(include).as_posix().removeprefix("gradus/")
    if needed := NEEDS.get(name):
        source = f"#if __has_include(<{needed}>)\n{source}#endif\n"
    if name.startswith("python"):
        flags = [*flags, *PYTHON]
        source = f"#if __has_include(<Python.h>)\n{source}#endif\n"
    done = run(compiler, source, "-fsyntax-only", *flags)
    if done.returncode == 0:
        return ""
    return f"{path.relative_to(include)}:\n" + "\n".join([line for line in done.stdout.splitlines() if "error" in line][:5])


def main():
    compiler, chosen = sys.argv[1:], None
    if "--" in compiler:
        at = compiler.index("--")
        compiler, chosen = compiler[:at], [include / name for name in compiler[at + 1 :]]
    headers = chosen or sorted(path for path in include.rglob("*.hpp") if not needs_eigen(path))
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        used = {base for base in map(base_of, headers) if base}
        flags = {base: pool.submit(precompile, compiler, Path(directory), base) for base in used}
        # What has no base comes first, while the bases are made.
        headers.sort(key=lambda path: base_of(path) is not None)
        tasks = [pool.submit(lambda p=path: compile_alone(compiler, p, flags[base_of(p)].result() if base_of(p) else [])) for path in headers]
        faults = [task.result() for task in tasks if task.result()]
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main()
