// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>
#include <gradus/op/control_flow.hpp>

// What every pass knows of control nodes; graph/control_facts.hpp has the rest.
namespace gradus::inline GRADUS_ARCH::core {

constexpr bool is_control(node const& n) { return n.op->kind == op_kind::control; }
constexpr bool is_loop(node const& n) { return n.op->runs == control_kind::loop; }
constexpr bool is_choice(node const& n) { return n.op->runs == control_kind::choice; }
constexpr int body_count(node const& n) { return n.op->bodies; }

constexpr control_info const& rules_of(node const& n) { return static_cast<control_info const&>(*n.op); }

/// Are two nodes results of one loop, or of one choice?
constexpr bool run_together(node const& a, node const& b) {
    if (a.op->id != b.op->id || a.in[0] != b.in[0]) return false;
    return op::is_same_call(a.attr, b.attr);
}
/// The first of the nodes that run together with this one: they have one list of operands, which stands before them.
constexpr int first_of_control(auto const& g, int id) {
    for (int i = g[id].in[0] + 1; i < id; ++i)
        if (is_control(g[i]) && run_together(g[i], g[id])) return i;
    return id;
}

}  // namespace gradus::inline GRADUS_ARCH::core
