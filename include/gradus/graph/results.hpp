// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/graph.hpp>

#include <array>

// Operations with several results: some of users', loops and choices. A node is one result; nodes that differ in nothing but which, the
// last attributes, are one call, which runs once.
namespace gradus::inline GRADUS_ARCH::core {

/// Node n as result k of its call.
constexpr node result_node(auto const& g, node n, int k) {
    n.attr = of_result(n.attr, k);
    call c{n.attr, n.shape, {}, n.op->arity};
    for (int i = 0; i < c.count; ++i) c.operand[i] = g[n.in[i]].result();
    complaint fail;
    tensor_type const type = n.op->infer(c, fail);
    n.type = type.type;
    n.shape = type.shape;
    return n;
}
constexpr bool is_same_call(node const& a, node const& b) {
    if (a.op->id != b.op->id || a.attr.value != b.attr.value) return false;
    bool same = true;
    for (int k = 0; k < 3; ++k) same = same && a.in[k] == b.in[k];
    for (int k = 0; k < a.op->call_attributes; ++k) same = same && a.attr.n[k] == b.attr.n[k];
    return same;
}
/// Can a node have others of its call?
constexpr bool is_of_call(node const& n) { return n.op->results > 1 || n.op->kind == op_kind::control; }
/// The first node of the call that node `id` is a result of.
constexpr int first_of_call(auto const& g, int id) {
    int behind = -1;
    for (int operand : g[id].in) behind = operand > behind ? operand : behind;
    for (int i = behind + 1; i < id; ++i)
        if (is_same_call(g[i], g[id])) return i;
    return id;
}
/// The nodes of a call by the number of the result, among the first `count`; -1 for those that the graph does not have.
constexpr std::array<int, max_results> results_of_call(auto const& g, int id, int count) {
    std::array<int, max_results> nodes{};
    for (int& n : nodes) n = -1;
    if (g[id].op->results == 1) {
        nodes[0] = id;
        return nodes;
    }
    for (int i = id; i < count; ++i)
        if (is_same_call(g[i], g[id])) nodes[static_cast<std::size_t>(result_of(g[i].attr))] = i;
    return nodes;
}

}  // namespace gradus::inline GRADUS_ARCH::core
