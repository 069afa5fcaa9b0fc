// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

// Second derivatives where the first derivative, as the compiler simplified it, needs less than its formula says; every
// operation by itself is in the golden tests.
namespace gr = gradus;

namespace {

using vec3 = gr::tensor<double, 3>;
using square = gr::tensor<double, 3, 3>;

vec3 const a{0.7, 1.3, 2.1}, b{1.9, 0.4, 0.8};
gr::tensor<double> const scalar{1.7};

square matrix(std::uint64_t seed) {
    gr::random random(seed);
    return gr::rand<double, 3, 3>(random);
}
/// Both orders, with respect to copies of the inputs.
bool checks(auto f, auto const&... x) {
    return gr::gradcheck(f, x.clone().requires_grad_()...) && gr::gradgradcheck(f, x.clone().requires_grad_()...);
}

/// x^2 sigma(x), with a derivative that is an operation of the user's too.
struct swish_slope : gr::unary<swish_slope> {
    static constexpr auto name = "swish_slope";
    static auto eval(auto x) {
        using std::exp;
        auto s = 1 / (1 + exp(-x));
        return s + x * s * (1 - s);
    }
    static constexpr auto derivative(auto x, auto) {
        auto s = gr::apply<gr::op::sigmoid>(x);
        return s * (1 - s) * (2 + x * (1 - 2 * s));
    }
};
struct swish : gr::unary<swish> {
    static constexpr auto name = "swish";
    using uses = gr::op::op_list<swish_slope, gr::op::sigmoid>;
    static auto eval(auto x) {
        using std::exp;
        return x / (1 + exp(-x));
    }
    static constexpr auto derivative(auto x, auto) { return gr::apply<swish_slope>(x); }
};

}  // namespace

TEST_CASE("86 gradgradcheck: log(a / b) saves only what its simplified derivative reads") {
    CHECK(checks([](auto const& x) { return gr::log(x / b); }, a));
    CHECK(checks([](auto const& x) { return gr::log(a / x); }, b));
    CHECK(checks([](auto const& x) { return gr::log(x / scalar); }, a));
    CHECK(checks([](auto const& x) { return gr::log(x / 2.0); }, a));
    CHECK(checks([](auto const& x) { return gr::tanh(gr::log(x / b)); }, a));
    CHECK(checks([](auto const& x, auto const& y) { return gr::log(x / y) * gr::log(gr::sigmoid(x)); }, a, b));
}

TEST_CASE("86 gradgradcheck: numbers, powers of numbers, sums of repeated elements") {
    CHECK(checks([](auto const& x) { return 3.0 - gr::pow(2.0 * x, 2.5) / 4.0; }, a));
    CHECK(checks([](auto const& x) { return gr::pow(1.5, x) + gr::maximum(x, 1.0); }, a));
    CHECK(checks([](auto const& x, auto const& s) { return gr::sum(gr::broadcast_to<2, 3>(x * s)) * s; }, a, scalar));
}

TEST_CASE("86 gradgradcheck: products whose operands enter transposed") {
    square const m = matrix(1), w = matrix(2);
    CHECK(checks([](auto const& x, auto const& y) { return gr::matmul(x, gr::transpose<>(y)); }, m, w));
    CHECK(checks([](auto const& x, auto const& y) { return gr::tanh(gr::matmul(gr::transpose<>(x), y)); }, m, w));
    CHECK(checks([&](auto const& x) { return gr::matmul(gr::transpose<>(x), gr::transpose<>(w)); }, m));
    auto const batches = gr::tensor(gr::reshape<2, 3, 3>(gr::concatenate<0>(m, w)));
    CHECK(checks([](auto const& x, auto const& y) { return gr::matmul(x, gr::transpose<0, 2, 1>(y)); }, batches, batches));
}

TEST_CASE("86 gradgradcheck: convolutions, whose derivatives are convolutions") {
    gr::random random(3);
    gr::tensor const x = gr::rand<double, 2, 2, 4, 5>(random);
    gr::tensor const w = gr::rand<double, 4, 1, 2, 2>(random);
    gr::tensor const up = gr::rand<double, 2, 3, 2, 2>(random);
    CHECK(checks([](auto const& t, auto const& v) { return gr::conv2d<gr::windows{.stride = 2, .padding = 1, .groups = 2}>(t, v); }, x, w));
    CHECK(checks([](auto const& t, auto const& v) { return gr::conv_transpose2d<gr::windows{.stride = 2}>(t, v); }, x, up));
}

TEST_CASE("86 gradgradcheck: operations of users, whose rules the tape finds in the statement") {
    CHECK(checks([](auto const& x) { return gr::apply<swish>(x); }, a));
    CHECK(checks([](auto const& x) { return gr::sum(gr::apply<swish>(x * b)); }, a));
}

