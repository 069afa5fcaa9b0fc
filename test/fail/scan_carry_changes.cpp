// SPDX-License-Identifier: BSL-1.0
// expect: gradus::scan(body, init, xs): the carry changes: init is float[4], the body returns float[3,4]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto h = gr::var<"h", float, 4>;
constexpr auto xs = gr::var<"xs", float, "time", 3, 4>;

#ifdef GRADUS_FAIL
constexpr auto last = gr::scan([](auto carry, auto x) { return carry + x; }, h, xs);
#else
constexpr auto last = gr::scan([](auto carry, auto x) { return carry + gr::sum<0>(x); }, h, xs);
#endif
