// SPDX-License-Identifier: BSL-1.0
// Programs of few numbers: one kernel of straight-line code, whose results are stored where they belong.
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>

namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto x = gr::var<"x", double, 3>;
template <int I>
constexpr auto e = gr::select<0, I>(x);

/// Two residuals of a nonlinear system, with their Jacobian by rows.
constexpr auto f = gr::let([] { return gr::sin(e<0>) * e<1> + gr::exp(e<2>); });
constexpr auto h = gr::let([] { return e<0> / e<1> - e<2> * e<2> * f; });
constexpr auto jacobian = gr::stack<0>(gr::grad(f, x), gr::grad(h, x));
constexpr auto program = gr::compile(gr::stack<0>(f, h), jacobian);

struct by_hand {
    double f, h, j[2][3];
    explicit by_hand(double a, double b, double c)
        : f(std::sin(a) * b + std::exp(c)),
          h(a / b - c * c * f),
          j{{std::cos(a) * b, std::sin(a), std::exp(c)},
            {1 / b - c * c * j[0][0], -a / (b * b) - c * c * j[0][1], -2 * c * f - c * c * j[0][2]}} {}
};

TEST_CASE("scalars: values and a Jacobian by rows are one kernel without memory between") {
    CHECK(program.kernels() == 1);
    CHECK(program.workspace_bytes() == 0);
    gr::array<double, 3> X{0.3, -1.7, 0.9};
    auto [r, j] = program(x = X);
    by_hand const known(0.3, -1.7, 0.9);
    // some ten roundings of numbers of order 1: the formulas by hand are written in another order
    CHECK(r(0) == doctest::Approx(known.f).epsilon(1e-14));
    CHECK(r(1) == doctest::Approx(known.h).epsilon(1e-14));
    for (int i = 0; i < 2; ++i)
        for (int k = 0; k < 3; ++k) CHECK(j(i, k) == doctest::Approx(known.j[i][k]).epsilon(1e-14));
}
TEST_CASE("scalars: second derivatives") {
    constexpr auto g = gr::let([] { return gr::grad(h, x); });
    constexpr auto hessian =
        gr::compile(gr::stack<0>(gr::grad(gr::select<0, 0>(g), x), gr::grad(gr::select<0, 1>(g), x), gr::grad(gr::select<0, 2>(g), x)));
    CHECK(hessian.kernels() == 1);
    gr::array<double, 3> X{0.3, -1.7, 0.9};
    auto [second] = hessian(x = X);
    double const step = 1e-6;  // a central difference errs by its square and by roundings divided by it: below 1e-7
    for (int k = 0; k < 3; ++k) {
        double up[3] = {0.3, -1.7, 0.9}, down[3] = {0.3, -1.7, 0.9};
        up[k] += step;
        down[k] -= step;
        by_hand const a(up[0], up[1], up[2]), b(down[0], down[1], down[2]);
        for (int i = 0; i < 3; ++i) CHECK(second(i, k) == doctest::Approx((a.j[1][i] - b.j[1][i]) / (2 * step)).epsilon(1e-7));
        for (int i = 0; i < k; ++i) CHECK(second(i, k) == doctest::Approx(second(k, i)).epsilon(1e-13));
    }
}
TEST_CASE("scalars: an update reads all old elements before it writes one") {
    constexpr auto turn = gr::compile(gr::update(x, gr::stack<0>(e<2>, e<0>, e<1>)), gr::stack<0>(e<1>, e<1> + e<2>));
    CHECK(turn.kernels() == 1);
    CHECK(turn.workspace_bytes() == 0);
    gr::array<double, 3> X{1, 2, 3};
    auto [old] = turn(x = X);
    CHECK(X(0) == 3);
    CHECK(X(1) == 1);
    CHECK(X(2) == 2);
    CHECK(old(0) == 2);
    CHECK(old(1) == 5);
}
TEST_CASE("scalars: results of several types, and what a loop reads of an assembly") {
    constexpr auto n = gr::var<"n", std::int32_t, 2>;
    constexpr auto rows = gr::var<"rows", float, "m", 2>;
    constexpr auto first = gr::cast<float>(gr::select<0, 0>(n));
    constexpr auto second = gr::cast<float>(gr::select<0, 1>(n));
    constexpr auto mixed = gr::compile(gr::stack<0>(first > second, first < second), gr::stack<0>(gr::select<0, 1>(n), gr::select<0, 0>(n)),
                                       gr::sum<1>(rows * gr::stack<0>(first * second, first - second)));
    std::int32_t const N[2] = {3, 5};
    float const R[6] = {1, 2, 3, 4, 5, 6};
    auto [order, swapped, sums] = mixed(n = N, rows = R);
    CHECK(!order(0));
    CHECK(order(1));
    CHECK(swapped(0) == 5);
    CHECK(swapped(1) == 3);
    for (int i = 0; i < 3; ++i) CHECK(sums(i) == R[2 * i] * 15 - R[2 * i + 1] * 2);
}
constexpr auto many = gr::var<"many", double, 12>;
template <int... I>
constexpr auto all_products(std::integer_sequence<int, I...>) {
    return gr::stack<0>((gr::select<0, I / 12>(many) * gr::select<0, I % 12>(many))...);
}
TEST_CASE("scalars: a long chain of concatenations") {
    constexpr auto outer = gr::compile(gr::reshape<12, 12>(all_products(std::make_integer_sequence<int, 144>{})));
    CHECK(outer.kernels() == 1);
    gr::array<double, 12> M;
    for (int i = 0; i < 12; ++i) M(i) = i + 1;
    auto [products] = outer(many = M);
    for (int i = 0; i < 12; ++i)
        for (int k = 0; k < 12; ++k) CHECK(products(i, k) == (i + 1) * (k + 1));
}
TEST_CASE("scalars: infinities and NaN are what the formulas say") {
    constexpr auto product = gr::matmul(gr::reshape<2, 2>(gr::stack<0>(e<0>, 0_c * e<1>, e<1>, e<2>)), gr::stack<0>(e<1>, e<2>));
    constexpr auto largest = gr::compile(product, gr::amax(gr::stack<0>(e<0>, e<1>, e<2>)));
    double const infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    auto [p, m] = largest(x = gr::array<double, 3>{1, 2, infinity});
    CHECK(p(0) != p(0));  // 2 + 0 inf
    CHECK(p(1) == infinity);
    CHECK(m == infinity);
    for (int k = 0; k < 3; ++k) {
        gr::array<double, 3> X{1, 2, 3};
        X(k) = nan;
        auto const top = std::get<1>(largest(x = X));
        CHECK(top != top);
    }
}
TEST_CASE("scalars: tensors take the same way") {
    gr::tensor<double, 3> t = gr::tensor<double, 3>{0.3, -1.7, 0.9}.requires_grad_();
    gr::tensor<double> a = gr::select<0, 0>(t), b = gr::select<0, 1>(t), c = gr::select<0, 2>(t);
    gr::tensor<double> value = gr::sum(gr::stack<0>(gr::sin(a) * b, gr::exp(c)) * gr::stack<0>(1.0 * a, 2.0 * b));
    value.backward();
    double const A = 0.3, B = -1.7, C = 0.9;
    CHECK(value.item() == doctest::Approx(std::sin(A) * B * A + 2 * std::exp(C) * B));
    CHECK(t.grad()(0) == doctest::Approx(B * (std::sin(A) + A * std::cos(A))));
    CHECK(t.grad()(1) == doctest::Approx(std::sin(A) * A + 2 * std::exp(C)));
    CHECK(t.grad()(2) == doctest::Approx(2 * std::exp(C) * B));
}

}  // namespace
