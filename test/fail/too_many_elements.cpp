// SPDX-License-Identifier: BSL-1.0
// expect: gradus::broadcast_to(a): the result has too many elements: it is float[4294967296,4294967296]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::broadcast_to<4294967296, 4294967296>(x);
#else
constexpr auto y = gr::broadcast_to<4294967296, 4>(x);
#endif
