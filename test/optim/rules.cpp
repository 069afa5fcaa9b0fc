// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

// rmsprop, adagrad, lion and amsgrad by the formulas of PyTorch's documentation and of their papers, with plain doubles.

namespace gr = gradus;
namespace optim = gr::optim;

namespace {

using numbers = std::array<double, 3>;
constexpr double start[3] = {1.0, -0.5, 0.25};
/// Another one in each step, and smaller in later ones, so that the largest second moment is an earlier one.
constexpr double gradient(int t, int i) { return ((i + 1) * 0.3 - t * 0.17) / (1 + t); }

/// The largest difference after five steps of `optimizer` on three numbers from a loop that calls rule(t, i, p, g), t from 1.
template <class Optimizer, class T>
double difference(auto options, auto rule) {
    auto p = gr::empty<T, gr::dyn>(3).requires_grad_();
    double expected[3];
    for (int i = 0; i < 3; ++i) p.data()[i] = static_cast<T>(expected[i] = start[i]);
    Optimizer optimizer({p}, options);
    for (int t = 0; t < 5; ++t) {
        auto g = gr::empty<T, gr::dyn>(3);
        for (int i = 0; i < 3; ++i) g.data()[i] = static_cast<T>(gradient(t, i));
        p.set_grad(g);
        optimizer.step();
        for (int i = 0; i < 3; ++i) rule(t + 1, static_cast<std::size_t>(i), expected[i], gradient(t, i));
    }
    double largest = 0;
    for (int i = 0; i < 3; ++i) largest = std::max(largest, std::abs(static_cast<double>(p(i)) - expected[i]));
    return largest;
}
/// float: five steps of a few roundings of 6e-8 of numbers near 1, and of 1 - alpha; double: of 1.1e-16
template <class Optimizer>
void check(auto options, auto const& rule) {
    CHECK(difference<Optimizer, float>(options, rule()) < 3e-6);
    CHECK(difference<Optimizer, double>(options, rule()) < 1e-14);
}

}  // namespace

TEST_CASE("rmsprop: steps are those of the formula, with every option") {
    for (optim::rmsprop_options const o : {optim::rmsprop_options{.lr = 0.01},
                                           {.lr = 0.01, .alpha = 0.9, .eps = 1e-3, .weight_decay = 0.2},
                                           {.lr = 0.01, .momentum = 0.9},
                                           {.lr = 0.01, .centered = true},
                                           {.lr = 0.01, .momentum = 0.5, .centered = true}}) {
        CAPTURE(o.momentum);
        CAPTURE(o.centered);
        check<optim::rmsprop>(o, [&] {
            return [o, v = numbers{}, a = numbers{}, b = numbers{}](int, std::size_t i, double& p, double g) mutable {
                g += o.weight_decay * p;
                v[i] = o.alpha * v[i] + (1 - o.alpha) * g * g;
                a[i] = o.alpha * a[i] + (1 - o.alpha) * g;
                double const step = g / (std::sqrt(v[i] - (o.centered ? a[i] * a[i] : 0)) + o.eps);
                b[i] = o.momentum * b[i] + step;
                p -= o.lr * (o.momentum > 0 ? b[i] : step);
            };
        });
    }
}
TEST_CASE("adagrad: steps are those of the formula, with every option") {
    for (optim::adagrad_options const o : {optim::adagrad_options{.lr = 0.1},
                                           {.lr = 0.1, .lr_decay = 0.5, .weight_decay = 0.2},
                                           {.lr = 0.1, .initial_accumulator_value = 0.3, .eps = 1e-3}}) {
        check<optim::adagrad>(o, [&] {
            double const s = o.initial_accumulator_value;
            return [o, v = numbers{s, s, s}](int t, std::size_t i, double& p, double g) mutable {
                g += o.weight_decay * p;
                v[i] += g * g;
                p -= o.lr / (1 + (t - 1) * o.lr_decay) * g / (std::sqrt(v[i]) + o.eps);
            };
        });
    }
}
TEST_CASE("lion: steps are those of the formula, with every option") {
    for (optim::lion_options const o : {optim::lion_options{.lr = 0.1}, {.lr = 0.1, .beta1 = 0.5, .beta2 = 0.8, .weight_decay = 0.2}}) {
        check<optim::lion>(o, [&] {
            return [o, m = numbers{}](int, std::size_t i, double& p, double g) mutable {
                double const c = o.beta1 * m[i] + (1 - o.beta1) * g;
                p = (1 - o.lr * o.weight_decay) * p - o.lr * ((c > 0) - (c < 0));
                m[i] = o.beta2 * m[i] + (1 - o.beta2) * g;
            };
        });
    }
}
TEST_CASE("adam and adamw: amsgrad divides by the largest second moment so far") {
    for (bool decoupled : {false, true}) {
        optim::adam_options const o{.lr = 0.1, .beta2 = 0.5, .weight_decay = 0.1, .amsgrad = true};
        auto const rule = [&](bool amsgrad) {
            return
                [o, decoupled, amsgrad, m = numbers{}, v = numbers{}, top = numbers{}](int t, std::size_t i, double& p, double g) mutable {
                    if (decoupled) p -= o.lr * o.weight_decay * p;
                    else g += o.weight_decay * p;
                    m[i] = o.beta1 * m[i] + (1 - o.beta1) * g;
                    v[i] = o.beta2 * v[i] + (1 - o.beta2) * g * g;
                    top[i] = std::max(top[i], v[i]);
                    double const root = std::sqrt((amsgrad ? top[i] : v[i]) / (1 - std::pow(o.beta2, t)));
                    p -= o.lr * m[i] / (1 - std::pow(o.beta1, t)) / (root + o.eps);
                };
        };
        CAPTURE(decoupled);
        if (decoupled) check<optim::adamw>(o, [&] { return rule(true); });
        else check<optim::adam>(o, [&] { return rule(true); });
        CHECK(difference<optim::adam, double>(o, rule(false)) > 1e-3);  // the test would notice
    }
}