TEST_CASE("a statement that reads a tensor several times: orders 1 to 3 of x x x a + exp(x) x") {
    vec3 const x = a.clone().requires_grad_(), y = b.clone().requires_grad_();
    gr::tensor loss = gr::sum(x * x * x * y + gr::exp(x) * x);
    vec3 const first = gr::autograd::grad(loss, x, {.create_graph = true});
    vec3 const second = gr::autograd::grad(gr::tensor(gr::sum(first)), x, {.create_graph = true});
    vec3 const mixed = gr::autograd::grad(gr::tensor(gr::sum(second)), y, {.retain_graph = true});
    vec3 const third = gr::autograd::grad(gr::tensor(gr::sum(second)), x);
    for (int i = 0; i < 3; ++i) {
        double const u = a.data()[i], v = b.data()[i], e = std::exp(u);
        CHECK(first.data()[i] == doctest::Approx(3 * u * u * v + e * (u + 1)).epsilon(1e-14));  // a few roundings
        CHECK(second.data()[i] == doctest::Approx(6 * u * v + e * (u + 2)).epsilon(1e-14));
        CHECK(third.data()[i] == doctest::Approx(6 * v + e * (u + 3)).epsilon(1e-14));
        CHECK(mixed.data()[i] == doctest::Approx(6 * u).epsilon(1e-14));
    }
}

TEST_CASE("hooks of a node see the derivative of each place, whatever else reads the tensor") {
    vec3 const x = a.clone().requires_grad_();
    gr::tensor product = x * b * x;
    std::size_t places = 0;
    product.grad_fn().register_hook([&](auto const& leaving, auto const&) {
        for (gr::any_tensor const& g : leaving) places += g.defined();
    });
    vec3 const first = gr::autograd::grad(gr::tensor(gr::sum(product)), x, {.create_graph = true});
    vec3 const second = gr::autograd::grad(gr::tensor(gr::sum(first)), x);
    CHECK(places == 2);
    for (int i = 0; i < 3; ++i) CHECK(second.data()[i] == doctest::Approx(2 * b.data()[i]).epsilon(1e-14));
}

TEST_CASE("what a recorded pass keeps goes with its graph, and a second pass without retain_graph is refused") {
    vec3 const x = a.clone().requires_grad_();
    gr::tensor loss = gr::sum(gr::exp(gr::sin(x)) * gr::tanh(x));
    vec3 const first = gr::autograd::grad(loss, x, {.create_graph = true});
    gr::tensor total = gr::sum(first);
    vec3 const once = gr::autograd::grad(total, x, {.retain_graph = true}), again = gr::autograd::grad(total, x);
    for (int i = 0; i < 3; ++i) {
        double const u = a.data()[i], e = std::exp(std::sin(u)), c = std::cos(u), s = std::sin(u), t = std::tanh(u), d = 1 - t * t;
        double const expected = e * ((c * c - s) * t + 2 * c * d - 2 * t * d);
        CHECK(once.data()[i] == doctest::Approx(expected).epsilon(1e-13));  // some ten roundings of numbers up to 10
        CHECK(again.data()[i] == once.data()[i]);
    }
    CHECK_THROWS_AS(static_cast<void>(gr::autograd::grad(total, x)), gr::autograd_error);
}

TEST_CASE("a gradient that was one number everywhere is read again where its elements were written") {
    vec3 const x = a.clone().requires_grad_();
    vec3 ones = gr::autograd::grad(gr::tensor(gr::sum(x)), x);
    ones.data()[1] = 5;
    vec3 const cubes = x * x * x;
    vec3 const first = gr::autograd::grad(cubes, x, {.grad_outputs = {ones}, .create_graph = true});
    CHECK(first.data()[1] == doctest::Approx(15 * a.data()[1] * a.data()[1]).epsilon(1e-14));
    vec3 const second = gr::autograd::grad(gr::tensor(gr::sum(first)), x);
    CHECK(second.data()[0] == doctest::Approx(6 * a.data()[0]).epsilon(1e-14));
    CHECK(second.data()[1] == doctest::Approx(30 * a.data()[1]).epsilon(1e-14));
    gr::tensor mean = gr::mean(gr::exp(2.0 * x));  // behind it one number that is not 1
    vec3 const of_mean = gr::autograd::grad(mean, x, {.create_graph = true});
    vec3 const second_of_mean = gr::autograd::grad(gr::tensor(gr::mean(of_mean)), x);
    for (int i = 0; i < 3; ++i) CHECK(second_of_mean.data()[i] == doctest::Approx(4 * std::exp(2 * a.data()[i]) / 9).epsilon(1e-14));
}
