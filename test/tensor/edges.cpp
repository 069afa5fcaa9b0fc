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
    CHECK(gr::allclose(slope(f, x), gr::tensor<double, 2, 2>{{0, 0}, {std::log(4.0) + 1, std::log(2.0) + 1}}, 1e-15, 0));  // log may differ in its last place
}

TEST_CASE("104 where: nor the second derivative") {
    vec3 const x = vec3{-1, 0, 4}.requires_grad_();
    gr::tensor const y = gr::sum(gr::where(x > 0.0, gr::log(x), 0.0));
    vec3 const first = gr::autograd::grad(y, x, {.create_graph = true});
    CHECK(same(first, vec3{0, 0, 0.25}));
    CHECK(same(gr::autograd::grad(first, x, {.grad_outputs = {gr::ones<double, 3>()}}), vec3{0, 0, -1.0 / 16}));
}
