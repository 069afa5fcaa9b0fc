#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""single_header.py [OUTPUT]: all of gradus' headers as one file, for Compiler Explorer: each once, in the order of inclusion, those that
gradus.hpp leaves out at the end. What is not gradus' own, xsimd and Boost.Hana, stays an include; headers that need another library are left out."""
import re
import sys
from pathlib import Path

include = Path(__file__).resolve().parent.parent / "include"
INCLUDE = re.compile(r"#include <(gradus[\w/.]*)>")
OTHERS = re.compile(r"^#include <(Eigen/|nlohmann/|zlib\.h|mpi\.h|omp\.h|oneapi/|pybind11/)", re.M)
LICENCE = "// SPDX-License-Identifier: BSL-1.0"


def needs_another_library(name):
    """Whether a header, or one that it includes, includes a library other than the two that gradus depends on."""
    found, open_ = {name}, [name]
    while open_:
        text = (include / open_.pop()).read_text()
        if OTHERS.search(text):
            return True
        new = set(INCLUDE.findall(text)) - found
        found |= new
        open_ += new
    return False


def lines_of(name, seen):
    """The lines of a header, those of the headers that it includes in their place, the first time they are."""
    if name in seen:
        return
    seen.add(name)
    for line in (include / name).read_text().splitlines():
        own = INCLUDE.match(line)
        if own:
            yield from lines_of(own[1], seen)
        elif line not in (LICENCE, "#pragma once"):
            yield line


def single_header():
    seen = {"gradus/src.hpp"}  # for one unit of a program
    names = ["gradus.hpp", *sorted(path.relative_to(include).as_posix() for path in include.rglob("*.hpp"))]
    names = [name for name in names if not needs_another_library(name)]
    text = "\n".join([LICENCE, "#pragma once", *(line for name in names for line in lines_of(name, seen)), ""])
    return re.sub(r"\n{3,}", "\n\n", text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(single_header())
    else:
        sys.stdout.write(single_header())
