// SPDX-License-Identifier: BSL-1.0
// Layers in compiled training steps beside eager training.
#pragma once

#include <gradus.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;
namespace nn = gr::nn;

namespace compiled {

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

template <gr::extent... E>
gr::tensor<double, E...> drawn(std::uint64_t seed, auto... extents) {
    gr::random random(seed);
    return gr::randn<double, E...>(extents..., random);
}

}  // namespace compiled
