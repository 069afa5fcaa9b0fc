// SPDX-License-Identifier: BSL-1.0
// expect: gradus::softmax(a): no such axis: a is float[4,3] and has 2 axes
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::softmax<2>(a);
#else
constexpr auto y = gr::softmax<1>(a);
#endif
