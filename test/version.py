#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The numbers of the version are those of include/gradus/version.hpp, wherever a tool needs one that it can read (`--write` writes them)."""
import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
# CMakeLists.txt and packaging/conan read the header.
PLACES = {
    "meson.build": r"(version: ')(\d+\.\d+\.\d+)(')",
    "packaging/vcpkg/vcpkg.json": r'("version": ")(\d+\.\d+\.\d+)(")',
    "packaging/debian/changelog": r"(^gradus \()(\d+\.\d+\.\d+)(\))",
    "CITATION.cff": r"(\nversion: )(\d+\.\d+\.\d+)(\n)",
    "CHANGELOG.md": r"(\n## )(\d+\.\d+\.\d+)()",
    "test/consumer/cmake/CMakeLists.txt": r"(find_package\(gradus )(\d+\.\d+)( CONFIG)",
}

header = (root / "include/gradus/version.hpp").read_text()
number = ".".join(re.search(rf"#define GRADUS_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))
faults = []
for name, pattern in PLACES.items():
    path = root / name
    text = path.read_text()
    found = re.search(pattern, text)
    if not found:
        faults.append(f"{name}: no version found")
        continue
    wanted = ".".join(number.split(".")[: found[2].count(".") + 1])  # 0.1 where 0.1 is asked for
    if found[2] == wanted:
        continue
    if sys.argv[1:] == ["--write"]:
        path.write_text(text[: found.start(2)] + wanted + text[found.end(2) :])
    else:
        faults.append(f"{name} says {found[2]}, version.hpp {wanted}; `test/version.py --write` mends it")
sys.exit("\n".join(faults) or 0)
