// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <numeric>

// Initialisers by their moments and bounds, and clipping by a loop.

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

struct moments {
    double least = HUGE_VAL, most = -HUGE_VAL, mean = 0, deviation = 0;
};
moments of(gr::any_tensor const& t) {
    moments m;
    auto const all = t.values<double>();
    double const n = static_cast<double>(all.size());
    for (double x : all) m.least = std::min(m.least, x), m.most = std::max(m.most, x), m.mean += x / n;
    for (double x : all) m.deviation += (x - m.mean) * (x - m.mean) / n;
    m.deviation = std::sqrt(m.deviation);
    return m;
}
/// Of 10,000 draws the mean is within five of its deviations, sigma / 100, and the deviation within 5 % (normal: five of its, sigma / 141).
void check_normal(moments const& m, double mean, double sigma) {
    CHECK(std::abs(m.mean - mean) < 0.05 * sigma);
    CHECK(std::abs(m.deviation - sigma) < 0.05 * sigma);
}
void check_uniform(moments const& m, double bound) {
    CHECK(m.least >= -bound);
    CHECK(m.most < bound);
    check_normal(m, 0, bound / std::sqrt(3.0));
}

}  // namespace

TEST_CASE("init: distributions") {
    gr::random random(1);
    auto const t = gr::zeros<double, 50, 200>();
    t.requires_grad_();
    nn::init::uniform_(t, random, -2, 2);
    check_uniform(of(t), 2);
    nn::init::normal_(t, random, 3, 0.5);
    check_normal(of(t), 3, 0.5);
    nn::init::trunc_normal_(t, random, 0, 1, -2, 2);
    moments const cut = of(t);
    CHECK(cut.least >= -2);
    CHECK(cut.most <= 2);
    CHECK(cut.most > 1.95);            // 10,000 draws: more than 40 lie between 1.95 and 2
    check_normal(cut, 0, 0.87962566);  // of the normal distribution cut at two deviations
    nn::init::trunc_normal_(t, random, 0, 1, 5, 6);
    CHECK(of(t).least >= 5);  // far out
    CHECK(of(t).mean == doctest::Approx(5.19).epsilon(0.01));
    CHECK(t.is_leaf());
    CHECK(t.version() == 4);
    auto const half = gr::zeros<gr::bfloat16, 100>();
    nn::init::uniform_(half, random, 0, 1);
    for (gr::bfloat16 x : half) CHECK(static_cast<float>(x) < 1);  // not rounded up to 1
    CHECK_THROWS_AS(nn::init::normal_(t, random, 0, -1), gr::error);
    CHECK_THROWS_AS(nn::init::uniform_(t, random, 1, 0), gr::error);
    CHECK_THROWS_AS(nn::init::trunc_normal_(t, random, 0, 1, 2, 1), gr::error);
    CHECK(messages::of<gr::error>([&] { nn::init::zeros_(gr::zeros<std::int64_t, 2>()); }).find("needs floating-point elements") !=
          std::string::npos);
}
TEST_CASE("init: xavier and kaiming by fan in and fan out") {
    gr::random random(2);
    auto const w = gr::zeros<double, 20, 50, 2, 5>();  // fan in 500, fan out 200
    CHECK(nn::init::fans_of(w).in == 500);
    CHECK(nn::init::fans_of(w).out == 200);
    nn::init::xavier_uniform_(w, random, 2);
    check_uniform(of(w), 2 * std::sqrt(6 / 700.0));
    nn::init::xavier_normal_(w, random);
    check_normal(of(w), 0, std::sqrt(2 / 700.0));
    nn::init::kaiming_uniform_(w, random, {.a = std::sqrt(5.0)});
    check_uniform(of(w), 1 / std::sqrt(500.0));
    nn::init::kaiming_normal_(w, random, {.fan_out = true, .nonlinearity = nn::init::nonlinearity::relu});
    check_normal(of(w), 0, std::sqrt(2 / 200.0));
    using f = nn::init::nonlinearity;
    CHECK(nn::init::calculate_gain(f::tanh) == 5.0 / 3);
    CHECK(nn::init::calculate_gain(f::sigmoid) == 1);
    CHECK(nn::init::calculate_gain(f::leaky_relu, 2) == std::sqrt(2 / 5.0));
    CHECK(nn::init::calculate_gain(f::selu) == 0.75);
    auto const square = gr::empty<float, 2, 3>();
    nn::init::eye_(square);
    CHECK(gr::allclose(square, gr::tensor<float, 2, 3>{{1, 0, 0}, {0, 1, 0}}, 0, 0));
    CHECK_THROWS_AS(nn::init::xavier_uniform_(gr::zeros<float, 3>(), random), gr::shape_error);
    CHECK_THROWS_AS(nn::init::eye_(gr::zeros<float, 3>()), gr::shape_error);
}

