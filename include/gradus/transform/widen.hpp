// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/gather.hpp>
#include <gradus/transform/dead_code.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Does a node hand its operands' elements on as they are, so that elements of 16 bits may stay so?
constexpr bool moves_elements(node const& n) {
    return n.op->kind == op_kind::view || (n.op->kind == op_kind::movement && n.op->runs_by != own_kernel::add_rows) || n.op->copies;
}

/// A new graph in which values of 16 bits are computed in float. Every one of them has a node that is rounded to its dtype, or one
/// in float, or both, made where they are first needed.
class widening {
public:
    constexpr explicit widening(graph const& g) : g_(g), rounded_(g.size(), -1), computed_(g.size(), -1) {}
    constexpr graph run() {
        out_.symbols = g_.symbols;
        out_.bodies = g_.bodies;
        list<char> const needed = needed_nodes(g_);
        for (int i = 0; i < g_.size(); ++i)
            if (needed[i]) place(i);
        for (output_entry const& o : g_.outputs) out_.outputs.push_back({rounded(o.node), o.updates});
        return pass::dead_code(out_);
    }

private:
    constexpr int cast(int id, dtype to) {
        node const n{&info_of<op::cast>, {id, -1, -1}, to, out_[id].shape, op::cast::to(to)};
        return out_.intern(n);
    }
    constexpr int rounded(int i) {
        if (rounded_[i] < 0) rounded_[i] = cast(computed_[i], g_[i].type);
        return rounded_[i];
    }
    constexpr int computed(int i) {
        if (computed_[i] < 0) computed_[i] = cast(rounded_[i], dtype::float32);
        return computed_[i];
    }
    /// Nodes that are stored in 16 bits: what comes from memory, what the program rounds, what bodies return, and what only moves these.
    constexpr bool stays(node const& n) const {
        bool stored = moves_elements(n);
        for (int k = 0; k < n.op->arity; ++k) stored = stored && rounded_[n.in[k]] >= 0;
        return stored || n.is_symbol() || n.op->converts || n.op->kind == op_kind::control;
    }
    constexpr void place(int i) {
        node n = g_[i];
        bool const casts = n.op->converts, plain = casts && g_[n.in[0]].type == dtype::number;  // a number takes a dtype as it is
        bool const stored = !is_half(n.type) || (stays(n) && !plain);
        bool const as_they_are = moves_elements(n) || n.op->kind == op_kind::control || n.op->kind == op_kind::list;
        for (int k = 0; k < n.op->arity; ++k) n.in[k] = stored && as_they_are ? rounded(n.in[k]) : computed(n.in[k]);
        if (!stored) n.type = computed_in(n.type);
        if (casts) n.attr = op::cast::to(n.type);
        bool const same = casts && (out_[n.in[0]].type == n.type || n.type == dtype::number);
        int const id = same ? n.in[0] : out_.intern(n);
        if (stored) rounded_[i] = id;
        if (!is_half(n.type)) computed_[i] = id;
    }

    graph const& g_;
    graph out_;
    list<int> rounded_, computed_;
};

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Elements of 16 bits are for memory: they are converted to float where they are read and rounded where they are stored. Between them a
/// program computes in float. Idempotent.
constexpr graph widen(graph const& g) {
    for (node const& n : g.nodes)
        if (is_half(n.type)) return core::widening(g).run();
    return g;
}

}  // namespace gradus::inline GRADUS_ARCH::pass
