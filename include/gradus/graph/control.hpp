// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>

// What every pass knows of control nodes; graph/control_facts.hpp has the rest.
namespace gradus::inline GRADUS_ARCH::core {

constexpr bool is_control(node const& n) { return n.op->kind == op_kind::control; }
/// The bodies that run on a node's operands, and all that it names.
constexpr int body_count(node const& n) { return n.op->name == "cond" ? 2 : 1; }
constexpr int named_bodies(node const& n) { return n.op->name == "scan" ? 1 : 2; }

constexpr control_info const& rules_of(node const& n) { return static_cast<control_info const&>(*n.op); }

/// Are two nodes results of one loop, or of one choice?
constexpr bool run_together(node const& a, node const& b) {
    if (a.op->id != b.op->id || a.in[0] != b.in[0] || a.attr.value != b.attr.value) return false;
    for (int i = 0; i < 4; ++i)
        if (a.attr.n[i] != b.attr.n[i]) return false;
    return true;
}
/// The first of the nodes that run together with this one: they have one list of operands, which stands before them.
constexpr int first_of_control(auto const& g, int id) {
    for (int i = g[id].in[0] + 1; i < id; ++i)
        if (is_control(g[i]) && run_together(g[i], g[id])) return i;
    return id;
}

}  // namespace gradus::inline GRADUS_ARCH::core
