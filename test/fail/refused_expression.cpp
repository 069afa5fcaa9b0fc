// SPDX-License-Identifier: BSL-1.0
// expect: gradus::slice(a): the range leaves axis 1: a is float[batch,4], the last index is
// errors: 1
// errors of clang: 2, the second in the user's line: the constexpr variable has no value
#include <gradus.hpp>

// The same of expressions and programs.
namespace gr = gradus;
using namespace gr::literals;

#ifdef GRADUS_FAIL
inline constexpr int column = 9;
#else
inline constexpr int column = 3;
#endif

constexpr auto x = gr::var<"x", float, "batch", 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto chosen = gr::select<1, column>(x);
constexpr auto loss = gr::mean(gr::square(chosen - 1_c)) + gr::sum(w) * gr::sum(gr::exp(chosen));
constexpr auto step = gr::compile(loss, gr::update(w, w - 0.1_c * gr::grad(loss, w)));

int main() {
    float const data[8] = {};
    float weights[4] = {};
    auto const [value] = step(x = data, w = weights);
    return value > 0 ? 0 : 1;
}
