// SPDX-License-Identifier: BSL-1.0
// expect: gradus::topk(a): there are not so many elements along axis 0: a is float[4,3] (5 > 4)
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::topk<5, 0>(a);
#else
constexpr auto y = gr::topk<3, 0>(a);
#endif
