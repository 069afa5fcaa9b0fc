// SPDX-License-Identifier: BSL-1.0
// expect: gradus::inv(a): needs square floating-point matrices: a is double[3,4]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", double, 3, 4>;
constexpr auto s = gr::var<"s", double, 3, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::inv(a);
#else
constexpr auto y = gr::inv(s);
#endif
