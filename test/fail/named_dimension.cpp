// SPDX-License-Identifier: BSL-1.0
// expect: gradus::add(a, b): shapes do not broadcast: a is float[rows], b is float[cols] (rows != cols)
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, "rows">;
constexpr auto b = gr::var<"b", float, "cols">;
constexpr auto d = gr::var<"d", float, "rows">;

#ifdef GRADUS_FAIL
constexpr auto c = a + b;
#else
constexpr auto c = a + d;
#endif
