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
