// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>

// What every pass knows of control nodes; graph/control_facts.hpp has the rest.
namespace gradus::inline GRADUS_ARCH::core {

constexpr bool is_control(node const& n) { return n.op->kind == op_kind::control; }
constexpr bool is_loop(node const& n) { return n.op->runs == control_kind::loop; }
constexpr bool is_choice(node const& n) { return n.op->runs == control_kind::choice; }
constexpr bool is_function(node const& n) { return n.op->runs == control_kind::function; }
/// The bodies that run on a node's operands, and all that it names.
constexpr int body_count(node const& n) { return n.op->bodies; }
constexpr int named_bodies(node const& n) { return n.op->bodies + is_function(n); }

constexpr control_info const& rules_of(node const& n) { return static_cast<control_info const&>(*n.op); }

}  // namespace gradus::inline GRADUS_ARCH::core
