// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

// Dropout and recurrent cells on run-time tensors.
namespace {

namespace gr = gradus;

}  // namespace

TEST_CASE("dropout: tensors, the derivative has the mask of the value, and a key gives it again") {
    gr::tensor<float, 64> x = gr::ones<float, 64>().requires_grad_();
    gr::tensor<std::int32_t> key = gr::full<std::int32_t>(5), other = gr::full<std::int32_t>(6);
    gr::tensor y = gr::dropout<0.5>(x, key);
    gr::tensor again = gr::dropout<0.5>(x, key);
    gr::tensor different = gr::dropout<0.5>(x, other);
    gr::tensor cost = gr::sum(y);
    cost.backward();
    int zeros = 0, changed = 0;
    for (int i = 0; i < 64; ++i) {
        CHECK((y(i) == 0 || y(i) == 2));
        CHECK(x.grad()(i) == y(i));
        CHECK(again(i) == y(i));
        zeros += y(i) == 0;
        changed += different(i) != y(i);
    }
    CHECK(zeros > 12);  // five standard deviations around 32
    CHECK(zeros < 52);
    CHECK(changed > 12);
}
TEST_CASE("cells: tensors, first and second derivatives through two steps") {
    gr::tensor<double, 1, 2> x{{0.5, -1}}, h{{0.25, -0.5}};
    gr::tensor<double, 6, 2> w{{0.1, -0.2}, {0.3, 0.4}, {-0.5, 0.6}, {0.7, -0.8}, {0.9, 0.2}, {-0.1, 0.3}};
    gr::tensor<double, 6> b{0.1, 0.2, -0.1, 0.3, 0, -0.2};
    h.requires_grad_();
    b.requires_grad_();
    CHECK(gr::gradgradcheck(
        [&](auto const& state, auto const& bias) {
            gr::tensor first = gr::gru_cell(x, state, w, w, bias, b);
            return gr::tensor(gr::gru_cell(x, first, w, w, b, bias));
        },
        h, b));
    gr::tensor<double, 1, 1> c{{0.75}}, s{{-0.25}};
    gr::tensor<double, 4, 2> wx{{0.1, -0.2}, {0.3, 0.4}, {-0.5, 0.6}, {0.7, -0.8}};
    gr::tensor<double, 4, 1> wh{{0.5}, {-0.25}, {1}, {0.125}};
    gr::tensor<double, 4> bias{0, 0.5, 0.25, -0.5};
    wh.requires_grad_();
    c.requires_grad_();
    CHECK(gr::gradgradcheck(
        [&](auto const& weight, auto const& memory) {
            auto const next = gr::lstm_cell(x, s, memory, wx, weight, bias, bias);
            gr::tensor shown = std::get<0>(next);
            gr::tensor kept = std::get<1>(next);
            return gr::tensor(shown * kept);
        },
        wh, c));
}
