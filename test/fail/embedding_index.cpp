// SPDX-License-Identifier: BSL-1.0
// expect: gradus::embedding(a, b): an index is no integer: b is float[6]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto table = gr::var<"table", float, 10, 4>;
constexpr auto a = gr::var<"a", float, 6>;
constexpr auto i = gr::var<"i", std::int64_t, 6>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::embedding(table, a);
#else
constexpr auto y = gr::embedding(table, i);
#endif
