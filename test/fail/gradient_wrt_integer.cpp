// SPDX-License-Identifier: BSL-1.0
// expect: gradus::grad(a, b): no gradient with respect to an integer: b is int32[4]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto n = gr::var<"n", std::int32_t, 4>;
constexpr auto f = gr::sum(x * gr::cast<float>(n));

#ifdef GRADUS_FAIL
constexpr auto g = gr::grad(f, n);
#else
constexpr auto g = gr::grad(f, x);
#endif
