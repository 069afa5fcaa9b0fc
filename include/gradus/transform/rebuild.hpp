// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Marks the nodes that results depend on.
constexpr list<char> needed_nodes(graph const& g) {
    list<char> needed(g.size(), 0);
    for (output_entry const& o : g.outputs) needed[o.node] = 1;
    for (int i = g.size() - 1; i >= 0; --i)
        if (needed[i])
            for (int k = 0; k < 3 && g[i].in[k] >= 0; ++k) needed[g[i].in[k]] = 1;
    return needed;
}

/// A new graph from an old one: `rule(new graph, node with its operands renumbered)` returns the node that stands for
/// it. What no result needs is not visited, so dead code goes with every pass.
constexpr graph rebuild(graph const& g, auto rule) {
    graph result;
    result.symbols = g.symbols;
    result.bodies = g.bodies;
    list<char> needed = needed_nodes(g);
    list<int> renumbered(g.size(), -1);
    for (int i = 0; i < g.size(); ++i) {
        if (!needed[i]) continue;
        node n = g[i];
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
        renumbered[i] = rule(result, n);
    }
    for (output_entry const& o : g.outputs) result.outputs.push_back({renumbered[o.node], o.updates});
    return result;
}

}  // namespace gradus::inline GRADUS_ARCH::core
