// SPDX-License-Identifier: BSL-1.0
// expect: gradus::hessian(y, x): y is no scalar: y is float[4]. Sum it first, or use gr::jacobian
#include <gradus/program.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto h = gr::hessian(gr::square(x), x);
#else
constexpr auto h = gr::hessian(gr::sum(gr::square(x)), x);
#endif
