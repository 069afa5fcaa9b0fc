// SPDX-License-Identifier: BSL-1.0
// expect: gradus::attention_weights(a, b, c): the mask does not broadcast to [..., queries, keys], float[5,6]: c is bool[6,5]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto q = gr::var<"q", float, 5, 8>;
constexpr auto k = gr::var<"k", float, 6, 8>;
constexpr auto mask = gr::var<"mask", bool, 6, 5>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::scaled_dot_product_attention(q, k, k, mask);
#else
constexpr auto y = gr::scaled_dot_product_attention(q, k, k, gr::transpose(mask));
#endif
