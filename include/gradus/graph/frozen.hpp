// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/graph.hpp>

namespace gradus::inline GRADUS_ARCH {

/// The bodies of a frozen graph, and theirs, one after the other: each before those inside it.
template <int Room>
struct frozen_bodies {
    struct size {
        int nodes = 0, symbols = 0, outputs = 0, bodies = 0;
    };
    node nodes[Room]{};
    symbol_entry symbols[Room]{};
    output_entry outputs[Room]{};
    size sizes[Room]{};
    size used{};

    constexpr void append(graph const& g) {
        for (int b = 0; b < g.bodies.size(); ++b) {
            graph const& body = g.bodies[b];
            sizes[used.bodies++] = {body.nodes.size(), body.symbols.size(), body.outputs.size(), body.bodies.size()};
            for (node const& n : body.nodes) nodes[used.nodes++] = n;
            for (symbol_entry const& s : body.symbols) symbols[used.symbols++] = s;
            for (output_entry const& o : body.outputs) outputs[used.outputs++] = o;
            append(body);
        }
    }
    constexpr void thaw(graph& into, int count) const {
        size from{};
        thaw(into, count, from);
    }

private:
    constexpr void thaw(graph& into, int count, size& from) const {
        for (int b = 0; b < count; ++b) {
            graph body;
            size const& s = sizes[from.bodies++];
            for (int i = 0; i < s.nodes; ++i) body.nodes.push_back(nodes[from.nodes++]);
            for (int i = 0; i < s.symbols; ++i) body.symbols.push_back(symbols[from.symbols++]);
            for (int i = 0; i < s.outputs; ++i) body.outputs.push_back(outputs[from.outputs++]);
            thaw(body, s.bodies, from);
            into.bodies.push_back(std::move(body));
        }
    }
};
template <>
struct frozen_bodies<0> {
    constexpr void append(graph const&) {}
    constexpr void thaw(graph&, int) const {}
};

/// A finished graph as a constant: the result of one step of compilation and the input of the next. Its capacity is one of
/// few, so that graphs of about one size share a type and the code for it.
template <int Nodes, int Ends, int Inner = 0>
struct frozen_graph {
    node nodes[Nodes]{};
    symbol_entry symbols[Ends]{};
    output_entry outputs[Ends]{};
    frozen_bodies<Inner> bodies{};
    int node_count = 0, symbol_count = 0, output_count = 0, body_count = 0;
    int inner_count = 0;  ///< what `bodies` has to have room for

    static constexpr int capacity = Nodes;

    constexpr int size() const { return node_count; }
    constexpr node const& operator[](int i) const { return nodes[i]; }

    constexpr graph thaw() const {
        graph g;
        for (int i = 0; i < node_count; ++i) g.nodes.push_back(nodes[i]);
        for (int i = 0; i < symbol_count; ++i) g.symbols.push_back(symbols[i]);
        for (int i = 0; i < output_count; ++i) g.outputs.push_back(outputs[i]);
        bodies.thaw(g, body_count);
        return g;
    }
};

namespace core {

/// A graph with operations by their names, which is all that running or describing it takes: their rules are no part of a program then.
/// What no list of the library has comes with them.
constexpr auto labelled(auto g) {
    for (int i = 0; i < g.node_count; ++i)
        if (!g.nodes[i].op->unlisted) g.nodes[i].op = g.nodes[i].op->label;
    return g;
}

/// The capacity for n elements.
constexpr int room_for(int n) {
    int room = 16;
    while (room < n) room += room % 3 ? room / 2 : room / 3;  // 16, 24, 32, 48, 64, 96, ...
    return room;
}
/// The capacity that a graph needs for symbols and outputs.
constexpr int ends_of(int symbols, int outputs) { return room_for(symbols > outputs ? symbols : outputs); }
/// The nodes of all bodies, or their symbols, or outputs, or the bodies: what there is most of.
constexpr int inner_count(graph const& g) {
    frozen_bodies<1>::size total;
    auto add = [&total](auto&& self, graph const& outer) -> void {
        total.bodies += outer.bodies.size();
        for (int b = 0; b < outer.bodies.size(); ++b) {
            total.nodes += outer.bodies[b].nodes.size();
            total.symbols += outer.bodies[b].symbols.size();
            total.outputs += outer.bodies[b].outputs.size();
            self(self, outer.bodies[b]);
        }
    };
    add(add, g);
    int most = total.bodies;
    for (int n : {total.nodes, total.symbols, total.outputs}) most = n > most ? n : most;
    return most;
}

template <int Nodes, int Ends, int Inner = 0>
constexpr auto copy_out(graph const& g) {
    frozen_graph<Nodes, Ends, Inner> result;
    result.node_count = g.size();
    result.symbol_count = g.symbols.size();
    result.output_count = g.outputs.size();
    result.body_count = g.bodies.size();
    if (result.body_count) result.inner_count = inner_count(g);
    if (result.node_count > Nodes || result.symbol_count > Ends || result.output_count > Ends || result.inner_count > Inner) return result;
    for (int i = 0; i < result.node_count; ++i) result.nodes[i] = g.nodes[i];
    for (int i = 0; i < result.symbol_count; ++i) result.symbols[i] = g.symbols[i];
    for (int i = 0; i < result.output_count; ++i) result.outputs[i] = g.outputs[i];
    result.bodies.append(g);
    return result;
}

/// A constant of its own: clang runs what a constant inside a function is made of again where the function runs.
template <auto Make, int Guess>
inline constexpr auto frozen_with_room = copy_out<room_for(Guess), 16>(Make());

/// Runs `Make`, a constexpr function that returns a graph, in the compiler and keeps the result. With room for `Guess`
/// nodes at first; the evaluation is repeated with more where that was too little, the result moved where it was far too much.
template <auto Make, int Guess>
constexpr auto freeze() {
    constexpr auto const& first = frozen_with_room<Make, Guess>;
    constexpr int nodes = room_for(first.node_count), ends = ends_of(first.symbol_count, first.output_count);
    if constexpr (first.inner_count > 0) return copy_out<nodes, ends, room_for(first.inner_count)>(Make());
    else if constexpr (nodes > first.capacity || ends > 16) return copy_out<nodes, ends>(Make());
    else if constexpr (2 * nodes < first.capacity) return copy_out<nodes, 16>(first.thaw());
    else return first;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
