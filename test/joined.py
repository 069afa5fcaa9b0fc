#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""joined.py OUT.cpp FILE.cpp...: tests as one source. What many tests use is compiled once then, not once a file.

What a file includes comes first; the rest of each file stands in a namespace of its own, under its own name and line numbers.
"""
import re
import sys
from pathlib import Path


def parts(path):
    """The text up to the last inclusion with the conditions around it, and the rest."""
    lines = path.read_text().splitlines(keepends=True)
    end, depth, included = 0, 0, False
    for number, line in enumerate(lines, 1):
        depth += bool(re.match(r"#if", line)) - bool(re.match(r"#endif", line))
        included = included or line.startswith("#include")
        if included and depth == 0:
            end, included = number, False
    # Headers beside a test are found from its folder.
    head = re.sub(r'^(#include ")(.*)"', lambda m: f'{m[1]}{path.parent / m[2]}"' if (path.parent / m[2]).exists() else m[0], "".join(lines[:end]), flags=re.M)
    return head, "".join(lines[end:]), end + 1


def main():
    target, *paths = (Path(name).resolve() for name in sys.argv[1:])
    heads, bodies = [], []
    for path in paths:
        head, body, line = parts(path)
        name = re.sub(r"\W", "_", f"{path.parent.name}_{path.stem}")
        heads.append(f'#line 1 "{path}"\n{head}')
        bodies.append(f'namespace joined_{name} {{\n#line {line} "{path}"\n{body}}}\n')
    target.write_text("".join(heads + bodies))


if __name__ == "__main__":
    main()
