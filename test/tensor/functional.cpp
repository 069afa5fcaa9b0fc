// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <gradus.hpp>
#include <gradus/tensor/functional.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace gr = gradus;
namespace fn = gr::functional;

namespace {

using vec3 = gr::tensor<double, 3>;
using vec4 = gr::tensor<double, 4>;

// Both sides are the same sums of products in another order, of numbers of order 1.
constexpr double tolerance = 1e-12;

/// |a - b| <= 1e-12, no element at all differs by more.
template <class A, class B>
bool equal(A const& a, B const& b) {
    return gr::allclose(a, b, 0, tolerance);
}
auto const identity = [](auto const& x) { return x; };

struct model {
    gr::tensor<double, 4, 3> w = [] {
        gr::random random(3);
        return gr::rand<double, 4, 3>(random);
    }();
    vec4 x{0.3, -0.7, 0.2, 0.9}, v{1, -2, 0.5, 3};
    auto layer() const {
        return [*this](vec4 const& at) { return gr::tanh(gr::matmul(at, w)); };
    }
    auto energy() const {
        return [*this](vec4 const& at) { return gr::sum(gr::square(gr::tanh(gr::matmul(at, w)))); };
    }
    /// By hand: with t = tanh(x w), d t_j / d x_i = (1 - t_j^2) w_ij.
    gr::tensor<double, 3, 4> derivative() const {
        auto made = gr::zeros<double, 3, 4>();
        for (int j = 0; j < 3; ++j) {
            double s = 0;
            for (int i = 0; i < 4; ++i) s += x(i) * w(i, j);
            for (int i = 0; i < 4; ++i) made.data()[4 * j + i] = (1 - std::tanh(s) * std::tanh(s)) * w(i, j);
        }
        return made;
    }
    /// d^2/ds^2 tanh(s)^2 = 2 (1 - t^2) (1 - 3 t^2), so H_ik = sum over j of that times w_ij w_kj.
    gr::tensor<double, 4, 4> second() const {
        auto made = gr::zeros<double, 4, 4>();
        for (int j = 0; j < 3; ++j) {
            double s = 0;
            for (int i = 0; i < 4; ++i) s += x(i) * w(i, j);
            double const t = std::tanh(s), c = 2 * (1 - t * t) * (1 - 3 * t * t);
            for (int i = 0; i < 4; ++i)
                for (int k = 0; k < 4; ++k) made.data()[4 * i + k] += c * w(i, j) * w(k, j);
        }
        return made;
    }
};

}  // namespace

TEST_CASE("92 jacobian: of the identity it is the identity") {
    vec4 const x{1, 2, 3, 4};
    gr::tensor<double, 4, 4> const backwards = fn::jacobian(identity, x), forwards = fn::jacfwd(identity)(x);
    CHECK(gr::allclose(backwards, gr::eye<double, 4>(), 0, 0));
    CHECK(gr::allclose(forwards, gr::eye<double, 4>(), 0, 0));
}

TEST_CASE("92 jacobian: the output's extents, then the input's; a function of two tensors has two") {
    model const m;
    static_assert(std::is_same_v<decltype(fn::jacobian(m.layer(), m.x)), gr::tensor<double, 3, 4>>);
    CHECK(equal(fn::jacobian(m.layer(), m.x), m.derivative()));
    auto const product = [](auto const& a, auto const& b) { return a * b; };
    auto const [to_a, to_b] = fn::jacobian(product, std::tuple(m.x, m.v));
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            CHECK(to_a(i, j) == (i == j ? m.v(i) : 0));
            CHECK(to_b(i, j) == (i == j ? m.x(i) : 0));
        }
    CHECK_FALSE(m.x.requires_grad());
    CHECK_FALSE(to_a.requires_grad());
}

TEST_CASE("92 jacobian: run-time extents") {
    model const m;
    gr::tensor<double, gr::dyn> const x = m.x;
    auto const found = fn::jacobian([](auto const& at) { return at * at; }, x);
    static_assert(std::is_same_v<decltype(found), gr::tensor<double, gr::dyn, gr::dyn> const>);
    CHECK(found.shape() == gr::shape{4, 4});
    CHECK(found(2, 2) == doctest::Approx(0.4));
    CHECK(found(2, 1) == 0);
}

