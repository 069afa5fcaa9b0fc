// SPDX-License-Identifier: BSL-1.0
#include "saved.hpp"

namespace gr = gradus;
using saved::by, saved::within;

namespace {

using matrix = gr::tensor<double, 3, 4>;
constexpr std::int64_t bytes = 3 * 4 * 8, row_bytes = 3 * 8;

matrix const a = saved::operand<3, 4>(1), b = saved::operand<3, 4>(2);

gr::tensor<double, 3, 2> product(matrix const& x, gr::tensor<double, 4, 2> const& w) { return gr::matmul(x, w); }
gr::tensor<double, 3, 4> weighted(matrix const& x, matrix const& w) { return gr::softmax(x) * w; }

}  // namespace

TEST_CASE("40 moved, repeated and summed elements need nothing") {
    CHECK(within(by([](auto x) { return gr::sum(x); }, a), 0, 0));
    CHECK(within(by([](auto x) { return gr::sum<1>(x); }, a), 0, 0));
    CHECK(within(by([](auto x) { return gr::mean<0>(x); }, a), 0, 0));
    CHECK(within(by([](auto x) { return gr::reshape<2, 6>(x); }, a), 0, 0));
    CHECK(within(by([](auto x) { return gr::broadcast_to<2, 3, 4>(x); }, a), 0, 0));
    CHECK(within(by([](auto x) { return gr::transpose(x); }, a), 0, 0));
    CHECK(within(by([](auto x) { return gr::slice<1, 3, 1, 1>(x); }, a), 0, 0));
    CHECK(within(saved::of(gr::tensor(gr::cast<float>(a))), 0, 0));  // too coarse for the quotient
    CHECK(within(by([](auto x, auto y) { return gr::concatenate<0>(x, y); }, a, b), 0, 0));
}
TEST_CASE("40 products: the other matrix, where it is needed") {
    gr::tensor<double, 4, 2> w = saved::operand<4, 2>(3);
    CHECK(within(by(product, a, w), 2, bytes + 64));
    a.requires_grad_(), w.requires_grad_(false);
    CHECK(within(saved::of(product(a, w)), 1, 64));
    a.requires_grad_(false), w.requires_grad_();
    CHECK(within(saved::of(product(a, w)), 1, bytes));
}
TEST_CASE("40 maxima and softmaxes") {
    CHECK(within(by([](auto x) { return gr::amax<1>(x); }, a), 2, bytes + row_bytes));       // self, result
    CHECK(within(by([](auto x) { return gr::logsumexp<1>(x); }, a), 2, bytes + row_bytes));  // self, result
    CHECK(within(by([](auto x) { return gr::logsumexp(x); }, a), 2, bytes + 8));
    CHECK(within(by([](auto x) { return gr::softmax(x); }, a), 1, bytes));  // _softmax_backward_data(grad, result, ..)
    CHECK(within(by([](auto x) { return gr::softmax<0>(x); }, a), 1, bytes));
    CHECK(within(by([](auto x) { return gr::log_softmax(x); }, a), 1, bytes));       // _log_softmax_backward_data(grad, result, ..)
    CHECK(within(by([](auto x) { return gr::log(gr::softmax(x)); }, a), 1, bytes));  // becomes log_softmax
}
TEST_CASE("40 losses") {
    CHECK(within(by([](auto x, auto y) { return gr::mse_loss(x, y); }, a, b), 2, 2 * bytes));                          // self, target
    CHECK(within(by([](auto x, auto y) { return gr::binary_cross_entropy_with_logits(x, y); }, a, b), 2, 2 * bytes));  // self, target
    gr::tensor<std::int64_t, 3> labels{2, 0, 3};
    // PyTorch: the log_softmax, the target and total_weight; here the logits, the target, a number per row and how many rows count
    CHECK(within(by([&](auto x) { return gr::cross_entropy(x, labels); }, a), 4, bytes + 3 * 8 + row_bytes + 8));
}
TEST_CASE("40 an expression saves no more than its statements would one by one") {
    CHECK(within(by(weighted, a, b), 3, 3 * bytes));  // softmax: result; mul: self (that result), other
    CHECK(within(by([](auto x, auto y) { return gr::sum(gr::square(x - y)); }, a, b), 2, 2 * bytes));
    CHECK(within(by([](auto x, auto y) { return gr::tanh(x * y + 1.0); }, a, b), 3, 3 * bytes));
}
TEST_CASE("40 derivatives of softmaxes can be differentiated again") {
    auto slope = [&](matrix const& x) {
        gr::tensor y = gr::sum(weighted(x, b.detach()));
        return gr::autograd::grad(y, x, {.create_graph = true});
    };
    matrix x = a.detach().clone().requires_grad_(), v = saved::operand<3, 4>(5);
    // second derivatives times v, and the difference quotient of the first ones along v: their matrix is symmetric
    matrix curvature = gr::autograd::grad(slope(x), x, {.grad_outputs = {v}});
    double const h = 1e-5;
    auto moved = [&](double step) {
        matrix m = x.detach().clone();
        for (std::int64_t i = 0; i < m.size(); ++i) m.data()[i] += step * v.data()[i];
        return slope(m.requires_grad_()).detach();
    };
    matrix up = moved(h), down = moved(-h);
    for (std::int64_t i = 0; i < x.size(); ++i)
        CHECK(curvature.data()[i] ==
              doctest::Approx((up.data()[i] - down.data()[i]) / (2 * h)).epsilon(1e-6));  // 1e-11 of rounding, of values of 1e-2
}
TEST_CASE("40 stop_gradient stops the derivative, whatever is computed of it") {
    matrix x = a.detach().clone().requires_grad_();
    gr::tensor y = gr::stop_gradient(x) * x;
    y.backward(gr::ones<double, 3, 4>());
    CHECK(messages::elements(x.grad()) == messages::elements(x));  // not twice
    x.zero_grad();
    gr::tensor z = gr::stop_gradient(gr::exp(x));
    CHECK_FALSE(z.requires_grad());
}
