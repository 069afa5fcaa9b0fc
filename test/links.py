#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Links between documents lead somewhere: files and directories are there, and so are the headings that anchors name. The tests that
docs/promises.md names are there too, and each promise has one."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")


def prose(path):
    return FENCED.sub("", path.read_text())


def anchors(path):
    """As GitHub and MkDocs make them of headings; of equal ones the first counts."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", prose(path), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text)))
    return found


def documents():
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def faults_of(path):
    for target in LINK.findall(CODE.sub("``", prose(path))):
        if ELSEWHERE.match(target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        if not place.is_relative_to(ROOT) or not place.exists():
            yield f"{path.relative_to(ROOT)}: {target}: there is no such file"
        elif anchor and anchor not in anchors(place):
            yield f"{path.relative_to(ROOT)}: {target}: there is no such heading"


def faults_of_promises(path):
    for table in re.findall(r"^\| promise \| tests \|\n\|---\|---\|\n((?:\|.*\n)+)", path.read_text(), re.M):
        for line in table.splitlines():
            promise, tests = line.strip("|").rsplit("|", 1)
            names = re.findall(r"`([^`]+)`", tests)
            if not names:
                yield f"{path.relative_to(ROOT)}: no test of: {promise.strip()}"
            for name in names:
                if not any((ROOT / "test" / f"{name}{ending}").is_file() for ending in ("", ".cpp")):
                    yield f"{path.relative_to(ROOT)}: there is no test {name}"


if __name__ == "__main__":
    faults = [fault for path in documents() for fault in faults_of(path)] + [*faults_of_promises(ROOT / "docs/promises.md")]
    sys.exit("\n".join(faults) or 0)
