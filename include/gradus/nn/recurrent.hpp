// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/recurrent.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/tensor/view/concatenate.hpp>

#include <array>

// Recurrent layers with PyTorch's names, order of gates and numbers to begin with. The input's share of the gates is one product for all
// steps; the tape records a few nodes per step.

namespace gradus::inline GRADUS_ARCH::nn {

/// What a recurrent layer can be told, by PyTorch's names.
struct recurrent_options {
    std::int64_t layers = 1;
    bool bidirectional = false;
    bool batch_first = false;  ///< x is [batch, steps, In] instead of [steps, batch, In]

    constexpr std::int64_t directions() const { return bidirectional ? 2 : 1; }
};

/// The weights of one layer and direction, uniform in (-1/sqrt(Hidden), 1/sqrt(Hidden)).
template <element T, std::int64_t In, std::int64_t Hidden, std::int64_t Gates>
struct recurrent_weights {
    tensor<T, Gates * Hidden, In> weight_ih;
    tensor<T, Gates * Hidden, Hidden> weight_hh;
    tensor<T, Gates * Hidden> bias_ih, bias_hh;

    explicit recurrent_weights(random& source) {
        double const bound = 1 / std::sqrt(static_cast<double>(Hidden));
        weight_ih = uniform_parameter<T, Gates * Hidden, In>(source, bound);
        weight_hh = uniform_parameter<T, Gates * Hidden, Hidden>(source, bound);
        bias_ih = uniform_parameter<T, Gates * Hidden>(source, bound);
        bias_hh = uniform_parameter<T, Gates * Hidden>(source, bound);
    }
};

/// h = tanh(x w_ih^T + b_ih + h w_hh^T + b_hh).
struct tanh_rule {
    static constexpr std::int64_t gates = 1, states = 1;
    template <class State>
    static State next(auto const& of_input, State const& s, auto const& w) {
        return {decltype(gradus::tensor(s[0]))(gradus::tanh(of_input + gradus::linear(s[0], w.weight_hh, w.bias_hh)))};
    }
};
/// gr::lstm_cell: gates i, f, g, o; c = f c + i g, h = o tanh(c).
struct lstm_rule {
    static constexpr std::int64_t gates = 4, states = 2;
    template <class State>
    static State next(auto const& of_input, State const& s, auto const& w) {
        gradus::tensor const all = of_input + gradus::linear(s[0], w.weight_hh, w.bias_hh);
        gradus::tensor const memory = gradus::apply<op::lstm_memory>(all, s[1]);
        gradus::tensor const shown = gradus::apply<op::lstm_output>(all, memory);
        return {shown, memory};
    }
};
/// gr::gru_cell: gates r, z, n; h = (1 - z) tanh(n_x + r n_h) + z h.
struct gru_rule {
    static constexpr std::int64_t gates = 3, states = 1;
    template <class State>
    static State next(auto const& of_input, State const& s, auto const& w) {
        gradus::tensor const h = gradus::apply<op::gru_state>(of_input, gradus::linear(s[0], w.weight_hh, w.bias_hh), s[0]);
        return {h};
    }
};

/// `auto [y, h, c] = lstm(x);`: the outputs of the last layer for all steps, [steps, batch, directions Hidden], and the state after the
/// last step of every layer and direction, [layers directions, batch, Hidden] (h alone for gru and rnn). A state to begin with may follow
/// x, `lstm(x, h, c)`; it is zeros otherwise. A call computes tensors.
template <class Rule, element T, std::int64_t In, std::int64_t Hidden, recurrent_options O = recurrent_options{}>
    requires floating_element<T>
class recurrent : public module<recurrent<Rule, T, In, Hidden, O>> {
    static_assert(O.layers > 0 && In > 0 && Hidden > 0, "gradus::nn: a recurrent layer has positive sizes");
    static constexpr std::int64_t directions = O.directions();
    static constexpr std::size_t stacks = static_cast<std::size_t>(O.layers * directions);
    template <std::size_t I>
    using weights_of = recurrent_weights<T, (I < static_cast<std::size_t>(directions) ? In : directions * Hidden), Hidden, Rule::gates>;
    static constexpr auto all_stacks = std::make_index_sequence<stacks>{};

public:
    explicit recurrent(random& source)
        : weights_([&]<std::size_t... I>(std::index_sequence<I...>) {
              return std::tuple<weights_of<I>...>{weights_of<I>(source)...};  // braces: in this order
          }(all_stacks)) {}

