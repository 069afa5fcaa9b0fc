// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

// The formulas are those of PyTorch's documentation of torch.optim.SGD, computed here once more with plain doubles.

namespace gr = gradus;

namespace {

constexpr double start[3] = {1.0, -0.5, 0.25};
/// A gradient that is another one in each step.
constexpr double gradient(int step, int i) { return (i + 1) * 0.3 - step * 0.17; }

struct reference {
    gr::optim::sgd_options o;
    double p[3] = {start[0], start[1], start[2]}, b[3] = {};

    void step(int t) {
        for (int i = 0; i < 3; ++i) {
            double d = gradient(t, i);
            if (o.weight_decay != 0) d = d + o.weight_decay * p[i];
            if (o.momentum != 0) {
                b[i] = t == 0 ? d : o.momentum * b[i] + (1 - o.dampening) * d;
                d = o.nesterov ? d + o.momentum * b[i] : b[i];
            }
            p[i] = p[i] - o.lr * d;
        }
    }
};

/// The largest difference after three steps.
template <class T>
double difference(gr::optim::sgd_options o) {
    auto p = gr::empty<T, gr::dyn>(3).requires_grad_();
    for (int i = 0; i < 3; ++i) p.data()[i] = static_cast<T>(start[i]);
    gr::optim::sgd optimizer({p}, o);
    reference expected{o};
    for (int t = 0; t < 3; ++t) {
        auto g = gr::empty<T, gr::dyn>(3);
        for (int i = 0; i < 3; ++i) g.data()[i] = static_cast<T>(gradient(t, i));
        p.set_grad(g);
        optimizer.step();
        expected.step(t);
    }
    double largest = 0;
    for (int i = 0; i < 3; ++i) largest = std::max(largest, std::abs(static_cast<double>(p(i)) - expected.p[i]));
    return largest;
}

}  // namespace

TEST_CASE("110 sgd: three steps are those of the formula, with every option") {
    gr::optim::sgd_options const all[] = {
        {.lr = 0.1},
        {.lr = 0.1, .weight_decay = 0.2},
        {.lr = 0.1, .momentum = 0.9},
        {.lr = 0.1, .momentum = 0.9, .dampening = 0.3},
        {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.2, .nesterov = true},
    };
    for (auto const& o : all) {
        CAPTURE(o.momentum);
        CAPTURE(o.dampening);
        CAPTURE(o.weight_decay);
        CHECK(difference<float>(o) < 1e-6);    // values near 1 in float: three steps of a few roundings of 6e-8
        CHECK(difference<double>(o) < 1e-14);  // the same of 1.1e-16
    }
}

TEST_CASE("109 sgd: parameters without a gradient are left alone, and their momentum too") {
    auto a = gr::ones<float, 2>().requires_grad_(), b = gr::ones<float, 2>().requires_grad_();
    gr::optim::sgd optimizer({a, b}, {.lr = 0.5, .momentum = 0.9});
    a.set_grad(gr::ones<float, 2>());
    optimizer.step();
    CHECK(a(0) == 0.5f);
    CHECK(b(0) == 1);
    CHECK(b.version() == 0);
    CHECK(!optimizer.state(1).momentum_buffer.defined());
    optimizer.zero_grad();
    CHECK(!a.grad().defined());
    optimizer.step();
    CHECK(a(0) == 0.5f);
}

TEST_CASE("109 optimizer: a computed tensor is no parameter") {
    auto a = gr::ones<float, 2>().requires_grad_();
    CHECK(messages::of<gr::error>([&] { gr::optim::sgd({a, a.clone()}); }).find("can't optimize a non-leaf Tensor") != std::string::npos);
}

TEST_CASE("optimizer: lists and options that make no sense are refused") {
    auto a = gr::ones<float, 2>().requires_grad_();
    CHECK(messages::of<gr::error>([] { gr::optim::sgd(std::vector<gr::any_tensor>()); }).find("optimizer got an empty parameter list") !=
          std::string::npos);
    CHECK(messages::of<gr::error>([&] { gr::optim::sgd({a, a}); }).find("twice") != std::string::npos);
    CHECK(messages::of<gr::error>([&] { gr::optim::sgd({a}, {.lr = -1}); }).find("not negative") != std::string::npos);
    CHECK(messages::of<gr::error>([&] {
              gr::optim::sgd({a}, {.nesterov = true});
          }).find("Nesterov momentum requires a momentum and zero dampening") != std::string::npos);
    gr::tensor<float, 2, 2> square{1, 2, 3, 4};
    CHECK(messages::of<gr::error>([&] { gr::optim::sgd({square.t()}); }).find("do not follow each other") != std::string::npos);
    CHECK(messages::of<gr::error>([] { gr::optim::sgd({gr::tensor<float, 2>()}); }).find("undefined") != std::string::npos);
}

TEST_CASE("50 optimizer: a step records nothing and keeps leaves leaves, whatever the grad mode; 51 but it counts as a write") {
    auto w = gr::ones<float, 2>().requires_grad_();
    gr::optim::sgd optimizer({w}, {.lr = 0.5});
    gr::tensor y = w * w;
    y.backward({.gradient = gr::ones<float, 2>(), .retain_graph = true});
    CHECK(gr::is_grad_enabled());
    optimizer.step();
    CHECK(w.is_leaf());
    CHECK(w.requires_grad());
    CHECK(w.version() == 1);
    CHECK(w(0) == 0);  // 1 - 0.5 * 2
    CHECK(messages::of<gr::error>([&] { y.backward(gr::any_tensor(gr::ones<float, 2>())); }).find("modified by an inplace operation") !=
          std::string::npos);
}

TEST_CASE("39 optimizer: zero_grad drops gradients, or fills them with zeros") {
    auto w = gr::ones<float, 2>().requires_grad_();
    gr::optim::sgd optimizer({w});
    w.set_grad(gr::ones<float, 2>());
    optimizer.zero_grad(false);
    CHECK(w.grad()(1) == 0);
    optimizer.zero_grad();
    CHECK(!w.grad().defined());
}

TEST_CASE("optimizer: gradients with gaps are read as they are meant") {
    auto w = gr::zeros<float, 2, 2>().requires_grad_();
    w.set_grad(gr::tensor<float, 2, 2>{1, 2, 3, 4}.t());
    gr::optim::sgd({w}, {.lr = 1}).step();
    CHECK(w(0, 1) == -3);
    CHECK(w(1, 0) == -2);
}

TEST_CASE("sgd: the rate can change between steps") {
    auto w = gr::zeros<float, 1>().requires_grad_();
    gr::optim::sgd optimizer({w}, {.lr = 1});
    w.set_grad(gr::ones<float, 1>());
    optimizer.step();
    optimizer.options.lr = 0.25;
    optimizer.step();
    CHECK(w(0) == -1.25f);
}
