#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the files of this folder that end in .pt, with PyTorch 1.13 (Debian 12: python3-torch)."""
from collections import OrderedDict
from pathlib import Path

import torch

here = Path(__file__).resolve().parent


def counted(dtype, *shape, first=0):
    return torch.arange(first, first + int(torch.tensor(shape).prod())).to(dtype).reshape(shape)


def main():
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        for i, p in enumerate(layer.parameters()):
            p.copy_(counted(torch.float32, *p.shape, first=i) / 4)
    torch.save(layer.state_dict(), here / "model.pt")

    weight = counted(torch.float32, 2, 3)
    torch.save(
        {
            "types": OrderedDict(
                double=counted(torch.float64, 2, first=-1) / 8,
                half=counted(torch.float16, 3) / 2,
                brain=counted(torch.bfloat16, 2, first=1),
                int64=counted(torch.int64, 2, first=2**40),
                int32=counted(torch.int32, 2, first=-1),
                int16=torch.tensor([-32768, 5], dtype=torch.int16),
                int8=torch.tensor([-128], dtype=torch.int8),
                uint8=torch.tensor([255, 0], dtype=torch.uint8),
                bool=torch.tensor([True, False]),
                scalar=torch.tensor(2.5),
                empty=torch.zeros(0, 3),
            ),
            "views": [weight, weight.t(), weight[:, 1:], weight[0].expand(2, 3), torch.nn.Parameter(weight)],
            "epoch": 3,
            "negative": -70000,
            "large": 2**40,
            "rate": 0.125,
            "done": True,
            "text": "words",
            "nothing": None,
            7: (torch.tensor([1.0]), 300),
        },
        here / "nested.pt",
    )
    torch.save(torch.nn.Linear(1, 1), here / "module.pt")
    torch.save({"weight": weight}, here / "legacy.pt", _use_new_zipfile_serialization=False)


main()
