#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""failing.py PROGRAM MPIRUN OPTION...: a rank that fails ends the others, with its sentence, and leaves the last checkpoint whole."""
import os
import subprocess
import sys
import tempfile
import zipfile

program, *launch = sys.argv[1:]
with tempfile.TemporaryDirectory() as directory:
    checkpoint = os.path.join(directory, "last.npz")
    done = subprocess.run([*launch, program, checkpoint], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode != 0, done.stdout
    assert "gradus::dist: rank 1 of 3 ends all of them: no more samples" in done.stdout, done.stdout
    assert "has not waited" not in done.stdout, done.stdout
    with zipfile.ZipFile(checkpoint) as archive:
        assert archive.testzip() is None
        assert archive.getinfo("weight.npy").file_size > 400_000
