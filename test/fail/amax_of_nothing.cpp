// SPDX-License-Identifier: BSL-1.0
// expect: gradus::amin(a): axis 1 has no elements: a is float[4,0]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 0>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::amin<1>(a);
#else
constexpr auto y = gr::amin<0>(a);
#endif
