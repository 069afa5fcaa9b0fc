// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/constants.hpp>
#include <gradus/expr/recurrent.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/tensor/state/let.hpp>
#include <gradus/tensor/tape/control.hpp>

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
    static constexpr auto next(auto const& of_input, auto const& of_state, auto const&) {
        return gradus::let(gradus::tanh(of_input + of_state), [](auto const& h) { return std::tuple{h}; });
    }
};
/// gr::lstm_cell: gates i, f, g, o; c = f c + i g, h = o tanh(c).
struct lstm_rule {
    static constexpr std::int64_t gates = 4, states = 2;
    static constexpr auto next(auto const& of_input, auto const& of_state, auto const& s) {
        return gradus::let(of_input + of_state, std::get<1>(s), [](auto const& all, auto const& c) {
            return gradus::let(gradus::apply<op::lstm_memory>(all, c), [&all](auto const& memory) {
                return gradus::let(gradus::apply<op::lstm_output>(all, memory), [&memory](auto const& h) { return std::tuple{h, memory}; });
            });
        });
    }
};
/// gr::gru_cell: gates r, z, n; h = (1 - z) tanh(n_x + r n_h) + z h.
struct gru_rule {
    static constexpr std::int64_t gates = 3, states = 1;
    static constexpr auto next(auto const& of_input, auto const& of_state, auto const& s) {
        return gradus::let(gradus::apply<op::gru_state>(of_input, of_state, std::get<0>(s)), [](auto const& h) { return std::tuple{h}; });
    }
};

/// Sequences of different lengths in one operand, and the lengths, [batch]; see pack_padded_sequence.
template <operand X, operand Lengths>
struct packed_sequence {
    X x;
    Lengths lengths;
};
/// What a recurrent layer takes where sequence b of x ends after lengths[b] steps, from 1 to all:
/// `auto [y, h, c] = lstm(nn::pack_padded_sequence(x, lengths));`. Outputs behind the end are 0, the last states are those after the last
/// step of each sequence, and the reverse direction begins there: PyTorch's pack_padded_sequence, layer and pad_packed_sequence. Sequences
/// need no order. On tensors shape_error for another number of lengths, error for one out of range; a program takes a length beyond
/// the steps for all of them, and one below 1 for none, which leaves the first state.
template <operand X, operand Lengths>
packed_sequence<X, Lengths> pack_padded_sequence(X const& x, Lengths const& lengths) {
    static_assert(Lengths::type.shape.rank() == 1 && is_integer(Lengths::type.type),
                  "gradus::nn::pack_padded_sequence(x, lengths): the lengths are integers, one for each sequence");
    return {x, lengths};
}

