// SPDX-License-Identifier: BSL-1.0
// expect: gradus::convolution(a, b): the window is larger than a: a is float[2,3,4,4], b is float[4,3,5,5]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 2, 3, 4, 4>;
constexpr auto w = gr::var<"w", float, 4, 3, 5, 5>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::conv2d(x, w);
#else
constexpr auto y = gr::conv2d<gr::windows{.padding = 1}>(x, w);
#endif
