// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>

// Derivatives of functions, by the names of JAX: closed forms, and the derivatives of expressions beside them.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", double, 3>;
constexpr auto y = gr::var<"y", double, 3>;
constexpr auto s = gr::var<"s", double>;
constexpr double X[3] = {0.5, -1, 2}, Y[3] = {1.5, 0.25, -0.75};
// a few roundings of numbers of order 1 to 10
bool near(double p, double q) { return std::abs(p - q) <= 1e-13 * std::max(1.0, std::abs(q)); }
constexpr auto f = [](auto a, auto b) { return gr::sum(gr::sin(a) * b * b); };

}  // namespace

TEST_CASE("grad of a function: with respect to the first argument, or to those that are named") {
    constexpr auto program = gr::compile(gr::grad(f)(x, y), gr::grad<1>(f)(x, y), std::get<1>(gr::grad<0, 1>(f)(x, y)));
    auto const [by_a, by_b, again] = program(x = X, y = Y);
    for (int i = 0; i < 3; ++i) {
        CHECK(near(by_a(i), std::cos(X[i]) * Y[i] * Y[i]));
        CHECK(near(by_b(i), 2 * std::sin(X[i]) * Y[i]));
        CHECK(by_b(i) == again(i));
    }
}
TEST_CASE("grad of a function: one argument for two parameters, and what a function captures, stay apart") {
    constexpr auto captures = [](auto a) { return gr::sum(a * a * x); };
    constexpr auto program = gr::compile(gr::grad(f)(x, x), gr::grad(captures)(x), gr::grad(gr::sum(gr::grad(captures)(x)), x));
    auto const [first, without, whole] = program(x = X);
    for (int i = 0; i < 3; ++i) {
        CHECK(near(first(i), std::cos(X[i]) * X[i] * X[i]));  // not the second argument's part
        CHECK(near(without(i), 2 * X[i] * X[i]));             // the captured x is a constant
        CHECK(near(whole(i), 4 * X[i]));                      // seen from outside it is none
    }
}
TEST_CASE("grad of a function: of an expression, of itself, in a loop and under vmap") {
    constexpr auto cube = [](auto a) { return a * a * a; };
    constexpr auto third = gr::grad(gr::grad(gr::grad(cube)));
    constexpr auto newton = gr::scan<40>([=](auto a) { return a - (cube(a) - 2_c) / gr::grad(cube)(a); }, s);
    constexpr auto program = gr::compile(gr::grad(cube)(s * s), third(s), newton, gr::vmap(gr::grad(cube))(x));
    auto const [chained, six, root, each] = program(s = 1.5, x = X);
    CHECK(near(chained, 3 * 1.5 * 1.5 * 1.5 * 1.5));  // with respect to s * s
    CHECK(near(six, 6));
    CHECK(near(root, std::cbrt(2.0)));
    for (int i = 0; i < 3; ++i) CHECK(near(each(i), 3 * X[i] * X[i]));
}
TEST_CASE("value_and_grad, jacobian and hessian of functions are those of expressions") {
    constexpr auto g = [](auto a) { return gr::exp(a) * gr::sum(a); };
    constexpr auto h = [](auto a) { return gr::sum(gr::exp(a) * a) * gr::sum(a); };
    constexpr auto pair = gr::value_and_grad<0, 1>(f)(x, y);
    constexpr auto program = gr::compile(pair.first, std::get<1>(pair.second), gr::jacobian(g)(x), gr::jacfwd(g)(x), gr::jacrev(g)(x),
                                         gr::hessian(h)(x), gr::hessian_diagonal(h)(x), gr::hvp(h, x, y));
    constexpr auto same = gr::compile(f(x, y), gr::grad(f(x, y), y), gr::jacobian(g(x), x), gr::jacfwd(g(x), x), gr::jacrev(g(x), x),
                                      gr::hessian(h(x), x), gr::hessian_diagonal(h(x), x), gr::hvp(h(x), x, y));
    static_assert(program.graph().size() == same.graph().size());  // equal nodes are one node again
    auto const a = program(x = X, y = Y);
    auto const b = same(x = X, y = Y);
    CHECK(std::get<0>(a) == std::get<0>(b));
    auto const equal = [](auto const& p, auto const& q) { return std::equal(p.begin(), p.end(), q.begin(), q.end()); };
    CHECK(equal(std::get<1>(a), std::get<1>(b)));
    CHECK(equal(std::get<2>(a), std::get<2>(b)));
    CHECK(equal(std::get<3>(a), std::get<3>(b)));
    CHECK(equal(std::get<4>(a), std::get<4>(b)));
    CHECK(equal(std::get<5>(a), std::get<5>(b)));
    CHECK(equal(std::get<6>(a), std::get<6>(b)));
    CHECK(equal(std::get<7>(a), std::get<7>(b)));
}
TEST_CASE("jvp and vjp of functions: several directions, a pullback") {
    constexpr auto g = [](auto a, auto b) { return gr::sin(a) * b; };
    constexpr auto along = gr::jvp(g, std::tuple{x, y}, std::tuple{y, x});
    constexpr auto back = gr::vjp(g, x, y);
    constexpr auto both = back.second(gr::ones<double, 3>);
    constexpr auto program = gr::compile(along.first, along.second, gr::jvp(g(x, y), std::tuple{x, y}, std::tuple{y, x}), back.first,
                                         std::get<0>(both), std::get<1>(both));
    auto const [value, tangent, same, again, by_a, by_b] = program(x = X, y = Y);
    for (int i = 0; i < 3; ++i) {
        CHECK(near(value(i), std::sin(X[i]) * Y[i]));
        CHECK(near(tangent(i), std::cos(X[i]) * Y[i] * Y[i] + std::sin(X[i]) * X[i]));
        CHECK(same(i) == tangent(i));
        CHECK(again(i) == value(i));
        CHECK(near(by_a(i), std::cos(X[i]) * Y[i]));
        CHECK(near(by_b(i), std::sin(X[i])));
    }
}
TEST_CASE("map: a function on every row") {
    constexpr auto m = gr::var<"m", double, "n", 3>;
    constexpr auto program = gr::compile(gr::map([](auto row) { return gr::sum(row * row); }, m));
    double const M[2][3] = {{1, 2, 3}, {0, -1, 0.5}};
    auto const [squares] = program(m = M);
    CHECK(squares(0) == 14);
    CHECK(squares(1) == 1.25);
}
TEST_CASE("derivatives of functions on tensors: recorded like any other statement") {
    auto a = gr::tensor<double, 3>{0.5, -1, 2}.requires_grad_();
    gr::tensor g = gr::grad(f)(a, a);
    gr::tensor total = gr::sum(g * g);
    total.backward();
    auto const [v, gradients] = gr::value_and_grad<0, 1>(f)(a, a);
    gr::tensor value = v;
    gr::tensor by_b = std::get<1>(gradients);
    gr::tensor h = gr::hessian([](auto b) { return gr::sum(b * b * b); })(a);
    double sum = 0;
    for (int i = 0; i < 3; ++i) {
        double const u = X[i], slope = std::cos(u) * u * u;
        sum += std::sin(u) * u * u;
        CHECK(near(g.data()[i], slope));
        CHECK(near(by_b.data()[i], 2 * std::sin(u) * u));
        CHECK(near(a.grad().data()[i], 2 * slope * (2 * std::cos(u) * u - std::sin(u) * u * u)));
        for (int j = 0; j < 3; ++j) CHECK(near(h(i, j), i == j ? 6 * u : 0));
    }
    CHECK(near(value.item(), sum));
}
