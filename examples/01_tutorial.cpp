// SPDX-License-Identifier: BSL-1.0
// The tutorial: one layer learns three logic gates (AND, OR, NAND) from their truth table.
//
//     z = x w + b,  loss = cross entropy of sigmoid(z) against the gates' outputs
//
// Shapes, derivatives and costs are facts that the compiler knows; what runs is the fused arithmetic, on values given by name.
#include <gradus.hpp>

#include <cmath>
#include <cstdio>

namespace gr = gradus;

// 1. Symbols: a name, a type, extents. They hold no values.
constexpr auto x = gr::var<"x", float, 4, 2>;  // four rows of two inputs
constexpr auto y = gr::var<"y", float, 4, 3>;  // what each of the three gates answers
constexpr auto w = gr::var<"w", float, 2, 3>;
constexpr auto b = gr::var<"b", float, 3>;

// 2. Expressions: writing them builds a typed graph, and derivatives are expressions too.
constexpr auto z = gr::matmul(x, w) + b;  // b is added to every row
constexpr auto loss = gr::binary_cross_entropy_with_logits(z, y);
constexpr auto dw = gr::grad(loss, w);
constexpr auto db = gr::grad(loss, b);

static_assert(z.shape() == gr::shape{4, 3});
static_assert(loss.shape() == gr::shape{});  // a scalar
static_assert(dw.shape() == w.shape() && db.shape() == b.shape());
static_assert(gr::graph_of(loss).count("matmul") == 1);
static_assert(!gr::graph_of(z).depends_on("y"));
// gr::matmul(x, b) does not compile: "gradus::matmul(a, b): inner extents differ: a is float[4,2], b is float[3] (2 != 3)"

// 3. Programs: empty objects; values come in by name when they are called.
constexpr auto step = gr::compile(loss, dw, db);
constexpr auto answer = gr::compile(gr::sigmoid(z));
static_assert(step.flops() > 0 && step.workspace_bytes() <= 256);

int main() {
    gr::array<float, 4, 2> const inputs = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    float const gates[4][3] = {{0, 0, 1}, {0, 1, 1}, {0, 1, 1}, {1, 1, 0}};  // anything contiguous binds
    gr::array<float, 2, 3> weights{};                                        // zeros
    gr::array<float, 3> biases{};

    // 4. Gradient descent: 4 is a good step for this loss.
    float last = 0;
    for (int i = 0; i <= 200; ++i) {
        auto const [value, slope_w, slope_b] = step(x = inputs, y = gates, w = weights, b = biases);
        if (i == 0 || i == 1 || i == 10 || i == 50 || i == 200)
            std::printf("step %3d: loss %.4f, dloss/db = (%+.4f, %+.4f, %+.4f)\n", i, static_cast<double>(value),
                        static_cast<double>(slope_b(0)), static_cast<double>(slope_b(1)), static_cast<double>(slope_b(2)));
        for (int k = 0; k < weights.size(); ++k) weights[k] -= 4 * slope_w[k];
        for (int k = 0; k < biases.size(); ++k) biases[k] -= 4 * slope_b[k];
        last = value;
    }

    auto const [p] = answer(x = inputs, w = weights, b = biases);
    std::printf("\ninputs   AND   OR    NAND\n");
    bool right = last < 0.1F;
    for (int row = 0; row < 4; ++row) {
        std::printf(" %g, %g  ", static_cast<double>(inputs(row, 0)), static_cast<double>(inputs(row, 1)));
        for (int gate = 0; gate < 3; ++gate) {
            std::printf(" %.3f", static_cast<double>(p(row, gate)));
            right = right && std::abs(p(row, gate) - gates[row][gate]) < 0.25F;
        }
        std::printf("\n");
    }
    std::printf("%s\n", right ? "all three gates learned" : "the gates were NOT learned");
    return right ? 0 : 1;
}
