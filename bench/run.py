#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the programs of bench/speed and writes what they measured.

    meson setup build -Dbench=true -Doptimization=3 -Dmarch=native && ninja -C build
    taskset -c 1 bench/run.py build/bench --repeat 3 --out build/speed

writes build/speed.csv (every figure), build/speed.md (a row per workload) and build/speed.svg (bars of ratios). A workload's
ratio is our least time over the least time of the best hand-written version, both the least of all repetitions.
"""
import argparse, csv, os, pathlib, subprocess, sys

PROGRAMS = ["tutorial", "small", "scalars", "instances", "irregular", "logistic", "elementwise", "network", "convolution", "linear_algebra"]


def measure(directory, programs, repeat):
    rows = {}  # (workload, contestant) -> least, medians, median ratios
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for _ in range(repeat):
        for program in programs:
            path = directory / f"bench_{program}"
            if not path.exists():
                print(f"{path} is missing", file=sys.stderr)
                continue
            out = subprocess.run([path], check=True, capture_output=True, text=True, env=environment).stdout
            for workload, by, least, median, ratio in csv.reader(out.splitlines()):
                known = rows.setdefault(workload, {}).setdefault(by, [])
                known.append((float(least), float(median), float(ratio)))
    middle = lambda values: sorted(values)[len(values) // 2]
    return {
        w: {by: (min(r[0] for r in runs), middle([r[1] for r in runs]), middle([r[2] for r in runs])) for by, runs in all.items()}
        for w, all in rows.items()
    }


def summary(contestants):
    """Our figures, the best hand-written version and the ratios to it (of the least times; of the turns' medians)."""
    ours = contestants["gradus"]
    others = {by: f for by, f in contestants.items() if by != "gradus"}
    best = min(others, key=lambda by: others[by][0]) if others else None
    return ours, best, others.get(best), ours[0] / others[best][0] if best else 1, others[best][2] if best else 1


def show(ns):
    return f"{ns:.1f} ns" if ns < 1e3 else f"{ns / 1e3:.2f} us" if ns < 1e6 else f"{ns / 1e6:.2f} ms"


def markdown(rows):
    lines = ["| workload | gradus | best by hand | | ratio | of medians |", "|---|---|---|---|---|---|"]
    for workload, contestants in rows.items():
        ours, best, theirs, ratio, median = summary(contestants)
        lines.append(f"| {workload} | {show(ours[0])} | {show(theirs[0]) if theirs else ''} | {best or ''} | {ratio:.2f} | {median:.2f} |")
    return "\n".join(lines) + "\n"


def picture(rows):
    """Bars of our time over the best hand-written time; the line is 1."""
    bar, left, scale = 22, 330, 180
    height, width = bar * len(rows) + 40, left + int(2.5 * scale) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="16">time of gradus / best hand-written time</text>',
    ]
    for i, (workload, contestants) in enumerate(rows.items()):
        ratio = summary(contestants)[3]
        y = 26 + i * bar
        parts.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{workload}</text>')
        parts.append(
            f'<rect x="{left}" y="{y + 2}" width="{min(ratio, 2.5) * scale:.1f}" height="{bar - 5}" fill="{"#4a7" if ratio <= 1.1 else "#c84"}"/>'
        )
        parts.append(f'<text x="{left + min(ratio, 2.5) * scale + 6:.1f}" y="{y + 14}">{ratio:.2f}</text>')
    parts.append(f'<line x1="{left + scale}" x2="{left + scale}" y1="22" y2="{height - 10}" stroke="black"/></svg>')
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path, help="where the bench_* programs are")
    parser.add_argument("--repeat", type=int, default=1, help="runs of every program")
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="this program (may be repeated)")
    parser.add_argument("--out", type=pathlib.Path, help="path without suffix for .csv, .md and .svg; else Markdown to stdout")
    options = parser.parse_args()
    rows = measure(options.directory, options.only or PROGRAMS, options.repeat)
    if not options.out:
        print(markdown(rows), end="")
        return
    with open(options.out.with_suffix(".csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["workload", "by", "least ns", "median ns", "gradus / it"])
        for workload, contestants in rows.items():
            for by, (least, median, ratio) in contestants.items():
                table.writerow([workload, by, least, median, ratio])
    options.out.with_suffix(".md").write_text(markdown(rows))
    options.out.with_suffix(".svg").write_text(picture(rows))
    print(markdown(rows), end="")


if __name__ == "__main__":
    main()
