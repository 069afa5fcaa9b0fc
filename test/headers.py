#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""headers.py COMPILER...: every header compiles alone, without a warning; but for Eigen's, which test/tensor/eigen.cpp includes first, and those
whose library is not there."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

include = Path(__file__).resolve().parent.parent / "include"
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror", f"-I{include}"]
NEEDS = {"zlib": "zlib.h", "safetensors": "nlohmann/json.hpp", "safetensors_header": "nlohmann/json.hpp"}


def compile_alone(path):
    source = f"#include <{path.relative_to(include).as_posix()}>\n"
    if path.parent.name == "io" and path.stem in NEEDS:
        source = f"#if __has_include(<{NEEDS[path.stem]}>)\n{source}#endif\n"
    done = subprocess.run(
        [*sys.argv[1:], *FLAGS, "-x", "c++", "-"], input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return (
        ""
        if done.returncode == 0
        else f"{path.relative_to(include)}:\n" + "\n".join([line for line in done.stdout.splitlines() if "error" in line][:5])
    )


with ThreadPoolExecutor(os.cpu_count()) as pool:
    faults = [
        fault for fault in pool.map(compile_alone, sorted(set(include.rglob("*.hpp")) - {include / "gradus/tensor/eigen.hpp"})) if fault
    ]
sys.exit("\n".join(faults) or 0)
