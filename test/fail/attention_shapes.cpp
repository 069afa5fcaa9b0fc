// SPDX-License-Identifier: BSL-1.0
// expect: gradus::scaled_dot_product_attention(a, b, c): needs [..., queries, d], [..., keys, d] and [..., keys, e]: a is float[5,8], b is float[6,4], c is float[6,3]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto q = gr::var<"q", float, 5, 8>;
constexpr auto k = gr::var<"k", float, 6, 4>;
constexpr auto v = gr::var<"v", float, 6, 3>;
constexpr auto c = gr::var<"c", float, 6, 8>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::scaled_dot_product_attention(q, k, v);
#else
constexpr auto y = gr::scaled_dot_product_attention(q, c, v);
#endif
