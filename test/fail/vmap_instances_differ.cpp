// SPDX-License-Identifier: BSL-1.0
// expect: gradus::vmap(f)(xs...): numbers of instances differ: argument 0 is float[n,4], argument 1 is float[5,n] (n != 5)
#include <gradus/program.hpp>

namespace gr = gradus;

constexpr auto xs = gr::var<"xs", float, "n", 4>;
constexpr auto ys = gr::var<"ys", float, 5, "n">;
constexpr auto f = [](auto x, auto y) { return gr::sum(x) * y; };

#ifdef GRADUS_FAIL
constexpr auto all = gr::vmap(f)(xs, ys);
#else
constexpr auto all = gr::vmap<0, 1>(f)(xs, ys);
#endif