TEST_CASE("clip_grad_norm_: one factor for all gradients; the norm that it was comes back") {
    auto const a = gr::zeros<double, 2>().requires_grad_();
    auto const b = gr::zeros<float, 1>().requires_grad_(), c = gr::zeros<float, 1>().requires_grad_();
    auto const set = [&](double x, double y, float z) {
        a.set_grad(gr::tensor<double, 2>{x, y});
        b.set_grad(gr::tensor<float, 1>{z});
    };
    std::vector<gr::any_tensor> const all{a, b, c};
    set(2, -3, 6);
    CHECK(nn::grad_norm(all) == 7);
    CHECK(a.grad()(1) == -3);
    CHECK(a.grad().version() == 0);
    CHECK(nn::clip_grad_norm_(all, 8) == 7);
    CHECK(a.grad()(1) == -3);
    CHECK(nn::clip_grad_norm_(all, 3.5) == 7);
    double const factor = 3.5 / (7 + 1e-6);
    CHECK(a.grad()(1) == doctest::Approx(-3 * factor).epsilon(1e-15));
    CHECK(b.grad()(0) == doctest::Approx(6 * factor).epsilon(1e-7));  // float
    set(2, -3, 6);
    CHECK(nn::grad_norm(all, 1) == doctest::Approx(11).epsilon(1e-15));
    CHECK(nn::grad_norm(all, HUGE_VAL) == 6);
    set(3e200, 4e200, 0);
    CHECK(nn::clip_grad_norm_(all, 1) == doctest::Approx(5e200).epsilon(1e-15));  // squares would overflow
    CHECK(a.grad()(0) == doctest::Approx(0.6).epsilon(1e-15));
    set(3e-200, 4e-200, 0);
    CHECK(nn::grad_norm(all) == doctest::Approx(5e-200).epsilon(1e-15));
    set(NAN, 1, 1);
    CHECK(messages::of<gr::error>([&] { nn::clip_grad_norm_(all, 1, 2, true); }).find("not finite") != std::string::npos);
    CHECK(b.grad()(0) == 1);
    CHECK(std::isnan(nn::clip_grad_norm_(all, 1)));
    CHECK(std::isnan(b.grad()(0)));
    set(0, 0, 0);
    CHECK(nn::clip_grad_norm_(all, 1) == 0);
    CHECK(nn::clip_grad_norm_({c}, 1) == 0);
}
TEST_CASE("clip_grad_value_: every element between the bounds") {
    auto const a = gr::zeros<double, 4>().requires_grad_();
    a.set_grad(gr::tensor<double, 4>{2, -3, 0.5, NAN});
    nn::clip_grad_value_({a}, 1);
    CHECK(a.grad()(0) == 1);
    CHECK(a.grad()(1) == -1);
    CHECK(a.grad()(2) == 0.5);
    CHECK(std::isnan(a.grad()(3)));
    CHECK(a.grad().version() == 1);
    CHECK_THROWS_AS(nn::clip_grad_value_({a}, -1), gr::error);
}
