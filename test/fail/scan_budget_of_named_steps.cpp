// SPDX-License-Identifier: BSL-1.0
// expect: gradus::scan<gr::memory_budget<4096>>(body, init, xs): the steps are cut into segments by the compiler, which needs their number: xs is float[time,4]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto h = gr::var<"h", float, 4>;
constexpr auto xs = gr::var<"xs", float, "time", 4>;
constexpr auto thousand = gr::var<"xs", float, 1000, 4>;
constexpr auto body = [](auto carry, auto x) { return gr::tanh(carry + x); };

#ifdef GRADUS_FAIL
constexpr auto last = gr::scan<gr::memory_budget<4096>>(body, h, xs);
#else
constexpr auto last = gr::scan<gr::memory_budget<4096>>(body, h, thousand);
#endif
