// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/graph.hpp>

// Questions that users ask of a graph, in static_assert as a rule.
namespace gradus::inline GRADUS_ARCH {

/// The number of nodes of an operation: `count(g, "matmul")`.
constexpr int count(graph const& g, std::string_view op_name) {
    int result = 0;
    for (node const& n : g.nodes) result += n.op->name == op_name;
    return result;
}

/// Whether any result reads the symbol of that name, directly or not; false for a name that the graph does not have.
constexpr bool depends_on(graph const& g, std::string_view symbol) {
    int index = 0;
    while (index < g.symbols.size() && g.symbols[index].name != symbol) ++index;
    if (index == g.symbols.size()) return false;
    core::list<bool> needed(g.size());
    for (output_entry const& o : g.outputs) needed[o.node] = true;
    for (int id = g.size() - 1; id >= 0; --id) {  // users come after their operands
        if (!needed[id]) continue;
        node const& n = g[id];
        if (n.is_symbol() && n.symbol() == index) return true;
        for (int i = 0; i < n.operands(); ++i) needed[n.in[i]] = true;
    }
    return false;
}

}  // namespace gradus::inline GRADUS_ARCH
