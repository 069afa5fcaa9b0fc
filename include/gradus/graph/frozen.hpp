// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/graph.hpp>

namespace gradus {

/// A finished graph as a constant: the result of one step of compilation and the input of the next. Its capacity is one of
/// few, so that graphs of about one size share a type and the code for it.
template <int Nodes, int Ends>
struct frozen_graph {
    node nodes[Nodes]{};
    symbol_entry symbols[Ends]{};
    output_entry outputs[Ends]{};
    int node_count = 0, symbol_count = 0, output_count = 0;

    static constexpr int capacity = Nodes;

    constexpr int size() const { return node_count; }
    constexpr node const& operator[](int i) const { return nodes[i]; }

    constexpr graph thaw() const {
        graph g;
        for (int i = 0; i < node_count; ++i) g.nodes.push_back(nodes[i]);
        for (int i = 0; i < symbol_count; ++i) g.symbols.push_back(symbols[i]);
        for (int i = 0; i < output_count; ++i) g.outputs.push_back(outputs[i]);
        return g;
    }
};

namespace core {

/// The capacity for n elements.
constexpr int room_for(int n) {
    int room = 16;
    while (room < n) room += room % 3 ? room / 2 : room / 3;  // 16, 24, 32, 48, 64, 96, ...
    return room;
}
/// The capacity that a graph needs for symbols and outputs.
constexpr int ends_of(int symbols, int outputs) { return room_for(symbols > outputs ? symbols : outputs); }

template <int Nodes, int Ends>
constexpr auto copy_out(graph const& g) {
    frozen_graph<Nodes, Ends> result;
    result.node_count = g.size();
    result.symbol_count = g.symbols.size();
    result.output_count = g.outputs.size();
    if (result.node_count > Nodes || result.symbol_count > Ends || result.output_count > Ends) return result;
    for (int i = 0; i < result.node_count; ++i) result.nodes[i] = g.nodes[i];
    for (int i = 0; i < result.symbol_count; ++i) result.symbols[i] = g.symbols[i];
    for (int i = 0; i < result.output_count; ++i) result.outputs[i] = g.outputs[i];
    return result;
}

/// Runs `Make`, a constexpr function that returns a graph, in the compiler and keeps the result. With room for `Guess`
/// nodes at first; the evaluation is repeated with more where that was too little, the result moved where it was far too much.
template <auto Make, int Guess>
constexpr auto freeze() {
    constexpr auto first = copy_out<room_for(Guess), 16>(Make());
    constexpr int nodes = room_for(first.node_count), ends = ends_of(first.symbol_count, first.output_count);
    if constexpr (nodes > first.capacity || ends > 16) return copy_out<nodes, ends>(Make());
    else if constexpr (2 * nodes < first.capacity) return copy_out<nodes, 16>(first.thaw());
    else return first;
}

}  // namespace core
}  // namespace gradus
