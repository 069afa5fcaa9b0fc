#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run.py FILE COMPILER...: a program that must not compile with -DGRADUS_FAIL, and must without.

Each line `// expect: text` of the file has to be found in the first 15 lines of what the compiler says.
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


def main():
    path, command = sys.argv[1], [*sys.argv[2:], "-std=c++20", "-fsyntax-only", sys.argv[1]]
    with open(path) as file:
        expected = [line.split(":", 1)[1].strip() for line in file if line.startswith("// expect:")]
    if not expected:
        sys.exit(f"{path}: no line `// expect: text`")

    faults = []
    status, output = compile_file(command)
    if status != 0:
        faults.append("does not compile without -DGRADUS_FAIL:\n" + "\n".join(output.splitlines()[:LINES]))
    status, output = compile_file(command, "-DGRADUS_FAIL")
    if status == 0:
        faults.append("compiles with -DGRADUS_FAIL")
    faults += [f"the first {LINES} lines lack: {text}" for text in expected if text not in spoken(output)]
    if faults:
        print(spoken(output))
        sys.exit(f"{path}: " + "\n".join(faults))


if __name__ == "__main__":
    main()
