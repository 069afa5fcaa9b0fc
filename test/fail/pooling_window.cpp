// SPDX-License-Identifier: BSL-1.0
// expect: gradus::max_pool(a): the window is larger than axis 2: a is float[2,3,4,4] (5 > 4)
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 2, 3, 4, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::max_pool2d<5>(x);
#else
constexpr auto y = gr::max_pool2d<2>(x);
#endif
