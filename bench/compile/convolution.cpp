// SPDX-License-Identifier: BSL-1.0
// Two convolutions with relu, their loss and all gradients in one program.
#include <gradus.hpp>

#include <cstdio>

namespace gr = gradus;

constexpr gr::windows same{.padding = 1};
constexpr auto x = gr::var<"x", float, 32, 1, 28, 28>;
constexpr auto w1 = gr::var<"w1", float, 8, 1, 3, 3>;
constexpr auto b1 = gr::var<"b1", float, 8>;
constexpr auto w2 = gr::var<"w2", float, 16, 8, 3, 3>;
constexpr auto b2 = gr::var<"b2", float, 16>;
constexpr auto first = gr::let([] { return gr::relu(gr::conv2d<same>(x, w1, b1)); });
constexpr auto second = gr::let([] { return gr::relu(gr::conv2d<same>(first, w2, b2)); });
constexpr auto loss = gr::let([] { return gr::mean(gr::square(second)); });
constexpr auto step = gr::compile(loss, gr::grad(loss, w1), gr::grad(loss, b1), gr::grad(loss, w2), gr::grad(loss, b2));

int main() {
    gr::random random(1);
    auto const image = gr::array<float, 32, 1, 28, 28>::uniform(random, -1.0F, 1.0F);
    auto const u = gr::array<float, 8, 1, 3, 3>::uniform(random, -0.3F, 0.3F);
    auto const v = gr::array<float, 16, 8, 3, 3>::uniform(random, -0.1F, 0.1F);
    auto [l, du, db, dv, dc] = step(x = image, w1 = u, b1 = gr::array<float, 8>{}, w2 = v, b2 = gr::array<float, 16>{});
    std::printf("%d kernels, loss %.4f\n", step.kernels(), static_cast<double>(l));
    return l > 0 ? 0 : 1;
}
