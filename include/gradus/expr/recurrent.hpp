// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/reductions.hpp>

#include <tuple>

// The vocabulary, continued: dropout and the cells of recurrent networks, with PyTorch's order of weights and gates.
namespace gradus::inline GRADUS_ARCH {

/// 0 with probability P, x / (1 - P) elsewhere. The mask is a function of a key, an integer symbol (take another one for each
/// step), and of the Stream (another one for each layer): the same on every machine, computed again for the derivative.
template <double P = 0.5, std::int64_t Stream = 0>
constexpr auto dropout(operand auto x, operand auto key) {
    return apply<with<op::dropout, core::with_value(P, Stream)>>(std::move(x), std::move(key));
}

/// One step of an LSTM: the tuple of the state h and the memory c after it. x is [batch, in], h and c [batch, hidden], weights
/// [4 hidden, in] and [4 hidden, hidden], gates i, f, g, o.
constexpr auto lstm_cell(operand auto x, operand auto h, operand auto c, operand auto weight_x, operand auto weight_h, operand auto bias_x,
                         operand auto bias_h) {
    auto gates =
        linear(std::move(x), std::move(weight_x), std::move(bias_x)) + linear(std::move(h), std::move(weight_h), std::move(bias_h));
    auto memory = apply<op::lstm_memory>(gates, std::move(c));
    return std::tuple{apply<op::lstm_output>(gates, memory), memory};
}
/// One step of a GRU: the state after it. Weights are [3 hidden, in] and [3 hidden, hidden], gates r, z, n.
constexpr auto gru_cell(operand auto x, operand auto h, operand auto weight_x, operand auto weight_h, operand auto bias_x,
                        operand auto bias_h) {
    auto of_input = linear(std::move(x), std::move(weight_x), std::move(bias_x));
    auto of_state = linear(h, std::move(weight_h), std::move(bias_h));
    return apply<op::gru_state>(std::move(of_input), std::move(of_state), std::move(h));
}

}  // namespace gradus::inline GRADUS_ARCH
