// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/functional.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

// Second derivatives of models and of several statements.
namespace gr = gradus;
namespace fn = gr::functional;

namespace {

using vec3 = gr::tensor<double, 3>;
using square = gr::tensor<double, 3, 3>;

vec3 const a{0.7, 1.3, 2.1}, b{1.9, 0.4, 0.8};

square matrix(std::uint64_t seed) {
    gr::random random(seed);
    return gr::rand<double, 3, 3>(random);
}
/// Both orders, with respect to copies of the inputs.
bool checks(auto f, auto const&... x) {
    return gr::gradcheck(f, x.clone().requires_grad_()...) && gr::gradgradcheck(f, x.clone().requires_grad_()...);
}

/// c x^2 with c = x^2, which derivatives take for a constant. In one operation: what is written twice in a statement is two
/// operands of its node.
struct quartic : gr::op::composite {
    static constexpr auto name = "quartic";
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) { return c.operand[0]; }
    static constexpr auto expand(gr::attributes const&, auto x) { return gr::apply<gr::op::stop_gradient>(x * x) * x * x; }
};

}  // namespace

TEST_CASE("86 gradgradcheck: a layer, an attention, a normalisation, each one statement") {
    square const m = matrix(3), w = matrix(4);
    CHECK(checks(
        [&](auto const& x, auto const& y) {
            return gr::binary_cross_entropy_with_logits(gr::matmul(gr::tanh(gr::matmul(m, x) + y), w), gr::sigmoid(m));
        },
        w, b));
    CHECK(
        checks([](auto const& q, auto const& k) { return gr::matmul(gr::softmax<1>(gr::matmul(q, gr::transpose<>(k)) * 0.6), k); }, m, w));
    CHECK(checks(
        [](auto const& x) {
            auto const centred = x - gr::mean<1, gr::keepdim>(x);
            return centred * gr::rsqrt(gr::mean<1, gr::keepdim>(gr::square(centred)) + 0.01);
        },
        m));
}

TEST_CASE("86 gradgradcheck: several statements, parts used twice") {
    CHECK(checks(
        [](auto const& x, auto const& y) {
            gr::tensor p = x * y, q = gr::exp(-p), r = p + q * p;
            return gr::sum(r * q) / gr::sum(p);
        },
        a, b));
}

TEST_CASE("86 gradgradcheck: views of several kinds, and what is written into them") {
    square const m = matrix(7);
    CHECK(checks([](auto const& x, auto const& y) { return x[1] * y * x[1]; }, a, b));
    CHECK(checks(
        [](auto const& x) {
            gr::tensor const p = x * x;
            return p.flatten().slice(1, 4) * x.template slice<1>(0, 3)[2] * p.t()[0];
        },
        m));
    CHECK(checks(
        [](auto const& x) {
            gr::tensor const p = x * x;
            p[1].mul_(x[0]);
            return p * x;
        },
        m));
}

TEST_CASE("derivatives of derivatives: stop_gradient is a constant for both") {
    vec3 const x = a.clone().requires_grad_();
    gr::tensor const y = gr::sum(gr::apply<quartic>(x));
    auto const first = gr::autograd::grad(y, x, {.create_graph = true});
    CHECK(gr::allclose(first, 2.0 * a * a * a, 1e-14, 0));
    CHECK(gr::allclose(gr::autograd::grad(first, x, {.grad_outputs = {gr::ones<double, 3>()}}), 2.0 * a * a, 1e-14, 0));
}

TEST_CASE("derivatives of derivatives: the fourth of x^5 is 120 x") {
    auto const f = [](auto const& x) { return gr::sum(x * x * x * x * x); };
    auto const sum_of = [](auto g) { return [g](auto const& x) { return gr::sum(fn::grad(g)(x)); }; };
    CHECK(gr::allclose(fn::grad(sum_of(sum_of(sum_of(f))))(a), 120.0 * a, 1e-12, 0));  // sums of products of numbers near 1
}

TEST_CASE("derivatives of derivatives: in float, where a value is rounded at each step") {
    gr::tensor<float, 3> const x = gr::tensor<float, 3>{0.5f, 1.0f, 1.5f}.requires_grad_();
    gr::tensor const y = gr::sum(gr::exp(2.0f * x));
    auto const first = gr::autograd::grad(y, x, {.create_graph = true});
    auto const second = gr::autograd::grad(first, x, {.grad_outputs = {gr::ones<float, 3>()}});
    CHECK(gr::allclose(second, 4.0f * gr::exp(2.0f * x), 1e-6, 0));  // 8 units of the last place: two products and an exp
}

TEST_CASE("derivatives of derivatives: run-time extents, one of them 1") {
    for (std::int64_t rows : {1, 3}) {
        gr::random random(5);
        auto const x = gr::randn<double, gr::dyn, 3>(rows, random);
        auto const w = matrix(6);
        CHECK(checks([](auto const& p, auto const& q) { return gr::mean<0>(gr::log_softmax<1>(gr::matmul(p, q))); }, x, w));
    }
}
