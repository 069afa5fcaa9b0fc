#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""valgrind.py [PROGRAM...]: kernels and readers under valgrind's memcheck, compiled for AVX2, which it knows (AVX-512 it does not).

The sanitizers see more of what is on the stack, but only in code that they compiled, and unoptimized; here optimized kernels run as they are: what
they load behind the last element of a row, and what they compute of memory that nobody wrote to. Debian: valgrind.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
OPTIMIZED = ["-O1", "-Wno-uninitialized", "-Wno-maybe-uninitialized"]
INTERPRETED = ["-O1", "-DGRADUS_INTERPRET", "-Dalways_inline=unused"]
PROGRAMS = {
    "tails": (["kernel/simd.cpp", "main.cpp"], OPTIMIZED),  # loads and stores of parts of vectors, of all types and widths
    "programs": (["consumer/machines.cpp"], OPTIMIZED),  # a training step, softmaxes, derivatives, tensors: extents that no vector divides
    "readers": (["io/fuzz.cpp", "main.cpp"], INTERPRETED),
}
# a hundredth of the inputs of the tests, which take valgrind half a minute
ENVIRONMENT = {**os.environ, "GRADUS_FUZZ": "1000", "GRADUS_GOLDEN": str(here / "golden")}
MEMCHECK = "valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --num-callers=20".split()
FLAGS = ["-std=c++20", "-g1", "-march=x86-64-v3", "-I", here.parent / "include", "-I", here]


def run(command, **options):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def fault_of(name, directory):
    sources, flags = PROGRAMS[name]
    program = Path(directory) / name
    built = run([os.environ.get("CXX", "g++"), *FLAGS, *flags, *(here / source for source in sources), "-o", program])
    if built.returncode != 0:
        return f"{name} does not compile:\n" + built.stdout[-2000:]
    checked = run([*MEMCHECK, program], cwd=directory, env=ENVIRONMENT)
    return f"{name} ends with status {checked.returncode}:\n" + checked.stdout[-6000:] if checked.returncode != 0 else None


def main():
    if unknown := set(sys.argv[1:]) - PROGRAMS.keys():
        sys.exit(f"no program {unknown.pop()}: there are {', '.join(PROGRAMS)}")
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed (Debian: valgrind)")
    faults = []
    with tempfile.TemporaryDirectory() as directory:
        for name in sys.argv[1:] or PROGRAMS:
            fault = fault_of(name, directory)
            print(f"{name}: {'FAILED' if fault else 'ok'}", flush=True)
            faults += [fault] if fault else []
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main()
