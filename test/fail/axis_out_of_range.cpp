// SPDX-License-Identifier: BSL-1.0
// expect: gradus::sum(a): no such axis: a is float[4,3] and has 2 axes
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 3>;

#ifdef GRADUS_FAIL
constexpr auto c = gr::sum<2>(a);
#else
constexpr auto c = gr::sum<1>(a);
#endif
