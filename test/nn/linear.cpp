// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;

namespace {

using layer = gr::nn::linear<float, 2, 2>;
constexpr auto loss_of(auto const& body, auto const& head, gr::tensor<float, gr::dyn, 2> const& x) {
    return gr::mean(gr::square(head(gr::relu(body(x)))));
}

}  // namespace

TEST_CASE("linear: is x weight^T + bias, with PyTorch's weight [Out, In]") {
    gr::random random(1);
    gr::nn::linear<float, 3, 2> f(random);
    f.weight.detach().copy_(gr::tensor<float, 2, 3>{1, 2, 3, 4, 5, 6});
    f.bias.detach().copy_(gr::tensor<float, 2>{10, 20});
    gr::tensor<float, gr::dyn, 3> const x{{1, 0, 0}, {1, 1, 1}};
    gr::tensor y = f(x);
    static_assert(std::is_same_v<decltype(y), gr::tensor<float, gr::dyn, 2>>);
    CHECK(y(0, 0) == 11);
    CHECK(y(0, 1) == 24);
    CHECK(y(1, 0) == 16);
    CHECK(y(1, 1) == 35);
}

TEST_CASE("107 linear: parameters require a gradient, and are uniform within 1/sqrt(In)") {
    gr::random random(1);
    gr::nn::linear<double, 16, 64> f(random);
    std::vector<gr::any_tensor> const all = f.parameters();
    CHECK(all.size() == 2);
    CHECK(all[0] == gr::any_tensor(f.weight));
    double least = 1, most = -1;
    for (gr::any_tensor const& p : all) {
        CHECK(p.requires_grad());
        CHECK(p.is_leaf());
        for (double v : p.values<double>()) {
            least = std::min(least, v);
            most = std::max(most, v);
        }
    }
    // 1088 draws from (-1/4, 1/4): that none is in the last 2 % of a side has probability 0.99^1088 < 2e-5
    CHECK(least >= -0.25);
    CHECK(least < -0.24);
    CHECK(most <= 0.25);
    CHECK(most > 0.24);
}

TEST_CASE("107 linear: requires_grad_(false) freezes; 108 only the new head changes in a step") {
    gr::random random(2);
    layer body(random), head(random);
    body.requires_grad_(false);
    auto const body_before = body.weight.clone(), head_before = head.weight.clone();

    gr::tensor<float, gr::dyn, 2> const x{{1, 2}, {3, 4}};
    gr::optim::sgd optimizer(gr::nn::parameters(body, head), {.lr = 0.1});
    CHECK(optimizer.parameters().size() == 4);
    gr::tensor loss = loss_of(body, head, x);
    loss.backward();
    CHECK(!body.weight.grad().defined());
    CHECK(!body.bias.grad().defined());
    CHECK(head.weight.grad().defined());
    CHECK(head.bias.grad().defined());
    optimizer.step();
    CHECK(gr::allclose(body.weight, body_before, 0, 0));
    CHECK(!gr::allclose(head.weight, head_before, 0, 0));

    body.requires_grad_();
    optimizer.zero_grad();
    gr::tensor again = loss_of(body, head, x);
    again.backward();
    CHECK(body.weight.grad().defined());
}

TEST_CASE("linear: a whole model is one node of the tape, and a step makes its loss less") {
    gr::random random(3);
    layer body(random), head(random);
    gr::tensor<float, gr::dyn, 2> const x{{1, 2}, {-3, 4}};
    gr::optim::sgd optimizer(gr::nn::parameters(body, head), {.lr = 0.05});
    float first = 0, last = 0;
    for (int i = 0; i < 50; ++i) {
        gr::tensor loss = loss_of(body, head, x);
        if (i == 0) {
            first = loss.item();
            for (gr::grad_function const& next : loss.grad_fn().next_functions()) CHECK((!next || next.variable().defined()));
        }
        last = loss.item();
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
    }
    CHECK(last < 0.5f * first);
}
