#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Measures what programs cost the compiler: seconds of processor time, peak memory, template instantiations.

    bench/compile/run.py [--repeat N] [--output docs/compile_time.md]

Seconds are the minimum over the repetitions, of g++ and clang in turn; in brackets, how many times those of the dependencies' headers
(the first program) they are, which depends on the machine less than seconds do. Instantiations are counted in clang's
-ftime-trace and do not depend on the machine. With --output the table replaces the one between the markers in that file.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAMS = [
    ("xsimd and Hana headers", "dependencies.cpp", []),
    ("#include <gradus.hpp>", "include.cpp", []),
    ("tutorial, 5x3", "tutorial.cpp", []),
    ("nine tensor statements, -O0", "tensors.cpp", ["-O0"]),
    ("nine tensor statements, -O2", "tensors.cpp", ["-O2"]),
    ("Black-Scholes, 4 sensitivities", "options.cpp", []),
    ("two convolutions, all gradients", "convolution.cpp", []),
    ("reprojection error, 2x15 Jacobian", "reprojection.cpp", []),
]
PROGRAMS += [(f"residual network, {n} blocks", "residual.cpp", [f"-DBLOCKS={n}"]) for n in (1, 2, 4, 8, 12, 24)]
PROGRAMS += [("transformer block, 13 gradients", "transformer.cpp", [])]
PROGRAMS += [("scalar recurrence, 16 steps", "recurrence.cpp", ["-DSTEPS=16"])]
PROGRAMS += [("residual network, 12 blocks, -g", "residual.cpp", ["-DBLOCKS=12", "-g"])]


def compile_once(compiler, source, flags, target):
    """Seconds of processor time and peak megabytes of one compilation."""
    level = [] if any(f.startswith("-O") for f in flags) else ["-O3"]
    command = [compiler, "-std=c++20", *level, "-march=native", f"-I{ROOT}/include", *flags, "-c", str(HERE / source), "-o", target]
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def instantiations(compiler, source, flags, directory):
    target = os.path.join(directory, "trace.o")
    compile_once(compiler, source, [*flags, "-ftime-trace", "-ftime-trace-granularity=0"], target)
    # Not read here: a child's peak memory counts what this process held when it was started.
    pattern = r'"name":"Instantiate(Function|Class)"'
    found = subprocess.run(["grep", "-oE", pattern, os.path.join(directory, "trace.json")], stdout=subprocess.PIPE, check=True)
    return found.stdout.count(b"\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output")
    parser.add_argument("--gxx", default="g++")
    parser.add_argument("--clang", default="clang++-19" if shutil.which("clang++-19") else "clang++")
    arguments = parser.parse_args()
    lines = ["| program | g++ s | g++ MB | clang s | clang MB | instantiations |", "|---|---|---|---|---|---|"]
    first = {}
    with tempfile.TemporaryDirectory() as directory:
        target = os.path.join(directory, "out.o")
        for name, source, flags in PROGRAMS:
            runs = {c: [] for c in (arguments.gxx, arguments.clang)}
            for _ in range(arguments.repeat):
                for compiler, results in runs.items():
                    results.append(compile_once(compiler, source, flags, target))
            best = {c: (min(s for s, _ in r), max(m for _, m in r)) for c, r in runs.items()}
            if not first:
                first = {compiler: seconds for compiler, (seconds, _) in best.items()}
            g, c = ((f"{best[k][0]:.2f} ({best[k][0] / first[k]:.1f})", best[k][1]) for k in (arguments.gxx, arguments.clang))
            count = instantiations(arguments.clang, source, flags, directory)
            lines.append(f"| {name} | {g[0]} | {g[1]:.0f} | {c[0]} | {c[1]:.0f} | {count} |")
            print(lines[-1], flush=True)
    if arguments.output:
        path = pathlib.Path(arguments.output)
        text = path.read_text()
        begin, end = "<!-- table -->\n", "<!-- end of table -->"
        head, rest = text.split(begin, 1)
        path.write_text(head + begin + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])


main()
