// SPDX-License-Identifier: BSL-1.0
// expect: gradus::convolution(a, b): the weights are for other channels: a is float[2,3,8,8], b is float[4,2,3,3], in 1 group
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 2, 3, 8, 8>;
constexpr auto w = gr::var<"w", float, 4, 2, 3, 3>;
constexpr auto v = gr::var<"v", float, 4, 3, 3, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::conv2d(x, w);
#else
constexpr auto y = gr::conv2d(x, v);
#endif
