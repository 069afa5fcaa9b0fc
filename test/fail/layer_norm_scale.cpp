// SPDX-License-Identifier: BSL-1.0
// expect: gradus::layer_norm(a, b, c): scale and shift do not fit: a is float[5,3], b is float[5]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 5, 3>;
constexpr auto s = gr::var<"s", float, 5>;
constexpr auto t = gr::var<"t", float, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::layer_norm(x, s, s);
#else
constexpr auto y = gr::layer_norm(x, t, t);
#endif
