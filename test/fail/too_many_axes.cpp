// SPDX-License-Identifier: BSL-1.0
// expect: gradus: a shape has at most 6 axes
#include <gradus.hpp>

namespace gr = gradus;

#ifdef GRADUS_FAIL
constexpr auto a = gr::var<"a", float, 1, 2, 3, 4, 5, 6, 7>;
#else
constexpr auto a = gr::var<"a", float, 1, 2, 3, 4, 5, 6>;
#endif
