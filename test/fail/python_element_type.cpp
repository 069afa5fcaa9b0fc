// SPDX-License-Identifier: BSL-1.0
// expect: gradus::python::def(module, name, program): NumPy has no bfloat16: w is bfloat16[3]. Take float, and gr::cast in the program
#include <gradus.hpp>
#include <gradus/python.hpp>

namespace gr = gradus;

#ifdef GRADUS_FAIL
constexpr auto w = gr::var<"w", gr::bfloat16, 3>;
#else
constexpr auto w = gr::var<"w", float, 3>;
#endif
constexpr auto norm = gr::compile(gr::sum(gr::cast<float>(w) * gr::cast<float>(w)));

void add_to(pybind11::module_& module) { gr::python::def(module, "norm", norm); }
