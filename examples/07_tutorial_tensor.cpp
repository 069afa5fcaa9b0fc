// SPDX-License-Identifier: BSL-1.0
// The tutorial with tensors: the layer of 01_tutorial, once as a static program and once with PyTorch's vocabulary, side by
// side and with the same numbers.
//
// A program is compiled whole and its values come in by name. A tensor holds values and remembers what computed it: any C++
// may stand between two statements, and backward() walks the tape. Each statement runs the same fused kernels.
#include <gradus.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace gr = gradus;

// 1. Symbols and a program, as in 01_tutorial.
constexpr auto x = gr::var<"x", float, 4, 2>;
constexpr auto y = gr::var<"y", float, 4, 3>;
constexpr auto w = gr::var<"w", float, 2, 3>;
constexpr auto b = gr::var<"b", float, 3>;
constexpr auto loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y);
constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));

int main() {
    // 2. The same values on both sides. Handles are cheap to copy; the elements are shared.
    gr::array<float, 4, 2> const inputs = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    gr::array<float, 4, 3> const gates = {{0, 0, 1}, {0, 1, 1}, {0, 1, 1}, {1, 1, 0}};  // AND, OR, NAND
    gr::array<float, 2, 3> weights{};
    gr::array<float, 3> biases{};
    gr::tensor X = inputs;
    gr::tensor Y = gates;
    auto W = gr::zeros<float, 2, 3>().requires_grad_();  // a leaf that collects its gradient
    auto B = gr::zeros<float, 3>().requires_grad_();

    // 3. What is recorded: one node per statement, named as in PyTorch.
    gr::tensor Z = gr::matmul(X, W) + B;
    gr::tensor L = gr::binary_cross_entropy_with_logits(Z, Y);
    std::cout << "z:    " << Z.grad_fn().name() << ", then " << Z.grad_fn().next_functions()[1].name()
              << " for w\nloss: " << L.grad_fn().name() << ", keeps " << L.grad_fn().saved_count() << " tensors of "
              << L.grad_fn().saved_bytes() << " bytes for the backward pass\n\n";

    // 4. Gradient descent on both sides.
    std::printf("step   program: loss, dloss/db                            tensors: loss, dloss/db\n");
    float apart = 0, last = 0;
    for (int i = 0; i <= 200; ++i) {
        auto const [value, slope_w, slope_b] = step(x = inputs, y = gates, w = weights, b = biases);

        L = gr::binary_cross_entropy_with_logits(gr::matmul(X, W) + B, Y);  // the whole model is one node
        L.backward();

        apart = std::max(apart, std::abs(value - L.item()));
        for (int k = 0; k < 6; ++k) apart = std::max(apart, std::abs(slope_w[k] - W.grad().data()[k]));
        for (int k = 0; k < 3; ++k) apart = std::max(apart, std::abs(slope_b[k] - B.grad()(k)));
        if (i == 0 || i == 1 || i == 10 || i == 50 || i == 200) {
            auto print = [](float l, auto const& db) {
                std::printf("%.6f (%+.6f, %+.6f, %+.6f)", static_cast<double>(l), static_cast<double>(db(0)), static_cast<double>(db(1)),
                            static_cast<double>(db(2)));
            };
            std::printf("%4d   ", i);
            print(value, slope_b);
            std::printf("   ");
            print(L.item(), B.grad());
            std::printf("\n");
        }

        for (int k = 0; k < weights.size(); ++k) weights[k] -= 4 * slope_w[k];
        for (int k = 0; k < biases.size(); ++k) biases[k] -= 4 * slope_b[k];
        {
            gr::no_grad guard;  // an update is no part of the model
            W -= 4.0f * W.grad();
            B -= 4.0f * B.grad();
        }
        W.zero_grad();  // gradients add up otherwise
        B.zero_grad();
        last = value;
    }

    // 5. Without recording, and cut out of the tape.
    gr::no_grad guard;
    gr::tensor answer = gr::sigmoid(gr::matmul(X, W) + B);
    bool right = last < 0.1f && !answer.requires_grad() && !Z.detach().requires_grad();
    for (int row = 0; row < 4; ++row)
        for (int gate = 0; gate < 3; ++gate) right = right && std::abs(answer(row, gate) - gates(row, gate)) < 0.25f;

    // Both sides do the same arithmetic in float, in kernels that may add in another order: a few units in the last place
    // of numbers below 1, carried through 200 steps that contract.
    bool const same = apart < 1e-5f;
    std::printf("\nlargest difference between the two sides: %.1e: %s\n", static_cast<double>(apart), same ? "ok" : "WRONG");
    std::printf("%s\n", right ? "all three gates learned" : "the gates were NOT learned");
    return right && same ? 0 : 1;
}
