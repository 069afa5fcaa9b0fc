// SPDX-License-Identifier: BSL-1.0
// expect: gradus::update(a, b): the new value is not like the symbol: w is float[4], b is float
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto w = gr::var<"w", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto f = gr::compile(gr::update(w, gr::sum(w)));
#else
constexpr auto f = gr::compile(gr::update(w, w * gr::sum(w)));
#endif
