#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""flags.py COMPILER...: options that change what formulas mean are refused with a sentence, harmless ones are not."""
import subprocess
import sys

FINITE = "gradus: compile without -ffast-math and -ffinite-math-only"
UNSAFE = "gradus: compile without -funsafe-math-optimizations"
REFUSED = {
    "-ffast-math": FINITE,
    "-ffinite-math-only": FINITE,
    "-fno-exceptions": "gradus: compile without -fno-exceptions",
}
REFUSED_BY_GCC = {  # clang defines no macro for these
    "-funsafe-math-optimizations": UNSAFE,
    "-fassociative-math -fno-signed-zeros -fno-trapping-math": UNSAFE,
    "-freciprocal-math": UNSAFE,
    "-fno-signed-zeros": UNSAFE,
}
ACCEPTED = ["", "-fno-math-errno -fno-trapping-math", "-fno-rtti"]
LINES = 15


def says(flags):
    command = [*sys.argv[1:], "-std=c++20", "-fsyntax-only", *flags.split(), "-x", "c++", "-"]
    done = subprocess.run(
        command, input="#include <gradus/core.hpp>\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    return done.returncode, "\n".join(done.stdout.splitlines()[:LINES])


faults = []
version = subprocess.run([*sys.argv[1:], "--version"], stdout=subprocess.PIPE, text=True).stdout
for flags, sentence in (REFUSED if "clang" in version else {**REFUSED, **REFUSED_BY_GCC}).items():
    status, output = says(flags)
    if status == 0 or sentence not in output:
        faults.append(f"{flags}: status {status}, the first {LINES} lines lack: {sentence}\n{output}")
for flags in ACCEPTED:
    status, output = says(flags)
    if status != 0:
        faults.append(f"{flags or 'no flags'}: refused\n{output}")
sys.exit("\n".join(faults) or 0)
