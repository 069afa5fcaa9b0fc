// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

// Singular matrices. A determinant is a polynomial of the elements, so its derivatives are numbers; what divides by it has none.
namespace gr = gradus;

namespace {

constexpr auto a = gr::var<"a", double, "batch", 3, 3>;
constexpr auto v = gr::var<"v", double, "batch", 3, 3>;
constexpr auto all = gr::sum(gr::det(a));

}  // namespace

TEST_CASE("programs: cofactors of singular matrices, their derivative, and both modes") {
    constexpr auto slope = gr::grad(all, a);
    constexpr auto p = gr::compile(gr::det(a), slope, gr::grad(gr::sum(slope * v), a), gr::jvp(all, a, v), gr::jvp(slope, a, v));
    // ranks 2, 1 and 3; along 1, 2, ..., 9
    double const A[] = {1, 2, 0, 3, 4, 0, 5, 7, 0, 1, 2, 3, 2, 4, 6, -1, -2, -3, 2, 0, 0, 0, 3, 0, 0, 0, 5};
    double const V[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    double const first[] = {0, 0, 1, 0, 0, 3, 0, 0, -2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 10, 0, 0, 0, 6};
    // of minors, which are quadratic: half the difference of those one step ahead and one back, in whole numbers
    double const second[] = {-6, 3, -1, 3, -6, 9, 0, 3, -5, -15, 30, -15, 6, -12, 6, -3, 6, -3, 52, -20, -21, -10, 23, -16, -9, -12, 13};
    auto [value, by, again, along, along_again] = p(a = A, v = V);
    double slope_along = 0;
    for (int i = 0; i < 27; ++i) {
        CHECK(std::abs(by.data()[i] - first[i]) <= 1e-14);  // a few roundings of products up to 30
        slope_along += first[i] * V[i];
        CHECK(std::abs(again.data()[i] - second[i]) <= 1e-13);
        CHECK(std::abs(along_again.data()[i] - second[i]) <= 1e-13);
    }
    CHECK(std::abs(along - slope_along) <= 1e-12);
    CHECK(std::abs(value.data()[0]) <= 1e-14);
    CHECK(value.data()[1] == 0);
    CHECK(value.data()[2] == 30);
}
TEST_CASE("tensors: the same, and twice") {
    auto x = gr::tensor<float, 2, 2>{1, 2, 2, 4};
    x.requires_grad_();
    gr::tensor y = gr::det(x);
    auto g = gr::autograd::grad(y, x, {.create_graph = true});
    float const cofactors[] = {4, -2, -2, 1}, twice[] = {2, -4, -6, 8};
    gr::tensor along = gr::sum(g * gr::tensor<float, 2, 2>{8, 6, 4, 2});
    along.backward();
    for (int i = 0; i < 4; ++i) {
        CHECK(g.data()[i] == cofactors[i]);
        CHECK(x.grad().data()[i] == twice[i]);
    }
    // of nothing but a zero
    auto zero = gr::tensor<double, 1, 1>{0.0};
    zero.requires_grad_();
    gr::tensor d = gr::det(zero);
    d.backward();
    CHECK(zero.grad()(0, 0) == 1);
}
TEST_CASE("tensors: what divides by a determinant of 0 is infinite or NaN") {
    auto x = gr::tensor<double, 2, 2>{1, 2, 2, 4};
    x.requires_grad_();
    gr::tensor y = gr::logdet(x);
    CHECK(y.item() == -std::numeric_limits<double>::infinity());
    y.backward();
    for (double e : x.grad()) CHECK(std::isinf(e));
    auto parts = gr::slogdet(x);
    CHECK(gr::tensor(std::get<0>(parts)).item() == 0);
    CHECK(gr::tensor(std::get<1>(parts)).item() == -std::numeric_limits<double>::infinity());
    gr::tensor inverse = gr::inv(x);
    gr::tensor solution = gr::solve(x, gr::tensor<double, 2>{1, 1});
    for (double e : inverse) CHECK(!std::isfinite(e));
    for (double e : solution) CHECK(!std::isfinite(e));
}
