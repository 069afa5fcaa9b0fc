// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Jacobians, Hessians and products with them: closed forms, both modes beside each other, rows beside grad, and differences.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", double, 3>;
constexpr auto a = gr::var<"a", double, 3, 3>;
constexpr double X[3] = {0.5, -1, 2}, A[3][3] = {{1, 2, -1}, {0, 3, 0.5}, {-2, 1, 1}}, V[3] = {1, -0.5, 0.25};
// a few roundings of numbers of order 1 to 10
bool near(double p, double q) { return std::abs(p - q) <= 1e-13 * std::max(1.0, std::abs(q)); }

}  // namespace

TEST_CASE("hessian: of a quadratic form it is a + a^T") {
    constexpr auto v = gr::var<"v", double, 3>;
    constexpr auto f = gr::dot(x, gr::matmul(a, x));
    constexpr auto program =
        gr::compile(gr::hessian(f, x), gr::hessian_diagonal(f, x), gr::hvp(f, x, v), gr::vjp(gr::matmul(a, x), x, v), gr::hessian(f, a));
    auto const [h, d, hv, vj, zero] = program(x = X, a = A, v = V);
    for (int i = 0; i < 3; ++i) {
        double product = 0, transposed = 0;
        for (int j = 0; j < 3; ++j) {
            CHECK(near(h(i, j), A[i][j] + A[j][i]));
            product += (A[i][j] + A[j][i]) * V[j];
            transposed += A[j][i] * V[j];
        }
        CHECK(near(d(i), 2 * A[i][i]));
        CHECK(near(hv(i), product));
        CHECK(near(vj(i), transposed));
    }
    for (double z : zero) CHECK(z == 0);
}
TEST_CASE("jacobian: of an arm of two links") {
    constexpr auto q = gr::var<"q", double, 2>;
    constexpr auto q1 = gr::select<0, 0>(q);
    constexpr auto q12 = q1 + gr::select<0, 1>(q);
    constexpr auto hand = gr::stack<0>(2_c * gr::cos(q1) + 1.5_c * gr::cos(q12), 2_c * gr::sin(q1) + 1.5_c * gr::sin(q12));
    constexpr auto program = gr::compile(gr::jacobian(hand, q), gr::jacfwd(hand, q), gr::jacrev(hand, q));
    constexpr double Q[2] = {0.3, -0.7};
    auto const [j, forward, reverse] = program(q = Q);
    double const s1 = std::sin(Q[0]), c1 = std::cos(Q[0]), s12 = std::sin(Q[0] + Q[1]), c12 = std::cos(Q[0] + Q[1]);
    double const expected[2][2] = {{-2 * s1 - 1.5 * s12, -1.5 * s12}, {2 * c1 + 1.5 * c12, 1.5 * c12}};
    for (int i = 0; i < 2; ++i)
        for (int k = 0; k < 2; ++k) {
            CHECK(near(j(i, k), expected[i][k]));
            CHECK(near(forward(i, k), expected[i][k]));
            CHECK(near(reverse(i, k), expected[i][k]));
        }
}
TEST_CASE("jacobian: rows are gradients, both modes agree, differences do, for matrices too") {
    constexpr auto y = gr::tanh(gr::matmul(a, a) + gr::outer(x, x)) * gr::exp(gr::sum(a * a) * 0.01_c);
    constexpr auto element = gr::sum(gr::select<0, 1>(gr::slice<2, 3, 1, 1>(y)));
    constexpr auto program = gr::compile(y, gr::jacfwd(y, a), gr::jacrev(y, a), gr::jacobian(y, x), gr::grad(element, a));
    auto const [value, forward, reverse, by_x, row] = program(x = X, a = A);
    static_assert(gr::jacfwd(y, a).type.shape == gr::shape{3, 3, 3, 3} && gr::jacobian(y, x).type.shape == gr::shape{3, 3, 3});
    for (int k = 0; k < 3; ++k)
        for (int l = 0; l < 3; ++l) {
            CHECK(near(row(k, l), reverse(1, 2, k, l)));
            double up[3][3], down[3][3];
            constexpr double h = 1e-5;
            for (int i = 0; i < 9; ++i) up[i / 3][i % 3] = down[i / 3][i % 3] = A[i / 3][i % 3];
            up[k][l] += h, down[k][l] -= h;
            auto const above = std::get<0>(program(x = X, a = up)), below = std::get<0>(program(x = X, a = down));
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j) {
                    CHECK(near(forward(i, j, k, l), reverse(i, j, k, l)));
                    // h^2 of a third derivative of order 100, and rounding of 1e-16 / h
                    CHECK(std::abs((above(i, j) - below(i, j)) / (2 * h) - forward(i, j, k, l)) <= 1e-7);
                }
        }
    CHECK(by_x.size() == 27);
}
TEST_CASE("jacobian: of named dimensions") {
    constexpr auto z = gr::var<"z", double, "n", 2>;
    constexpr auto rows = gr::sum<1>(z * gr::sin(z)) * gr::sum(z);
    constexpr auto f = gr::sum(gr::square(gr::sum<0>(z))) + gr::sum(z * z * z);
    constexpr auto program = gr::compile(gr::jacfwd(rows, z), gr::jacrev(rows, z), gr::jacobian(rows, gr::sum<0>(z)), gr::hessian(f, z),
                                         gr::hessian_diagonal(f, z));
    constexpr double Z[3][2] = {{1, 2}, {-0.5, 0.25}, {0, 3}};
    auto const [forward, reverse, by_part, h, d] = program(z = Z);
    double total = 0, own[3]{};
    for (int i = 0; i < 3; ++i)
        for (double e : Z[i]) total += e, own[i] += e * std::sin(e);
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 3; ++k)
            for (int l = 0; l < 2; ++l) {
                double const expected = own[i] + (i == k ? (std::sin(Z[k][l]) + Z[k][l] * std::cos(Z[k][l])) * total : 0);
                CHECK(near(forward(i, k, l), expected));
                CHECK(near(reverse(i, k, l), expected));
                for (int j = 0; j < 2; ++j) CHECK(near(h(i, j, k, l), (j == l ? 2 : 0) + (i == k && j == l ? 6 * Z[i][j] : 0)));
                CHECK(near(d(k, l), 2 + 6 * Z[k][l]));
            }
    CHECK(by_part.size() == 6);
    for (double e : by_part) CHECK(e == 0);  // rows are written without it
}
TEST_CASE("jacobian: scalars have no axes") {
    constexpr auto t = gr::var<"t", double>;
    constexpr auto y = x * gr::exp(t);
    constexpr auto program = gr::compile(gr::jacfwd(y, t), gr::jacrev(y, t), gr::jacobian(gr::sum(y), x), gr::jacfwd(gr::square(t), t),
                                         gr::hessian(gr::exp(t), t));
    auto const [forward, reverse, by_x, slope, second] = program(x = X, t = 0.5);
    for (int i = 0; i < 3; ++i) {
        CHECK(near(forward(i), X[i] * std::exp(0.5)));
        CHECK(near(reverse(i), X[i] * std::exp(0.5)));
        CHECK(near(by_x(i), std::exp(0.5)));
    }
    CHECK(slope == 1);
    CHECK(near(second, std::exp(0.5)));
}
TEST_CASE("jacobian: the value is computed once, and the mode with fewer directions is taken") {
    constexpr auto y = gr::tanh(gr::matmul(a, x));
    constexpr auto both = gr::compile(y, gr::jacfwd(y, x));
    constexpr auto value = gr::compile(y);
    constexpr auto alone = gr::compile(gr::jacfwd(y, x));
    constexpr auto count = [](auto const& g, std::string_view name) {
        int found = 0;
        for (int i = 0; i < g.size(); ++i) found += g[i].op->name == name;
        return found;
    };
    // one product for a x and one for all directions; a tanh and a slope
    static_assert(count(both.graph(), "matmul") == 2 && count(value.graph(), "matmul") == 1 && count(alone.graph(), "matmul") == 2);
    static_assert(count(both.graph(), "tanh") + count(both.graph(), "tanh_slope") + count(both.graph(), "tanh_slope_beside") == 2);
    constexpr auto wide = gr::sum<1>(gr::square(a));
    constexpr auto tall = gr::outer(x, x);
    static_assert(std::is_same_v<decltype(gr::jacobian(wide, a)), decltype(gr::jacrev(wide, a))>);
    static_assert(std::is_same_v<decltype(gr::jacobian(tall, x)), decltype(gr::jacfwd(tall, x))>);
}
TEST_CASE("value_and_grad: pairs of a loss and its derivatives") {
    constexpr auto loss = gr::sum(gr::square(gr::matmul(a, x)));
    constexpr auto one = gr::value_and_grad(loss, x);
    constexpr auto two = gr::value_and_grad(loss, x, a);
    constexpr auto program =
        gr::compile(one.first, one.second, two.first, std::get<0>(two.second), std::get<1>(two.second), gr::grad(loss, a));
    auto const [l, by_x, again, also, by_a, expected] = program(x = X, a = A);
    CHECK(l == again);
    for (int i = 0; i < 3; ++i) CHECK(by_x(i) == also(i));
    for (int i = 0; i < 9; ++i) CHECK(by_a(i / 3, i % 3) == expected(i / 3, i % 3));
}
TEST_CASE("jacobian: of each instance, and instances of Hessians") {
    constexpr auto z = gr::var<"z", double, "n", 3>;
    constexpr auto each = gr::vmap([](auto zi) { return gr::jacobian(gr::sin(gr::matmul(a, zi)), zi); })(z);
    constexpr auto curved = gr::vmap([](auto zi) { return gr::hessian(gr::prod(zi), zi); })(z);
    constexpr auto program = gr::compile(each, curved);
    constexpr double Z[2][3] = {{1, 2, 3}, {0.5, -1, 0}};
    auto const [j, h] = program(z = Z, a = A);
    for (int n = 0; n < 2; ++n)
        for (int i = 0; i < 3; ++i)
            for (int k = 0; k < 3; ++k) {
                double const angle = A[i][0] * Z[n][0] + A[i][1] * Z[n][1] + A[i][2] * Z[n][2];
                CHECK(near(j(n, i, k), std::cos(angle) * A[i][k]));
                CHECK(near(h(n, i, k), i == k ? 0 : Z[n][3 - i - k]));
            }
}
