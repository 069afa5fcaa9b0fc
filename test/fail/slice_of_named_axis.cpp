// SPDX-License-Identifier: BSL-1.0
// expect: gradus::slice(a): the range ends before it begins along axis 0: a is float[rows,3]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, "rows", 3>;

#ifdef GRADUS_FAIL
constexpr auto c = gr::slice<5, 2>(a);
#else
constexpr auto c = gr::slice<2, 5>(a);
#endif
