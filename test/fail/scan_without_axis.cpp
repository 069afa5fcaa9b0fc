// SPDX-License-Identifier: BSL-1.0
// expect: gradus::scan(body, init, xs): xs has no axis to walk along: xs[0] is float
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto h = gr::var<"h", float, 4>;
constexpr auto rate = gr::var<"rate", float>;

#ifdef GRADUS_FAIL
constexpr auto last = gr::scan([](auto carry, auto x) { return carry * x; }, h, rate);
#else
constexpr auto last = gr::scan<100>([](auto carry) { return carry * rate; }, h);
#endif
