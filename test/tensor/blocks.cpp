// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

// Pooling with padding, masks, and given statistics on run-time tensors: derivatives against difference quotients, and what
// PyTorch's documentation says of single numbers.
namespace {

namespace gr = gradus;

}  // namespace

TEST_CASE("pooling: tensors, padding is never the largest, and counts in the mean unless told") {
    gr::tensor<double, 2, 2> x{{-1, -2}, {-3, -4}};
    x.requires_grad_();
    auto const image = gr::reshape<1, 1, 2, 2>(x);
    constexpr gr::pool p{.size = 2, .stride = 2, .padding = 1}, q{.size = 2, .stride = 2, .padding = 1, .count_include_pad = false};
    gr::tensor most = gr::max_pool2d<p>(image);
    gr::tensor mean = gr::avg_pool2d<p>(image);
    gr::tensor inside = gr::avg_pool2d<q>(image);
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            CHECK(most(0, 0, i, j) == x(i, j));
            CHECK(mean(0, 0, i, j) == x(i, j) / 4);
            CHECK(inside(0, 0, i, j) == x(i, j));
        }
    gr::tensor cost = gr::sum(gr::adaptive_max_pool2d<1>(image));
    cost.backward();
    CHECK(x.grad()(0, 0) == 1);
    CHECK(x.grad()(1, 1) == 0);
}
TEST_CASE("attention: tensors, a mask of bools and one of numbers, which has a derivative") {
    gr::tensor<double, 2, 3> q{{0.5, -1, 2}, {1, 0.25, -0.5}}, k{{1, 0, -1}, {0.5, 2, 1}}, added{{0.1, -0.2, 0.3}, {0.4, 0, -1}};
    gr::tensor<double, 2, 2> bias{{0.5, -0.5}, {1, 0}};
    q.requires_grad_();
    bias.requires_grad_();
    CHECK(
        gr::gradgradcheck([&](auto const& a, auto const& b) { return gr::tensor(gr::scaled_dot_product_attention(a, k, k, b)); }, q, bias));
    gr::tensor<bool, 2, 2> first{{true, false}, {true, false}};
    gr::tensor y = gr::scaled_dot_product_attention(q, k, k, first);
    for (int j = 0; j < 3; ++j) CHECK(y(1, j) == k(0, j));  // only the first key is seen
}
TEST_CASE("batch_norm: tensors, given statistics") {
    gr::tensor<double, 2, 2> x{{1, 2}, {3, 5}};
    gr::tensor<double, 2> scale{2, 1}, shift{0.5, 0}, mean{1, 2}, variance{4, 9};
    x.requires_grad_();
    gr::tensor y = gr::batch_norm<0.0>(x, scale, shift, mean, variance);
    CHECK(y(1, 0) == 2 * (3 - 1) / 2.0 + 0.5);
    CHECK(y(1, 1) == (5 - 2) * (1 / 3.0));  // PyTorch multiplies by the reciprocal root, too
    gr::tensor cost = gr::sum(y);
    cost.backward();
    CHECK(x.grad()(0, 0) == 1);
}
TEST_CASE("log_ndtr: tensors, far in the tail") {
    gr::tensor<double, 3> x{-40, -1, 2};
    x.requires_grad_();
    gr::tensor cost = gr::sum(gr::log_ndtr(x));
    cost.backward();
    CHECK(x.grad()(0) == doctest::Approx(40.024968847207263723).epsilon(1e-14));  // mpmath; three functions of some ulp each
    CHECK(gr::gradgradcheck([](auto const& t) { return gr::tensor(gr::log_ndtr(t)); }, gr::tensor<double, 3>{-3, -1, 2}.requires_grad_()));
}
