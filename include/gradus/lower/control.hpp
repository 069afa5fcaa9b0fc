// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/cond.hpp>
#include <gradus/expr/implicit.hpp>
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
        if (g[i].is_symbol()) (g[i].symbol() < own ? varies : outside)[i] = 1;
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

/// A body whose symbols are those of a list, the same names in another order.
constexpr graph with_symbols(graph const& written, list<symbol_entry> const& all) {
    graph result = rebuild(written, [&](graph& out, node n) {
        if (n.is_symbol()) {
            int number = 0;
            while (all[number].name != written.symbols[n.symbol()].name) ++number;
            n.attr = op::symbol::numbered(number);
        }
        return out.intern(n);
    });
    result.symbols = all;
    return result;
}
template <class Call, bool IsThen>
inline constexpr auto written_branch = freeze<[] {
    return write_body<typename Call::symbols, std::conditional_t<IsThen, typename Call::then_result, typename Call::else_result>>();
},
                                              64>();

/// The symbols of two bodies, those that have one name once; of the second's, those from `first` on.
constexpr list<symbol_entry> symbols_of_both(graph const& a, graph const& b, int first) {
    list<symbol_entry> all = a.symbols;
    for (int s = first; s < b.symbols.size(); ++s) {
        bool known = false;
        for (symbol_entry const& other : all) known = known || other.name == b.symbols[s].name;
        if (!known) all.push_back(b.symbols[s]);
    }
    return all;
}
template <class Call>
constexpr list<symbol_entry> branch_symbols() {
    return symbols_of_both(written_branch<Call, true>.thaw(), written_branch<Call, false>.thaw(), 0);
}
template <class Call, bool IsThen>
inline constexpr auto branch_body =
    freeze<[] { return pass::simplify_differentiable(with_symbols(written_branch<Call, IsThen>.thaw(), branch_symbols<Call>())); }, 64>();

/// What a body captures, in the graph around it.
constexpr int outer_symbol(lowering& lower, symbol_entry const& s) { return lower.node_named(s.name, s.type); }
template <class... E>
constexpr void lower_operands(lowering& lower, list<int>& operands, std::tuple<E...>*) {
    (operands.push_back(lower.template operator()<E>().id()), ...);
}
/// What a body is handed, and what stands for the symbols behind, which it captures.
template <class Handed>
constexpr list<int> with_captured(lowering& lower, list<symbol_entry> const& symbols) {
    list<int> operands;
    lower_operands(lower, operands, parts<Handed>());
    for (int s = operands.size(); s < symbols.size(); ++s) operands.push_back(outer_symbol(lower, symbols[s]));
    return operands;
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
            if (!constant || written[i].is_symbol()) continue;
        }
        node n = adopted(g, written, written[i]);
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
        renumbered[i] = n.is_symbol() ? outer_symbol(lower, written.symbols[n.symbol()]) : g.intern(n);
    }
    for (int id : lifted_nodes(written, outside)) operands.push_back(renumbered[id]);
    node n{&info_of<op::scan>, {-1, -1, -1}, dtype::number, {}, {}};
    n.attr = op::scan::over(carries, own - carries, Options.end, Options.reversed, Options.steps);
    op::control::set_body(n.attr, 0, body_index(g, scan_body<call>.thaw()));
    op::control::set_operand_count(n.attr, operands.size());
    n.in[0] = operand_list(g, n, operands);
    return n;
}
template <class P, class A, class B, class... E>
constexpr node control_node(lowering& lower, graph& g, cond_call<P, A, B, E...>*) {
    using call = cond_call<P, A, B, E...>;
    list<int> const operands = with_captured<std::tuple<P, E...>>(lower, branch_symbols<call>());
    node n{&info_of<op::cond>, {-1, -1, -1}, dtype::number, {}, {}};
    n.in[0] = operand_list(g, n, operands);
    op::control::set_body(n.attr, 0, body_index(g, branch_body<call, true>.thaw()));
    op::control::set_body(n.attr, 1, body_index(g, branch_body<call, false>.thaw()));
    op::control::set_operand_count(n.attr, operands.size());
    return n;
}
template <class Call>
inline constexpr auto written_function = freeze<[] { return write_body<typename Call::symbols, typename Call::result>(); }, 64>();
template <class Call>
inline constexpr auto written_rule = freeze<[] {
    using rule = typename Call::rule;
    return write_body<joined_tuples<typename Call::symbols, typename Call::outputs, typename rule::template symbols<Call>>,
                      typename rule::template parts<Call>>();
},
                                            64>();
