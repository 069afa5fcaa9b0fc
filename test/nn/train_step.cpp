// SPDX-License-Identifier: BSL-1.0
// Models as compiled programs: expressions that capture tensors, and training steps.
#include <gradus.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

struct network : nn::module<network> {
    nn::linear<double, 2, 4> body;
    nn::dropout<0.25> drop;
    nn::linear<double, 4, 3> head;

    explicit network(gr::random& random) : body(random), drop(random), head(random) {}
    auto operator()(gr::operand auto const& x) const { return head(drop(gr::tanh(body(x)))); }
    auto members() const { return nn::members("body", body, "drop", drop, "head", head); }
};
constexpr auto x = gr::var<"x", double, "n", 2>;
constexpr auto label = gr::var<"label", std::int32_t, "n">;
gr::tensor<double, gr::dyn, 2> const points{{0, 0.5}, {0, 1}, {1, 0}, {1, -1}};
gr::tensor<std::int32_t, gr::dyn> const classes{0, 1, 2, 0};

}  // namespace

TEST_CASE("an expression of symbols and tensors is a program that captures the tensors") {
    gr::random random(1);
    nn::linear<double, 2, 4> const f(random);
    auto const program = gr::compile(gr::tanh(f(x)) * 0.5);
    auto [y] = program(x = points);
    gr::tensor loss = gr::sum(y * y);
    loss.backward();
    gr::tensor const of_program = f.weight.grad().clone();
    f.zero_grad();

    gr::tensor eager = gr::tanh(f(points)) * 0.5;
    gr::tensor same = gr::sum(eager * eager);
    same.backward();
    CHECK(gr::allclose(y, eager, 1e-14, 0));  // another order of the same sums
    CHECK(gr::allclose(of_program, f.weight.grad(), 1e-13, 0));

    {  // it follows what is written to the tensors, and takes other numbers of rows
        gr::no_grad guard;
        f.bias.fill_(3);
        gr::tensor<double, gr::dyn, 2> const origin{{0, 0}};
        auto const bound = (x = origin);
        auto [now] = program(bound);
        CHECK(now(0, 0) == doctest::Approx(0.5 * std::tanh(3.0)));
    }
}

TEST_CASE("a compiled training step does what backward and step do") {
    gr::random random(1), same(1);
    network const net(random), eager(same);
    gr::optim::adam adam(eager.parameters(), {.lr = 0.05});
    auto const loss_of = [](network const& m) { return gr::cross_entropy(m(x), label); };
    auto step = gr::compile(nn::train_step(net, loss_of, gr::optim::adam(net.parameters(), {.lr = 0.05})));
    auto const both = [&](auto const& data, auto const& wanted) {
        auto [loss] = step(net, x = data, label = wanted);
        adam.zero_grad();
        gr::tensor value = gr::cross_entropy(eager(data), wanted);
        value.backward();
        adam.step();
        CHECK(loss == doctest::Approx(value.item()).epsilon(1e-12));
        CHECK(gr::allclose(net.body.weight.grad(), eager.body.weight.grad(), 1e-10, 1e-14));
        CHECK(gr::allclose(net.body.weight, eager.body.weight, 1e-10, 1e-12));
    };
    for (int i = 0; i < 4; ++i) both(points, classes);
    both(gr::tensor<double, gr::dyn, 2>{{2, 1}}, gr::tensor<std::int32_t, gr::dyn>{1});
    CHECK(step.optimizer().state(0).steps == 5);

    SUBCASE("frozen parameters stay") {
        nn::requires_grad_(net.body, false);
        net.body.zero_grad();
        gr::tensor const before = net.body.weight.detach().clone();
        gr::tensor const head = net.head.weight.detach().clone();
        step(net, x = points, label = classes);
        CHECK(gr::allclose(net.body.weight, before, 0, 0));
        CHECK(!gr::allclose(net.head.weight, head, 0, 0));
        CHECK(!net.body.weight.grad().defined());
    }
    SUBCASE("a refused step changes nothing") {
        gr::tensor const before = net.body.weight.detach().clone();
        CHECK_THROWS_AS(step(net, x = points, label = gr::tensor<std::int32_t, gr::dyn>{1}), gr::shape_error);
        CHECK(gr::allclose(net.body.weight, before, 0, 0));
    }
    SUBCASE("in eval() nothing is dropped") {
        net.eval();
        eager.eval();
        both(points, classes);
        CHECK(net.drop.key == eager.drop.key);
    }
}

TEST_CASE("a tensor that stands in a loss twice has the sum of its gradients") {
    gr::random random(2);
    nn::linear<double, 2, 1> const f(random);
    gr::optim::sgd still(f.parameters(), {.lr = 0.1});
    auto const loss_of = [](auto const& m) { return gr::mean(gr::square(m(x) - m(gr::tanh(x)))) + gr::sum(gr::square(m.weight)); };
    auto step = gr::compile(nn::train_step(f, loss_of, still));
    gr::tensor value = gr::mean(gr::square(f(points) - f(gr::tanh(points)))) + gr::sum(gr::square(f.weight));
    value.backward();
    gr::tensor const gradient = f.weight.grad().clone();
    auto [loss] = step(f, x = points);
    CHECK(loss == doctest::Approx(value.item()).epsilon(1e-12));
    CHECK(gr::allclose(f.weight.grad(), gradient, 1e-12, 1e-15));
}

TEST_CASE("a training step takes leaves") {
    gr::tensor<double, 2> const w = gr::zeros<double, 2>().requires_grad_();
    gr::tensor<double, 2> const computed = w * 2;
    auto step = gr::compile(nn::train_step(computed, [](auto const& m) { return gr::sum(m * x); }, gr::optim::sgd({w}, {.lr = 0.1})));
    CHECK_THROWS_AS(step(computed, x = points), gr::autograd_error);
}
