// SPDX-License-Identifier: BSL-1.0
// expect: gradus::slice(a): the range leaves axis 0: a is float[8], the last index is 8
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 8>;

#ifdef GRADUS_FAIL
constexpr auto c = gr::slice<1, 9>(a);
#else
constexpr auto c = gr::slice<1, 8>(a);
#endif
