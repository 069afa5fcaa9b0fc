#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""ways.py COMPILER...: the library as others get it. Meson and CMake install the same files into empty directories, and main.cpp builds
and runs in every way in: pkg-config, a Meson subproject, find_package, add_subdirectory, FetchContent; the tutorial with g++ -I and with
the single header."""
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

here = Path(__file__).resolve().parent
root = here.parent.parent
compiler = sys.argv[1:]
environment = {**os.environ, "CXX": compiler[0], "CXXFLAGS": " ".join(compiler[1:])}


def run(*command, **more):
    command = [str(c) for c in command]
    done = subprocess.run(command, env={**environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit("\n".join([" ".join(command), *done.stdout.splitlines()[-30:]]))


def files(directory):
    return {p.relative_to(directory) for p in directory.rglob("*") if p.is_file()}


def install(work):
    """The prefixes of both installations; neither needs the packages of the tests and the examples."""
    run("meson", "setup", work / "meson", root, f"--prefix={work}/prefix", "-Dtests=false", "-Dexamples=false")
    run("meson", "install", "-C", work / "meson")
    run("cmake", "-S", root, "-B", work / "cmake", "-G", "Ninja", f"-DCMAKE_INSTALL_PREFIX={work}/other", "-DGRADUS_EXAMPLES=OFF")
    run("cmake", "--install", work / "cmake")
    a, b = work / "prefix", work / "other"
    if files(a) != files(b):
        sys.exit("installed by one of Meson and CMake only: " + ", ".join(map(str, sorted(files(a) ^ files(b)))))
    _, differ, unread = filecmp.cmpfiles(a, b, files(a), shallow=False)
    if differ or unread:
        sys.exit(f"installed differently by Meson and CMake: {differ + unread}")
    b.rename(work / "moved")  # an installation may move
    return a, work / "moved"


def by_meson(work, name, path, **more):
    run("meson", "setup", work / name, path, **more)
    run("meson", "test", "-C", work / name)


def by_cmake(work, way, *options):
    run("cmake", "-S", here / "cmake", "-B", work / way, "-G", "Ninja", f"-DWAY={way}", f"-DSOURCE={root}", *options)
    run("cmake", "--build", work / way)
    run("ctest", "--test-dir", work / way, "--no-tests=error")


def output_of_tutorial(work, directory):
    """By the one line of the README."""
    run(*compiler, "-std=c++20", "-O0", "-DGRADUS_INTERPRET", "-I", directory, root / "examples/01_tutorial.cpp", "-o", work / "tutorial")
    return subprocess.run([work / "tutorial"], check=True, stdout=subprocess.PIPE, text=True).stdout


with tempfile.TemporaryDirectory() as directory:
    work = Path(directory)
    first, moved = install(work)
    by_meson(work, "installed", here / "meson", PKG_CONFIG_PATH=f"{moved}/share/pkgconfig")
    by_cmake(work, "find_package", f"-DCMAKE_PREFIX_PATH={moved}")
    by_cmake(work, "add_subdirectory")
    by_cmake(work, "FetchContent")
    shutil.copy(here / "main.cpp", work)
    shutil.copytree(here / "meson", work / "project")
    (work / "project/subprojects/gradus").symlink_to(root)
    by_meson(work, "subproject", work / "project")
    single = work / "single/gradus.hpp"
    single.parent.mkdir()
    run(sys.executable, root / "tools/single_header.py", single)
    one, all_of_them = (output_of_tutorial(work, directory) for directory in (single.parent, first / "include"))
    if one != all_of_them or not one:
        sys.exit(f"the tutorial prints with the single header:\n{one}\nand with the headers:\n{all_of_them}")
