// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/control_flow.hpp>
#include <gradus/transform/access.hpp>
#include <gradus/transform/dead_code.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// The computed node whose memory is this value's, where a result can be that memory: through reshapes only. Else -1.
constexpr int result_base(graph const& g, int id) {
    while (g[id].op->same_order) id = g[id].in[0];
    return g[id].op->kind == op_kind::leaf || g[id].op->kind == op_kind::view ? -1 : id;
}

/// Do the elements of a control node's operand, or of each of its rows, follow each other in memory?
constexpr bool is_dense(graph const& g, int id, bool walked, dimension_table& dimensions) {
    access const a = resolve(g, id, dimensions), dense = contiguous(a.base, g[id].shape, dimensions);
    bool same = a.base >= 0;
    for (int axis = walked; axis < g[id].shape.rank(); ++axis) same = same && a.stride[axis] == dense.stride[axis];
    return same;
}

/// Does an operation's own kernel compute node n, in the element type? Operands and result are of one type then.
constexpr bool runs_own_kernel(auto const& g, node const& n) {
    bool one_type = n.op->kernel_types >> static_cast<int>(n.type) & 1;
    for (int k = 0; one_type && k < n.op->arity; ++k) one_type = g[n.in[k]].type == n.type;
    for (int k = 0; one_type && n.op->results > 1 && k < n.op->results; ++k) one_type = result_node(g, n, k).type == n.type;
    return one_type;
}

/// Must operand k of a node stand in memory of its own?
constexpr bool needs_copy(graph const& g, node const& n, int id, int k, dimension_table& dimensions) {
    int base = n.in[k];
    if (g[base].op->kind == op_kind::list) return false;
    bool const walked = n.op->kind == op_kind::list && op::operands::is_walked(n.attr, k);
    if ((n.op->kind == op_kind::list || is_control(n)) && !is_dense(g, base, walked, dimensions)) return true;
    while (g[base].op->kind == op_kind::view) base = g[base].in[0];
    if (n.op->kind == op_kind::view) return resolve(g, id, dimensions).base < 0 || g[base].op->holds == leaf_kind::iota;
    bool loop = n.op->kind == op_kind::elementwise || n.op->reduces_by != reducer::none;
    return !loop && g[base].op->kind == op_kind::leaf && !g[base].is_symbol();
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Puts a copy where memory of its own is needed: in front of a reshape that no strides describe, for constants that a
/// kernel other than a loop reads, and for results that are an input, a view, or another result. Idempotent.
constexpr graph materialize(graph const& g) {
    dimension_table dimensions;
    graph result = core::rebuild(g, [&](graph& out, node const& n) {
        int id = out.intern(n);
        node stored = n;
        for (int k = 0; k < n.op->arity; ++k)
            if (core::needs_copy(out, n, id, k, dimensions)) stored.in[k] = apply<op::copy>(value{out, n.in[k]}).id();
        return out.intern(stored);
    });
    core::list<char> taken;  // per node
    for (output_entry& o : result.outputs) {
        int base = core::result_base(result, o.node);
        while (taken.size() < result.size()) taken.push_back(0);
        if (base < 0 || taken[base]) {
            // equal copies are one node; a second result of the same value is told apart by its attribute
            node copy{&info_of<op::copy>, {o.node, -1, -1}, result[o.node].type, result[o.node].shape, {}};
            for (base = result.intern(copy); base < taken.size() && taken[base]; base = result.intern(copy))
                copy.attr = op::copy::another(copy.attr);
            o.node = base;
        }
        while (taken.size() < result.size()) taken.push_back(0);
        taken[base] = 1;
    }
    return dead_code(result);  // nodes that were looked at without their copies
}

}  // namespace gradus::inline GRADUS_ARCH::pass
