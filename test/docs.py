#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The code of a document is a program, and what it shows as output is the output.

docs.py extract FILE.md OUT.cpp      writes the program: ```cpp blocks are its declarations, ```cpp main blocks run in order
docs.py extract FILE.md OUT.py       writes the script: ```python blocks run in order
docs.py compare FILE.md PROGRAM      runs either: a ```text block after a main block, or one of Python, is what that block prints
docs.py update FILE.md PROGRAM       writes the real output into the document
docs.py sentences FILE.md SOURCE...  every `// expect:` line of the sources is in the document

`// does not compile: CODE` and the message in the comment below it become what fail/run.py tests under GRADUS_FAIL.
"""
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.M | re.S)
REFUSED = re.compile(r"^// does not compile: (.*)\n// (.*)$", re.M)
END = "\f"  # printed after each main block


def extract_script(document, target):
    blocks = [code for language, _, code in BLOCK.findall(document.read_text()) if language == "python"]
    Path(target).write_text("".join(f"{code}print({END!r})\n" for code in blocks))


def extract(document, target):
    includes, declarations, body, expected, refused = {"#include <cstdio>": None}, [], [], [], []
    for language, role, code in BLOCK.findall(document.read_text()):
        if language != "cpp":
            continue
        includes.update(dict.fromkeys(re.findall(r"^#include .*$", code, re.M)))
        code = re.sub(r"^#include .*\n", "", code, flags=re.M)
        for call, message in REFUSED.findall(code):
            refused.append(f"auto refused_{len(refused)} = {call};")
            expected.append(f"// expect: {message}")
        if role == "main":
            body += [code, f'std::puts("{END!r}");'.replace("'", "")]
        else:
            declarations.append(code)
    lines = ["// SPDX-License-Identifier: BSL-1.0", *expected, *includes, *declarations]
    if refused:
        lines += ["#ifdef GRADUS_FAIL", *refused, "#endif"]
    Path(target).write_text("\n".join([*lines, "int main() {", *body, "}", ""]))


def outputs(program):
    command = [sys.executable, program] if program.endswith(".py") else [program]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout
    return [part.strip("\n") + "\n" for part in printed.split(END + "\n")]


def with_output(document, program):
    """The document with real output in the ```text blocks after main blocks."""
    printed, current = iter(outputs(program)), None

    def replace(match):
        nonlocal current
        language, role, _ = match.groups()
        if language == "python" and program.endswith(".py"):
            current = next(printed)
        elif language == "cpp":
            current = next(printed) if role == "main" and not program.endswith(".py") else None
        elif language == "text" and current is not None:
            shown, current = current, None
            return f"```text\n{shown}```"
        return match[0]

    return BLOCK.sub(replace, document.read_text())


def main():
    mode, document = sys.argv[1], Path(sys.argv[2])
    if mode == "extract":
        (extract_script if sys.argv[3].endswith(".py") else extract)(document, sys.argv[3])
    elif mode == "update":
        document.write_text(with_output(document, sys.argv[3]))
    elif mode == "compare":
        real, shown = with_output(document, sys.argv[3]).splitlines(), document.read_text().splitlines()
        if real != shown:
            first = next((i for i, (r, s) in enumerate(zip(real, shown)) if r != s), min(len(real), len(shown)))
            sys.exit(
                f"{document}:{first + 1}: the program prints other than shown; `{sys.argv[0]} update` mends it:\n"
                + "\n".join(real[first : first + 5])
            )
    elif mode == "sentences":
        text = document.read_text()
        wanted = [
            line[len("// expect:") :].strip()
            for source in sys.argv[3:]
            for line in Path(source).read_text().splitlines()
            if line.startswith("// expect:")
        ]
        missing = [sentence for sentence in wanted if sentence not in text]
        sys.exit("\n".join([f"{document} lacks:", *missing]) if missing else 0)


if __name__ == "__main__":
    main()
