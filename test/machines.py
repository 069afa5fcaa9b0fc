#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""machines.py check|write|packages [--xsimd DIR] [--jobs N] [TARGET...]: one program on every machine that can be had.

test/consumer/machines.cpp is compiled for each target, without warnings, once with interpreted loops and once with compiled kernels, runs
under the target's emulator, and has to print the numbers of this machine within the differences that it states.

check      compares docs/platforms.md with what was found; rows whose compiler or emulator is not installed are named, and left alone
write      writes these rows
packages   prints the Debian packages of the targets
--xsimd    the headers (a directory with xsimd/) of a newer xsimd, for the targets that need them or are tested with both
"""
import argparse
import concurrent.futures
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/platforms.md"
PROGRAM = ROOT / "test/consumer/machines.cpp"
BEGIN, END = "<!-- machines.py: begin -->", "<!-- machines.py: end -->"
STRICT = "-std=c++20 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror".split()
# g++ 12 warns of xsimd's own vectors once they are inlined (GCC bug 105593), and says where C++17 changed how arguments are passed.
OPTIMIZED = ["-O1", "-Wno-uninitialized", "-Wno-maybe-uninitialized"]
MODES = {"interpreted": ["-O0", "-DGRADUS_INTERPRET"], "compiled": OPTIMIZED}
WASI = Path("/usr/lib/llvm-19")


class Target:
    """A machine: how to compile for it, how to run what comes out, and the Debian packages that have both."""

    def __init__(self, name, compiler, flags, run, packages, newer=False, link=(), lacks=()):
        self.name, self.flags, self.packages, self.newer, self.link = name, flags.split(), packages.split(), newer, list(link)
        self.compiler, self.run, self.lacks = compiler, run, set(lacks)

    def missing(self, xsimd):
        if self.newer and not xsimd:
            return "--xsimd is not given"
        return next((f"{p} is not installed" for p in [self.compiler, *self.run[:1]] if not shutil.which(p)), None)


def linux(name, triple, emulator, flags="", newer=False):
    debian = {"x86_64": "x86-64", "powerpc64le": "powerpc64le"}.get(triple.split("-")[0], triple.split("-")[0])
    run = [*emulator.split(), "-L", f"/usr/{triple}"]
    return Target(name, f"{triple}-g++", flags, run, f"g++-{debian}-{triple.split('-', 1)[1]} qemu-user", newer)


def wasi(name, flags, newer=False):
    libraries = f"-L{WASI}/lib/wasm32-wasi -L/usr/lib/wasm32-wasi -lc++ -lc++abi -lc -lm".split()
    builtins = f"{WASI}/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a"
    link = ["-nostdlib", "-fuse-ld=lld", str(ROOT / "test/consumer/wasi.cpp"), "/usr/lib/wasm32-wasi/crt1-command.o", *libraries, builtins]
    include = f"-isystem {WASI}/include/wasm32-wasi/c++/v1 -isystem /usr/include/wasm32-wasi"
    flags = f"--target=wasm32-wasi --sysroot={WASI}/none -fexceptions {include} {flags}"
    packages = "clang-19 lld-19 wasi-libc libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 libclang-rt-19-dev-wasm32 nodejs"
    run = ["node", "--no-warnings", str(ROOT / "test/consumer/wasi.mjs")]
    return Target(name, "clang++-19", flags, run, packages, newer, link, ["npy", "missing", "refused"])


WINE = shutil.which("wine64") or "/usr/lib/wine/wine64"
TARGETS = [
    Target("x86-64", "g++", "-march=native" if platform.machine() == "x86_64" else "", [], "g++"),
    Target("x86-64, newer xsimd", "g++", "-march=x86-64-v3", [], "g++", newer=True),
    linux("aarch64, NEON", "aarch64-linux-gnu", "qemu-aarch64"),
    linux("aarch64, NEON, newer xsimd", "aarch64-linux-gnu", "qemu-aarch64", newer=True),
    linux("armhf", "arm-linux-gnueabihf", "qemu-arm", "-mfpu=neon"),
    linux("i686, SSE2", "i686-linux-gnu", "qemu-i386", "-msse2 -mfpmath=sse"),
    linux("i686, AVX2", "i686-linux-gnu", "qemu-i386 -cpu max", "-march=haswell -mfpmath=sse"),
    linux("riscv64", "riscv64-linux-gnu", "qemu-riscv64"),
    linux("ppc64le", "powerpc64le-linux-gnu", "qemu-ppc64le"),
    Target("Windows, x86-64", "x86_64-w64-mingw32-g++-posix", "-static", [WINE], "g++-mingw-w64-x86-64-posix wine64"),
    wasi("WebAssembly, WASI", ""),
    wasi("WebAssembly, WASI, SIMD, newer xsimd", "-msimd128", newer=True),
]


def text_of(command, **options):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=1800, **options)
    return done.returncode, done.stdout, done.stderr


def printed(target, mode, xsimd, work):
    """What the program prints on the target, or the sentence that says why it does not."""
    directory = work / f"{target.name}-{mode}".replace(", ", "-").replace(" ", "_")
    include = directory / "include"
    include.mkdir(parents=True)
    # Not /usr/include itself: cross compilers have their own C library.
    (include / "boost").symlink_to("/usr/include/boost")
    (include / "xsimd").symlink_to(Path(xsimd).resolve() / "xsimd" if target.newer else "/usr/include/xsimd")
    out = directory / "program.exe"
    command = [target.compiler, *STRICT, *MODES[mode], *target.flags, "-I", ROOT / "include", "-isystem", include, PROGRAM, "-o", out]
    status, _, errors = text_of([*command, *target.link])
    if status != 0 or "warning:" in errors:
        return None, "does not compile: " + "\n".join([line for line in errors.splitlines() if "error" in line or "warning" in line][:8])
    environment = {**os.environ, "WINEPREFIX": str(directory / "wine"), "WINEDEBUG": "-all"}
    status, output, errors = text_of([*target.run, out], cwd=directory, env=environment)
    if status != 0:
        return None, f"ends with status {status}: {errors[-400:]}"
    return {line.split()[0]: line.split()[1:] for line in output.splitlines()}, None


def different(found, expected, lacks):
    """Lines that are not the reference's; a machine lacks those that it is said to lack, and no others."""
    faults = [f"{name}: the line is missing" for name in expected.keys() - found.keys() - lacks]
    faults += [f"{name}: a line that the machine was said to lack" for name in found.keys() & lacks]
    for name, (tolerance, *values) in found.items():
        if tolerance == "note":
            continue
        wanted = expected[name][1:]
        if tolerance == "text":
            equal = values == wanted
        else:
            pairs = list(zip(map(float, values), map(float, wanted)))
            equal = len(values) == len(wanted) and all(abs(a - b) <= float(tolerance) * max(1.0, abs(b)) for a, b in pairs)
        if not equal:
            faults.append(f"{name}: {' '.join(values)[:200]} instead of {' '.join(wanted)[:200]}")
    return faults


