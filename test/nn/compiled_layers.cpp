// SPDX-License-Identifier: BSL-1.0
// Layers in compiled training steps: the numbers of eager training, for each layer and two optimisers.
#include <gradus.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

/// Sums of products in another order: rounding of some hundred operations, amplified by the steps that divide by small numbers.
constexpr double rounding = 1e-9;

template <class Net>
void check_states(Net const& a, Net const& b) {
    auto const all = a.state_dict(), others = b.state_dict();
    REQUIRE(all.size() == others.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        CAPTURE(all[i].first);
        REQUIRE(all[i].first == others[i].first);
        gr::any_tensor const x = all[i].second, y = others[i].second;
        if (x.dtype() == gr::dtype::int64) CHECK(x.values<std::int64_t>()[0] == y.values<std::int64_t>()[0]);
        else
            for (std::size_t k = 0; k < x.values<double>().size(); ++k)
                CHECK(x.values<double>()[k] == doctest::Approx(y.values<double>()[k]).epsilon(rounding));
    }
}
/// Three steps of both from the same numbers; `loss(net, x, y)` is the same text for symbols and tensors.
template <class Net, class Optimizer, class Loss, class X, class Y, class Inputs, class Targets>
void check_training(Loss const& loss, X x, Y y, Inputs const& inputs, Targets const& targets) {
    gr::random one(1), same(1);
    Net const compiled(one), eager(same);
    Optimizer stepped(eager.parameters(), {.lr = 0.05});
    auto step = gr::compile(nn::train_step(
        compiled, [=](Net const& net) { return loss(net, x, y); }, Optimizer(compiled.parameters(), {.lr = 0.05})));
    for (int i = 0; i < 3; ++i) {
        auto const [value] = step(compiled, x = inputs, y = targets);
        stepped.zero_grad();
        gr::tensor computed = loss(eager, inputs, targets);
        computed.backward();
        stepped.step();
        CHECK(value == doctest::Approx(computed.item()).epsilon(rounding));
    }
    check_states(compiled, eager);
}
template <class Net, class Loss, class X, class Y, class Inputs, class Targets>
void check_layer(Loss const& loss, X x, Y y, Inputs const& inputs, Targets const& targets) {
    check_training<Net, gr::optim::adam>(loss, x, y, inputs, targets);
    check_training<Net, gr::optim::sgd>(loss, x, y, inputs, targets);
}
constexpr auto squares = [](auto const& net, auto const& x, auto const& y) { return gr::mean(gr::square(net(x) - y)); };

constexpr auto x = gr::var<"x", double, "n", 4>;
constexpr auto y = gr::var<"y", double, "n", 4>;
template <gr::extent... E>
gr::tensor<double, E...> drawn(std::uint64_t seed, auto... extents) {
    gr::random random(seed);
    return gr::randn<double, E...>(extents..., random);
}

/// Layers one after the other, made from a source of random numbers.
struct normalized : nn::module<normalized> {
    nn::linear<double, 4, 4> first, last;
    nn::batch_norm<double, 4> norm;
    explicit normalized(gr::random& random) : first(random), last(random) {}
    auto operator()(gr::operand auto const& in) const { return last(gr::relu(norm(first(in)))); }
    auto members() const { return nn::members("first", first, "norm", norm, "last", last); }
};
template <class Recurrent, std::int64_t Width>
struct reader : nn::module<reader<Recurrent, Width>> {
    Recurrent cells;
    nn::linear<double, Width, 4> head;
    explicit reader(gr::random& random) : cells(random), head(random) {}
    auto operator()(gr::operand auto const& in) const { return head(std::get<0>(cells(in))); }
    auto members() const { return nn::members("cells", cells, "head", head); }
};
constexpr auto steps = gr::var<"steps", double, "steps", "n", 2>;
constexpr auto wanted = gr::var<"wanted", double, "steps", "n", 4>;

}  // namespace

TEST_CASE("batch_norm: parameters and running statistics") {
    check_layer<normalized>(squares, x, y, drawn<gr::dyn, 4>(3, 6), drawn<gr::dyn, 4>(4, 6));

    gr::random one(1), same(1);
    normalized const compiled(one), eager(same);
    auto const predict = gr::compile(compiled(x));  // training: it counts
    auto const inputs = drawn<gr::dyn, 4>(5, 6);
    gr::tensor const wanted = eager(inputs);
    auto const [got] = predict(x = inputs);
    CHECK(gr::allclose(got, wanted, rounding, rounding));
    check_states(compiled, eager);
    compiled.eval();
    eager.eval();
    auto const evaluate = gr::compile(compiled(x));
    auto const [evaluated] = evaluate(x = inputs);
    gr::tensor const expected = eager(inputs);
    CHECK(gr::allclose(evaluated, expected, rounding, rounding));
    check_states(compiled, eager);
}

TEST_CASE("lstm, gru and rnn: steps and a batch that run time tells, batch first") {
    auto const inputs = drawn<gr::dyn, gr::dyn, 2>(3, 5, 3);
    auto const targets = drawn<gr::dyn, gr::dyn, 4>(4, 5, 3);
    check_layer<reader<nn::lstm<double, 2, 3>, 3>>(squares, steps, wanted, inputs, targets);
    check_training<reader<nn::gru<double, 2, 3, nn::recurrent_options{.bidirectional = true}>, 6>, gr::optim::adam>(squares, steps, wanted,
                                                                                                                inputs, targets);
    check_training<reader<nn::rnn<double, 2, 3, nn::recurrent_options{.batch_first = true}>, 3>, gr::optim::sgd>(squares, steps, wanted,
                                                                                                             inputs, targets);
}
TEST_CASE("lstm: a state to begin with, and the one after the last step") {
    gr::random random(1);
    nn::lstm<double, 2, 3> const f(random);
    auto const inputs = drawn<gr::dyn, 3, 2>(3, 5);
    auto const h = drawn<1, 3, 3>(4), c = drawn<1, 3, 3>(5);
    constexpr auto fixed = gr::var<"fixed", double, "steps", 3, 2>;
    auto const [y, last, memory] = f(inputs, h, c);
    auto const results = f(fixed, h, c);
    gr::no_grad guard;
    auto [of_last] = gr::compile(std::get<1>(results))(fixed = inputs);
    auto [of_memory] = gr::compile(std::get<2>(results))(fixed = inputs);
    CHECK(gr::allclose(of_last, last, rounding, rounding));
    CHECK(gr::allclose(of_memory, memory, rounding, rounding));
}
