// SPDX-License-Identifier: BSL-1.0
// expect: gradus::tril(a): needs a matrix: a is float[4]
#include <gradus/expr.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::tril(a);
#else
constexpr auto y = gr::tril(gr::diag(a));
#endif
