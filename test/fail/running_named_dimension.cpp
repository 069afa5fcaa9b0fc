// SPDX-License-Identifier: BSL-1.0
// expect: gradus::cumsum(a): running results along an axis need its extent: a is float[rows,3]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, "rows", 3>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::cumsum<0>(a);
#else
constexpr auto y = gr::cumsum<1>(a);
#endif
