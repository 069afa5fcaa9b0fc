#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""install.py COMPILER...: installs the library into an empty directory; a project of its own builds against that copy."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
meson = shutil.which("meson")


def run(*command, **environment):
    done = subprocess.run([str(c) for c in command], env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit("\n".join([" ".join(map(str, command)), *done.stdout.splitlines()[-30:]]))


with tempfile.TemporaryDirectory() as directory:
    work = Path(directory)
    compiler = {"CXX": " ".join(sys.argv[1:])}
    run(meson, "setup", work / "library", here.parent.parent, f"--prefix={work}/prefix", "-Dtests=false", "-Dexamples=false", **compiler)
    run(meson, "install", "-C", work / "library", **compiler)
    run(meson, "setup", work / "consumer", here / "installed", PKG_CONFIG_PATH=f"{work}/prefix/share/pkgconfig", **compiler)
    run(meson, "test", "-C", work / "consumer", **compiler)
