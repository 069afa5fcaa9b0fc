#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""flags.py COMPILER...: options that change what formulas mean are refused with a sentence, harmless ones are not. Compilers that are too old stop
with one, those that are installed and this one made to look so."""
import platform
import shutil
import subprocess
import sys

FINITE = "gradus: compile without -ffast-math and -ffinite-math-only"
UNSAFE = "gradus: compile without -funsafe-math-optimizations"
X87 = "gradus: compile with -msse2 -mfpmath=sse"
OLD = "gradus: compile with g++ 12 or clang 18"
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
if platform.machine() == "x86_64":  # the sentence comes before the headers of 32-bit machines, which need not be installed
    REFUSED["-m32 -march=i686"] = X87
    REFUSED_BY_GCC["-mfpmath=387"] = X87
STOPPED = {"-std=c++17": "gradus: compile with -std=c++20", "-U__GNUC__": "gradus: compile with g++ or clang"}
STOPPED_GCC = {"-U__GNUC__ -D__GNUC__=11": OLD}
STOPPED_CLANG = {"-U__clang_major__ -D__clang_major__=17": OLD}
OLDER = ["g++-10", "g++-11", *(f"clang++-{version}" for version in range(13, 18))]
ACCEPTED = ["", "-fno-math-errno -fno-trapping-math", "-fno-rtti"]
LINES = 15


def says(compiler, flags, header="gradus/core.hpp"):
    command = [*compiler, "-std=c++20", "-fsyntax-only", "-w", *flags.split(), "-x", "c++", "-"]
    done = subprocess.run(command, input=f"#include <{header}>\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout.splitlines()


faults = []
compiler = sys.argv[1:]
version = subprocess.run([*compiler, "--version"], stdout=subprocess.PIPE, text=True).stdout
is_clang = "clang" in version
for flags, sentence in (REFUSED if is_clang else {**REFUSED, **REFUSED_BY_GCC}).items():
    status, lines = says(compiler, flags)
    if status == 0 or not any(sentence in line for line in lines[:LINES]):
        faults.append("\n".join([f"{flags}: status {status}, the first {LINES} lines lack: {sentence}", *lines[:LINES]]))
# This one says that and nothing else.
includes = [flag for flag in compiler if flag.startswith("-I")]
stopped = [(compiler, flags, sentence) for flags, sentence in {**STOPPED, **(STOPPED_CLANG if is_clang else STOPPED_GCC)}.items()]
stopped += [([path, *includes], "", OLD) for path in map(shutil.which, OLDER) if path]
for command, flags, sentence in stopped:
    status, lines = says(command, flags, "gradus.hpp")
    errors = [line for line in lines if "error:" in line]
    if status == 0 or len(errors) != 1 or "fatal" not in errors[0] or sentence not in errors[0]:
        faults.append("\n".join([f"{command[0]} {flags}: status {status}, not one error with: {sentence}", *lines[:LINES]]))
for flags in ACCEPTED:
    status, lines = says(compiler, flags)
    if status != 0:
        faults.append("\n".join([f"{flags or 'no flags'}: refused", *lines[:LINES]]))
sys.exit("\n".join(faults) or 0)
