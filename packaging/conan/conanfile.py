# SPDX-License-Identifier: BSL-1.0
"""`conan create packaging/conan`: the headers of this tree as a package for Conan 2."""
import re
from os.path import join

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load


class Gradus(ConanFile):
    name = "gradus"
    description = "Derivatives of tensor programs, compiled into fused SIMD kernels"
    license = "BSL-1.0"
    topics = ("automatic-differentiation", "tensor", "simd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    default_options = {"boost/*:header_only": True}
    no_copy_source = True

    def set_version(self):
        header = load(self, join(self.recipe_folder, "../../include/gradus/version.hpp"))
        self.version = ".".join(re.search(rf"GRADUS_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))

    def export_sources(self):
        root = join(self.recipe_folder, "../..")
        copy(self, "include/*", root, self.export_sources_folder)
        copy(self, "LICENSE", root, self.export_sources_folder)

    def requirements(self):
        self.requires("boost/[>=1.81 <2]")
        self.requires("xsimd/[>=8.1]")

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "include/*", self.source_folder, self.package_folder)
        copy(self, "LICENSE", self.source_folder, join(self.package_folder, "licenses"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.requires = ["boost::headers", "xsimd::xsimd"]
