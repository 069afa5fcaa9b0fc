// SPDX-License-Identifier: BSL-1.0
// expect: gradus::linear(a, b, c): needs [..., in], [out, in] and [out]: a is float[5,3], b is float[3,4], c is float[4]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 5, 3>;
constexpr auto w = gr::var<"w", float, 3, 4>;
constexpr auto b = gr::var<"b", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::linear(x, w, b);
#else
constexpr auto y = gr::linear(x, gr::transpose(w), b);
#endif
