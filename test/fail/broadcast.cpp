// SPDX-License-Identifier: BSL-1.0
// expect: gradus::add(a, b): shapes do not broadcast: a is float[4,3], b is float[4] (3 != 4)
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 3>;
constexpr auto b = gr::var<"b", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto c = a + b;
#else
constexpr auto c = a + gr::reshape<4, 1>(b);
#endif
