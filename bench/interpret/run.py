#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""bench/interpret/run.py [COMPILER]: what the development build, -DGRADUS_INTERPRET, costs and saves: seconds to compile at -O0,
microseconds to run at -O2 beside compiled kernels, in turns, the least of both."""
import subprocess
import sys
import tempfile
import time
from pathlib import Path

here = Path(__file__).resolve().parent
include = here.parent.parent / "include"
compiler = sys.argv[1] if len(sys.argv) > 1 else "g++"


def compile_(source, output, *flags):
    begin = time.monotonic()
    command = [compiler, "-std=c++20", "-march=native", f"-I{include}", "-Wno-uninitialized", *flags, "-x", "c++", str(source), "-o", str(output)]
    subprocess.run(command, check=True)
    return time.monotonic() - begin


with tempfile.TemporaryDirectory() as folder:
    at = Path(folder)
    (at / "headers.cpp").write_text("#include <gradus.hpp>\n")
    for name, flags in (("compiled", []), ("interpreted", ["-DGRADUS_INTERPRET"])):
        headers = min(compile_(at / "headers.cpp", at / "h.o", "-O0", "-c", *flags) for _ in range(3))
        programs = min(compile_(here / "programs.cpp", at / "p.o", "-O0", "-c", *flags) for _ in range(3))
        print(f"{name}: headers {headers:.2f} s, five programs {programs - headers:.2f} s above them, -O0")
        compile_(here / "programs.cpp", at / name, "-O2", *flags)
    least = {}
    for _ in range(5):
        for name in ("compiled", "interpreted"):
            for line in subprocess.run([at / name], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
                program, us = line.split("\t")
                least.setdefault(program, {})[name] = min(float(us), least.get(program, {}).get(name, 1e9))
    for program, us in least.items():
        print(f"{program}: compiled {us['compiled']:.2f} us, interpreted {us['interpreted']:.2f} us, {us['interpreted'] / us['compiled']:.2f} times")
