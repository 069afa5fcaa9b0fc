// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>

// What is compared decides which elements a value and its derivative are made of. The last bit of it counts, and kernels may
// round one formula differently: products and sums become one operation, quotients products. So what is compared is computed
// once, and in memory where more than one kernel or program compares it.
namespace gradus::inline GRADUS_ARCH::core {

/// Does an elementwise node make integers or booleans of floating-point numbers: a comparison, a cast?
constexpr bool is_decision(graph const& g, int id) {
    node const& n = g[id];
    if (n.op->kind != op_kind::elementwise || is_floating(n.type)) return false;
    bool floating = false;
    for (int k = 0; k < n.op->arity; ++k) floating = floating || is_floating(g[n.in[k]].type);
    return floating;
}
/// Is a node its operands' elements as they are, or a choice among them?
constexpr bool is_exact(node const& n) { return n.op->kind == op_kind::view || (n.op->kind == op_kind::elementwise && n.op->exact); }

/// Floating-point nodes that decisions read as they are or through exact nodes. Per node: the one decision that does, `several`,
/// or `none`. `visited(i)`: is node i computed at all, and not read from memory?
struct decisions {
    static constexpr int none = -1, several = -2;
    list<int> of;

    constexpr decisions(graph const& g, auto visited) : of(g.size(), none) {
        for (int i = g.size() - 1; i >= 0; --i) {
            if (!visited(i)) continue;
            bool const decision = is_decision(g, i);
            if (!decision && (of[i] == none || !is_exact(g[i]))) continue;
            for (int k = 0; k < g[i].op->arity; ++k) {
                int const operand = g[i].in[k], by = decision ? i : of[i];
                if (is_floating(g[operand].type)) of[operand] = of[operand] == none || of[operand] == by ? by : several;
            }
        }
    }
};

}  // namespace gradus::inline GRADUS_ARCH::core
