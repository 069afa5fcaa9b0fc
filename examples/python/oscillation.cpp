// SPDX-License-Identifier: BSL-1.0
// A module of Python: a damped oscillation, what it misses data by, and the derivatives of both. fit.py calls it.
//
//     g++ -std=c++20 -O2 -march=native -shared -fPIC -fvisibility=hidden -I gradus/include $(python3-config --includes) oscillation.cpp
//         -o oscillation$(python3-config --extension-suffix)
#include <gradus.hpp>
#include <gradus/python.hpp>

namespace gr = gradus;

namespace {

constexpr auto t = gr::var<"t", double, "n">;
constexpr auto y = gr::var<"y", double, "n">;
constexpr auto p = gr::var<"p", double, 3>;  // amplitude, decay, frequency
constexpr auto curve = gr::select<0, 0>(p) * gr::exp(-gr::select<0, 1>(p) * t) * gr::sin(gr::select<0, 2>(p) * t);
constexpr auto residuals = curve - y;

constexpr auto values = gr::compile(curve);
constexpr auto linearized = gr::compile(residuals, gr::jacobian(residuals, p));

}  // namespace

PYBIND11_MODULE(oscillation, module) {
    gr::python::def(module, "curve", values, "The curve at times t.");
    gr::python::def(module, "residuals", linearized, "What the curve misses y by, and its Jacobian.");
    gr::python::def_objective(module, "misfit", gr::mean(gr::square(residuals)), p);
}
