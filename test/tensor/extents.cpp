// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

// Systems of equations, order and gathers of tensors whose extents run time tells.
namespace {

namespace gr = gradus;
using vector = gr::tensor<double, gr::dyn>;
using matrix = gr::tensor<double, gr::dyn, gr::dyn>;

/// Diagonally dominant, so that differences and solutions keep their digits.
matrix dominant(std::int64_t n) {
    matrix a = gr::zeros<double, gr::dyn, gr::dyn>(n, n);
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j)
            a.data()[i * n + j] = std::sin(static_cast<double>(3 * i + 5 * j)) + static_cast<double>(i == j ? n : 0);
    return a;
}
vector values(std::int64_t n) {
    vector v = gr::zeros<double, gr::dyn>(n);
    for (std::int64_t i = 0; i < n; ++i) v.data()[i] = std::cos(static_cast<double>(7 * i));
    return v;
}

}  // namespace

TEST_CASE("run-time extents: solve, inv and logdet") {
    for (std::int64_t n : {1, 5}) {
        CAPTURE(n);
        matrix a = dominant(n);
        vector b = values(n);
        a.requires_grad_();
        b.requires_grad_();
        CHECK(gr::gradcheck([](auto const& m, auto const& v) { return gr::tensor(gr::solve(m, v) * gr::logdet(m)); }, a, b));
        matrix const one = gr::matmul(gr::inv(a), a);
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < n; ++j) CHECK(std::abs(one.data()[i * n + j] - (i == j)) < 1e-12);  // a few ulp of 1 per term
    }
}
TEST_CASE("run-time extents: sort, topk and median") {
    vector const x = values(6);
    vector const sorted = gr::sort(x);
    double by_hand[6];
    std::copy_n(x.data(), 6, by_hand);
    std::sort(by_hand, by_hand + 6);
    CHECK(std::equal(by_hand, by_hand + 6, sorted.data()));
    gr::tensor<double, 2> const best = std::get<0>(gr::topk<2>(x));
    CHECK(best(0) == by_hand[5]);
    CHECK(best(1) == by_hand[4]);
    double const middle = gr::median(x);
    CHECK(middle == by_hand[2]);
    matrix a = dominant(4);
    a.requires_grad_();
    gr::tensor total = gr::sum(gr::square(gr::sort<0>(a)));
    total.backward();
    for (int i = 0; i < 16; ++i) CHECK(a.grad().data()[i] == 2 * a.data()[i]);
}
