// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program: an argument is no binding: write x = data
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto w = gr::var<"w", float, 4>;
constexpr auto f = gr::compile(gr::sum(x * w));

int main() {
    gr::array<float, 4> X{}, W{};
#ifdef GRADUS_FAIL
    f(X, w = W);
#else
    f(x = X, w = W);
#endif
}
