// SPDX-License-Identifier: BSL-1.0
// expect: gradus: a plain number meets a symbol, which carries no state: write 0.5_c (using namespace gradus::literals) or gr::constant<0.5>
#include <gradus.hpp>

namespace gr = gradus;

using namespace gr::literals;
constexpr auto x = gr::var<"x", float, 4>;

#ifdef GRADUS_FAIL
constexpr auto y = 0.5f * x;
#else
constexpr auto y = 0.5_c * x;
#endif
