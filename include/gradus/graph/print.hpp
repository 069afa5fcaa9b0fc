// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// What an operation does beside its operands: ` axes=1,2 keepdim`, ` 0:7`, ` 0.5`.
constexpr void append_attributes(text& out, graph const& g, node const& n) {
    if (n.is_symbol()) {
        out += ' ';
        out += g.symbols[n.symbol()].name;
    }
    if (n.op->prints) n.op->print(out, n.attr, n.result());
    if (n.op->results > 1) append(out, concat(" result=", result_of(n.attr)).view());
    if (is_control(n) && n.op->differentiable) rules_of(n).describe(out, g, n);
}

constexpr void append_operands(text& out, node const& n) {
    for (int i = 0; i < n.operands(); ++i) {
        out += " %";
        append(out, n.in[i]);
    }
}

}  // namespace core

/// One line: `%4 = tanh %3 : float[batch,128]`.
constexpr void append_node(text& out, graph const& g, int id) {
    node const& n = g[id];
    core::append(out, core::concat('%', id, " = ", n.op->name).view());
    core::append_attributes(out, g, n);
    core::append_operands(out, n);
    out += " : ";
    append(out, n.result());
}

namespace core {

/// Appends the lines of a graph, and of its bodies, each with the letters that go before it.
constexpr void append_graph(text& out, graph const& g, std::string_view before) {
    for (int i = 0; i < g.size(); ++i) {
        out += before;
        append_node(out, g, i);
        out += '\n';
    }
    for (output_entry const& o : g.outputs) {
        out += before;
        if (o.updates >= 0) core::append(out, core::concat("update ", g.symbols[o.updates].name, " = %", o.node, '\n').view());
        else core::append(out, core::concat("return %", o.node, '\n').view());
    }
    for (int b = 0; b < g.bodies.size(); ++b) {
        append(out, concat(before, "body ", b, ":\n").view());
        append_graph(out, g.bodies[b], concat(before, "  ").view());
    }
}

}  // namespace core

/// The whole graph, a line per node, and a line per result; then its bodies, indented.
constexpr text print(graph const& g) {
    text out;
    core::append_graph(out, g, {});
    return out;
}

}  // namespace gradus::inline GRADUS_ARCH
