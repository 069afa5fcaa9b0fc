// SPDX-License-Identifier: BSL-1.0
// expect: gradus::dropout(a, b): needs a probability from 0 to 1
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto key = gr::var<"key", std::int64_t>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::dropout<50.0>(x, key);
#else
constexpr auto y = gr::dropout<0.5>(x, key);
#endif
