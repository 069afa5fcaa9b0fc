// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program: symbol "y" is not in this program
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::sum(x * w));
constexpr auto y = gr::var<"y", float, 4>;

int main() {
    gr::array<float, 4> X{}, W{};
#ifdef GRADUS_FAIL
    f(x = X, w = W, y = X);
#else
    f(x = X, w = W);
#endif
}
