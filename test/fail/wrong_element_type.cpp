// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program(x = data): element types differ: x is float[4], the data is double
#include <gradus.hpp>

#include <vector>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::sum(x * w));

int main() {
    gr::array<float, 4> X{}, W{};
    std::vector<double> Y(4);
#ifdef GRADUS_FAIL
    f(x = Y, w = W);
#else
    f(x = X, w = W);
#endif
}
