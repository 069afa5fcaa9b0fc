#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the files of this folder that end in .npy and .npz, with NumPy 1.24 (Debian 12: python3-numpy). Values count up from 0 or,
where the type has signs, from a negative number. The .npz are made here, member by member, so that they are the same every time.
ours.npz and ours.safetensors are what gradus wrote of stored.npz and numpy.safetensors: they are checked. No library of safetensors
is in Debian 12: that file is laid out here as the format's README says."""
import io
import json
import zipfile
from pathlib import Path

import numpy as np

here = Path(__file__).resolve().parent


def counted(dtype, shape, first=0):
    return np.arange(first, first + int(np.prod(shape))).astype(dtype).reshape(shape)


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version)
    return out.getvalue()


def npz(name, compression, **arrays):
    with zipfile.ZipFile(here / name, "w", compression) as file:
        for member, array in arrays.items():
            info = zipfile.ZipInfo(member + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = compression
            with file.open(info, "w", force_zip64=True) as out:  # as np.savez does
                out.write(npy(array))


def safetensors(metadata, **arrays):
    """Larger elements first, by name, as the format's own library writes; arrays are pairs of a dtype's name and bytes with a shape."""
    header, body = {"__metadata__": metadata}, b""
    for name, (dtype, array) in sorted(arrays.items(), key=lambda item: (-item[1][1].itemsize, item[0])):
        data = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def read_safetensors(path):
    file = path.read_bytes()
    begin = 8 + int.from_bytes(file[:8], "little")
    assert begin % 8 == 0
    header = json.loads(file[8:begin])
    return header.pop("__metadata__"), {k: (v["dtype"], v["shape"], file[begin + v["data_offsets"][0] : begin + v["data_offsets"][1]]) for k, v in header.items()}


def main():
    for name, array in {
        "bool": np.array([[True, False, True], [False, False, True]]),
        "int32": counted("<i4", (2, 3), -2),
        "int64": counted("<i8", (4,), -2),
        "float": counted("<f4", (2, 3, 4), -5) / np.float32(4),
        "double": counted("<f8", (3, 1), -1) / 8,
        "float16": counted("<f2", (5,), -2) / np.float16(2),
        "scalar": np.array(2.5, "<f8"),
        "empty": np.zeros((0, 3), "<f4"),
        "fortran": np.asfortranarray(counted("<f4", (2, 3, 4))),
        "fortran_big": np.asfortranarray(counted(">f8", (2, 3))),
        "big": counted(">i4", (2, 2), -1),
        "uint8": counted("u1", (2, 3), 250),
        "int8": counted("i1", (3,), -128),
        "uint16": counted("<u2", (2,), 65534),
        "int16": counted(">i2", (2,), -32768),
        "uint32": counted("<u4", (2,), 2**32 - 2),
        "uint64": counted("<u8", (2,)),
        "complex": np.array([1 + 2j], "<c8"),
        "records": np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]),
        "string": np.array(["abc"]),
    }.items():
        (here / f"{name}.npy").write_bytes(npy(array))
    (here / "version2.npy").write_bytes(npy(counted("<f4", (2, 3)), (2, 0)))
    (here / "version3.npy").write_bytes(npy(counted("<f4", (2, 3)), (3, 0)))
    arrays = {"weight": counted("<f4", (3, 2)), "layer/bias": counted("<f8", (40,), -3), "steps": np.array(7, "<i8")}
    npz("stored.npz", zipfile.ZIP_STORED, **arrays)
    npz("deflated.npz", zipfile.ZIP_DEFLATED, **arrays)

    tensors = {
        "weight": ("F32", counted("<f4", (3, 2))),
        "mask": ("BOOL", np.array([True, False, True])),
        "steps": ("I64", np.array(7, "<i8")),
        "pixels": ("U8", counted("u1", (2, 2), 250)),
        "half": ("F16", counted("<f2", (3,), -1)),
        "brain": ("BF16", np.array([0x3FC0, 0xC000], "<u2")),
        "größe \"x\"": ("F64", np.array([[0.5]], "<f8")),
        "none": ("I32", np.zeros((0, 4), "<i4")),
    }
    (here / "numpy.safetensors").write_bytes(safetensors({"format": "pt", "epoch": "3"}, **tensors))

    with zipfile.ZipFile(here / "ours.npz") as ours:
        assert ours.testzip() is None
    with np.load(here / "ours.npz") as ours, np.load(here / "stored.npz") as theirs:
        assert ours.files == theirs.files == list(arrays)
        for name, array in arrays.items():
            assert ours[name].dtype == array.dtype and np.array_equal(ours[name], array)
    (metadata, ours), (_, theirs) = read_safetensors(here / "ours.safetensors"), read_safetensors(here / "numpy.safetensors")
    assert metadata == {"format": "pt", "epoch": "3"}
    theirs["pixels"] = ("I32", [2, 2], counted("<i4", (2, 2), 250).tobytes())  # as gradus has read it
    assert ours == theirs


main()
