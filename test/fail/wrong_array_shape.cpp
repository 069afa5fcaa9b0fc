// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program(x = data): shapes differ: x is float[2,3], the data is float[3,2]
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 2, 3>;
constexpr auto f = gr::compile(gr::sum<0>(x));

int main() {
    gr::array<float, 2, 3> X{};
    gr::array<float, 3, 2> Y{};
#ifdef GRADUS_FAIL
    f(x = Y);
#else
    f(x = X);
#endif
}
