// SPDX-License-Identifier: BSL-1.0
// expect: gradus::python::def_objective(module, name, value, symbols...): vectors of parameters are double: w is float[3]. Take double, and
// gr::cast in the expression
#include <gradus.hpp>
#include <gradus/python.hpp>

namespace gr = gradus;

#ifdef GRADUS_FAIL
constexpr auto w = gr::var<"w", float, 3>;
#else
constexpr auto w = gr::var<"w", double, 3>;
#endif
constexpr auto norm = gr::sum(gr::cast<double>(w) * gr::cast<double>(w));

void add_to(pybind11::module_& module) { gr::python::def_objective(module, "norm", norm, w); }
