// SPDX-License-Identifier: BSL-1.0
// A program of the tutorial's size: one layer, a loss, two gradients.
#include <gradus.hpp>

namespace gr = gradus;

constexpr auto x = gr::var<"x", float, 5>;
constexpr auto w = gr::var<"w", float, 5, 3>;
constexpr auto b = gr::var<"b", float, 3>;
constexpr auto y = gr::var<"y", float, 3>;
constexpr auto loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y);
constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));

int main() {
    auto ones = gr::array<float, 5>::ones();
    gr::array<float, 5, 3> weights{};
    gr::array<float, 3> bias{}, targets{};
    auto [l, dw, db] = step(x = ones, w = weights, b = bias, y = targets);
    return l + dw(0, 0) + db(0) > 100;
}
