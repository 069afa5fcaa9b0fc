// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

// Values that an equation defines: closed forms, derivatives of the equation in both modes and to third order, failures.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto a = gr::var<"a", double>;
constexpr auto start = gr::var<"start", double>;
// what the tolerances of the equations, 1e-12 to 1e-15, leave, times slopes of order 1
bool near(double p, double q, double tolerance = 1e-12) { return std::abs(p - q) <= tolerance * std::max(1.0, std::abs(q)); }
constexpr auto square_root = gr::root([](auto x) { return x * x - a; }, start, 1e-14_c);

}  // namespace

TEST_CASE("root: the square root, with derivatives of any order") {
    constexpr auto first = gr::grad(square_root, a);
    constexpr auto second = gr::grad(first, a);
    constexpr auto program = gr::compile(square_root, first, gr::jvp(square_root, a, 1_c), second, gr::jvp(first, a, 1_c),
                                         gr::grad(second, a), gr::grad(square_root, start));
    for (double at : {0.5, 2.0, 9.0}) {
        auto const [x, slope, forward, curvature, same, third, none] = program(a = at, start = 1.5);
        CHECK(near(x, std::sqrt(at)));
        CHECK(near(slope, 0.5 / x));
        CHECK(near(forward, slope));
        CHECK(near(curvature, -0.25 / (at * x)));
        CHECK(near(same, curvature));
        CHECK(near(third, 0.375 / (at * at * x)));
        CHECK(none == 0);  // where it began does not matter
    }
}
TEST_CASE("root: a system of equations, arguments beside the value, a captured expression") {
    constexpr auto p = gr::var<"p", double, 2>;
    constexpr auto x0 = gr::var<"x0", double, 2>;
    // a circle of radius^2 p0 and the line x1 = p1 x0
    constexpr auto f = [](auto x, auto q) {
        auto const u = gr::select<0, 0>(x);
        auto const v = gr::select<0, 1>(x);
        return gr::stack<0>(u * u + v * v - gr::select<0, 0>(q), v - gr::select<0, 1>(q) * u);
    };
    constexpr auto x = gr::root(f, x0, 1e-13_c, p);
    constexpr auto program = gr::compile(x, gr::jacfwd(x, p), gr::jacrev(x, p));
    double const P[2] = {5, 2}, X0[2] = {2, 1};
    auto const [solution, forward, reverse] = program(p = P, x0 = X0);
    CHECK(near(solution(0), 1));
    CHECK(near(solution(1), 2));
    // u = sqrt(p0 / (1 + p1^2)), v = p1 u
    double const expected[2][2] = {{0.1, -0.4}, {0.2, 1 - 0.8}};
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            CHECK(near(forward(i, j), expected[i][j]));
            CHECK(near(reverse(i, j), expected[i][j]));
        }
}
TEST_CASE("fixed_point: cos(a x) = x, and a matrix") {
    constexpr auto x = gr::fixed_point([](auto u) { return gr::cos(a * u); }, start, 1e-15_c);
    constexpr auto m = gr::var<"m", double, 2, 2>;
    constexpr auto zero = gr::zeros<double, 2, 2>;
    constexpr auto sum = gr::fixed_point([](auto s, auto t) { return t + gr::matmul(t, s) * 0.25_c; }, zero, 1e-16_c, m);
    constexpr auto program = gr::compile(x, gr::grad(x, a), gr::jvp(x, a, 1_c), gr::hessian(x, a), sum, gr::grad(gr::sum(sum), m));
    double const M[2][2] = {{0.5, -0.25}, {1, 0.125}};
    auto const [value, slope, forward, curvature, series, by_m] = program(a = 0.8, start = 0.5, m = M);
    CHECK(near(std::cos(0.8 * value), value));
    double const s = std::sin(0.8 * value), exact = -value * s / (1 + 0.8 * s);
    CHECK(near(slope, exact));
    CHECK(near(forward, exact));
    auto const at = [](double b) {
        double u = 0.5;
        for (int i = 0; i < 400; ++i) u = std::cos(b * u);
        double const t = std::sin(b * u);
        return -u * t / (1 + b * t);
    };
    // a central difference with step 1e-5: its square, and roundings divided by it
    CHECK(std::abs(curvature - (at(0.8 + 1e-5) - at(0.8 - 1e-5)) / 2e-5) < 1e-8);
    // s = (1 - m / 4)^-1 m
    double const d = (1 - M[0][0] / 4) * (1 - M[1][1] / 4) - M[0][1] * M[1][0] / 16;
    double const inverse[2][2] = {{(1 - M[1][1] / 4) / d, M[0][1] / 4 / d}, {M[1][0] / 4 / d, (1 - M[0][0] / 4) / d}};
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            CHECK(near(series(i, j), inverse[i][0] * M[0][j] + inverse[i][1] * M[1][j]));
            // d sum = 1^T N dm N 1 with N = (1 - m / 4)^-1, which is there twice: ten times the roundings of the value
            CHECK(near(by_m(i, j), (inverse[0][i] + inverse[1][i]) * (inverse[j][0] + inverse[j][1]), 1e-11));
        }
}
TEST_CASE("root and fixed_point: what does not converge is an error that tells the last residual") {
    constexpr auto none = gr::compile(gr::root<20>([](auto x) { return x * x + a; }, start, 1e-12_c));
    constexpr auto grows = gr::compile(gr::fixed_point<30>([](auto x) { return a * x; }, start, 1e-12_c));
    auto const message = [](auto call) {
        try {
            call();
        } catch (gr::error const& e) { return std::string(e.what()); }
        return std::string();
    };
    CHECK(message([&] {
              static_cast<void>(none(a = 1.0, start = 0.5));
          }).find("gradus::root(f, init, tolerance): no convergence in 20 steps: the last residual is ") == 0);
    CHECK(message([&] { static_cast<void>(grows(a = 2.0, start = 1.0)); }) ==
          "gradus::fixed_point(body, init, tolerance): no convergence in 30 steps: the last one changed the value by 5.36871e8");
    CHECK(message([&] { static_cast<void>(none(a = std::nan(""), start = 0.5)); }).find("the last residual is nan") != std::string::npos);
}
TEST_CASE("root under vmap and on tensors") {
    constexpr auto xs = gr::var<"xs", double, "n">;
    constexpr auto cube_root = [](auto v) { return gr::root([](auto x, auto of) { return x * x * x - of; }, v, 1e-13_c, v); };
    constexpr auto program = gr::compile(gr::vmap(cube_root)(xs), gr::vmap(gr::grad(cube_root))(xs));
    double const X[3] = {1, 8, 0.125};
    auto const [roots, slopes] = program(xs = X);
    auto t = gr::full<double>(8.0).requires_grad_();
    gr::tensor r = gr::root([](auto x, auto of) { return x * x * x - of; }, t, 1e-13, t);
    r.backward();
    for (int i = 0; i < 3; ++i) {
        double const c = std::cbrt(X[i]);
        CHECK(near(roots(i), c));
        CHECK(near(slopes(i), 1 / (3 * c * c)));
    }
    CHECK(near(r.item(), 2));
    CHECK(near(t.grad().item(), 1.0 / 12));
}
