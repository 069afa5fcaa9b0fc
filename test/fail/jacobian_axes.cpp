// SPDX-License-Identifier: BSL-1.0
// expect: gradus::jacobian(y, x): the axes of y and of x are more than 6 together: y is float[2,2,2,2], x is float[2,2,2]
#include <gradus/program.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 2, 2, 2>;
constexpr auto y = gr::square(gr::reshape<2, 2, 2, 1>(x)) * gr::var<"w", float, 2>;

#ifdef GRADUS_FAIL
constexpr auto j = gr::jacobian(y, x);
#else
constexpr auto j = gr::jacobian(gr::sum<0>(y), x);
#endif
