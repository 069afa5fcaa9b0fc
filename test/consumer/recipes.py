#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""recipes.py COMPILER...: the recipes for Conan and vcpkg, where there is neither tool.

Conan's is imported and run with the few functions of `conan` that it calls, written here; its test package is built against what it packed.
vcpkg's port is run by CMake with the functions of vcpkg that it calls, written in vcpkg.cmake; find_package finds what it installed. What the
tools themselves would refuse is not seen: names of options, and versions of Boost and xsimd that their registries have.
"""
import fnmatch
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

here = Path(__file__).resolve().parent
root = here.parent.parent
compiler = sys.argv[1:]
environment = {**os.environ, "CXX": compiler[0], "CXXFLAGS": " ".join([*compiler[1:], "-O0", "-DGRADUS_INTERPRET"])}
sys.dont_write_bytecode = True


def run(*command):
    done = subprocess.run([str(c) for c in command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit("\n".join([" ".join(map(str, command)), *done.stdout.splitlines()[-30:]]))


def demand(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}: {found}, not {wanted}")


def files(directory):
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()}


headers = {f"include/{name}": text for name, text in files(root / "include").items()}
licence = (root / "LICENSE").read_bytes()
version = json.loads((root / "packaging/vcpkg/vcpkg.json").read_text())["version"]  # test/version.py compares it with the header


class ConanFile:
    """What a recipe is told and tells."""

    def __init__(self, folder):
        self.recipe_folder, self.needs, self.commands = str(folder), [], []
        self.cpp_info, self.info = SimpleNamespace(), SimpleNamespace(clear=lambda: None)

    def requires(self, reference):
        self.needs.append(reference)

    def run(self, command, env):
        self.commands.append(command)


def copy(conanfile, pattern, src, dst):
    for name, text in files(src).items():
        if fnmatch.fnmatch(name, pattern):
            target = Path(dst) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)


def build_of(work):
    class CMake:
        def __init__(self, conanfile):
            self.source, self.build_in = conanfile.recipe_folder, work / "conan-build"

        def configure(self):
            run("cmake", "-S", self.source, "-B", self.build_in, "-G", "Ninja", f"-Dgradus_DIR={work}/generators")

        def build(self):
            run("cmake", "--build", self.build_in)

    return CMake


def modules(work, demanded):
    """`conan` and its tools, as far as the recipes import them."""
    tools = {
        "conan": {"ConanFile": ConanFile},
        "conan.tools": {},
        "conan.tools.build": {"check_min_cppstd": lambda conanfile, standard: demanded.append(standard), "can_run": lambda conanfile: True},
        "conan.tools.files": {"copy": copy, "load": lambda conanfile, path: Path(path).read_text()},
        "conan.tools.cmake": {"CMake": build_of(work), "cmake_layout": lambda conanfile: None},
    }
    for name, content in tools.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(content)


def recipe(folder):
    spec = importlib.util.spec_from_file_location("recipe", folder / "conanfile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (kind,) = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, ConanFile) and value is not ConanFile]
    return kind(folder)


def conan(work):
    demanded = []
    modules(work, demanded)
    made = recipe(root / "packaging/conan")
    made.set_version()
    demand(made.version, version, "the version of the Conan package")
    made.source_folder = made.export_sources_folder = str(work / "exported")
    made.package_folder = str(work / "packed")
    made.export_sources()
    made.requirements()
    demand({reference.split("/")[0] for reference in made.needs}, {"boost", "xsimd"}, "what the Conan package requires")
    made.validate()
    demand(demanded, [20], "the standard that the Conan package demands")
    made.package()
    demand(files(work / "packed").keys(), {**headers, "licenses/LICENSE": licence}.keys(), "the files of the Conan package")
    demand(files(work / "packed"), {**headers, "licenses/LICENSE": licence}, "the texts of the Conan package")
    made.package_id()
    made.package_info()
    demand({name.split("::")[0] for name in made.cpp_info.requires}, {"boost", "xsimd"}, "what the Conan package links")
    # CMakeDeps makes such a file of the package
    (work / "generators").mkdir()
    (work / "generators/gradus-config.cmake").write_text(
        f'add_library(gradus::gradus INTERFACE IMPORTED)\ntarget_include_directories(gradus::gradus INTERFACE "{work}/packed/include")\n'
    )
    test = recipe(root / "packaging/conan/test_package")
    test.tested_reference_str = f"gradus/{version}"
    test.cpp = SimpleNamespace(build=SimpleNamespace(bindir=str(work / "conan-build")))
    test.requirements()
    demand(test.needs, [f"gradus/{version}"], "what the test package requires")
    test.layout()
    test.build()
    test.test()
    run(*test.commands)


def vcpkg(work):
    run("cmake", f"-DWORK={work}", f"-DPORT_DIR={root}/packaging/vcpkg", "-P", here / "vcpkg.cmake")
    installed = work / "vcpkg/packages"
    found = files(installed)
    share = {name: text for name, text in found.items() if name not in headers}
    demand(found.keys() & headers.keys(), headers.keys(), "the headers of the port")
    demand({name for name in share if "pkgconfig" not in name},
           {f"share/gradus/{name}" for name in ("gradus-config.cmake", "gradus-config-version.cmake", "usage", "copyright")}, "other files of the port")
    demand(share["share/gradus/copyright"], licence, "the licence of the port")
    run("cmake", "-S", here / "cmake", "-B", work / "vcpkg/consumer", "-G", "Ninja", "-DWAY=find_package", f"-DCMAKE_PREFIX_PATH={installed}")


with tempfile.TemporaryDirectory() as directory:
    if not shutil.which("cmake") or not shutil.which("ninja"):
        sys.exit("cmake or ninja is missing")
    vcpkg(Path(directory))
    conan(Path(directory))
