// SPDX-License-Identifier: BSL-1.0
// expect: gradus::compile: symbol "x" has two types: float[3] and int32[3]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"x", float, 3>;
constexpr auto b = gr::var<"x", std::int32_t, 3>;
constexpr auto d = gr::var<"y", std::int32_t, 3>;

#ifdef GRADUS_FAIL
constexpr auto g = gr::graph_of(gr::sum(a * gr::cast<float>(b)));
#else
constexpr auto g = gr::graph_of(gr::sum(a * gr::cast<float>(d)));
#endif
