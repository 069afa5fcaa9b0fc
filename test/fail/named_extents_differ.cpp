// SPDX-License-Identifier: BSL-1.0
// expect: gradus::add(a, b): shapes do not broadcast: a is float[rows - 1], b is float[rows - 2] (rows - 1 != rows - 2)
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, "rows">;
constexpr auto b = gr::var<"b", float, "rows - 2">;

#ifdef GRADUS_FAIL
constexpr auto c = gr::slice<1, gr::end>(a) + b;
#else
constexpr auto c = gr::slice<1, -1>(a) + b;
#endif