    template <operand X, operand... State>
        requires(sizeof...(State) == 0 || sizeof...(State) == Rule::states)
    auto operator()(X const& x, State const&... first) const {
        static_assert(X::type.shape.rank() == 3, "gradus::nn: a recurrent layer takes [steps, batch, In], or [batch, steps, In]");
        if constexpr (O.batch_first) {
            auto results = run(gradus::tensor(gradus::transpose<1, 0, 2>(x)), first...);
            return std::tuple_cat(std::tuple{gradus::tensor(gradus::transpose<1, 0, 2>(std::get<0>(results)))}, states_in(results));
        } else return run(gradus::tensor(x), first...);
    }
    /// The weights of a layer and direction: weight_ih, weight_hh, bias_ih, bias_hh.
    template <std::size_t Layer = 0, bool Reverse = false>
    auto const& weights() const {
        return std::get<Layer* static_cast<std::size_t>(directions) + Reverse>(weights_);
    }
    auto members() const {
        return
            [this]<std::size_t... I>(std::index_sequence<I...>) { return (nn::members() + ... + this->template named<I>()); }(all_stacks);
    }

private:
    template <std::size_t I>
    auto named() const {
        constexpr auto n = static_cast<std::size_t>(directions);
        std::string const end = "_l" + std::to_string(I / n) + (I % n ? "_reverse" : "");
        auto const& w = std::get<I>(weights_);
        return nn::members("weight_ih" + end, w.weight_ih, "weight_hh" + end, w.weight_hh, "bias_ih" + end, w.bias_ih, "bias_hh" + end,
                           w.bias_hh);
    }
    template <class Output, class... State>
    static auto states_in(std::tuple<Output, State...> const& all) {
        return std::apply([](auto const&, auto const&... state) { return std::tuple{state...}; }, all);
    }
    template <extent Steps, extent Batch, extent Width, class... First>
    auto run(tensor<T, Steps, Batch, Width> const& x, First const&... first) const {
        static_assert(Width == extent(In), "gradus::nn: a recurrent layer has another number of inputs than x has columns");
        if (x.size(0) == 0)
            throw shape_error(core::concat("gradus::nn: a recurrent layer needs a step: x is ", x.state()->described()).str());
        using one_state = std::array<tensor<T, Batch, Hidden>, static_cast<std::size_t>(Rule::states)>;
        std::array<one_state, stacks> state;
        for (std::size_t i = 0; i < stacks; ++i) {
            if constexpr (sizeof...(First) == 0) state[i].fill(zero_state<Batch>(x.size(1)));
            else state[i] = one_state{gradus::tensor(first).template select<0>(static_cast<std::int64_t>(i))...};
        }
        auto const outputs = layers_from<0>(x, state);
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            return std::tuple{outputs, joined_states<Batch, K>(state)...};
        }(std::make_index_sequence<static_cast<std::size_t>(Rule::states)>{});
    }
    template <extent Batch>
    static tensor<T, Batch, Hidden> zero_state(std::int64_t batch) {
        if constexpr (Batch.is_static()) return zeros<T, Batch, Hidden>();
        else return zeros<T, Batch, Hidden>(batch);
    }
    template <extent Batch, std::size_t K>
    static tensor<T, static_cast<std::int64_t>(stacks), Batch, Hidden> joined_states(auto const& state) {
        std::vector<tensor<T, 1, Batch, Hidden>> all;
        for (auto const& one : state) all.push_back(one[K].template unsqueeze<0>());
        return cat<0>(all);
    }
    /// The outputs of the last layer, from what goes into layer `Layer` on.
    template <std::size_t Layer, class X, class States>
    auto layers_from(X const& x, States& state) const {
        constexpr std::size_t at = Layer * static_cast<std::size_t>(directions);
        if constexpr (Layer == static_cast<std::size_t>(O.layers)) return x;
        else if constexpr (directions == 1) return layers_from<Layer + 1>(walk<false>(x, std::get<at>(weights_), state[at]), state);
        else {
            auto const there = walk<false>(x, std::get<at>(weights_), state[at]),
                       back = walk<true>(x, std::get<at + 1>(weights_), state[at + 1]);
            gradus::tensor const both = gradus::concatenate<2>(there, back);
            return layers_from<Layer + 1>(both, state);
        }
    }
    /// One layer in one direction, step by step; `state` is that after the last one.
    template <bool Reverse, extent Steps, extent Batch, extent Width, class State>
    static tensor<T, Steps, Batch, Hidden> walk(tensor<T, Steps, Batch, Width> const& x, auto const& w, State& state) {
        auto const of_input = rows(gradus::tensor(gradus::linear(x, w.weight_ih, w.bias_ih)));
        std::size_t const steps = of_input.size();
        std::vector<tensor<T, 1, Batch, Hidden>> shown(steps);
        for (std::size_t i = 0; i < steps; ++i) {
            std::size_t const at = Reverse ? steps - 1 - i : i;
            state = Rule::next(of_input[at], state, w);
            shown[at] = state[0].template unsqueeze<0>();
        }
        return cat<0>(shown);
    }
    decltype([]<std::size_t... I>(std::index_sequence<I...>) -> std::tuple<weights_of<I>...> { return {}; }(all_stacks)) weights_;
};

template <element T, std::int64_t In, std::int64_t Hidden, recurrent_options O = recurrent_options{}>
using rnn = recurrent<tanh_rule, T, In, Hidden, O>;
template <element T, std::int64_t In, std::int64_t Hidden, recurrent_options O = recurrent_options{}>
using lstm = recurrent<lstm_rule, T, In, Hidden, O>;
template <element T, std::int64_t In, std::int64_t Hidden, recurrent_options O = recurrent_options{}>
using gru = recurrent<gru_rule, T, In, Hidden, O>;

}  // namespace gradus::inline GRADUS_ARCH::nn
