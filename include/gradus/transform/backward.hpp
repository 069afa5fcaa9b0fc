// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/decisions.hpp>
#include <gradus/transform/differentiate.hpp>
#include <gradus/transform/materialize.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// In a backward graph, `of` of the forward graph's symbols says what their derivative is: an output, or, from here on
/// upwards, a cotangent as it is; -1 where there is none.
inline constexpr int identity_gradient = 1 << 20;

class backward_building {
public:
    constexpr backward_building(graph const& f, bool save, std::uint64_t constants)
        : f_(f),
          save_(save),
          constants_(constants),
          joint_(f),
          result_of_(f.size(), -1),
          decided_(f.size(), 0),
          differentiated_(f.size(), 0) {
        joint_.outputs = {};
        for (int j = 0; j < f.outputs.size(); ++j) {
            int node = f.outputs[j].node, base = result_base(f, node);
            if (base < 0) base = node;
            if (f[base].op->kind != op_kind::leaf && result_of_[base] < 0) result_of_[base] = j;
        }
        for (int i = 0; i < f.size(); ++i)
            for (int k = 0; k < f[i].op->arity; ++k)
                if (!f[i].op->stops_gradient) differentiated_[f[i].in[k]] = 1;
    }
    constexpr graph run() {
        graph made;
        int const results = f_.outputs.size();
        made.symbols = f_.symbols;
        for (symbol_entry& s : made.symbols) s.of = -1;
        for (int kind = 0; kind < 2; ++kind)
            for (int j = 0; j < results; ++j) made.symbols.push_back({kind ? "cotangent" : "result", f_[f_.outputs[j].node].result(), j});

        list<int> cotangent(f_.size(), -1), seed(results, -1);
        for (int j = 0; j < results; ++j) {
            int node = f_.outputs[j].node;
            if (!is_floating(f_[node].type)) continue;
            seed[j] = where_reached(j);
            cotangent[node] = add_derivatives(joint_, cotangent[node], seed[j]);
        }
        sweep(joint_, cotangent, true);

        list<int> wanted;
        for (int i = 0; i < f_.size(); ++i) {
            if (!f_[i].is_symbol() || cotangent[i] < 0) continue;
            int const symbol = f_[i].symbol();
            if (symbol < 64 && (constants_ >> symbol & 1)) continue;
            int& gradient = made.symbols[symbol].of;
            selection const selected(joint_, cotangent[i]);
            made.symbols[symbol].selects = selected.found() && !asks_reached(selected.condition);
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
        node const n{&info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, op::symbol::numbered(index)};
        return g.intern(n);
    }
    /// The cotangent of a result as a selection: what another statement has not selected stays 0 where a rule is infinite. This graph is
    /// never differentiated, so the derivative of the condition does not matter (op::mul_no_nan is for graphs that are).
    constexpr int where_reached(int j) {
        int const symbols = f_.symbols.size(), results = f_.outputs.size();
        tensor_type const type = f_[f_.outputs[j].node].result();
        value const c{joint_, symbol_node(joint_, symbols + results + j, type)};
        value const zero{joint_, symbol_node(joint_, symbols + 2 * results + j, {type.type, {}})};
        return gradus::where(apply<op::is_reached>(c, zero), c, 0).id();
    }
    /// Does the condition ask for nothing but that cotangents are reached?
    constexpr bool asks_reached(int condition) const {
        bool all = true;
        each_asked(joint_, condition, [&](node const& n) { all = all && n.op->connects == connective_kind::reached; });
        return all;
    }
    /// Values of the forward graph that are costly to compute again: sums, products, moved elements, softmaxes; not the maximum of
    /// an argument by which a softmax is shifted.
    constexpr bool is_saved(int i) const {
        op_kind kind = f_[i].op->kind;
        if (kind == op_kind::reduction && !decided_[i] && !differentiated_[i] && f_[f_[i].in[0]].is_symbol()) return false;
        bool const costly =
            kind == op_kind::reduction || kind == op_kind::contraction || kind == op_kind::movement || kind == op_kind::whole;
        return save_ && (decided_[i] || costly || softmax_form_of(f_, i).of >= 0);
    }
    constexpr bool is_cut(int i) const { return i < f_.size() && (result_of_[i] >= 0 || is_saved(i)); }

    constexpr list<char> needed_for(list<int> const& wanted) const {
        list<char> needed(joint_.size(), 0);
        for (int id : wanted) needed[id] = 1;
        for (int i = joint_.size() - 1; i >= 0; --i)
            if (needed[i] && !is_cut(i))
                for (int k = 0; k < 3 && joint_[i].in[k] >= 0; ++k) needed[joint_[i].in[k]] = 1;
        return needed;
    }
    /// Saves what the derivatives compare where it is not exact to compute it again: else an element could be found that the
    /// value has not found, or none. A comparison of the forward graph is saved itself where nothing else reads what it compares.
    constexpr void save_decisions(list<int> const& wanted) {
        list<char> const needed = needed_for(wanted);
        decisions const d(joint_, [&](int i) { return needed[i] && !is_cut(i); });
        for (int i = 0; i < f_.size(); ++i) {
            if (d.of[i] == decisions::none || is_cut(i) || is_exact(f_[i]) || f_[i].op->kind == op_kind::leaf) continue;
            if (f_[i].op->reduces_by == reducer::max && f_[f_[i].in[0]].is_symbol()) continue;  // of an argument the same bits come again
            bool const alone = d.of[i] >= 0 && d.of[i] < f_.size() && f_[d.of[i]].shape == f_[i].shape;
            decided_[alone ? d.of[i] : i] = 1;
        }
    }

    /// Copies what the derivatives need into `g`; at values that are results or saved, symbols take over.
    constexpr void extract(graph& g, list<int> const& wanted) {
        save_decisions(wanted);
        list<char> const needed = needed_for(wanted);
        int const given = f_.symbols.size() + 2 * f_.outputs.size();
        int saved = 0;
        for (int i = 0; i < joint_.size(); ++i) saved += needed[i] && is_cut(i) && result_of_[i] < 0;
        g.bodies = joint_.bodies;
        list<int> renumbered(joint_.size(), -1);
        for (int i = 0; i < joint_.size(); ++i) {
            if (!needed[i]) continue;
            node n = joint_[i];
            if (!is_cut(i)) {
                for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
                if (n.is_symbol() && n.symbol() >= given) n.attr = op::symbol::numbered(n.symbol() + saved);
                renumbered[i] = g.intern(n);
            } else if (int j = result_of_[i]; j >= 0) {
                int result = symbol_node(g, f_.symbols.size() + j, f_[f_.outputs[j].node].result());
                renumbered[i] = value{g, result}.reshape(n.shape).id();
            } else {
                g.symbols.push_back({"saved", n.result(), i});
                renumbered[i] = symbol_node(g, g.symbols.size() - 1, n.result());
            }
        }
        for (int j = 0; j < f_.outputs.size(); ++j) g.symbols.push_back({"unselected", {f_[f_.outputs[j].node].type, {}}, j});
        for (int id : wanted) g.outputs.push_back({renumbered[id], -1});
    }

    graph const& f_;
    bool save_;
    std::uint64_t constants_;
    graph joint_;
    list<int> result_of_;
    list<char> decided_;         ///< saved, as derivatives compare it
    list<char> differentiated_;  ///< is it read by anything but stop_gradient?
};

}  // namespace core

namespace pass {

/// Reverse mode for a node of the tape. What the derivative reads of the forward graph is read from its symbols and
/// results where they have it, saved where it was costly or is compared (`save`), and computed again where it is an elementwise
/// formula.
/// Symbols with a bit in `constants` have no derivative.
///
/// The symbols of the backward graph are those of the forward graph, then the results, then the cotangents (the derivatives
/// of a loss with respect to the results), then the saved values (`of` is their node in the forward graph), then a number for each
/// cotangent: 0 where its zeros may be unselected, else NaN.
constexpr graph backward(graph const& f, bool save, std::uint64_t constants = 0) {
    return core::backward_building(f, save, constants).run();
}

}  // namespace pass
}  // namespace gradus::inline GRADUS_ARCH
