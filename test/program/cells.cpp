// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Cells of recurrent networks: kernels against the interpreter, and against the formulas of PyTorch's documentation in loops.
namespace {

namespace gr = gradus;

constexpr int in = 3, hidden = 2;
constexpr auto x = gr::var<"x", double, "n", in>;
constexpr auto h = gr::var<"h", double, "n", hidden>;
constexpr auto c = gr::var<"c", double, "n", hidden>;
constexpr auto wx = gr::var<"wx", double, 4 * hidden, in>;
constexpr auto wh = gr::var<"wh", double, 4 * hidden, hidden>;
constexpr auto bx = gr::var<"bx", double, 4 * hidden>;
constexpr auto bh = gr::var<"bh", double, 4 * hidden>;
/// The weights of three gates.
constexpr auto three(auto weights) { return gr::slice<0, 3 * hidden>(weights); }

constexpr auto lstm = gr::lstm_cell(x, h, c, wx, wh, bx, bh);
constexpr auto gru = gr::gru_cell(x, h, three(wx), three(wh), three(bx), three(bh));

using compare::check_all;
double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

TEST_CASE("compiled kernels: cells and their gradients") {
    constexpr auto loss = gr::sum(std::get<0>(lstm) * gru) + gr::sum(std::get<1>(lstm));
    check_all(std::get<0>(lstm), std::get<1>(lstm), gru, gr::grad(loss, h), gr::grad(loss, wh));
}
TEST_CASE("cells: lstm_cell and gru_cell are the formulas of PyTorch's documentation") {
    constexpr auto program = gr::compile(std::get<0>(lstm), std::get<1>(lstm), gru);
    double X[1][in], H[1][hidden], C[1][hidden], WX[4 * hidden][in], WH[4 * hidden][hidden], BX[4 * hidden], BH[4 * hidden];
    int drawn = 0;
    auto const draw = [&](double* to, int count) {
        for (int i = 0; i < count; ++i) to[i] = (drawn++ * 37 % 83) / 41.0 - 1;
    };
    draw(X[0], in), draw(H[0], hidden), draw(C[0], hidden), draw(WX[0], 4 * hidden * in), draw(WH[0], 4 * hidden * hidden),
        draw(BX, 4 * hidden), draw(BH, 4 * hidden);
    auto const [state, memory, gru_state] = program(x = X, h = H, c = C, wx = WX, wh = WH, bx = BX, bh = BH);
    auto const of_input = [&](int gate) {
        double sum = BX[gate];
        for (int k = 0; k < in; ++k) sum += WX[gate][k] * X[0][k];
        return sum;
    };
    auto const of_state = [&](int gate) {
        double sum = BH[gate];
        for (int k = 0; k < hidden; ++k) sum += WH[gate][k] * H[0][k];
        return sum;
    };
    for (int j = 0; j < hidden; ++j) {
        auto const gate = [&](int k) { return of_input(k * hidden + j) + of_state(k * hidden + j); };
        double const i = sigmoid(gate(0)), f = sigmoid(gate(1)), g = std::tanh(gate(2)), o = sigmoid(gate(3));
        double const expected = f * C[0][j] + i * g;
        // sums of six products near 1 and five functions of 2 ulp
        CHECK(memory(0, j) == doctest::Approx(expected).epsilon(1e-14));
        CHECK(state(0, j) == doctest::Approx(o * std::tanh(expected)).epsilon(1e-14));
        double const r = sigmoid(gate(0)), z = sigmoid(gate(1)), n = std::tanh(of_input(2 * hidden + j) + r * of_state(2 * hidden + j));
        CHECK(gru_state(0, j) == doctest::Approx((1 - z) * n + z * H[0][j]).epsilon(1e-14));
    }
}
