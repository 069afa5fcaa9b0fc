// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control.hpp>
#include <gradus/op/convolution.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// What an operation does beside its operands: ` axes=1,2 keepdim`, ` 0:7`, ` 0.5`.
constexpr void append_attributes(text& out, graph const& g, node const& n) {
    if (n.is<op::symbol>()) {
        out += ' ';
        out += g.symbols[static_cast<int>(n.attr.n[0])].name;
    }
    if (n.is<op::constant>()) {
        out += ' ';
        append(out, n.attr.value);
    }
    if (n.is<op::iota>() || n.is<op::concatenate>()) append(out, concat(" axis=", n.attr.n[0]).view());
    if (n.op->kind == op_kind::reduction) {
        char separator = '=';
        out += " axes";
        for (int axis = 0; axis < max_rank; ++axis) {
            if (!op::reduces(n.attr, axis)) continue;
            out += separator;
            append(out, axis);
            separator = ',';
        }
        if (op::keeps(n.attr)) out += " keepdim";
    }
    if (n.op->results > 1) append(out, concat(" result=", n.attr.n[result_attribute]).view());
    if (n.is<op::transpose>()) {
        for (int axis = 0; axis < n.shape.rank(); ++axis) {
            out += axis ? ',' : ' ';
            append(out, n.attr.n[axis]);
        }
    }
    if (n.is<op::slice>()) {
        for (int axis = 0; axis < n.shape.rank(); ++axis) {
            out += axis ? ',' : ' ';
            if (!n.shape[axis].is_static()) {
                out += ':';
                continue;
            }
            auto start = op::start_of(n.attr, axis), step = op::step_of(n.attr, axis);
            append(out, concat(start, ':', start + n.shape[axis].code * step).view());
            if (step != 1) append(out, concat(':', step).view());
        }
    }
    if (is_control(n) && n.op->differentiable) rules_of(n).describe(out, g, n);
    if (n.op->name == "matmul" && (n.attr.n[0] || n.attr.n[1])) {
        if (n.attr.n[0]) out += " a^T";
        if (n.attr.n[1]) out += " b^T";
    }
    if (n.is<op::convolution>() || n.is<op::convolution_input_gradient>() || n.is<op::convolution_weight_gradient>()) {
        constexpr std::string_view names[]{" stride=", " padding=", " dilation=", " groups="};
        for (int i = 0; i < 4; ++i)
            if (n.attr.n[i] != (i == 1 ? 0 : 1)) append(out, concat(names[i], n.attr.n[i]).view());
    }
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
