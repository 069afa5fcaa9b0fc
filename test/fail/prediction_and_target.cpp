// SPDX-License-Identifier: BSL-1.0
// expect: gradus::mse_loss(a, b): prediction and target differ: a is float[5,1], b is float[5]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 5, 1>;
constexpr auto b = gr::var<"b", float, 5>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::mse_loss(a, b);
#else
constexpr auto y = gr::mse_loss(gr::reshape<5>(a), b);
#endif
