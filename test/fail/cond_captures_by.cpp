// SPDX-License-Identifier: BSL-1.0
// expect: gradus::grad(f, x): a branch of gr::cond captures x, a tanh of type float[4]: hand it to gr::cond as an operand, gr::cond(p, a, b, x)
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto p = gr::var<"p", bool>;
constexpr auto e = gr::tanh(x);
#ifdef GRADUS_FAIL
constexpr auto chosen = gr::cond(p, [] { return e * e; }, [] { return e; });
#else
constexpr auto chosen = gr::cond(p, [](auto y) { return y * y; }, [](auto y) { return y; }, e);
#endif
constexpr auto program = gr::compile(gr::grad(gr::sum(chosen), e));

int main() { static_cast<void>(program); }
