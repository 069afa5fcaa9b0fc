// SPDX-License-Identifier: BSL-1.0
// expect: gradus::slice(a): needs a step of at least 1 along axis 0: a is float[4]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::slice<3, 0, -1>(x);
#else
constexpr auto y = gr::flip<0>(gr::slice<1, 4>(x));
#endif
