// SPDX-License-Identifier: BSL-1.0
// expect: gradus::solve(a, b): needs square matrices: a is double[3,4], b is double[3]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", double, 3, 4>;
constexpr auto s = gr::var<"s", double, 3, 3>;
constexpr auto b = gr::var<"b", double, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::solve(a, b);
#else
constexpr auto y = gr::solve(s, b);
#endif
