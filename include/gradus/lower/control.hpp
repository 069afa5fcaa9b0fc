// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/cond.hpp>
#include <gradus/expr/scan.hpp>
#include <gradus/graph/frozen.hpp>
#include <gradus/lower/lower.hpp>
#include <gradus/transform/control_derivatives.hpp>
#include <gradus/transform/simplify.hpp>

// From the expressions of loops and choices to control nodes.
namespace gradus::inline GRADUS_ARCH::core {

template <class... E>
constexpr void lower_all(lowering& lower, std::tuple<E...>*) {
    static_cast<void>((lower.template operator()<E>(), ...));
}
template <class... E>
constexpr void lower_outputs(graph& g, lowering& lower, std::tuple<E...>*) {
    (g.outputs.push_back({lower.template operator()<E>().id(), -1}), ...);
}
template <class T>
constexpr parts_of<T>* parts() {
    return nullptr;
}

/// A body as it is written, derivatives inside of it expanded. Its own symbols come first.
template <class Symbols, class Result>
constexpr graph write_body() {
    graph g;
    lowering lower(g);
    lower_all(lower, static_cast<Symbols*>(nullptr));
    lower_outputs(g, lower, parts<Result>());
    return pass::dead_code(pass::differentiate(g));
}

/// Which nodes of a scan's body are the same in every step and read something outside, and so can be computed there once.
constexpr list<char> invariant_nodes(graph const& g, int own) {
    list<char> varies(g.size(), 0), outside(g.size(), 0);
    for (int i = 0; i < g.size(); ++i) {
        if (g[i].is<op::symbol>()) (g[i].attr.n[0] < own ? varies : outside)[i] = 1;
        for (int k = 0; k < g[i].operands(); ++k) {
            varies[i] = varies[i] || varies[g[i].in[k]];
            outside[i] = outside[i] || outside[g[i].in[k]];
        }
    }
    for (int i = g.size() - 1; i >= 0; --i) {
        outside[i] = outside[i] && !varies[i];
        for (int k = 0; k < g[i].operands(); ++k)  // a list is no value
            if (!outside[i] && g[g[i].in[k]].op->kind == op_kind::list) varies[g[i].in[k]] = 1;
    }
    return outside;
}
/// Those of them that the others, or results, read.
constexpr list<int> lifted_nodes(graph const& g, list<char> const& outside) {
    list<char> read(g.size(), 0);
    for (output_entry const& o : g.outputs) read[o.node] = 1;
    for (int i = 0; i < g.size(); ++i)
        for (int k = 0; k < g[i].operands(); ++k) read[g[i].in[k]] = read[g[i].in[k]] || !outside[i];
    list<int> result;
    for (int i = 0; i < g.size(); ++i)
        if (read[i] && outside[i]) result.push_back(i);
    return result;
}
/// The body that reads symbols instead.
constexpr graph without_invariants(graph const& g, int own) {
    list<char> const outside = invariant_nodes(g, own);
    list<int> const lifted = lifted_nodes(g, outside);
    graph result;
    result.bodies = g.bodies;
    for (int s = 0; s < own; ++s) result.symbols.push_back(g.symbols[s]);
    for (int id : lifted) result.symbols.push_back({"outside", g[id].result()});
    list<int> renumbered(g.size(), -1);
    for (int k = 0; k < lifted.size(); ++k) renumbered[lifted[k]] = symbol_at(result, own + k).id();
    for (int i = 0; i < g.size(); ++i) {
        if (outside[i]) continue;
        node n = g[i];
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
        renumbered[i] = result.intern(n);
    }
    for (output_entry const& o : g.outputs) result.outputs.push_back({renumbered[o.node], -1});
    return pass::simplify_differentiable(result);
}

template <class... Tuples>
using joined_tuples = decltype(std::tuple_cat(std::declval<Tuples>()...));

template <class Call>
inline constexpr auto written_scan = freeze<[] {
    return write_body<joined_tuples<typename Call::carry_parts, typename Call::row_parts>,
                      joined_tuples<parts_of<typename Call::next>, parts_of<typename Call::ys>>>();
},
                                            64>();
template <class Call>
inline constexpr int own_symbols =
    static_cast<int>(std::tuple_size_v<typename Call::carry_parts> + std::tuple_size_v<typename Call::row_parts>);
template <class Call>
inline constexpr auto scan_body = freeze<[] { return without_invariants(written_scan<Call>.thaw(), own_symbols<Call>); }, 64>();

template <class Call, bool IsThen>
inline constexpr auto written_branch = freeze<[] {
    return write_body<typename Call::symbols, std::conditional_t<IsThen, typename Call::then_result, typename Call::else_result>>();
},
                                              64>();

/// The symbols of both branches, those that have one name once.
template <class Call>
constexpr list<symbol_entry> branch_symbols() {
    list<symbol_entry> all = written_branch<Call, true>.thaw().symbols;
    for (symbol_entry const& s : written_branch<Call, false>.thaw().symbols) {
        bool known = false;
        for (symbol_entry const& other : all) known = known || other.name == s.name;
        if (!known) all.push_back(s);
    }
    return all;
}
template <class Call, bool IsThen>
inline constexpr auto branch_body = freeze<[] {
    graph const written = written_branch<Call, IsThen>.thaw();
    list<symbol_entry> const all = branch_symbols<Call>();
    graph result = rebuild(written, [&](graph& out, node n) {
        if (n.is<op::symbol>()) {
            int number = 0;
            while (all[number].name != written.symbols[static_cast<int>(n.attr.n[0])].name) ++number;
            n.attr.n[0] = number;
        }
        return out.intern(n);
    });
    result.symbols = all;
    return pass::simplify_differentiable(result);
},
                                           64>();

/// What a body captures, in the graph around it.
constexpr int outer_symbol(lowering& lower, symbol_entry const& s) { return lower.node_named(s.name, s.type); }
template <class... E>
constexpr void lower_operands(lowering& lower, list<int>& operands, std::tuple<E...>*) {
    (operands.push_back(lower.template operator()<E>().id()), ...);
}

/// The node of a result of a scan; what does not change from step to step is computed in front of it.
template <class F, scan_options Options, class Init, class Xs>
constexpr node control_node(lowering& lower, graph& g, scan_call<F, Options, Init, Xs>*) {
    using call = scan_call<F, Options, Init, Xs>;
    constexpr int own = own_symbols<call>, carries = part_count<Init>;
    list<int> operands;
    lower_operands(lower, operands, parts<Init>());
    lower_operands(lower, operands, parts<Xs>());
    graph const written = written_scan<call>.thaw();
    list<char> const outside = invariant_nodes(written, own);
    list<int> renumbered(written.size(), -1);
    for (int i = 0; i < written.size(); ++i) {
        if (!outside[i]) {
            // constants that it is computed from
            bool constant = true;
            for (int k = 0; k < written[i].operands(); ++k) constant = constant && renumbered[written[i].in[k]] >= 0;
            if (!constant || written[i].is<op::symbol>()) continue;
        }
        node n = adopted(g, written, written[i]);
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
        renumbered[i] = n.is<op::symbol>() ? outer_symbol(lower, written.symbols[static_cast<int>(n.attr.n[0])]) : g.intern(n);
    }
    for (int id : lifted_nodes(written, outside)) operands.push_back(renumbered[id]);
    node n{&info_of<op::scan>, {-1, -1, -1}, dtype::number, {}, {}};
    n.attr.n[0] = body_index(g, scan_body<call>.thaw());
    n.attr.n[1] = carries;
    n.attr.n[2] = op::scan::packed(own - carries, Options.end, Options.reversed);
    n.attr.n[3] = own > carries ? -1 : Options.steps;
    n.attr.value = operands.size();
    n.in[0] = operand_list(g, n, operands);
    return n;
}
template <class P, class A, class B, class... E>
constexpr node control_node(lowering& lower, graph& g, cond_call<P, A, B, E...>*) {
    using call = cond_call<P, A, B, E...>;
    list<int> operands;
    lower_operands(lower, operands, parts<std::tuple<P, E...>>());
    list<symbol_entry> const symbols = branch_symbols<call>();
    for (int s = operands.size(); s < symbols.size(); ++s) operands.push_back(outer_symbol(lower, symbols[s]));
    node n{&info_of<op::cond>, {-1, -1, -1}, dtype::number, {}, {}};
    n.in[0] = operand_list(g, n, operands);
    n.attr.n[0] = body_index(g, branch_body<call, true>.thaw());
    n.attr.n[1] = body_index(g, branch_body<call, false>.thaw());
    n.attr.value = operands.size();
    return n;
}
template <class Call, op::scan_part Part, int K>
constexpr value lower_control(lowering& lower, graph& g, control_expr<Call, Part, K>*) {
    return other_result(g, control_node(lower, g, static_cast<Call*>(nullptr)), Part, K);
}

}  // namespace gradus::inline GRADUS_ARCH::core
