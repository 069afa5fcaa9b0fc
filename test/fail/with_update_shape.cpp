// SPDX-License-Identifier: BSL-1.0
// expect: gradus::with_update(a, b, c): the new value is not like the buffer: b is double[3], c is double
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", double, "n", 3>;

#ifdef GRADUS_FAIL
auto f(gr::tensor<double, 3> const& seen) { return gr::with_update(x * x, seen, gr::sum(x)); }
#else
auto f(gr::tensor<double, 3> const& seen) { return gr::with_update(x * x, seen, gr::sum<0>(x)); }
#endif
