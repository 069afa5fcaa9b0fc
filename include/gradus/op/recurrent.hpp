// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>
#include <gradus/op/shape.hpp>

// Cells of recurrent networks, from the products on; their gates stand one after the other along the last axis, in PyTorch's order.
namespace gradus::inline GRADUS_ARCH::op {

/// Base: the first operands have Op::gates times as many columns as the last one, the state.
template <class Op, int Arity>
struct cell : composite {
    static constexpr int arity = Arity;
    static constexpr op_kind kind = op_kind::elementwise;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& state = c.operand[Arity - 1];
        int const last = state.shape.rank() - 1;
        bool fits = is_floating(state.type) && last >= 0 && state.shape[last].is_static();
        for (int i = 0; fits && i < Arity - 1; ++i) {
            tensor_type expected = state;
            expected.shape[last] = Op::gates * state.shape[last].code;
            fits = c.operand[i].type == state.type && c.same(c.operand[i].shape, expected.shape);
        }
        return fits ? state
                    : fail("needs ", Op::gates, " gates for each element of the state, static: a is ", c.operand[0], ", ",
                           letter(Arity - 1), " is ", state);
    }
    /// Gate k of n.
    static constexpr auto gate(auto all, int k) {
        int const last = all.shape().rank() - 1;
        std::int64_t const size = all.shape()[last].code / Op::gates;
        return part_of(all, last, k * size, size);
    }
};
/// The cell's memory after a step: sigmoid(f) c + sigmoid(i) tanh(g); gates i, f, g, o.
struct lstm_memory : cell<lstm_memory, 2> {
    static constexpr auto name = "lstm_memory";
    static constexpr std::int64_t gates = 4;
    static constexpr auto expand(attributes const&, auto all, auto c) {
        return apply<sigmoid>(gate(all, 1)) * c + apply<sigmoid>(gate(all, 0)) * apply<tanh>(gate(all, 2));
    }
};
/// What it shows: sigmoid(o) tanh(c).
struct lstm_output : cell<lstm_output, 2> {
    static constexpr auto name = "lstm_output";
    static constexpr std::int64_t gates = 4;
    static constexpr auto expand(attributes const&, auto all, auto c) { return apply<sigmoid>(gate(all, 3)) * apply<tanh>(c); }
};
/// (1 - z) n + z h with r = sigmoid(r_x + r_h), z = sigmoid(z_x + z_h), n = tanh(n_x + r n_h); gates r, z, n.
struct gru_state : cell<gru_state, 3> {
    static constexpr auto name = "gru_state";
    static constexpr std::int64_t gates = 3;
    static constexpr auto expand(attributes const&, auto x, auto h, auto state) {
        auto reset = apply<sigmoid>(gate(x, 0) + gate(h, 0)), keep = apply<sigmoid>(gate(x, 1) + gate(h, 1));
        auto fresh = apply<tanh>(gate(x, 2) + reset * gate(h, 2));
        return fresh + keep * (state - fresh);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
