// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program(x = data): sizes differ: x is float[4], the data has 5 elements
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::sum(x * w));

int main() {
    gr::array<float, 4> X{}, W{};
    float Y[5] = {};
#ifdef GRADUS_FAIL
    f(x = Y, w = W);
#else
    f(x = X, w = W);
#endif
}
