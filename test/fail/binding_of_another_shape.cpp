// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program: symbol "x" has two types: float[4] in the program, float[2,2] where it is bound
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::sum(x * w));
constexpr auto z = gr::var<"x", float, 2, 2>;

int main() {
    gr::array<float, 4> X{}, W{};
#ifdef GRADUS_FAIL
    f(z = X, w = W);
#else
    f(x = X, w = W);
#endif
}
