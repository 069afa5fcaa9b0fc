// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>

// Pictures of the tape: what a tensor was computed from, statement by statement.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// Collects what lies behind an edge, and draws it. Nothing recurses: chains may have any length. (A template, so that only
/// programs that draw pay for it.)
template <class Text>
class tape_picture {
public:
    explicit tape_picture(edge const& root) {
        reach(root);
        for (int i = 0; i < nodes_.size(); ++i) {  // grows; deeper nodes come first, so whatever is reached comes later
            tape_node* const n = nodes_[i];
            for (edge const& e : n->edges) reach(e);
        }
    }
    Text draw(edge const& root, std::string_view result) const {
        Text out = std::string_view(
            "digraph gradus {\n"
            "  graph [fontname=\"Helvetica\" nodesep=0.3 ranksep=0.35]\n"
            "  node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" fontsize=11 color=\"#5f6b7a\" fillcolor=\"#dcebfb\" "
            "penwidth=0.8]\n"
            "  edge [color=\"#5f6b7a\" penwidth=0.8 arrowsize=0.6]\n");
        for (int i = 0; i < leaves_.size(); ++i) {
            tensor_state const& leaf = *leaves_[i];
            begin(out, 'l', i);
            append_dot_quoted(out, concat(leaf.described(), leaf.grad ? "\nhas a gradient" : ""));
            out += "\" style=filled fillcolor=\"#fff4cc\"]\n";
        }
        for (int i = nodes_.size() - 1; i >= 0; --i) draw_node(out, i);
        for (int i = nodes_.size() - 1; i >= 0; --i)
            for (edge const& e : nodes_[i]->edges)
                if (e) draw_edge(out, e, 'n', i);
        if (root) {
            begin(out, 'r', 0);
            append_dot_quoted(out, result);
            out += "\" fillcolor=\"#5f6b7a\" fontcolor=white]\n";
            draw_edge(out, root, 'r', 0);
        }
        out += "}\n";
        return out;
    }

private:
    /// Later statements first; what is equally deep, by address.
    static bool before(tape_node const* a, tape_node const* b) {
        return a->depth != b->depth ? a->depth > b->depth : reinterpret_cast<std::uintptr_t>(a) < reinterpret_cast<std::uintptr_t>(b);
    }
    static bool before(tensor_state const* a, tensor_state const* b) {
        return reinterpret_cast<std::uintptr_t>(a) < reinterpret_cast<std::uintptr_t>(b);
    }
    template <class T>
    static int place_in(list<T*> const& sorted, T const* x) {
        int low = 0, high = sorted.size();
        while (low < high) {
            int const middle = low + (high - low) / 2;
            if (before(sorted[middle], x)) low = middle + 1;
            else high = middle;
        }
        return low;
    }
    template <class T>
    static void put(list<T*>& sorted, T* x) {
        int const at = place_in(sorted, x);
        if (at == sorted.size() || sorted[at] != x) sorted.insert(at, x);
    }
    void reach(edge const& e) {
        if (e.node) put(nodes_, e.node.get());
        else if (e.leaf) put(leaves_, e.leaf.get());
    }

    static void begin(Text& out, char kind, int number) { append(out, concat("  ", kind, number, " [label=\"").view()); }
    void draw_edge(Text& out, edge const& from, char kind, int to) const {
        if (from.node) append(out, concat("  n", place_in(nodes_, from.node.get())).view());
        else append(out, concat("  l", place_in(leaves_, from.leaf.get())).view());
        append(out, concat(" -> ", kind, to, '\n').view());
    }
    /// The name of the node, then the expression that it recorded, a line for each operation.
    void draw_node(Text& out, int i) const {
        grad_function const f(edge{node_ref::sharing(nodes_[i]), {}, 0});
        begin(out, 'n', i);
        append_dot_quoted(out, f.name());
        out += "\\n";
        text const graph = f.graph();
        if (graph.view() != f.name()) {
            for (std::string_view rest = graph.view(); !rest.empty();) {
                std::string_view const line = rest.substr(0, rest.find('\n'));
                append_dot_quoted(out, line);
                out += "\\l";  // to the left
                rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
            }
        }
        out += "\"";
        if (nodes_[i]->file) {
            out += " tooltip=\"";
            append_dot_quoted(out, f.where());
            out += '"';
        }
        out += "]\n";
    }

    list<tape_node*> nodes_;
    list<tensor_state*> leaves_;
};

}  // namespace core

/// The tape behind a function in the language of Graphviz (`dot -Tsvg`): a box for each leaf with its type, a rounded box for
/// each recorded statement with its expression, arrows in the order of computation.
template <std::same_as<grad_function> Function>
text to_dot(Function const& f) {
    return core::tape_picture<text>(f.at()).draw(f.at(), "result");
}
/// The tape behind a tensor, which is the result at the bottom.
template <element T, extent... E>
text to_dot(tensor<T, E...> const& t) {
    core::edge const root = t.defined() ? core::edge_of(t.state()) : core::edge{};
    return core::tape_picture<text>(root).draw(root, t.defined() ? core::concat(t.state()->described()) : text());
}

}  // namespace gradus::inline GRADUS_ARCH
