// SPDX-License-Identifier: BSL-1.0
// expect: gradus::cond(predicate, a, b): the branches differ: a returns float[4], b returns float
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto p = gr::var<"p", bool>;

#ifdef GRADUS_FAIL
constexpr auto y = gr::cond(p, [] { return gr::tanh(x); }, [] { return gr::sum(x); });
#else
constexpr auto y = gr::cond(p, [] { return gr::tanh(x); }, [] { return gr::broadcast_to<4>(gr::sum(x)); });
#endif
