// SPDX-License-Identifier: BSL-1.0
// expect: gradus::cholesky(a): needs square floating-point matrices: a is double[3,4]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", double, 3, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::cholesky(a);
#else
constexpr auto y = gr::cholesky(gr::matmul(a, gr::transpose(a)));
#endif
