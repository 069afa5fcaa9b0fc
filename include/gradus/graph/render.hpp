// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/print.hpp>

// Pictures of a graph. Letters are appended in runs: clang stops an evaluation after 2^20 steps.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// How a picture shows a kind of operation.
struct kind_style {
    std::string_view name;
    std::string_view fill;
};
inline constexpr kind_style kind_styles[] = {{"leaf", "#fff4cc"},    {"elementwise", "#dcebfb"}, {"reduction", "#fde3cf"},
                                             {"view", "#eff1f3"},    {"contraction", "#d8f0dc"}, {"movement", "#eae0f7"},
                                             {"control", "#d3eeee"}, {"list", "#eff1f3"},        {"marker", "#fbd9d9"}};
constexpr kind_style style_of(op_kind kind) { return kind_styles[static_cast<int>(kind)]; }

/// Appends `s` so that it stands for itself between the double quotes of a DOT label.
constexpr void append_dot_quoted(text& out, std::string_view s) {
    std::size_t plain = 0;  // where the letters begin that are still to be appended
    for (std::size_t i = 0; i < s.size(); ++i) {
        char c = s[i];
        if (c != '"' && c != '\\' && c != '\n') continue;
        out += s.substr(plain, i - plain);
        out += '\\';
        out += c == '\n' ? 'n' : c;
        plain = i + 1;
    }
    out += s.substr(plain);
}

/// Appends `s` so that it stands for itself between the double quotes of a Mermaid label, which reads HTML and Markdown
/// (there, the underscores inside of names are themselves).
constexpr void append_mermaid_quoted(text& out, std::string_view s) {
    std::size_t plain = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        char c = s[i];
        if (c != '\n' && c != '"' && c != '#' && c != '&' && c != '<' && c != '>' && c != '`' && c != '*' && c != '\\') continue;
        out += s.substr(plain, i - plain);
        plain = i + 1;
        if (c == '\n') out += "<br/>";
        else append(out, concat('#', static_cast<int>(c), ';').view());
    }
    out += s.substr(plain);
}

/// The two lines of a node: what it does, and what results; symbols and constants are shown as what they are.
constexpr text label_of(graph const& g, node const& n) {
    text out;
    if (n.is_symbol()) out += g.symbols[n.symbol()].name;
    else if (n.is_constant()) append(out, n.attr.value);
    else {
        out += n.op->name;
        append_attributes(out, g, n);
    }
    out += '\n';
    append(out, n.result());
    return out;
}

/// `result 0`, or `update w`; results of the caller are numbered as they are returned.
constexpr text label_of(graph const& g, int output) {
    output_entry const& o = g.outputs[output];
    if (o.updates >= 0) return concat("update ", g.symbols[o.updates].name);
    int position = 0;
    for (int i = 0; i < output; ++i) position += g.outputs[i].updates < 0;
    return concat("result ", position);
}

/// Appends a line of the picture: `  n1 -> n2`, with the arrow and the letter of the target given.
constexpr void append_edge(text& out, int from, std::string_view arrow, char target, int to) {
    out += "  n";
    append(out, from);
    out += arrow;
    out += target;
    append(out, to);
}

}  // namespace core

/// The graph in the language of Graphviz, coloured by kind of operation: `dot -Tsvg`. Symbols are boxes, constants ellipses,
/// operations rounded; operands enter in order from left to right; results (dark) and updates (dashed) hang below.
constexpr text to_dot(graph const& g) {
    text out = std::string_view(
        "digraph gradus {\n"
        "  graph [fontname=\"Helvetica\" nodesep=0.3 ranksep=0.35]\n"
        "  node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" fontsize=11 color=\"#5f6b7a\" penwidth=0.8"
        " margin=\"0.14,0.07\" height=0.3 ordering=in]\n"
        "  edge [color=\"#5f6b7a\" penwidth=0.8 arrowsize=0.6]\n");
    for (int id = 0; id < g.size(); ++id) {
        out += "  n";
        core::append(out, id);
        out += " [label=\"";
        core::append_dot_quoted(out, core::label_of(g, g[id]));
        if (g[id].operands() == 0 && !g[id].is_symbol()) {
            out += "\" fillcolor=white shape=ellipse style=filled margin=\"0.02,0.02\"]\n";
            continue;
        }
        out += "\" fillcolor=\"";
        out += core::style_of(g[id].op->kind).fill;
        out += g[id].operands() ? "\"]\n" : "\" style=filled]\n";
    }
    for (int id = 0; id < g.size(); ++id) {
        for (int i = 0; i < g[id].operands(); ++i) {
            core::append_edge(out, g[id].in[i], " -> ", 'n', id);
            out += '\n';
        }
    }
    for (int i = 0; i < g.outputs.size(); ++i) {
        bool update = g.outputs[i].updates >= 0;
        out += "  r";
        core::append(out, i);
        out += " [label=\"";
        core::append_dot_quoted(out, core::label_of(g, i));
        out += update ? "\" style=\"filled,dashed\" fillcolor=\"#fff4cc\"]\n" : "\" fillcolor=\"#5f6b7a\" fontcolor=white]\n";
        core::append_edge(out, g.outputs[i].node, " -> ", 'r', i);
        out += update ? " [style=dashed]\n" : "\n";
    }
    out += "}\n";
    return out;
}

/// The graph as a Mermaid flowchart, which GitHub draws in Markdown; shapes and colours as in to_dot.
constexpr text to_mermaid(graph const& g) {
    text out = std::string_view("flowchart TD\n");
    bool used[9]{};
    for (int id = 0; id < g.size(); ++id) {
        node const& n = g[id];
        bool symbol = n.is_symbol(), constant = !symbol && n.operands() == 0;
        out += "  n";
        core::append(out, id);
        out += symbol ? "[\"" : constant ? "([\"" : "(\"";
        core::append_mermaid_quoted(out, core::label_of(g, n));
        out += symbol ? "\"]:::" : constant ? "\"]):::" : "\"):::";
        out += constant ? "constant" : core::style_of(n.op->kind).name;
        out += '\n';
        if (!constant) used[static_cast<int>(n.op->kind)] = true;
    }
    for (int id = 0; id < g.size(); ++id) {
        for (int i = 0; i < g[id].operands(); ++i) {
            core::append_edge(out, g[id].in[i], " --> ", 'n', id);
            out += '\n';
        }
    }
    for (int i = 0; i < g.outputs.size(); ++i) {
        bool update = g.outputs[i].updates >= 0;
        core::append_edge(out, g.outputs[i].node, update ? " -.-> " : " --> ", 'r', i);
        out += update ? "[\"" : "([\"";
        core::append_mermaid_quoted(out, core::label_of(g, i));
        out += update ? "\"]:::leaf\n" : "\"]):::result\n";
        used[0] |= update;
    }
    for (int i = 0; i < 9; ++i) {
        if (!used[i]) continue;
        auto style = core::style_of(static_cast<op_kind>(i));
        core::append(out, core::concat("  classDef ", style.name, " fill:", style.fill, ",stroke:#5f6b7a,color:#1c2430\n").view());
    }
    out += "  classDef constant fill:#ffffff,stroke:#5f6b7a,color:#1c2430\n";
    out += "  classDef result fill:#5f6b7a,stroke:#5f6b7a,color:#ffffff\n";
    return out;
}

}  // namespace gradus::inline GRADUS_ARCH
