#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""arch.py COMPILER...: units for different instruction sets in one program, and one whose loops are interpreted, share no function of the
library, in whichever order they are linked."""
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
if platform.machine() != "x86_64":
    sys.exit(77)  # skipped
# What is meant to be one in all units: the modes, and the classes of errors.
SHARED = ("gradus::common::", "gradus::error", "gradus::shape_error", "gradus::binding_error", "gradus::autograd_error", "gradus::io_error")


def run(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit("\n".join([" ".join(map(str, command)), *done.stdout.splitlines()[:30]]))
    return done.stdout


def functions(unit):
    """Names of the library's that the linker merges with those of other units."""
    lines = [line.split(None, 2) for line in run("nm", "--defined-only", "-C", unit).splitlines()]
    return {name for _, kind, name in lines if kind in "WVu" and "gradus::" in name and not name.split(" for ")[-1].startswith(SHARED)}


with tempfile.TemporaryDirectory() as directory:
    work = Path(directory)
    command = [c for c in sys.argv[1:] if not c.startswith("-march")] + ["-std=c++20", "-O1", "-w", "-c"]
    run(*command, "-march=x86-64", "-DUNIT=plain", here / "arch.cpp", "-o", work / "plain.o")
    run(*command, "-march=x86-64-v3", "-DUNIT=wide", here / "arch.cpp", "-o", work / "wide.o")
    run(*command, "-march=x86-64", here / "arch_main.cpp", "-o", work / "main.o")
    run(*command, "-march=x86-64", "-DGRADUS_INTERPRET", "-DUNIT=interpreted", here / "arch.cpp", "-o", work / "interpreted.o")
    plain = functions(work / "plain.o")
    for other in ("wide", "interpreted"):
        common = plain & functions(work / f"{other}.o")
        if not plain or common:
            sys.exit("\n".join([f"{len(common)} of {len(plain)} names are common to plain and {other}:", *sorted(common)[:20]]))
    for order in (["plain.o", "wide.o", "interpreted.o"], ["interpreted.o", "wide.o", "plain.o"]):
        program = work / "program"
        run(*sys.argv[1:], "-std=c++20", work / "main.o", *[work / o for o in order], "-o", program)
        run(program)
