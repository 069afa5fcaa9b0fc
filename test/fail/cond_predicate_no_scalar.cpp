// SPDX-License-Identifier: BSL-1.0
// expect: gradus::cond(predicate, a, b): the predicate is no scalar: predicate is bool[4]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::cond(x > x * x, [] { return gr::tanh(x); }, [] { return x; });
#else
constexpr auto y = gr::cond(gr::all(x > x * x), [] { return gr::tanh(x); }, [] { return x; });
#endif
