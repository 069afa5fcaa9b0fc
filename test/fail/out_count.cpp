// SPDX-License-Identifier: BSL-1.0
// expect: gradus::program(gr::out(...)): one target for each result
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 4>;
constexpr auto f = gr::compile(gr::sum(x), gr::grad(gr::sum(x * x), x));

int main() {
    gr::array<float, 4> X{}, dx{};
    float l;
#ifdef GRADUS_FAIL
    f(gr::out(l), x = X);
#else
    f(gr::out(l, dx), x = X);
#endif
}
