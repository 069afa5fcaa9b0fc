// SPDX-License-Identifier: BSL-1.0
// expect: gradus::einsum(a): a letter of the result stands there once and in an operand: k
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 3, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::einsum<"ij->ik">(a);
#else
constexpr auto y = gr::einsum<"ij->ji">(a);
#endif
