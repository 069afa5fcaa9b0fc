#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run.py PROGRAM READER [RUNS]: a fuzzing program begins with the files of the tests (golden/io, and some that are made here) and reads RUNS inputs.

Any number of runs, with a corpus that is kept: PROGRAM DIRECTORY golden/io, as libFuzzer has it.
"""
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden/io"
ENDINGS = {"npy": ".npy", "npz": ".npz", "zip": ".npz", "state_dict": ".npz", "safetensors": ".safetensors"}


def npy(shape, count):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00v\x00" + header.encode() + bytes(4 * count)


def model():
    """What fuzz::state_dict takes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("weight.npy", npy("(3, 2)", 6))
        members.writestr("bias.npy", npy("(3,)", 3))
    return archive.getvalue()


MADE = {
    "state_dict": model(),
    "idx": bytes([0, 0, 11, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]) + bytes(48),
    "csv": b'a,"b, c"\n1.5,NA\r\n"2",x\n',
}


def main():
    program, reader, runs = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["5000"])[0]
    with tempfile.TemporaryDirectory() as directory:
        seeds = Path(directory) / "seeds"
        seeds.mkdir()
        if reader in MADE:
            (seeds / "made").write_bytes(MADE[reader])
        for path in GOLDEN.glob("*" + ENDINGS.get(reader, ".none")):
            if path.stat().st_size < 65536:
                (seeds / path.name).write_bytes(path.read_bytes())
        command = [Path(program).resolve(), f"-runs={runs}", "-seed=1", "-max_len=4096", "-rss_limit_mb=2048", "-timeout=20", seeds]
        sys.exit(subprocess.run(command, cwd=directory).returncode)


if __name__ == "__main__":
    main()
