// SPDX-License-Identifier: BSL-1.0
// expect: gradus::reshape(a): sizes differ: a is float[4,3], the new shape is [5,3]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4, 3>;

#ifdef GRADUS_FAIL
constexpr auto c = gr::reshape<5, 3>(a);
#else
constexpr auto c = gr::reshape<6, 2>(a);
#endif
