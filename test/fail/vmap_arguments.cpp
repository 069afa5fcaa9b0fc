// SPDX-License-Identifier: BSL-1.0
// expect: gradus::vmap(f)(xs...): f cannot be called with 1 of these arguments
#include <gradus/program.hpp>

namespace gr = gradus;

constexpr auto xs = gr::var<"xs", float, "n", 4>;
constexpr auto f = [](auto x, auto y) { return gr::sum(x * y); };

#ifdef GRADUS_FAIL
constexpr auto all = gr::vmap(f)(xs);
#else
constexpr auto all = gr::vmap(f)(xs, xs);
#endif
