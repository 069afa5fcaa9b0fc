// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>

// What a condition does not select stays out of derivatives, across statements of the tape: a cotangent that is 0 stays 0 where a
// rule is infinite. Expected values are closed forms.
namespace gr = gradus;

namespace {

/// A few roundings of values near 1.
template <class T>
doctest::Approx near(double x) {
    return doctest::Approx(x).epsilon(16 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

/// sin(x) / x, a polynomial at 0, a statement per operation.
template <class T>
auto sinc(gr::tensor<T, 2> const& x) {
    gr::tensor s = gr::sin(x);
    gr::tensor q = s / x;
    gr::tensor square = x * x;
    gr::tensor series = T(1) - square / T(6);
    gr::tensor y = gr::where(x != T(0), q, series);
    return y;
}

/// First and second derivatives at x of the sum over where(x > 0, q, x x), where a row of q is made by an operation that mixes log(x) and
/// 2 log(x).
template <class T, int N, class Mix>
std::pair<gr::tensor<T, N>, gr::tensor<T, N>> derivatives_of_mixed(gr::tensor<T, N> x, Mix mix) {
    x.requires_grad_();
    gr::tensor l = gr::log(x);
    gr::tensor rows = gr::unsqueeze<1>(l) * gr::tensor<T, 1, 2>{{1, 2}};
    gr::tensor mixed = mix(rows);
    gr::tensor q = gr::sum<1>(mixed * mixed);
    gr::tensor y = gr::sum(gr::where(x > T(0), q, x * x));
    gr::tensor<T, N> const g = gr::autograd::grad(y, x, {.create_graph = true});
    gr::tensor total = gr::sum(g);
    return {g, gr::autograd::grad(total, x)};
}
/// Rows that are not selected are as if they were not there, and have the derivatives of x x.
template <class T>
void check_mixed(auto mix) {
    auto const [g, h] = derivatives_of_mixed<T, 3>(gr::tensor<T, 3>{-1, 0, 3}, mix);
    auto const [g_alone, h_alone] = derivatives_of_mixed<T, 1>(gr::tensor<T, 1>{3}, mix);
    CHECK((g(0) == -2 && g(1) == 0 && h(0) == 2 && h(1) == 2));
    CHECK(g(2) == near<T>(static_cast<double>(g_alone(0))));
    CHECK(h(2) == near<T>(static_cast<double>(h_alone(0))));
}

}  // namespace

TEST_CASE_TEMPLATE("untaken branch: operations that mix the elements of a row, over statements, first and second order", T, float, double) {
    check_mixed<T>([](auto const& m) { return gr::tensor(gr::softmax<1>(m)); });
    check_mixed<T>([](auto const& m) { return gr::tensor(gr::log_softmax<1>(m)); });
    check_mixed<T>([](auto const& m) { return gr::tensor(gr::cumsum<1>(m)); });
    check_mixed<T>([](auto const& m) { return gr::tensor(gr::cumprod<1>(m)); });
    check_mixed<T>([](auto const& m) { return gr::tensor(m * m - gr::mean<1, gr::keepdim>(m)); });
    check_mixed<T>([](auto const& m) { return gr::tensor(gr::matmul(m, gr::tensor<T, 2, 2>{{1, 2}, {3, 4}})); });
    check_mixed<T>([](auto const& m) { return gr::tensor(gr::sort<1>(m)); });
    auto const [g, h] = derivatives_of_mixed<T, 2>(gr::tensor<T, 2>{0, 3}, [](auto const& m) { return gr::tensor(gr::softmax<1>(m)); });
    CHECK(g(1) == near<T>(0.0625));  // q = (1 + x^2) / (1 + x)^2
    CHECK(h(1) == near<T>(-0.015625));
}
TEST_CASE_TEMPLATE("untaken branch: a statement per operation, first and second order", T, float, double) {
    auto x = gr::tensor<T, 2>{0, 2}.requires_grad_();
    gr::tensor y = gr::sum(sinc(x));
    auto g = gr::autograd::grad(y, x, {.create_graph = true});
    CHECK(g(0) == 0);
    CHECK(g(1) == near<T>(std::cos(2.0) / 2 - std::sin(2.0) / 4));
    gr::tensor total = gr::sum(g);
    total.backward();
    CHECK(x.grad()(0) == near<T>(-1.0 / 3));
    CHECK(x.grad()(1) == near<T>(-std::sin(2.0) / 2 - std::cos(2.0) / 2 + std::sin(2.0) / 4));
}
TEST_CASE_TEMPLATE("untaken branch: a factor that is not selected, second and third order", T, float, double) {
    auto x = gr::tensor<T, 3>{0, 4, -1}.requires_grad_();
    gr::tensor root = gr::sqrt(x), half_log = gr::log(root), q = half_log * root + half_log;
    gr::tensor y = gr::sum(gr::where(x > T(1), q, x * x));
    auto g = gr::autograd::grad(y, x, {.create_graph = true});
    gr::tensor total = gr::sum(g);
    auto h = gr::autograd::grad(total, x, {.create_graph = true});
    gr::tensor total_of_second = gr::sum(h);
    auto third = gr::autograd::grad(total_of_second, x);
    double const ln = std::log(4.0);  // q = log(x) (sqrt(x) + 1) / 2
    T const expected[3][3]{{0, T(ln / 8 + 0.375), -2}, {2, T(-ln / 64 - 0.03125), 2}, {0, T(ln * 0.1875 / 32 + 0.01171875), 0}};
    for (int i = 0; i < 3; ++i) {
        CHECK(g(i) == near<T>(expected[0][i]));
        CHECK(h(i) == near<T>(expected[1][i]));
        CHECK(third(i) == near<T>(expected[2][i]));
    }
}
TEST_CASE_TEMPLATE("untaken branch: a sum that is not selected, second order", T, float, double) {
    auto v = gr::tensor<T, 2>{0, 1}.requires_grad_();
    auto z = gr::full<T>(T(0)).requires_grad_();
    gr::tensor logs = gr::log(v);
    gr::tensor squares = gr::sum(logs * logs);
    gr::tensor y = gr::where(z > T(1), squares, z + gr::sum(v * v));
    auto g = gr::autograd::grad(y, v, {.create_graph = true});
    gr::tensor total = gr::sum(g);
    auto h = gr::autograd::grad(total, v);
    CHECK((g(0) == 0 && g(1) == 2));
    CHECK((h(0) == 2 && h(1) == 2));
}
TEST_CASE_TEMPLATE("untaken branch: bounds and masks over statements", T, float, double) {
    auto x = gr::tensor<T, 2>{0, 4}.requires_grad_();
    gr::tensor l = gr::log(x);
    gr::tensor bounded = gr::clamp(l, T(-5), T(5)) + gr::maximum(l, T(-5)) + gr::relu(l);
    gr::tensor y = gr::sum(bounded);
    y.backward();
    CHECK(x.grad()(0) == 0);
    CHECK(x.grad()(1) == near<T>(0.75));
}
TEST_CASE("a cotangent of 0 has a derivative: the second derivative of a square at its minimum") {
    auto x = gr::tensor<double, 1>{0}.requires_grad_();
    gr::tensor s = gr::sin(x);
    gr::tensor y = gr::sum(s * s);
    auto g = gr::autograd::grad(y, x, {.create_graph = true});
    CHECK(g(0) == 0);
    gr::tensor total = gr::sum(g);
    total.backward();
    CHECK(x.grad()(0) == 2);
}
TEST_CASE("untaken branch: what a hook returns in place of a derivative is as unselected as that") {
    auto x = gr::tensor<double, 2>{0, 4}.requires_grad_();
    gr::tensor root = gr::sqrt(x);
    root.register_hook([](auto const& g) {
        gr::tensor twice = g * 2.0;
        return twice;
    });
    gr::tensor y = gr::sum(gr::where(x > 0.0, root, x * 0.0));
    y.backward();
    CHECK(x.grad()(0) == 0);
    CHECK(x.grad()(1) == 0.5);
}
TEST_CASE("untaken branch: beside a derivative that is 0 there, in either order") {
    for (bool selected_first : {false, true}) {
        auto x = gr::tensor<double, 2>{0, 4}.requires_grad_();
        gr::tensor<double, 2> const weight{0, 1};
        gr::tensor root = gr::sqrt(x), selected = root, weighted = root;
        if (selected_first) selected = gr::where(x > 0.0, root, x * 0.0);
        weighted = root * weight;
        if (!selected_first) selected = gr::where(x > 0.0, root, x * 0.0);
        gr::tensor y = gr::sum(selected + weighted);
        y.backward();
        CHECK(x.grad()(0) == 0);
        CHECK(x.grad()(1) == 0.5);
    }
}
