// SPDX-License-Identifier: BSL-1.0
// expect: gradus::vmap(f)(xs...): argument 1 has no axis 0 to map along: it is float
// expect: gr::vmap<0, gr::unmapped>(f)
#include <gradus/program.hpp>

namespace gr = gradus;

constexpr auto xs = gr::var<"xs", float, "n", 4>;
constexpr auto scale = gr::var<"scale", float>;
constexpr auto f = [](auto x, auto s) { return gr::sum(x) * s; };

#ifdef GRADUS_FAIL
constexpr auto all = gr::vmap(f)(xs, scale);
#else
constexpr auto all = gr::vmap<0, gr::unmapped>(f)(xs, scale);
#endif
