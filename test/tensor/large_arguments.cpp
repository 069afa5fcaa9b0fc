// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

// Losses and their parts at large arguments, in float and double.
namespace gr = gradus;

namespace {

/// The gradient of sum(f(x)), by backward.
template <class X>
X slope(auto f, X const& x) {
    X const leaf = x.clone().requires_grad_();
    gr::tensor const y = gr::sum(f(leaf));
    y.backward();
    return leaf.grad();
}
/// In double: log(1 + exp(x)) without overflow, and its derivative.
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double sigmoid(double x) { return x > 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

/// Equal up to four units in the last place of T near the larger of |expected| and 1e-30, where exp(-100) is subnormal in
/// float: kernels' exp and log1p are allowed one each, the rest is rounding.
template <class T>
bool close(T found, double expected) {
    double const unit = static_cast<double>(std::numeric_limits<T>::epsilon());
    return std::isfinite(found) && std::abs(static_cast<double>(found) - expected) <= 4 * unit * std::max(std::abs(expected), 1e-30);
}

}  // namespace

TEST_CASE_TEMPLATE("105 softplus at +-100: finite, as in double", T, float, double) {
    gr::tensor<T, 4> const x{100, -100, 20, -20};
    auto const f = [](auto const& a) { return gr::softplus(a); };
    gr::tensor<T, 4> const y = f(x), g = slope(f, x);
    for (int i = 0; i < 4; ++i) {
        CHECK(close(y(i), softplus(static_cast<double>(x(i)))));
        CHECK(close(g(i), sigmoid(static_cast<double>(x(i)))));
    }
}

TEST_CASE_TEMPLATE("105 binary_cross_entropy_with_logits at +-100: finite, as in double", T, float, double) {
    gr::tensor<T, 4> const x{100, -100, 100, -100}, y{1, 0, 0, 1};
    gr::tensor<T, 4> const leaf = x.clone().requires_grad_();
    gr::tensor const loss = gr::binary_cross_entropy_with_logits(leaf, y);
    loss.backward();
    double expected = 0;
    for (int i = 0; i < 4; ++i) {
        auto const at = static_cast<double>(x(i)), target = static_cast<double>(y(i));
        expected += (softplus(at) - at * target) / 4;
        // sigmoid(100) - 1 is 0 in both: the target is taken off a number that has been rounded to 1
        CHECK(std::abs(static_cast<double>(leaf.grad()(i)) - (sigmoid(at) - target) / 4) <=
              static_cast<double>(std::numeric_limits<T>::epsilon()));
    }
    CHECK(expected == 50);
    CHECK(close(loss.item(), expected));
}

TEST_CASE_TEMPLATE("105 log_softmax at +-100: finite, as in double", T, float, double) {
    gr::tensor<T, 4> const x{100, -100, 99, 0};
    gr::tensor<T, 4> const weight{1, 0, 0, 1};
    auto const f = [&](auto const& a) { return gr::log_softmax(a) * weight; };
    gr::tensor<T, 4> const y = gr::log_softmax(x), g = slope(f, x);
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += std::exp(static_cast<double>(x(i)) - 100);
    for (int i = 0; i < 4; ++i) {
        double const shifted = static_cast<double>(x(i)) - 100;
        CHECK(close(y(i), shifted - std::log(sum)));
        // d/dx_i of y_0 + y_3: [i is 0 or 3] - 2 softmax_i
        double const expected = static_cast<double>(weight(i)) - 2 * std::exp(shifted) / sum;
        CHECK(std::isfinite(g(i)));
        CHECK(std::abs(static_cast<double>(g(i)) - expected) <= 4 * static_cast<double>(std::numeric_limits<T>::epsilon()));
    }
}
TEST_CASE("as many extents known at run time as a statement may have") {
    using rank_4 = gr::tensor<float, gr::dyn, gr::dyn, gr::dyn, gr::dyn>;
    rank_4 const a(gr::ones<float, 1, 2, 1, 2>()), b(gr::ones<float, 3, 1, 2, 1>());
    gr::tensor s = gr::sum(a) * gr::sum(b);
    CHECK(s.item() == 24);
}