TEST_CASE("92 jacobian: a tuple of outputs and of inputs has a tuple of tuples") {
    model const m;
    auto const both = [](auto const& a, auto const& b) { return std::tuple(a * b, gr::sum(a)); };
    auto const rows = fn::jacobian(both, std::tuple(m.x, m.v));
    auto const& [of_product, of_sum] = rows;
    CHECK(std::get<0>(of_product)(1, 1) == m.v(1));
    CHECK(gr::allclose(std::get<0>(of_sum), gr::ones<double, 4>(), 0, 0));
    CHECK(gr::allclose(std::get<1>(of_sum), gr::zeros<double, 4>(), 0, 0));
}

TEST_CASE("92 vjp and jvp: J^T v and J v, beside the function's value") {
    model const m;
    vec3 const u{2, -1, 0.5};
    auto const [y, pulled] = fn::vjp(m.layer(), m.x, u);
    auto const [z, pushed] = fn::jvp(m.layer(), m.x, m.v);
    CHECK(gr::allclose(y, m.layer()(m.x), 0, 0));
    CHECK(gr::allclose(z, y, 0, 0));
    CHECK(equal(pulled, gr::matmul(u, m.derivative())));
    CHECK(equal(pushed, gr::matmul(m.derivative(), m.v)));
    CHECK_FALSE(y.requires_grad());
    CHECK_FALSE(pulled.requires_grad());
    CHECK_FALSE(pushed.requires_grad());
    CHECK(messages::of<gr::autograd_error>([&] { fn::vjp(m.layer(), m.x, m.x); }).find("Mismatch in shape") != std::string::npos);
}

TEST_CASE("92 hessian, hvp and vhp: H, H v and v H") {
    model const m;
    CHECK(equal(fn::hessian(m.energy(), m.x), m.second()));
    auto const [y, forwards] = fn::hvp(m.energy(), m.x, m.v);
    auto const [z, backwards] = fn::vhp(m.energy(), m.x, m.v);
    CHECK(gr::allclose(y, m.energy()(m.x), 0, 0));
    CHECK(gr::allclose(z, y, 0, 0));
    CHECK(equal(forwards, gr::matmul(m.second(), m.v)));
    CHECK(equal(backwards, gr::matmul(m.v, m.second())));
    CHECK(messages::of<gr::autograd_error>([&] { fn::hessian(m.layer(), m.x); }).find("only for scalar outputs") != std::string::npos);
}

TEST_CASE("92 hessian: of two inputs") {
    model const m;
    auto const f = [](auto const& a, auto const& b) { return gr::sum(a * a * b); };
    auto const h = fn::hessian(f, std::tuple(m.x, m.v));
    auto const& [row_a, row_b] = h;
    for (int i = 0; i < 4; ++i) {
        CHECK(std::get<0>(row_a)(i, i) == doctest::Approx(2 * m.v(i)));
        CHECK(std::get<1>(row_a)(i, i) == doctest::Approx(2 * m.x(i)));
        CHECK(std::get<0>(row_b)(i, i) == doctest::Approx(2 * m.x(i)));
        CHECK(std::get<1>(row_b)(i, i) == 0);
        CHECK(std::get<1>(row_a)(i, (i + 1) % 4) == 0);
    }
}

TEST_CASE("93 jacrev and jacfwd agree, and the hessian is forward over reverse") {
    model const m;
    CHECK(equal(fn::jacrev(m.layer())(m.x), fn::jacfwd(m.layer())(m.x)));
    gr::tensor<double, 4, 4> const h = fn::hessian(m.energy(), m.x);
    CHECK(equal(fn::jacfwd(fn::jacrev(m.energy()))(m.x), h));
    CHECK(equal(fn::jacrev(fn::jacfwd(m.energy()))(m.x), h));
    CHECK(equal(fn::jacrev(fn::grad(m.energy()))(m.x), h));
    CHECK(equal(fn::hessian(m.energy())(m.x), m.second()));
}

