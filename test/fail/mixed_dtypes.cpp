// SPDX-License-Identifier: BSL-1.0
// expect: gradus::mul(a, b): operands differ in type: a is float[4], b is double[4]. Convert one with gr::cast
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto a = gr::var<"a", float, 4>;
constexpr auto b = gr::var<"b", double, 4>;

#ifdef GRADUS_FAIL
constexpr auto c = a * b;
#else
constexpr auto c = gr::cast<double>(a) * b;
#endif
