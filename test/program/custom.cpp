// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Functions with a derivative of the user's: both rules, both modes, second order, vmap, loops, tensors.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", double, 3>;
constexpr auto w = gr::var<"w", double, 3>;
constexpr double X[3] = {0.5, -1, 2}, W[3] = {1.5, 0.25, -0.75};
// a few roundings of numbers of order 1 to 10
bool near(double p, double q) { return std::abs(p - q) <= 1e-13 * std::max(1.0, std::abs(q)); }

// x w, with a derivative that is twice the true one, so that it shows which is used
constexpr auto product = [](auto a, auto b) { return a * b; };
constexpr auto twice_forward = gr::custom_jvp(product, [](auto primals, auto tangents) {
    auto const [a, b] = primals;
    auto const [da, db] = tangents;
    return std::pair{a * b, 2_c * (da * b + a * db)};
});
constexpr auto twice_reverse = gr::custom_vjp(
    product, [](auto a, auto b) { return std::pair{a * b, std::tuple{a, b}}; },
    [](auto residuals, auto cotangent) {
        auto const [a, b] = residuals;
        return std::tuple{2_c * cotangent * b, 2_c * cotangent * a};
    });

}  // namespace

TEST_CASE_TEMPLATE("custom derivatives: the rule is the derivative, in both modes", F, std::integral_constant<int, 0>,
                   std::integral_constant<int, 1>) {
    constexpr auto f = [] {
        if constexpr (F::value == 0) return twice_forward;
        else return twice_reverse;
    }();
    constexpr auto y = f(x, gr::sin(w));
    constexpr auto program = gr::compile(y, gr::grad(gr::sum(y), x), gr::grad(gr::sum(y), w), gr::jvp(y, x, w), gr::jvp(y, w, x),
                                         gr::hessian(gr::sum(y * y), x));
    auto const [value, by_x, by_w, along_x, along_w, h] = program(x = X, w = W);
    for (int i = 0; i < 3; ++i) {
        double const s = std::sin(W[i]), c = std::cos(W[i]);
        CHECK(near(value(i), X[i] * s));
        CHECK(near(by_x(i), 2 * s));
        CHECK(near(by_w(i), 2 * X[i] * c));
        CHECK(near(along_x(i), 2 * W[i] * s));
        CHECK(near(along_w(i), 2 * X[i] * X[i] * c));
        for (int j = 0; j < 3; ++j) CHECK(near(h(i, j), i == j ? 8 * s * s : 0));  // 2 y y', y' = 2 s, y'' = 0
    }
    static_assert(gr::graph_of(y).size() > 0);
}
TEST_CASE("custom derivatives: under vmap an argument that is shared has the sum, in a loop, as a function's derivative") {
    constexpr auto s = gr::var<"s", double>;
    constexpr auto each = gr::vmap<0, gr::unmapped>([](auto a, auto b) { return twice_reverse(a, b); })(x, s);
    constexpr auto loop = gr::scan<3>([](auto c) { return twice_forward(c, c); }, s);
    constexpr auto program =
        gr::compile(gr::grad(gr::sum(each), s), gr::grad(loop, s), gr::jvp(loop, s, 1_c), gr::grad(twice_reverse)(s, s));
    auto const [shared, reverse, forward, first] = program(x = X, s = 1.5);
    CHECK(near(shared, 2 * (X[0] + X[1] + X[2])));
    CHECK(near(reverse, 4 * std::pow(1.5, 1) * 4 * std::pow(1.5, 2) * 4 * std::pow(1.5, 4)));
    CHECK(near(forward, reverse));
    CHECK(near(first, 3));
}
TEST_CASE("custom derivatives: a gradient that is clipped, a function of two results, captured symbols") {
    constexpr auto clipped = gr::custom_vjp([](auto a) { return a; }, [](auto a) { return std::pair{a, std::tuple{}}; },
                                            [](auto, auto cotangent) { return gr::clamp(cotangent, -1_c, 1_c); });
    constexpr auto pair = gr::custom_jvp([](auto a) { return std::tuple{gr::sin(a), a * w}; },
                                         [](auto primals, auto tangents) {
                                             auto const a = std::get<0>(primals);
                                             auto const da = std::get<0>(tangents);
                                             return std::pair{std::tuple{gr::sin(a), a * w}, std::tuple{3_c * da, da * w}};
                                         });
    constexpr auto both = pair(x);
    constexpr auto program =
        gr::compile(gr::grad(gr::sum(10_c * gr::square(clipped(x))), x), std::get<1>(both), gr::grad(gr::sum(std::get<0>(both)), x),
                    gr::grad(gr::sum(std::get<0>(both) * std::get<1>(both)), x));
    auto const [bounded, second, three, joined] = program(x = X, w = W);
    for (int i = 0; i < 3; ++i) {
        CHECK(bounded(i) == (X[i] > 0 ? 1 : -1));
        CHECK(second(i) == X[i] * W[i]);
        CHECK(three(i) == 3);
        CHECK(near(joined(i), 3 * X[i] * W[i] + std::sin(X[i]) * W[i]));
    }
}
TEST_CASE("custom derivatives on tensors: the tape takes the rule, to second order") {
    auto a = gr::tensor<double, 3>{0.5, -1, 2}.requires_grad_();
    gr::tensor y = gr::sum(twice_reverse(a, gr::sin(a)));
    auto const g = gr::autograd::grad(y, a, {.create_graph = true});
    gr::tensor total = gr::sum(g * g);
    total.backward();
    for (int i = 0; i < 3; ++i) {
        double const s = std::sin(X[i]), c = std::cos(X[i]), slope = 2 * (s + X[i] * c);
        CHECK(near(g.data()[i], slope));
        CHECK(near(a.grad().data()[i], 2 * slope * (4 * c - 2 * X[i] * s)));
    }
}
