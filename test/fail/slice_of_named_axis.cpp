// SPDX-License-Identifier: BSL-1.0
// expect: gradus::slice(a): a named dimension has no static range: a is float[rows,3]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, "rows", 3>;

#ifdef GRADUS_FAIL
constexpr auto c = gr::slice<0, 2>(a);
#else
constexpr auto c = gr::slice<0, 2, 1, 1>(a);
#endif
