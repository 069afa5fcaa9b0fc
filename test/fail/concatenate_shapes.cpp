// SPDX-License-Identifier: BSL-1.0
// expect: gradus::concatenate(a, b): shapes differ beside axis 0: a is float[4,3], b is float[4,2]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 3>;
constexpr auto b = gr::var<"b", float, 4, 2>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::concatenate<0>(a, b);
#else
constexpr auto y = gr::concatenate<1>(a, b);
#endif