def version_of(compiler):
    _, output, _ = text_of([compiler, "-dumpversion"])
    name = "clang" if "clang" in compiler else "g++"
    return f"{name} {output.strip().split('.')[0].split('-')[0]}"


def xsimd_version(target, xsimd):
    text = ((Path(xsimd) / "xsimd" if target.newer else Path("/usr/include/xsimd")) / "config/xsimd_config.hpp").read_text()
    numbers = [text.split(f"#define XSIMD_VERSION_{part} ")[1].split()[0] for part in ("MAJOR", "MINOR")]
    return ".".join(numbers)


def row(target, results, xsimd):
    lanes = results["compiled"]["lanes"][1]
    checks = {mode: sum(tolerance != "note" for tolerance, *_ in found.values()) for mode, found in results.items()}
    by = "itself" if not target.run else Path(target.run[0]).name
    cells = [target.name, version_of(target.compiler), by, xsimd_version(target, xsimd), lanes]
    # how many lanes there are natively is the machine's
    if target is TARGETS[0]:
        cells[-1] = "4 to 16"
    return "| " + " | ".join([*cells, *(str(checks[mode]) for mode in MODES)]) + " |"


def rows_of(document):
    table = document.split(BEGIN)[1].split(END)[0].strip().splitlines()
    return {line.split("|")[1].strip(): line for line in table[2:]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "write", "packages"])
    parser.add_argument("targets", nargs="*", help="all, unless given")
    parser.add_argument("--xsimd")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    asked = parser.parse_intermixed_args()
    unknown = set(asked.targets) - {t.name for t in TARGETS}
    if unknown:
        sys.exit(f"no target {unknown.pop()}: there are {'; '.join(t.name for t in TARGETS)}")
    # The first is the reference.
    chosen = [t for t in TARGETS if not asked.targets or t.name in asked.targets or t is TARGETS[0]]
    if asked.command == "packages":
        print(" ".join(sorted({p for t in chosen for p in t.packages})))
        return
    document = DOCUMENT.read_text()
    rows, faults = rows_of(document), []
    faults += [f"docs/platforms.md has a row for {name}, which is no target" for name in rows.keys() - {t.name for t in TARGETS}]
    absent = {t.name: t.missing(asked.xsimd) for t in chosen if t.missing(asked.xsimd)}
    chosen = [t for t in chosen if t.name not in absent]
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        runs = {(t.name, mode): pool.submit(printed, t, mode, asked.xsimd, Path(work)) for t in chosen for mode in MODES}
        results = {key: run.result() for key, run in runs.items()}
    expected, fault = results[TARGETS[0].name, "compiled"]
    if fault:
        sys.exit(f"{TARGETS[0].name}, compiled: {fault}")
    for target in chosen:
        bad = []
        for mode in MODES:
            found, fault = results[target.name, mode]
            bad += [f"{target.name}, {mode}: {text}" for text in ([fault] if fault else different(found, expected, target.lacks))]
        faults += bad
        print(f"{target.name}: {'FAILED' if bad else 'ok'}")
        if bad:
            continue
        line = row(target, {mode: results[target.name, mode][0] for mode in MODES}, asked.xsimd)
        if asked.command == "check" and target.name not in rows:
            print(f"docs/platforms.md has no row for {target.name} yet, `test/machines.py write` adds it:\n{line}")
        elif asked.command == "check" and rows[target.name] != line:
            faults.append(f"docs/platforms.md has another row for {target.name}, `test/machines.py write` mends it:\n{line}")
        rows[target.name] = line
    for name, why in absent.items():
        print(f"{name}: not tested, {why}")
    if asked.command == "write":
        head, tail = document.split(BEGIN)[0], document.split(END)[1]
        titles = document.split(BEGIN)[1].strip().splitlines()[:2]
        table = [*titles, *(rows[t.name] for t in TARGETS if t.name in rows)]
        DOCUMENT.write_text(head + "\n".join([BEGIN, *table, END]) + tail)
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main()
