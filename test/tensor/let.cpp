// SPDX-License-Identifier: BSL-1.0
// gr::let where tensors meet symbols: one text for expressions, tensors and programs of both.
#include <gradus.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;

namespace {

constexpr auto x = gr::var<"x", double, "n", 3>;
constexpr auto a = gr::var<"a", double, 3>;
gr::tensor<double, gr::dyn, 3> const X{{1, 2, 3}, {.1, .2, .3}};
gr::tensor<double, 3> const A{.5, .6, .7}, B{1, 2, 3};

constexpr auto twice(auto const& h) {
    return gr::let(gr::tanh(h), [](auto const& t) { return t * t + t; });
}

}  // namespace

TEST_CASE("let: symbols, tensors, and both in one program") {
    gr::tensor const w = A.clone().requires_grad_();
    gr::tensor eager = gr::sum(twice(twice(X * w)));
    eager.backward();
    constexpr auto loss = gr::sum(twice(twice(x * a)));
    constexpr auto program = gr::compile(loss, gr::grad(loss, a));
    auto [l, g] = program(x = X, a = A);
    CHECK(l.item() == doctest::Approx(eager.item()));
    CHECK(gr::allclose(g, w.grad()));

    gr::tensor const of_eager = w.grad().clone();
    w.zero_grad();
    auto [captured] = gr::compile(gr::sum(twice(twice(x * w))))(x = X);
    captured.backward();
    CHECK(gr::allclose(w.grad(), of_eager));
}
TEST_CASE("let: what is named has its own value in each place") {
    auto tower = [](auto const& u, auto const& v) {
        return gr::let(u * x, [&](auto const& h) { return gr::let(v * x, [&](auto const& g) { return h * g + h; }) + h; });
    };
    gr::tensor const ax = A * X, bx = B * X;
    auto [r] = gr::compile(tower(A, B) - tower(B, A) * 2)(x = X);
    CHECK(gr::allclose(r, ax * bx + 2 * ax - 2 * (ax * bx + 2 * bx)));
    auto square = [](auto const& g) { return g * g; };
    auto [s] = gr::compile(gr::let(A * x, [&](auto const& h) { return h * gr::let(B * x, square) - h; }))(x = X);
    CHECK(gr::allclose(s, ax * bx * bx - ax));
}
TEST_CASE("let: several values and tuples; a tensor that is named has one derivative") {
    gr::tensor const w = A.clone().requires_grad_();
    auto both = [&](auto const& in) {
        return gr::let(gr::square(in), w, [](auto const& h, auto const& v) { return std::tuple{h * v + v * v, h - v}; });
    };
    auto const [s, d] = both(x);
    auto const [eager_s, eager_d] = both(X);
    static_assert(gr::core::leaf_count<std::remove_const_t<decltype(s)>> == 1);  // x has none, w is one
    auto [ps] = gr::compile(s)(x = X);
    auto [pd] = gr::compile(d)(x = X);
    gr::tensor const es = eager_s, ed = eager_d;
    CHECK(gr::allclose(ps, es));
    CHECK(gr::allclose(pd, ed));
    gr::tensor l = gr::sum(ps * ps);
    l.backward();
    gr::tensor const g = w.grad().clone();
    w.zero_grad();
    gr::tensor same = gr::sum(es * es);
    same.backward();
    CHECK(gr::allclose(g, w.grad()));
}
TEST_CASE("with_update: written when the program has run; on tensors at once, after the value") {
    gr::tensor<double, 3> const seen = gr::zeros<double, 3>();
    auto counted = [&](auto const& in) {
        return gr::let(in * A, [&](auto const& h) { return gr::with_update(h * h - seen, seen, seen + gr::sum<0>(h)); });
    };
    auto const program = gr::compile(counted(x));
    auto [first] = program(x = X);
    gr::tensor const ax = A * X;
    gr::tensor const sums = gr::sum<0>(ax);
    CHECK(gr::allclose(first, ax * ax));
    CHECK(gr::allclose(seen, sums));
    auto [second] = program(x = X);
    CHECK(gr::allclose(second, ax * ax - sums));
    CHECK(gr::allclose(seen, 2 * sums));
    gr::tensor const third = counted(X);
    CHECK(gr::allclose(third, ax * ax - 2 * sums));
    CHECK(gr::allclose(seen, 3 * sums));
    CHECK_THROWS_AS(program(x = gr::tensor<double, gr::dyn, 3>()), gr::error);
    seen.requires_grad_();
    CHECK_THROWS_AS(program(x = X), gr::autograd_error);  // a leaf is not written to
    CHECK(gr::allclose(seen, 3 * sums));
}
TEST_CASE("let in a function that is differentiated on tensors") {
    gr::tensor<double, 3> const given{0.5, -1, 2};
    auto const f = [](auto b) { return gr::let(b * b, [](auto const& h) { return gr::sum(h + h * h); }); };
    gr::tensor const g = gr::grad(f)(given);
    CHECK(gr::allclose(g, gr::tensor(2 * given + 4 * given * given * given)));
}
