// SPDX-License-Identifier: BSL-1.0
// STEPS steps of the logistic map, a number each, beside a vector, with both gradients: each step names the one before it and uses it
// twice.
#include <gradus.hpp>

#include <cstdio>

#ifndef STEPS
#define STEPS 16
#endif

namespace gr = gradus;
using namespace gr::literals;

constexpr auto rate = gr::var<"rate", float>;
constexpr auto start = gr::var<"start", float>;
constexpr auto v = gr::var<"v", float, 1024>;

template <int I>
constexpr auto state() {
    if constexpr (I == 0) return start;
    else return gr::let([] { return rate * state<I - 1>() * (1_c - state<I - 1>()); });
}
constexpr auto loss = gr::let([] { return gr::sum(v * state<STEPS>()); });
constexpr auto step = gr::compile(loss, gr::grad(loss, rate), gr::grad(loss, v));

int main() {
    gr::random random(1);
    auto const of = gr::array<float, 1024>::uniform(random, 0.0f, 1.0f);
    auto const l = std::get<0>(step(rate = 3.5f, start = 0.3f, v = of));
    std::printf("%d steps, %d kernels: %.6f\n", STEPS, step.kernels(), static_cast<double>(l));
    return l > 0 ? 0 : 1;
}
