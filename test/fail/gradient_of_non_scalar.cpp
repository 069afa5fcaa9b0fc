// SPDX-License-Identifier: BSL-1.0
// expect: gradus::grad(a, b): the gradient of a non-scalar: a is float[4]. Sum it first, or use gr::jvp
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto g = gr::grad(x * x, x);
#else
constexpr auto g = gr::grad(gr::sum(x * x), x);
#endif
