// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

// What derivatives are where functions have none, or nearly none: PyTorch's conventions.
namespace gr = gradus;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using vec3 = gr::tensor<double, 3>;

/// The gradient of sum(f(x)), by backward.
template <class X>
X slope(auto f, X const& x) {
    X const leaf = x.clone().requires_grad_();
    gr::tensor const y = gr::sum(f(leaf));
    y.backward();
    return leaf.grad();
}
template <class T>
bool same(T const& found, T const& expected) {
    for (std::int64_t i = 0; i < found.size(); ++i)
        if (!(found.data()[i] == expected.data()[i])) return false;
    return true;
}

}  // namespace

TEST_CASE("98 relu and abs: the derivative at 0 is 0") {
    vec3 const x{-2, 0, 2};
    CHECK(same(slope([](auto const& a) { return gr::relu(a); }, x), vec3{0, 0, 1}));
    CHECK(same(slope([](auto const& a) { return gr::abs(a); }, x), vec3{-1, 0, 1}));
    CHECK(same(slope([](auto const& a) { return gr::relu(a); }, vec3{-0.0, 0, -1}), vec3{0, 0, 0}));
}

TEST_CASE("99 sqrt: the derivative at 0 is infinite") {
    CHECK(same(slope([](auto const& a) { return gr::sqrt(a); }, vec3{0, 1, 4}), vec3{infinity, 0.5, 0.25}));
}

TEST_CASE("101 amax: equal largest elements share the derivative evenly") {
    auto const all = [](auto const& a) { return gr::amax(a); };
    CHECK(same(slope(all, vec3{1, 2, 2}), vec3{0, 0.5, 0.5}));
    vec3 const thirds = slope(all, vec3{7, 7, 7});
    for (double g : thirds) CHECK(g == doctest::Approx(1.0 / 3).epsilon(1e-15));
    gr::tensor<double, 2, 3> const rows{{1, 1, 0}, {4, 5, 5}};
    auto const by_row = slope([](auto const& a) { return gr::amax<1>(a); }, rows);
    CHECK(same(by_row, gr::tensor<double, 2, 3>{{0.5, 0.5, 0}, {0, 0.5, 0.5}}));
}

TEST_CASE("101 maximum and minimum: equal operands share the derivative, half each") {
    vec3 const b{1, 2, 3};
    CHECK(same(slope([&](auto const& a) { return gr::maximum(a, b); }, vec3{0, 2, 4}), vec3{0, 0.5, 1}));
    CHECK(same(slope([&](auto const& a) { return gr::minimum(b, a); }, vec3{0, 2, 4}), vec3{1, 0.5, 0}));
    // both operands one tensor: the halves add up
    CHECK(same(slope([](auto const& a) { return gr::maximum(a, a); }, b), vec3{1, 1, 1}));
}

TEST_CASE("102 pow: d(0^0)/d base is 0, for exponents that are tensors and numbers") {
    vec3 const zero{0, 0, 0};
    vec3 const exponents{0, 1, 2};
    CHECK(same(slope([&](auto const& a) { return gr::pow(a, exponents); }, zero), vec3{0, 1, 0}));
    CHECK(same(slope([](auto const& a) { return gr::pow(a, 0.0); }, zero), vec3{0, 0, 0}));
    CHECK(same(slope([](auto const& a) { return gr::pow(a, 0.0); }, vec3{0, 1, -2}), vec3{0, 0, 0}));
}

TEST_CASE("102 pow: d(0^b)/db at b = -1, 0, 1 is -inf, 0, 0") {
    // 0^b log 0: inf times -inf below 0; above, and by convention at 0, it is 0
    vec3 const zero{0, 0, 0};
    auto const of_tensor = [&](auto const& b) { return gr::pow(zero, b); };
    CHECK(same(slope(of_tensor, vec3{-1, 0, 1}), vec3{-infinity, 0, 0}));
    CHECK(same(slope([](auto const& b) { return gr::pow(0.0, b); }, vec3{-1, 0, 1}), vec3{-infinity, 0, 0}));
}

TEST_CASE("104 where: infinities and NaN of the branch not taken do not reach the derivative") {
    vec3 const x{-1, 0, 4};
    CHECK(same(slope([](auto const& a) { return gr::where(a > 0.0, gr::log(a), 0.0); }, x), vec3{0, 0, 0.25}));
    CHECK(same(slope([](auto const& a) { return gr::where(a > 0.0, gr::sqrt(a), 0.0); }, x), vec3{0, 0, 0.25}));
    CHECK(same(slope([](auto const& a) { return gr::where(a != 0.0, 1.0 / a, a); }, x), vec3{-1, 1, -1.0 / 16}));
    CHECK(same(slope([](auto const& a) { return gr::where(a < 0.0, a, gr::exp(1000.0 * a)); }, vec3{-1, -2, -3}), vec3{1, 1, 1}));
}

TEST_CASE("104 where: nor through sums, products and views on the way back") {
    gr::tensor<double, 1, 2> const keep{-1, 1};
    gr::tensor<double, 2, 2> const x{{-1, 0}, {4, 2}};  // the first sum is NaN
    auto const f = [&](auto const& a) { return gr::where(keep > 0.0, gr::reshape<1, 2>(gr::sum<1>(gr::log(a) * a)), 0.0); };
    CHECK(gr::allclose(slope(f, x), gr::tensor<double, 2, 2>{{0, 0}, {std::log(4.0) + 1, std::log(2.0) + 1}}, 1e-15,
                       0));  // log may differ in its last place
}

