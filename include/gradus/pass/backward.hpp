// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/differentiate.hpp>
#include <gradus/pass/materialize.hpp>

namespace gradus {

namespace core {

/// In a backward graph, `of` of the forward graph's symbols says what their derivative is: an output, or, from here on
/// upwards, a cotangent as it is; -1 where there is none.
inline constexpr int identity_gradient = 1 << 20;

class backward_building {
public:
    constexpr backward_building(graph const& f, bool save, std::uint64_t constants) : f_(f), save_(save), constants_(constants), joint_(f), result_of_(f.size(), -1) {
        joint_.outputs = {};
        for (int j = 0; j < f.outputs.size(); ++j) {
            int node = f.outputs[j].node, base = result_base(f, node);
            if (base < 0) base = node;
            if (f[base].op->kind != op_kind::leaf && result_of_[base] < 0) result_of_[base] = j;
        }
    }
    constexpr graph run() {
        graph made;
        int const symbols = f_.symbols.size(), results = f_.outputs.size();
        made.symbols = f_.symbols;
        for (symbol_entry& s : made.symbols) s.of = -1;
        for (int kind = 0; kind < 2; ++kind)
            for (int j = 0; j < results; ++j) made.symbols.push_back({kind ? "cotangent" : "result", f_[f_.outputs[j].node].result(), j});

        list<int> cotangent(f_.size(), -1), seed(results, -1);
        for (int j = 0; j < results; ++j) {
            int node = f_.outputs[j].node;
            if (!is_floating(f_[node].type)) continue;
            seed[j] = symbol_node(joint_, symbols + results + j, f_[node].result());
            cotangent[node] = cotangent[node] < 0 ? seed[j] : (value{joint_, cotangent[node]} + value{joint_, seed[j]}).id();
        }
        sweep(joint_, cotangent, true);

        list<int> wanted;
        for (int i = 0; i < f_.size(); ++i) {
            if (!f_[i].is<op::symbol>() || cotangent[i] < 0) continue;
            int const symbol = static_cast<int>(f_[i].attr.n[0]);
            if (symbol < 64 && (constants_ >> symbol & 1)) continue;
            int& gradient = made.symbols[symbol].of;
            for (int j = 0; j < results; ++j)
                if (seed[j] == cotangent[i]) gradient = identity_gradient + j;
            if (gradient >= 0) continue;
            gradient = wanted.size();
            wanted.push_back(cotangent[i]);
        }
        extract(made, wanted);
        return made;
    }

private:
    static constexpr int symbol_node(graph& g, int index, tensor_type const& type) {
        node n{&info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, {}};
        n.attr.n[0] = index;
        return g.intern(n);
    }
    /// Values of the forward graph that are costly to compute again: sums, products, moved elements, softmaxes.
    constexpr bool is_saved(int i) const {
        op_kind kind = f_[i].op->kind;
        return save_ && (kind == op_kind::reduction || kind == op_kind::contraction || kind == op_kind::movement || softmax_form_of(f_, i).of >= 0);
    }
    constexpr bool is_cut(int i) const { return i < f_.size() && (result_of_[i] >= 0 || is_saved(i)); }

    /// Copies what the derivatives need into `g`; at values that are results or saved, symbols take over.
    constexpr void extract(graph& g, list<int> const& wanted) {
        list<char> needed(joint_.size(), 0);
        for (int id : wanted) needed[id] = 1;
        for (int i = joint_.size() - 1; i >= 0; --i)
            if (needed[i] && !is_cut(i))
                for (int k = 0; k < 3 && joint_[i].in[k] >= 0; ++k) needed[joint_[i].in[k]] = 1;
        g.bodies = joint_.bodies;
        list<int> renumbered(joint_.size(), -1);
        for (int i = 0; i < joint_.size(); ++i) {
            if (!needed[i]) continue;
            node n = joint_[i];
            if (!is_cut(i)) {
                for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
                renumbered[i] = g.intern(n);
            } else if (int j = result_of_[i]; j >= 0) {
                int result = symbol_node(g, f_.symbols.size() + j, f_[f_.outputs[j].node].result());
                renumbered[i] = value{g, result}.reshape(n.shape).id();
            } else {
                g.symbols.push_back({"saved", n.result(), i});
                renumbered[i] = symbol_node(g, g.symbols.size() - 1, n.result());
            }
        }
        for (int id : wanted) g.outputs.push_back({renumbered[id], -1});
    }

    graph const& f_;
    bool save_;
    std::uint64_t constants_;
    graph joint_;
    list<int> result_of_;
};

}  // namespace core

namespace pass {

/// Reverse mode for a node of the tape. What the derivative reads of the forward graph is read from its symbols and
/// results where they have it, saved where it was costly (`save`), and computed again where it is an elementwise formula.
/// Symbols with a bit in `constants` have no derivative.
///
/// The symbols of the backward graph are those of the forward graph, then the results, then the cotangents (the derivatives
/// of a loss with respect to the results), then the saved values (`of` is their node in the forward graph).
constexpr graph backward(graph const& f, bool save, std::uint64_t constants = 0) {
    return core::backward_building(f, save, constants).run();
}

}  // namespace pass
}  // namespace gradus