/// A node of a function on operands; the symbols of its rule are the operands, the results, and what derivatives there are.
constexpr node node_with_rule(graph& g, graph function, graph rule, op::derivative_rule kind, list<int> const& operands) {
    node n{&info_of<op::custom>, {-1, -1, -1}, dtype::number, {}, {}};
    op::control::set_body(n.attr, 0, body_index(g, std::move(function)));
    op::control::set_body(n.attr, 1, body_index(g, std::move(rule)));
    op::custom::set_rule(n.attr, kind);
    op::control::set_operand_count(n.attr, operands.size());
    n.in[0] = operand_list(g, n, operands);
    return n;
}

template <class F, class Rule, class... A>
constexpr node control_node(lowering& lower, graph& g, custom_call<F, Rule, A...>*) {
    using call = custom_call<F, Rule, A...>;
    constexpr int handed = sizeof...(A);
    graph const function = written_function<call>.thaw(), rule = written_rule<call>.thaw();
    int const own = handed + part_count<typename call::result> + part_count<typename Rule::template symbols<call>>;
    list<symbol_entry> const symbols = symbols_of_both(function, rule, own);
    list<symbol_entry> of_rule = symbols;
    for (int s = handed; s < own; ++s) of_rule.push_back(rule.symbols[s]);
    return node_with_rule(g, with_symbols(function, symbols), with_symbols(rule, of_rule), Rule::kind,
                          with_captured<std::tuple<A...>>(lower, symbols));
}
/// The tangents of a solution: of f(x, a) = 0 with df/dx = J they are -J^-1 df/da da. `equation` has f and J as its results, and the
/// solution as the symbol behind those that were handed in.
constexpr graph tangents_of_solution(graph const& equation, list<symbol_entry> const& symbols, int handed) {
    list<symbol_entry> all = symbols;
    all.push_back(equation.symbols[handed]);
    int const first = all.size();
    for (symbol_entry const& s : symbols) all.push_back({"tangent", s.type});
    graph rule = with_symbols(equation, all);
    int const f = rule.outputs[0].node;
    value const jacobian{rule, rule.outputs[1].node};
    list<int> tangents(rule.size(), -1);
    for (int s = 0; s < symbols.size(); ++s)
        if (int const at = find_symbol(rule, s, tangents.size()); at >= 0 && is_floating(rule[at].type))
            tangents[at] = symbol_at(rule, first + s).id();
    push_forward(rule, tangents, 0);
    tensor_type const type = rule[f].result();
    value r = tangents[f] < 0 ? zeros(rule, type) : value{rule, tangents[f]};
    if (type.shape.rank() == 0) r = -r / jacobian;
    else {
        extent const n = type.shape.rank() == 1 ? type.shape[0] : extent(type.shape.static_size());
        r = (-apply<op::solve>(jacobian.reshape({n, n}), r.reshape({n}))).reshape(type.shape);
    }
    rule.outputs = {};
    rule.outputs.push_back({r.id(), -1});
    return rule;
}
template <op::loop_end Kind, std::int64_t Steps, class F, class... A>
constexpr node control_node(lowering& lower, graph& g, custom_call<solver<Kind, Steps, F>, implicit_rule<Kind, F>, A...>*) {
    using call = custom_call<solver<Kind, Steps, F>, implicit_rule<Kind, F>, A...>;
    constexpr int handed = sizeof...(A);
    graph const function = written_function<call>.thaw(), equation = written_rule<call>.thaw();
    list<symbol_entry> const symbols = symbols_of_both(function, equation, handed + 1);
    return node_with_rule(g, with_symbols(function, symbols), tangents_of_solution(equation, symbols, handed),
                          op::derivative_rule::tangents, with_captured<std::tuple<A...>>(lower, symbols));
}
template <class Call, op::scan_part Part, int K>
constexpr value lower_control(lowering& lower, graph& g, control_expr<Call, Part, K>*) {
    return other_result(g, control_node(lower, g, static_cast<Call*>(nullptr)), Part, K);
}

}  // namespace gradus::inline GRADUS_ARCH::core
