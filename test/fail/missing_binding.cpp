// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program: symbol "w" is not bound: w is float[4], write w = data
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::sum(x * w));

int main() {
    gr::array<float, 4> X{}, W{};
#ifdef GRADUS_FAIL
    f(x = X);
#else
    f(x = X, w = W);
#endif
}
