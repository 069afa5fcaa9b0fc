// SPDX-License-Identifier: BSL-1.0
// expect: gradus::solve(a, b): a has other columns than b has rows: a is double[3,3], b is double[4] (3 != 4)
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", double, 3, 3>;
constexpr auto b = gr::var<"b", double, 4>;
constexpr auto d = gr::var<"d", double, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::solve(a, b);
#else
constexpr auto y = gr::solve(a, d);
#endif