TEST_CASE("104 where: nor the second derivative") {
    vec3 const x = vec3{-1, 0, 4}.requires_grad_();
    gr::tensor const y = gr::sum(gr::where(x > 0.0, gr::log(x), 0.0));
    vec3 const first = gr::autograd::grad(y, x, {.create_graph = true});
    CHECK(same(first, vec3{0, 0, 0.25}));
    CHECK(same(gr::autograd::grad(first, x, {.grad_outputs = {gr::ones<double, 3>()}}), vec3{0, 0, -1.0 / 16}));
}

// Values of mpmath. Every operation in both orders, compiled, is in kernel/exact.cpp; here are the worst on the tape, where the
// second derivative is interpreted: at most 64 ulp.
namespace {

template <class T>
bool close(T found, double exact) {
    return std::abs(static_cast<double>(found) - exact) <= 64 * static_cast<double>(std::numeric_limits<T>::epsilon()) * std::abs(exact);
}
/// Are the first and second derivative of f at x these?
template <class T>
bool tails(auto f, double x, double first, double second) {
    gr::tensor<T, 1> const at = gr::tensor<T, 1>{static_cast<T>(x)}.requires_grad_(), ones = gr::ones<T, 1>();
    gr::tensor<T, 1> const once = gr::autograd::grad(f(at), at, {.grad_outputs = {ones}, .create_graph = true});
    gr::tensor<T, 1> const twice = gr::autograd::grad(once, at, {.grad_outputs = {ones}});
    CAPTURE(x);
    CAPTURE(static_cast<double>(once.data()[0]));
    CAPTURE(static_cast<double>(twice.data()[0]));
    CHECK(close(once.data()[0], first));
    CHECK(close(twice.data()[0], second));
    return true;
}

}  // namespace

TEST_CASE_TEMPLATE("tails: saturated functions have derivatives, to second order", T, float, double) {
    tails<T>([](auto const& x) { return gr::tensor(gr::tanh(x)); }, 10, 8.2446144557673974e-9, -1.6489228843561127e-8);
    tails<T>([](auto const& x) { return gr::tensor(gr::log_ndtr(x)); }, -40, 40.024968847207264, -0.99937733162140861);
    tails<T>([](auto const& x) { return gr::tensor(gr::log_ndtr(x)); }, 5, 1.4867199409049057e-6, -7.4336019148607112e-6);
    tails<T>([](auto const& x) { return gr::tensor(gr::gelu(x)); }, -8, -3.979607261086796e-14, -3.1324080717928732e-13);
}
TEST_CASE("tails: sizes whose squares overflow or vanish") {
    gr::tensor<double> const a = gr::tensor<double>{3e-200}.requires_grad_(), b{4e-200};
    gr::tensor<double> const first = gr::autograd::grad(gr::tensor(gr::hypot(a, b)), a, {.create_graph = true});
    CHECK(close(first.item(), 0.6));
    CHECK(close(gr::tensor<double>(gr::autograd::grad(first, a)).item(), 1.28e199));  // b^2 / hypot^3
    gr::tensor<float> const y = gr::tensor<float>{1e25f}.requires_grad_(), x = gr::tensor<float>{1e25f}.requires_grad_();
    gr::tensor(gr::atan2(y, x)).backward();
    CHECK(close(y.grad().item(), 0.5 / static_cast<double>(1e25f)));
    CHECK(close(x.grad().item(), -0.5 / static_cast<double>(1e25f)));
    y.zero_grad();
    gr::tensor(gr::asinh(y)).backward();
    CHECK(close(y.grad().item(), 1 / static_cast<double>(1e25f)));
}
TEST_CASE("tails: pow's mixed derivative at exponent 0 is 1 / x in either order") {
    gr::tensor<double> const x = gr::tensor<double>{3.0}.requires_grad_(), e = gr::tensor<double>{0.0}.requires_grad_();
    gr::tensor<double> const by_x = gr::autograd::grad(gr::tensor(gr::pow(x, e)), x, {.create_graph = true}),
                             by_e = gr::autograd::grad(gr::tensor(gr::pow(x, e)), e, {.create_graph = true});
    CHECK(by_x.item() == 0);
    CHECK(close(gr::tensor<double>(gr::autograd::grad(by_x, e)).item(), 1.0 / 3));
    CHECK(close(gr::tensor<double>(gr::autograd::grad(by_e, x)).item(), 1.0 / 3));
}
TEST_CASE("tails: binary_cross_entropy of a saturated sigmoid has a derivative of 0, the one with logits its own") {
    gr::tensor<float, 3> const z = gr::tensor<float, 3>{20, -120, 3}.requires_grad_(), y{1, 0, 1};
    gr::tensor(gr::binary_cross_entropy(gr::sigmoid(z), y)).backward();
    CHECK(z.grad().data()[0] == 0);
    CHECK(z.grad().data()[1] == 0);
    CHECK(close(z.grad().data()[2], -0.047425873177566781 / 3));
    z.zero_grad();
    gr::tensor(gr::binary_cross_entropy_with_logits(z, y)).backward();
    CHECK(close(z.grad().data()[0], -2.0611536181902037e-9 / 3));
    CHECK(close(z.grad().data()[2], -0.047425873177566781 / 3));
}
TEST_CASE("tails: logaddexp of equal infinities shares the derivative") {
    gr::tensor<double> const a = gr::tensor<double>{-infinity}.requires_grad_(), b = gr::tensor<double>{-infinity}.requires_grad_();
    gr::tensor(gr::logaddexp(a, b)).backward();
    CHECK(a.grad().item() == 0.5);
    CHECK(b.grad().item() == 0.5);
}
