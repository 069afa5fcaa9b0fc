// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

// The formulas are those of PyTorch's documentation of torch.optim.Adam and AdamW, computed here once more with plain doubles.

namespace gr = gradus;

namespace {

constexpr double start[3] = {1.0, -0.5, 0.25};
constexpr double gradient(int step, int i) { return (i + 1) * 0.3 - step * 0.17; }

struct reference {
    gr::optim::adam_options o;
    bool decoupled;
    double p[3] = {start[0], start[1], start[2]}, m[3] = {}, v[3] = {};

    void step(int t) {  // from 1
        for (int i = 0; i < 3; ++i) {
            double g = gradient(t - 1, i);
            if (decoupled) p[i] -= o.lr * o.weight_decay * p[i];
            else g += o.weight_decay * p[i];
            m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
            v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
            double const m_hat = m[i] / (1 - std::pow(o.beta1, t)), v_hat = v[i] / (1 - std::pow(o.beta2, t));
            p[i] -= o.lr * m_hat / (std::sqrt(v_hat) + o.eps);
        }
    }
};

template <class Optimizer, class T>
double difference(gr::optim::adam_options o) {
    auto p = gr::empty<T, gr::dyn>(3).requires_grad_();
    for (int i = 0; i < 3; ++i) p.data()[i] = static_cast<T>(start[i]);
    Optimizer optimizer({p}, o);
    reference expected{o, std::is_same_v<Optimizer, gr::optim::adamw>};
    for (int t = 0; t < 3; ++t) {
        auto g = gr::empty<T, gr::dyn>(3);
        for (int i = 0; i < 3; ++i) g.data()[i] = static_cast<T>(gradient(t, i));
        p.set_grad(g);
        optimizer.step();
        expected.step(t + 1);
    }
    double largest = 0;
    for (int i = 0; i < 3; ++i) largest = std::max(largest, std::abs(static_cast<double>(p(i)) - expected.p[i]));
    return largest;
}

}  // namespace

TEST_CASE("110 adam and adamw: three steps are those of the formulas") {
    gr::optim::adam_options const all[] = {
        {.lr = 0.1},
        {.lr = 0.1, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-3},
        {.lr = 0.1, .weight_decay = 0.2},
    };
    for (auto const& o : all) {
        CAPTURE(o.weight_decay);
        CAPTURE(o.eps);
        // float: 1 - beta2 = 1e-3 is rounded to 6e-8 relative, which the corrections divide out of values near 1
        CHECK(difference<gr::optim::adam, float>(o) < 1e-6);
        CHECK(difference<gr::optim::adamw, float>(o) < 1e-6);
        CHECK(difference<gr::optim::adam, double>(o) < 1e-14);  // a few roundings of 1.1e-16 near 1
        CHECK(difference<gr::optim::adamw, double>(o) < 1e-14);
    }
}

TEST_CASE("110 adam: the first step is lr g / (|g| + eps), whatever the betas") {
    // m / (1 - beta1) = g and v / (1 - beta2) = g^2 in the first step
    auto p = gr::zeros<double, 2>().requires_grad_();
    p.set_grad(gr::tensor<double, 2>{4, -1e-8});
    gr::optim::adam({p}, {.lr = 0.01}).step();
    CHECK(p(0) == doctest::Approx(-0.01 * 4 / (4 + 1e-8)).epsilon(1e-13));
    CHECK(p(1) == doctest::Approx(0.005).epsilon(1e-12));
}

TEST_CASE("109 adam: a parameter that had no gradient counts its own steps") {
    auto a = gr::zeros<float, 1>().requires_grad_(), b = gr::zeros<float, 1>().requires_grad_();
    gr::optim::adam optimizer({a, b}, {.lr = 0.1});
    a.set_grad(gr::ones<float, 1>());
    optimizer.step();
    b.set_grad(gr::ones<float, 1>());
    optimizer.step();
    CHECK(optimizer.state(0).steps == 2);
    CHECK(optimizer.state(1).steps == 1);
    CHECK(b(0) == doctest::Approx(-0.1).epsilon(1e-6));  // its first step; float
    CHECK(!gr::optim::adam({a}).state(0).exp_avg.defined());
}

TEST_CASE("adamw: decays by default, adam does not") {
    auto a = gr::ones<float, 1>().requires_grad_();
    a.set_grad(gr::zeros<float, 1>());
    gr::optim::adamw({a}).step();
    CHECK(a(0) == 1 - 1e-3f * 1e-2f);
    gr::optim::adam({a}).step();
    CHECK(a(0) == 1 - 1e-3f * 1e-2f);
}

TEST_CASE("adam: options that make no sense are refused") {
    auto a = gr::ones<float, 1>().requires_grad_();
    CHECK_THROWS_AS(gr::optim::adam({a}, {.lr = -1}), gr::error);
    CHECK_THROWS_AS(gr::optim::adam({a}, {.beta1 = 1}), gr::error);
    CHECK_THROWS_AS(gr::optim::adamw({a}, {.beta2 = -0.1}), gr::error);
}
