// SPDX-License-Identifier: BSL-1.0
// expect: gradus::cross_entropy(a, b): one label per row of logits: a is float[5,3], b is int64[5,3]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 5, 3>;
constexpr auto one_hot = gr::var<"y", std::int64_t, 5, 3>;
constexpr auto label = gr::var<"label", std::int64_t, 5>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::cross_entropy(x, one_hot);
#else
constexpr auto y = gr::cross_entropy(x, label);
#endif