/// `auto [y, h, c] = lstm(x);`: the outputs of the last layer for all steps, [steps, batch, directions Hidden], and the state after the
/// last step of every layer and direction, [layers directions, batch, Hidden] (h alone for gru and rnn). A state to begin with may follow
/// x, `lstm(x, h, c)`; it is zeros otherwise. A call computes tensors; in a compiled program each of the results it uses is a loop.
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
        require_type<X>();
        return gradus::let(steps_first(x), [&](auto const& in) {
            require_steps(in);
            return run(in, std::tuple{}, first...);
        });
    }
    template <operand X, operand Lengths, operand... State>
        requires(sizeof...(State) == 0 || sizeof...(State) == Rule::states)
    auto operator()(packed_sequence<X, Lengths> const& packed, State const&... first) const {
        require_type<X>();
        return gradus::let(steps_first(packed.x), packed.lengths, [&](auto const& in, auto const& lengths) {
            require_steps(in);
            require_lengths(in, lengths);
            return gradus::let(steps_within(in, lengths), [&](auto const& within) { return run(in, std::tuple{within}, first...); });
        });
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
    static constexpr auto value = [](auto const& computed) { return computed; };
    /// From the order of x to [steps, batch, ...] and back.
    static constexpr auto steps_first(auto const& x) {
        if constexpr (O.batch_first) return gradus::transpose<1, 0, 2>(x);
        else return x;
    }
    template <class X>
    static void require_type() {
        static_assert(X::type.shape.rank() == 3, "gradus::nn: a recurrent layer takes [steps, batch, In], or [batch, steps, In]");
        static_assert(X::type.shape[2] == extent(In), "gradus::nn: a recurrent layer has another number of inputs than x has columns");
    }
    static void require_steps([[maybe_unused]] auto const& x) {
        if constexpr (core::is_tensor<std::remove_cvref_t<decltype(x)>>)
            if (x.size(0) == 0)
                throw shape_error(core::concat("gradus::nn: a recurrent layer needs a step: x is ", x.state()->described()).str());
    }
    template <class X, class Lengths>
    static void require_lengths([[maybe_unused]] X const& x, [[maybe_unused]] Lengths const& lengths) {
        if constexpr (core::is_tensor<X> && core::is_tensor<Lengths>) {
            char const* const who = "gradus::nn::pack_padded_sequence(x, lengths): ";
            if (lengths.size(0) != x.size(1))
                throw shape_error(core::concat(who, lengths.size(0), " lengths for ", x.size(1), " sequences").str());
            for (std::int64_t const n : lengths)
                if (n < 1 || n > x.size(0)) throw error(core::concat(who, "a length is ", n, ", of ", x.size(0), " steps").str());
        }
    }
    /// Is the step one of the sequence's? [steps, batch, 1].
    template <class X>
    static auto steps_within(X const& x, auto const& lengths) {
        auto const numbers = [&] {
            if constexpr (core::is_tensor<X>) return arange<std::int64_t, dyn>(x.size(0));
            else return arange<std::int64_t, X::type.shape[0]>;
        }();
        return gradus::unsqueeze<2>(gradus::unsqueeze<1>(numbers) < gradus::unsqueeze<0>(cast<std::int64_t>(lengths)));
    }
    /// All results; `within` is empty, or has the steps that count.
    auto run(auto const& in, auto const& within, auto const&... first) const {
        auto const all = [&]<std::size_t... I>(std::index_sequence<I...>) {
            return layers_from<0>(in, within, std::make_tuple(first_state<I>(in, first...)...));
        }(all_stacks);
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            return std::tuple{gradus::let(steps_first(std::get<0>(all)), value), joined_states<K>(all, all_stacks)...};
        }(std::make_index_sequence<static_cast<std::size_t>(Rule::states)>{});
    }
    /// The state that layer and direction I begin with, a tuple.
    template <std::size_t I>
    static auto first_state(auto const&, auto const& h, auto const&... more) {
        constexpr auto at = static_cast<std::int64_t>(I);
        return std::tuple{gradus::let(gradus::select<0, at>(h), value), gradus::let(gradus::select<0, at>(more), value)...};
    }
    template <std::size_t, class X>
    static auto first_state([[maybe_unused]] X const& x) {
        constexpr extent batch = X::type.shape[1];
        auto const zero = [&] {
            if constexpr (!core::is_tensor<X>) return zeros<T, batch, Hidden>;
            else if constexpr (batch.is_static()) return zeros<T, batch, Hidden>();
            else return zeros<T, batch, Hidden>(x.size(1));
        }();
        if constexpr (Rule::states == 1) return std::tuple{zero};
        else return std::tuple{zero, zero};
    }
    /// Part K of the states of all layers and directions, which stand behind the outputs.
    template <std::size_t K, std::size_t... I>
    static auto joined_states(auto const& all, std::index_sequence<I...>) {
        if constexpr (sizeof...(I) == 1) return gradus::let(gradus::unsqueeze<0>(std::get<K>(std::get<1>(all))), value);
        else return gradus::let(gradus::stack<0>(std::get<K>(std::get<I + 1>(all))...), value);
    }
    /// The outputs of the last layer, and the states from what goes into layer `Layer` on.
    template <std::size_t Layer, class X, class Within, class States>
    auto layers_from(X const& x, Within const& within, States const& first) const {
        constexpr std::size_t at = Layer * static_cast<std::size_t>(directions);
        if constexpr (Layer == static_cast<std::size_t>(O.layers)) return std::tuple{x};
        else {
            auto const now = one_layer<at>(x, within, first);
            auto const rest = layers_from<Layer + 1>(std::get<0>(now), within, first);
            auto const behind = [](auto const& tuple) {
                return std::apply([](auto const&, auto const&... states) { return std::make_tuple(states...); }, tuple);
            };
            return std::tuple_cat(std::tuple{std::get<0>(rest)}, behind(now), behind(rest));
        }
    }
    template <std::size_t At>
    auto one_layer(auto const& x, auto const& within, auto const& first) const {
        if constexpr (directions == 1) {
            auto const there = walk<false>(x, within, std::get<At>(weights_), std::get<At>(first));
            return std::make_tuple(std::get<1>(there), std::get<0>(there));
        } else
            return gradus::let(x, [&](auto const& in) {
                auto const there = walk<false>(in, within, std::get<At>(weights_), std::get<At>(first));
                auto const back = walk<true>(in, within, std::get<At + 1>(weights_), std::get<At + 1>(first));
                return std::tuple{gradus::concatenate<2>(std::get<1>(there), std::get<1>(back)), std::get<0>(there), std::get<0>(back)};
            });
    }
    /// One layer in one direction, step by step: the state after the last one, and the outputs.
    template <bool Reverse>
    static auto walk(auto const& x, auto const& within, auto const& w, auto const& state) {
        auto const loop = [&within](auto const& of_input, auto const& weight, auto const& bias, auto const&... first) {
            auto const step = [=](auto const& s, auto const& row) {
                auto const next = Rule::next(std::get<0>(row), gradus::linear(std::get<0>(s), weight, bias), s);
                if constexpr (std::tuple_size_v<std::remove_cvref_t<decltype(row)>> == 1) return std::pair{next, std::get<0>(next)};
                else return kept_behind_end(std::get<1>(row), next, s);
            };
            auto const rows = std::tuple_cat(std::tuple{of_input}, within);
            if constexpr (Reverse) return gradus::scan<gradus::reverse>(step, std::tuple{first...}, rows);
            else return gradus::scan(step, std::tuple{first...}, rows);
        };
        return std::apply(
            [&](auto const&... first) {
                return gradus::let(gradus::linear(x, w.weight_ih, w.bias_ih), w.weight_hh, w.bias_hh, first..., loop);
            },
            state);
    }
    /// The next state and output within a sequence, elsewhere the last state and 0.
    static auto kept_behind_end(auto const& within, auto const& next, auto const& last) {
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            return std::pair{std::tuple{gradus::where(within, std::get<K>(next), std::get<K>(last))...},
                             gradus::where(within, std::get<0>(next), constant<0>)};
        }(std::make_index_sequence<static_cast<std::size_t>(Rule::states)>{});
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