TEST_CASE("94 grad and grad_and_value: of the first argument, or of those that are named; they nest") {
    model const m;
    auto const cubes = [](auto const& a) { return gr::sum(a * a * a); };
    gr::tensor const first = 3.0 * m.x * m.x, second = 6.0 * m.x;
    CHECK(equal(fn::grad(cubes)(m.x), first));
    auto const [slope, value] = fn::grad_and_value(cubes)(m.x);
    CHECK(equal(slope, first));
    CHECK(equal(value, gr::sum(m.x * m.x * m.x)));
    auto const sum_of_slopes = [&](auto const& a) { return gr::sum(fn::grad(cubes)(a)); };
    CHECK(equal(fn::grad(sum_of_slopes)(m.x), second));

    auto const f = [](auto const& a, auto const& b) { return gr::sum(a * a * b); };
    CHECK(equal(fn::grad(f)(m.x, m.v), 2.0 * m.x * m.v));
    CHECK(equal(fn::grad<1>(f)(m.x, m.v), m.x * m.x));
    auto const [to_a, to_b] = fn::grad<0, 1>(f)(m.x, m.v);
    CHECK(equal(to_a, 2.0 * m.x * m.v));
    CHECK(equal(to_b, m.x * m.x));
    CHECK(messages::of<gr::autograd_error>([&] { fn::grad(identity)(m.x); }).find("only for scalar outputs") != std::string::npos);
}

TEST_CASE("94 grad: works under no_grad, and is recorded where its argument is") {
    model const m;
    auto const cubes = [](auto const& a) { return gr::sum(a * a * a); };
    {
        gr::no_grad guard;
        CHECK(equal(fn::grad(cubes)(m.x), 3.0 * m.x * m.x));
        CHECK_FALSE(gr::is_grad_enabled());
    }
    auto const x = m.x.clone().requires_grad_();
    vec4 const slope = fn::grad(cubes)(x);
    CHECK(slope.requires_grad());
    CHECK_FALSE(x.grad().defined());
    slope.backward(m.v);
    CHECK(equal(x.grad(), 6.0 * m.x * m.v));
}

TEST_CASE("92 create_graph: results can be differentiated with respect to the inputs") {
    model const m;
    auto const x = m.x.clone().requires_grad_();
    auto const squares = [](auto const& a) { return a * a; };
    gr::tensor<double, 4, 4> const j = fn::jacobian(squares, x, {.create_graph = true});
    gr::tensor const total = gr::sum(j * j);  // sum of (2 x)^2
    total.backward();
    CHECK(equal(x.grad(), 8.0 * m.x));
    auto const [y, along] = fn::jvp(squares, x, m.v, {.create_graph = true});
    CHECK(y.requires_grad());
    CHECK(equal(gr::autograd::grad(along, x, {.grad_outputs = {gr::ones<double, 4>()}}), 2.0 * m.v));
}

TEST_CASE("95 strict: an output that does not depend on an input is an error, else a zero") {
    model const m;
    auto const first_only = [](auto const& a, auto const&) { return a * a; };
    auto const constant = [&](auto const&) { return m.v; };
    CHECK(messages::of<gr::autograd_error>([&] { fn::jacobian(constant, m.x, {.strict = true}); }).find("independent of input 0") !=
          std::string::npos);
    CHECK(messages::of<gr::autograd_error>([&] {
              fn::vjp(first_only, std::tuple(m.x, m.v), m.v, {.strict = true});
          }).find("independent of input 1") != std::string::npos);
    CHECK(messages::of<gr::autograd_error>([&] { fn::jvp(constant, m.x, m.v, {.strict = true}); }).find("independent of input 0") !=
          std::string::npos);
    CHECK(gr::allclose(fn::jacobian(constant, m.x), gr::zeros<double, 4, 4>(), 0, 0));
    CHECK(gr::allclose(fn::jvp(constant, m.x, m.v).second, gr::zeros<double, 4>(), 0, 0));
}

TEST_CASE("92 jacobian: more rows than a node has bits for its edges") {
    auto const x = gr::ones<double, 70>();
    auto const f = [](auto const& a) { return a * a; };
    auto const one_wide = x.clone().requires_grad_();
    auto const j = fn::jacobian(f, one_wide, {.create_graph = true});
    gr::tensor const last = j.slice(68, 70) * 1.0;
    last.backward(gr::ones<double, gr::dyn, 70>(2));
    CHECK(one_wide.grad()(0) == 0);
    CHECK(one_wide.grad()(69) == 2);
}
