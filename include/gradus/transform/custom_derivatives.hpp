// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/control_derivatives.hpp>

// Functions with a rule for their derivative (op::custom): the rule's nodes are the derivative.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A rule in the other mode: it is linear in its last symbols, from `linear` on, so that the derivative of its results with respect to
/// these is the transposed rule. Symbols for the cotangents of its results follow, and its results become those of the last symbols.
constexpr graph transposed_rule(graph const& rule, int linear) {
    graph made = rule;
    list<int> found(rule.size(), -1);
    made.outputs = {};
    int const count = rule.symbols.size();
    for (output_entry const& o : rule.outputs) {
        made.symbols.push_back({"cotangent", rule[o.node].result()});
        if (is_floating(rule[o.node].type)) add_cotangent(made, found, o.node, symbol_at(made, made.symbols.size() - 1).id());
    }
    sweep(made, found);
    for (int s = linear; s < count; ++s) {
        int const at = find_symbol(rule, s, rule.size());
        int const of = at < 0 || !is_floating(rule[at].type) ? -1 : found[at];
        made.outputs.push_back({of < 0 ? zeros(made, rule.symbols[s].type).id() : of, -1});
    }
    return made;
}

/// The results of a rule on the operands, the results and the derivatives `given`, in the graph around it.
constexpr list<int> results_of_rule(graph& g, node const& of, op::derivative_rule mode, list<int> const& given) {
    list<int> symbols = control_operands(g, of);
    int const results = body_of(g, of).outputs.size();
    for (int k = 0; k < results; ++k) symbols.push_back(other_result(g, of, {}, k).id());
    graph rule = body_of(g, of, 1);
    if (op::custom::rule(of.attr) != mode) {
        int const linear = symbols.size();
        for (int s = linear; s < rule.symbols.size(); ++s) symbols.push_back(zeros(g, rule.symbols[s].type).id());
        rule = transposed_rule(rule, linear);
    }
    for (int id : given) symbols.push_back(id);
    list<int> const nodes = inlined_nodes(g, rule, symbols);
    list<int> made;
    for (output_entry const& o : rule.outputs) made.push_back(nodes[o.node]);
    return made;
}

constexpr void custom_vjp(graph& g, int first, list<int>& cotangents) {
    list<int> const results = with_cotangents(g, first, cotangents);
    if (results.empty()) return;
    node const of = g[first];
    list<int> const operands = control_operands(g, of);
    selection const selected = common_selection(g, results, cotangents);
    list<int> given;
    graph const body = body_of(g, of);
    for (int k = 0; k < body.outputs.size(); ++k) given.push_back(zeros(g, body[body.outputs[k].node].result()).id());
    for (int r : results) given[result_of(g[r].attr)] = cotangents[r];
    list<int> const derivatives = results_of_rule(g, of, op::derivative_rule::cotangents, given);
    for (int s = 0; s < operands.size() && s < derivatives.size(); ++s)
        if (is_floating(g[operands[s]].type)) add_cotangent(g, cotangents, operands[s], selected.again(g, derivatives[s]));
}
constexpr void custom_jvp(graph& g, int first, list<int>& tangents) {
    node const of = g[first];
    list<int> const operands = control_operands(g, of);
    list<int> given;
    bool depends = false;
    for (int operand : operands) {
        bool const has = tangents[operand] >= 0 && is_floating(g[operand].type);
        depends = depends || has;
        given.push_back(has ? tangents[operand] : zeros(g, g[operand].result()).id());
    }
    if (!depends) return;
    list<int> const derivatives = results_of_rule(g, of, op::derivative_rule::tangents, given);
    for (int i = first; i < tangents.size(); ++i)
        if (is_same_call(g[i], of) && is_floating(g[i].type)) tangents[i] = derivatives[result_of(g[i].attr)];
}

}  // namespace core

template <>
inline constexpr auto info_of<op::custom> = control_info{core::control_operation<op::custom>,
                                                         &core::custom_vjp,
                                                         &core::custom_jvp,
                                                         [](graph const&, node const&) { return shape{}; },
                                                         &core::control_fault,
                                                         &core::describe_control,
                                                         &core::recomputes,
                                                         &core::batch_custom};

namespace core {
constexpr bool has_custom(graph const& g) {
    bool found = false;
    for (int i = 0; i < g.size(); ++i) found = found || is_function(g[i]);
    return found;
}
/// Functions with a rule become what they compute.
constexpr graph without_custom(graph const& g) {
    return rebuild(g, [](graph& out, node const& n) {
        if (!is_function(n)) return out.intern(n);
        graph const body = body_of(out, n);
        return inlined(out, body, control_operands(out, n), result_of(n.attr));
    });
}
}  // namespace core

}  // namespace gradus::inline GRADUS_ARCH
