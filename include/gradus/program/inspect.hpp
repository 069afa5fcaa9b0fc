// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/meta.hpp>
#include <gradus/exec/stages.hpp>
#include <gradus/graph/inspect.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/graph/render.hpp>

namespace gradus::inline GRADUS_ARCH {

/// The typed graph of expressions, derivatives expanded, as a constant to look at: `gr::graph_of(loss).count("matmul")`.
template <class Source>
struct inspected_graph {
    static constexpr auto const& nodes = stages<Source>::differentiated;

    static constexpr gradus::graph graph() { return nodes.thaw(); }
    /// How many nodes there are, or how many with that operation.
    static constexpr int size() { return nodes.size(); }
    static constexpr int count(std::string_view operation) { return gradus::count(graph(), operation); }
    /// Does a result depend on that symbol?
    static constexpr bool depends_on(std::string_view symbol) { return gradus::depends_on(graph(), symbol); }
    /// A line per node: `%4 = tanh %3 : float[batch,128]`.
    static constexpr text print() { return gradus::print(graph()); }
    /// For Graphviz, and for Mermaid.
    static constexpr text to_dot() { return gradus::to_dot(graph()); }
    static constexpr text to_mermaid() { return gradus::to_mermaid(graph()); }
};

template <expression... E>
constexpr auto graph_of(E...) {
    core::report<&core::symbols_complaint<expressions<E...>>>();
    return inspected_graph<expressions<E...>>{};
}

/// One node of an inspected graph, its facts in the type.
template <class Source, int I>
struct typed_node {
    static constexpr node const& value = stages<Source>::differentiated.nodes[I];

    static constexpr int id() { return I; }
    static constexpr std::string_view name() { return value.op->name; }
    static constexpr gradus::shape shape() { return value.shape; }
    static constexpr gradus::dtype dtype() { return value.type; }
    static constexpr int operand_count() { return value.operands(); }
    static constexpr int operand(int k) { return value.in[k]; }
    /// Is this node that operation? An integral constant, for hana::filter and hana::count_if.
    template <fixed_string Name>
    static constexpr auto is() {
        return hana::bool_c<(value.op->name == Name.view())>;
    }
};

namespace core {
template <class Source, int... I>
constexpr auto typed_nodes(std::integer_sequence<int, I...>) {
    return hana::tuple<typed_node<Source, I>...>{};
}
}  // namespace core

/// The nodes of an expression's graph as a Hana sequence: works with hana::for_each, hana::count_if, hana::filter.
template <expression... E>
constexpr auto nodes(E...) {
    using Source = expressions<E...>;
    return core::typed_nodes<Source>(std::make_integer_sequence<int, stages<Source>::differentiated.node_count>{});
}

}  // namespace gradus::inline GRADUS_ARCH
