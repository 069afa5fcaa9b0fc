// SPDX-License-Identifier: BSL-1.0
// expect: gradus::matmul(a, b): inner extents differ: a is float[3,4], b is float[5,6] (4 != 5)
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 3, 4>;
constexpr auto b = gr::var<"b", float, 5, 6>;
constexpr auto d = gr::var<"d", float, 4, 6>;

#ifdef GRADUS_FAIL
constexpr auto c = gr::matmul(a, b);
#else
constexpr auto c = gr::matmul(a, d);
#endif
