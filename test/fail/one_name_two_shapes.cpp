// SPDX-License-Identifier: BSL-1.0
// expect: gradus::compile: symbol "x" has two types: float[3] and float[4]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"x", float, 3>;
constexpr auto b = gr::var<"x", float, 4>;
constexpr auto d = gr::var<"y", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto f = gr::compile(gr::sum(a) + gr::sum(b));
#else
constexpr auto f = gr::compile(gr::sum(a) + gr::sum(d));
#endif
