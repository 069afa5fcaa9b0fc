// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control.hpp>
#include <gradus/op/control_flow.hpp>

// What control nodes (op/control_flow.hpp) and their bodies say in their attributes and operands.
namespace gradus::inline GRADUS_ARCH::core {

constexpr graph const& body_of(graph const& g, node const& n, int which = 0) { return g.bodies[op::control::body(n.attr, which)]; }

/// Equal graphs but for the names of symbols.
constexpr bool same_structure(graph const& a, graph const& b) {
    bool same = a.size() == b.size() && a.symbols.size() == b.symbols.size() && a.outputs.size() == b.outputs.size() &&
                a.bodies.size() == b.bodies.size();
    for (int i = 0; same && i < a.size(); ++i) same = a[i] == b[i];
    for (int i = 0; same && i < a.symbols.size(); ++i) same = a.symbols[i].type == b.symbols[i].type;
    for (int i = 0; same && i < a.outputs.size(); ++i) same = a.outputs[i].node == b.outputs[i].node;
    for (int i = 0; same && i < a.bodies.size(); ++i) same = same_structure(a.bodies[i], b.bodies[i]);
    return same;
}
/// The number of a body equal to this one, appended if there is none yet.
constexpr int body_index(graph& g, graph body) {
    for (int i = 0; i < g.bodies.size(); ++i)
        if (same_structure(g.bodies[i], body)) return i;
    g.bodies.push_back(std::move(body));
    return g.bodies.size() - 1;
}
/// A node of another graph, with bodies of this one.
constexpr node adopted(graph& g, graph const& from, node n) {
    for (int which = 0; is_control(n) && which < named_bodies(n); ++which)
        op::control::set_body(n.attr, which, body_index(g, body_of(from, n, which)));
    return n;
}

/// Takes away the bodies that no node names.
constexpr void drop_unused_bodies(graph& g) {
    list<char> used(g.bodies.size(), 0);
    auto const each = [](node const& n, auto f) {
        for (int which = 0; is_control(n) && which < named_bodies(n); ++which) f(which, op::control::body(n.attr, which));
    };
    for (node const& n : g.nodes) each(n, [&](int, int body) { used[body] = 1; });
    list<int> number(g.bodies.size(), -1);
    subgraphs kept;
    for (int b = 0; b < g.bodies.size(); ++b) {
        if (!used[b]) continue;
        number[b] = kept.size();
        kept.push_back(g.bodies[b]);
    }
    if (kept.size() == g.bodies.size()) return;
    for (node& n : g.nodes) each(n, [&](int which, int body) { op::control::set_body(n.attr, which, number[body]); });
    g.bodies = std::move(kept);
}

/// The nodes that a control node is applied to.
constexpr list<int> control_operands(auto const& g, node const& n) {
    list<int> result(op::control::operand_count(n.attr), -1);
    int at = n.in[0];
    for (int k = result.size() - 1; k > 0; --k) {
        result[k] = g[at].in[1];
        at = g[at].in[0];
    }
    result[0] = at;
    return result;
}
/// Is operand k walked along its first axis?
constexpr bool is_walked(node const& n, int k) {
    return is_loop(n) && k >= op::scan::carries(n.attr) && k < op::scan::carries(n.attr) + op::scan::walked(n.attr);
}

/// The trip count of a scan.
constexpr extent steps_of(auto const& g, node const& n) {
    if (op::scan::walked(n.attr) == 0) return op::scan::steps(n.attr);
    return g[control_operands(g, n)[op::scan::carries(n.attr)]].shape[0];
}
/// Is there a loop that fails where its steps do not suffice?
constexpr bool may_fail(graph const& g) {
    bool found = false;
    for (int b = 0; !found && b < g.bodies.size(); ++b) found = may_fail(g.bodies[b]);
    for (int i = 0; !found && i < g.size(); ++i) found = is_loop(g[i]) && op::scan::end(g[i].attr) != op::loop_end::steps;
    return found;
}
/// The number of the body's output that a result comes from.
constexpr int output_of(node const& n) {
    int const k = result_of(n.attr);
    bool const carried = !is_loop(n) || op::scan::part(n.attr) == op::scan_part::last || op::scan::part(n.attr) == op::scan_part::states;
    return carried ? k : op::scan::carries(n.attr) + k;
}
/// What a result is by its body.
constexpr tensor_type control_result(graph const& g, node const& n) {
    graph const& body = body_of(g, n);
    tensor_type const one = body[body.outputs[output_of(n)].node].result();
    bool const in_rows = is_loop(n) && (op::scan::part(n.attr) == op::scan_part::stack || op::scan::part(n.attr) == op::scan_part::states);
    return in_rows ? stacked(one, steps_of(g, n)) : one;
}

/// What is wrong with a control node; empty where nothing is.
constexpr text control_fault(graph const& g, node const& n) {
    list<int> const operands = control_operands(g, n);
    for (int which = 0; which < body_count(n); ++which) {
        graph const& body = body_of(g, n, which);
        if (body.symbols.size() != operands.size())
            return concat("the body has ", body.symbols.size(), " symbols, there are ", operands.size(), " operands");
        for (int k = 0; k < operands.size(); ++k) {
            tensor_type const expected = is_walked(n, k) ? stacked(body.symbols[k].type, steps_of(g, n)) : body.symbols[k].type;
            if (!(g[operands[k]].result() == expected))
                return concat("operand ", k, " is ", g[operands[k]].result(), ", the body needs ", expected);
        }
        for (int k = 0; is_loop(n) && k < op::scan::carries(n.attr); ++k)
            if (!(body[body.outputs[k].node].result() == body.symbols[k].type)) return concat("carry ", k, " changes its type");
    }
    if (!(control_result(g, n) == n.result())) return concat("is ", n.result(), ", the rule says ", control_result(g, n));
    return {};
}

/// The list of operands with one more; walked along rows, or the first one is.
constexpr int append_operand(graph& g, int before, int operand, bool walked, bool first_walked) {
    node const pair{&info_of<op::operands>, {before, operand, -1}, dtype::number, {}, op::operands::walked(walked, first_walked)};
    return g.intern(pair);
}
/// All operands of a node whose attributes say which are walked.
constexpr int operand_list(graph& g, node const& n, list<int> const& operands) {
    int at = operands[0];
    for (int k = 1; k < operands.size(); ++k) at = append_operand(g, at, operands[k], is_walked(n, k), k == 1 && is_walked(n, 0));
    return at;
}
/// A control node, of the type that its body gives it.
constexpr value control_value(graph& g, node n) {
    tensor_type const type = control_result(g, n);
    n.type = type.type;
    n.shape = type.shape;
    return {g, g.intern(n)};
}
/// ` last 0 steps=100 body=2`.
constexpr void describe_control(text& out, graph const& g, node const& n) {
    if (is_loop(n)) {
        constexpr std::string_view parts[] = {" last ", " stack ", " sum ", " states "};
        append(out,
               concat(parts[static_cast<int>(op::scan::part(n.attr))], result_of(n.attr), op::scan::is_reversed(n.attr) ? " reversed" : "")
                   .view());
        if (op::scan::end(n.attr) != op::loop_end::steps) append(out, " while 0");
        if (!(steps_of(g, n) == extent(op::unbounded))) append(out, concat(" steps=", steps_of(g, n)).view());
    }
    if (!is_loop(n)) append(out, concat(' ', result_of(n.attr)).view());
    for (int which = 0; is_control(n) && which < named_bodies(n); ++which)
        append(out, concat(which ? "," : " body=", op::control::body(n.attr, which)).view());
}

/// The symbol of that number in a graph.
constexpr value symbol_at(graph& g, int number) {
    tensor_type const& type = g.symbols[number].type;
    return {g, g.intern({&info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, op::symbol::numbered(number)})};
}
}  // namespace gradus::inline GRADUS_ARCH::core
