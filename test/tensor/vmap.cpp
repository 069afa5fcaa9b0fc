// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

// gr::vmap on tensors: one statement, recorded like any other; the function sees expressions and may differentiate.
namespace {

namespace gr = gradus;
using namespace gr::literals;

bool near(double p, double q) { return std::abs(p - q) <= 1e-13 * std::max(1.0, std::abs(q)); }
gr::tensor<double, gr::dyn, 3> rows(int n) {
    auto made = gr::empty<double, gr::dyn, 3>(n);
    for (std::int64_t i = 0; i < made.size(); ++i) made.data()[i] = static_cast<double>(i * 37 % 83) / 41 - 1;
    return made;
}
constexpr auto loss = [](auto x, auto y, auto w) { return gr::softplus(gr::dot(x, w)) - y * gr::dot(x, w); };

}  // namespace

TEST_CASE("vmap on tensors: values, and the tape goes through it") {
    auto x = rows(4).requires_grad_();
    auto w = gr::tensor<double, 3>{0.1, -0.2, 0.3}.requires_grad_();
    gr::tensor y = gr::vmap<0, gr::unmapped>([](auto xi, auto v) { return gr::tanh(gr::dot(xi, v)) * xi; })(x, w);
    static_assert(std::is_same_v<decltype(y), gr::tensor<double, gr::dyn, 3>>);
    gr::tensor same = gr::tanh(gr::matmul(x, gr::reshape<3, 1>(w))) * x;
    gr::tensor total = gr::sum(gr::square(y));
    total.backward();
    auto const by_x = x.grad();
    auto const by_w = w.grad();
    auto x2 = rows(4).requires_grad_();
    auto w2 = gr::tensor<double, 3>{0.1, -0.2, 0.3}.requires_grad_();
    gr::tensor expected = gr::sum(gr::square(gr::tanh(gr::matmul(x2, gr::reshape<3, 1>(w2))) * x2));
    expected.backward();
    for (std::int64_t i = 0; i < y.size(); ++i) {
        CHECK(near(y.data()[i], same.data()[i]));
        CHECK(near(by_x.data()[i], x2.grad().data()[i]));
    }
    for (int j = 0; j < 3; ++j) CHECK(near(by_w.data()[j], w2.grad().data()[j]));
}
TEST_CASE("vmap on tensors: gradients of each example, a Jacobian of each, and derivatives of these") {
    auto const x = rows(5);
    auto const y = gr::tensor<double, 5>{1, 0, 0, 1, 1};
    auto w = gr::tensor<double, 3>{0.1, -0.2, 0.3}.requires_grad_();
    auto const [value, slope] = gr::vmap<0, 0, gr::unmapped>([](auto xi, auto yi, auto v) {
        auto const l = loss(xi, yi, v);
        return std::pair{l, gr::grad(l, v)};
    })(x, y, w);
    gr::tensor values = value;
    gr::tensor slopes = slope;
    gr::tensor curvature = gr::vmap<0, 0, gr::unmapped>([](auto xi, auto yi, auto v) { return gr::hessian(loss(xi, yi, v), v); })(x, y, w);
    gr::tensor squares = gr::sum(gr::square(slopes));
    squares.backward();
    double by_w[3]{};
    for (int i = 0; i < 5; ++i) {
        double const* xi = x.data() + 3 * i;
        double const z = 0.1 * xi[0] - 0.2 * xi[1] + 0.3 * xi[2], s = 1 / (1 + std::exp(-z)), r = s - y.data()[i];
        CHECK(near(values.data()[i], std::log1p(std::exp(z)) - y.data()[i] * z));
        for (int j = 0; j < 3; ++j) {
            CHECK(near(slopes.data()[3 * i + j], r * xi[j]));
            for (int k = 0; k < 3; ++k) {
                CHECK(near(curvature.data()[9 * i + 3 * j + k], s * (1 - s) * xi[j] * xi[k]));
                by_w[k] += 2 * r * xi[j] * s * (1 - s) * xi[j] * xi[k];
            }
        }
    }
    for (int k = 0; k < 3; ++k) CHECK(near(w.grad().data()[k], by_w[k]));
}
TEST_CASE("vmap on tensors: numbers of instances are compared at run time, and a failed call changes nothing") {
    auto const x = rows(4), z = rows(5);
    auto const dots = gr::vmap([](auto a, auto b) { return gr::dot(a, b); });
    gr::tensor fine = dots(x, x);
    CHECK(fine.size() == 4);
    std::string said;
    try {
        fine = dots(x, z);
    } catch (gr::shape_error const& e) { said = e.what(); }
    CHECK(said == "gradus::vmap(f)(xs...): numbers of instances differ: argument 0 is double[4,3], argument 1 is double[5,3] (4 != 5)");
    CHECK(fine.size() == 4);
    gr::tensor one = gr::vmap<0, gr::unmapped>([](auto a, auto scale) { return a * scale; })(rows(1), 2.0);
    CHECK((one.size() == 3 && one.data()[0] == -2));
}