TEST_CASE("optimizers: groups have options of their own") {
    auto const a = gr::ones<float, 2>().requires_grad_();
    auto const b = gr::ones<double, 1>().requires_grad_();
    auto const c = gr::ones<float, 1>().requires_grad_();
    optim::sgd step({{{a}, {.lr = 0.5}}, {{b}, {.lr = 0.25}}});
    CHECK(step.groups() == 2);
    CHECK(step.parameters().size() == 2);
    CHECK(step.options.lr == 0.5);
    a.set_grad(gr::ones<float, 2>());
    b.set_grad(gr::ones<double, 1>());
    c.set_grad(gr::ones<float, 1>());
    step.step();
    CHECK(a(1) == 0.5f);
    CHECK(b(0) == 0.75);
    step.add_param_group({{c}, {.lr = 1}});
    step.options_of(1).lr = 0;
    step.step();
    CHECK(a(1) == 0);
    CHECK(b(0) == 0.75);
    CHECK(c(0) == 0);
    CHECK(messages::of<gr::error>([&] { step.add_param_group({{c}, {}}); }).find("twice") != std::string::npos);
    CHECK(messages::of<gr::error>([&] { step.add_param_group({{}, {}}); }).find("empty") != std::string::npos);
    CHECK(messages::of<gr::error>([&] { step.add_param_group({{gr::ones<float, 1>()}, {.lr = -1}}); }).find("not negative") !=
          std::string::npos);
    CHECK(step.groups() == 3);
    CHECK(step.parameters().size() == 3);
    CHECK(messages::of<gr::error>([&] { optim::sgd({{{a}, {}}, {{a}, {}}}); }).find("twice") != std::string::npos);

    auto const d = gr::ones<float, 1>().requires_grad_(), e = gr::ones<float, 1>().requires_grad_();
    optim::adamw decay({{{d}, {}}, {{e}, {.weight_decay = 0}}});
    d.set_grad(gr::zeros<float, 1>());
    e.set_grad(gr::zeros<float, 1>());
    decay.step();
    CHECK(d(0) == 1 - 1e-3f * 1e-2f);
    CHECK(e(0) == 1);
}
TEST_CASE("optimizers: options and parameters that make no sense are refused; 16-bit parameters are updated in float") {
    auto const a = gr::ones<float, 1>().requires_grad_();
    CHECK_THROWS_AS(optim::rmsprop({a}, {.alpha = -1}), gr::error);
    CHECK_THROWS_AS(optim::adagrad({a}, {.lr_decay = -1}), gr::error);
    CHECK_THROWS_AS(optim::lion({a}, {.beta2 = 1}), gr::error);
    CHECK(messages::of<gr::error>([] { optim::lion({gr::zeros<std::int64_t, 2>()}); }).find("floating point") != std::string::npos);
    gr::tensor<gr::bfloat16, 1> const half{gr::bfloat16(1.0f)};
    half.requires_grad_();
    half.set_grad(gr::tensor<gr::bfloat16, 1>{gr::bfloat16(0.5f)});
    optim::lion step({half}, {.lr = 0.25});
    step.step();
    CHECK(static_cast<float>(half(0)) == 0.75f);
    CHECK(step.state(0).exp_avg.dtype() == gr::dtype::float32);
}
