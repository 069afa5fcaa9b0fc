// SPDX-License-Identifier: BSL-1.0
// expect: gradus::dropout(a, b): needs an integer as its key: b is float
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto seed = gr::var<"seed", float>;
constexpr auto key = gr::var<"key", std::int64_t>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::dropout<0.5>(x, seed);
#else
constexpr auto y = gr::dropout<0.5>(x, key);
#endif
