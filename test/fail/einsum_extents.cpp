// SPDX-License-Identifier: BSL-1.0
// expect: gradus::einsum(a, b): one letter stands for two extents: a is float[3,4], b is float[5,6] (j: 4 != 5)
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 3, 4>;
constexpr auto b = gr::var<"b", float, 5, 6>;
constexpr auto d = gr::var<"d", float, 4, 6>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::einsum<"ij,jk->ik">(a, b);
#else
constexpr auto y = gr::einsum<"ij,jk->ik">(a, d);
#endif
