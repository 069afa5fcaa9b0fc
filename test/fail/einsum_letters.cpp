// SPDX-License-Identifier: BSL-1.0
// expect: gradus::einsum(a): one letter per axis: a is float[3,4], which has 1 letter
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 3, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::einsum<"i->i">(a);
#else
constexpr auto y = gr::einsum<"ij->i">(a);
#endif
