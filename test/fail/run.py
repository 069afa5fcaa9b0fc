#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run.py FILE PRECOMPILED COMPILER...: a program that must not compile with -DGRADUS_FAIL, and must without.

Each line `// expect: text` of the file has to be found in the first 15 lines of what the compiler says; `// errors: 1` says how many errors
it may report, `// errors of clang: 2` how many clang may. PRECOMPILED is that of all of the
library, for programs that begin with it; others parse less in the time that it takes to load.
"""
import re
import subprocess
import sys

LINES = 15


def compile_file(command, *flags):
    done = subprocess.run([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120)
    return done.returncode, done.stdout


def spoken(output):
    """The output with sentences as they were written: clang prints them in pieces, both compilers escape quotes."""
    head = "\n".join(output.splitlines()[:LINES])
    return re.sub(r'"\}, (?:gradus::core::)?words<\d+>\{"', "", head).replace('\\"', '"')


def is_clang(command):
    return "clang" in subprocess.run([*command, "--version"], stdout=subprocess.PIPE, text=True).stdout


def precompiled_flags(header, command):
    """g++ takes the header for the name beside it."""
    return ["-include-pch", header] if is_clang(command) else ["-Winvalid-pch", "-include", header.removesuffix(".gch")]


def main():
    path, precompiled, *compiler = sys.argv[1:]
    command = [*compiler, "-std=c++20", "-fsyntax-only", path]
    with open(path) as file:
        text = file.read()
    expected = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("// expect:")]
    included = re.search(r"^#include (.*)$", text, re.MULTILINE)
    if included and included[1] == "<gradus.hpp>":
        command += precompiled_flags(precompiled, compiler)
    most = re.search(r"^// errors: (\d+)$", text, re.MULTILINE)
    of_clang = re.search(r"^// errors of clang: (\d+)", text, re.MULTILINE)
    if of_clang and is_clang(compiler):
        most = of_clang
    if not expected:
        sys.exit(f"{path}: no line `// expect: text`")

    faults = []
    status, output = compile_file(command)
    if status != 0:
        faults.append("does not compile without -DGRADUS_FAIL:\n" + "\n".join(output.splitlines()[:LINES]))
    status, output = compile_file(command, "-DGRADUS_FAIL")
    if status == 0:
        faults.append("compiles with -DGRADUS_FAIL")
    errors = [line for line in output.splitlines() if re.search(r"\b(fatal )?error:", line)]
    if most and len(errors) > int(most[1]):
        faults.append(f"reports {len(errors)} errors, not {most[1]}: " + errors[int(most[1])])
    faults += [f"the first {LINES} lines lack: {text}" for text in expected if text not in spoken(output)]
    if faults:
        print(spoken(output))
        sys.exit(f"{path}: " + "\n".join(faults))


if __name__ == "__main__":
    main()
