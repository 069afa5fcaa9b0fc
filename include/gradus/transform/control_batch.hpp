// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control_facts.hpp>
#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/differentiate.hpp>

// Loops and choices for all instances under gr::vmap: one loop whose body is the body for all instances, and one choice where all
// instances choose alike; where each has a predicate of its own both branches run and elements are selected, as in JAX.
namespace gradus::inline GRADUS_ARCH::core {

/// Which results of a body depend on symbols that have an axis of instances?
constexpr list<char> mapped_outputs(graph const& body, list<char> const& symbols) {
    list<char> depends(body.size(), 0), result;
    for (int i = 0; i < body.size(); ++i) {
        if (body[i].is_symbol()) depends[i] = symbols[body[i].symbol()];
        for (int k = 0; k < 3 && body[i].in[k] >= 0; ++k) depends[i] = depends[i] || depends[body[i].in[k]];
    }
    for (output_entry const& o : body.outputs) result.push_back(depends[o.node]);
    return result;
}
/// A body for all instances: symbols and results get an axis of them as the lists say. One of the symbols has it.
constexpr graph body_of_instances(graph const& body, list<char> const& symbols, list<char> const& outputs, extent count) {
    attributes const level{};
    graph written = rebuild(body, [&](graph& out, node n) {
        if (!n.is_symbol() || !symbols[n.symbol()]) return out.intern(n);
        n.shape = op::in_front(count, n.shape);
        int const all = out.intern(n);
        return value::emit<op::instance>(out, level, {}, {value{out, all}}).id();
    });
    int any = -1;
    for (int s = 0; s < written.symbols.size(); ++s) {
        if (!symbols[s]) continue;
        written.symbols[s].type.shape = op::in_front(count, written.symbols[s].type.shape);
        any = symbol_at(written, s).id();
    }
    for (int o = 0; o < outputs.size(); ++o)
        if (outputs[o])
            written.outputs[o].node =
                value::emit<op::vmap>(written, level, {}, {value{written, written.outputs[o].node}, value{written, any}}).id();
    return pass::dead_code(pass::differentiate(written));
}

/// An operand for all instances, or as it is.
constexpr int instances_of_operand(graph& g, int id, bool wanted, extent count, list<char> const& mapped, list<int> const& all) {
    if (!wanted) return id;
    return mapped[id] ? all[id] : value{g, id}.broadcast_to(op::in_front(count, g[id].shape)).id();
}
constexpr value first_two_exchanged(value x) {
    attributes order;
    for (int i = 0; i < x.shape().rank(); ++i) order.n[i] = i < 2 ? 1 - i : i;
    return x.transpose(order);
}

/// The result that node `id` is of a loop. A carry has instances if its first value does, or the next one does then.
constexpr int batch_scan(graph& g, int id, extent count, list<char> const& mapped, list<int> const& all) {
    node n = g[id];
    list<int> operands = control_operands(g, n);
    graph const body = body_of(g, n);
    int const carries = op::scan::carries(n.attr);
    list<char> symbols, outputs;
    for (int operand : operands) symbols.push_back(mapped[operand]);
    for (bool grows = true; grows;) {
        grows = false;
        outputs = mapped_outputs(body, symbols);
        for (int k = 0; k < carries; ++k) {
            if (outputs[k] && !symbols[k]) symbols[k] = grows = true;
            outputs[k] = symbols[k];
        }
    }
    for (int k = 0; k < operands.size(); ++k) {
        operands[k] = instances_of_operand(g, operands[k], symbols[k], count, mapped, all);
        if (symbols[k] && is_walked(n, k)) operands[k] = first_two_exchanged({g, operands[k]}).id();
    }
    int const from = output_of(n);
    bool const rows = op::scan::part(n.attr) == op::scan_part::stack || op::scan::part(n.attr) == op::scan_part::states;
    op::control::set_body(n.attr, 0, body_index(g, body_of_instances(body, symbols, outputs, count)));
    n.in[0] = operand_list(g, n, operands);
    value const made = control_value(g, n);
    if (!outputs[from]) return made.broadcast_to(op::in_front(count, made.shape())).id();
    return rows ? first_two_exchanged(made).id() : made.id();
}

/// The nodes of a body in the graph around it: which each of its nodes is there.
constexpr list<int> inlined_nodes(graph& g, graph const& body, list<int> const& operands) {
    list<int> renumbered(body.size(), -1);
    for (int i = 0; i < body.size(); ++i) {
        if (body[i].is_symbol()) {
            renumbered[i] = operands[body[i].symbol()];
            continue;
        }
        node n = adopted(g, body, body[i]);
        for (int k = 0; k < 3 && n.in[k] >= 0; ++k) n.in[k] = renumbered[n.in[k]];
        renumbered[i] = g.intern(n);
    }
    return renumbered;
}
constexpr int inlined(graph& g, graph const& body, list<int> const& operands, int output) {
    return inlined_nodes(g, body, operands)[body.outputs[output].node];
}
/// The result that node `id` is of a function with a rule: all operands get an axis of instances, so that the rule's derivatives have it.
constexpr int batch_custom(graph& g, int id, extent count, list<char> const& mapped, list<int> const& all) {
    node n = g[id];
    list<int> operands = control_operands(g, n);
    for (int& operand : operands) operand = instances_of_operand(g, operand, true, count, mapped, all);
    for (int which = 0; which < named_bodies(n); ++which) {
        graph const body = body_of(g, n, which);
        op::control::set_body(
            n.attr, which,
            body_index(g, body_of_instances(body, list<char>(body.symbols.size(), 1), list<char>(body.outputs.size(), 1), count)));
    }
    n.in[0] = operand_list(g, n, operands);
    return control_value(g, n).id();
}
/// a where p holds, b elsewhere; of bools too, which where takes none of.
constexpr int chosen(graph& g, value p, value a, value b) {
    if (a.type() != dtype::boolean) return gradus::where(p, a, b).id();
    return either_of(g, both_of(g, p.id(), a.id()), both_of(g, negation_of(g, p.id()), b.id()));
}
/// The result that node `id` is of a choice.
constexpr int batch_cond(graph& g, int id, extent count, list<char> const& mapped, list<int> const& all) {
    node n = g[id];
    list<int> operands = control_operands(g, n);
    list<char> symbols;
    for (int operand : operands) symbols.push_back(mapped[operand]);
    list<char> outputs = mapped_outputs(body_of(g, n), symbols);
    list<char> const others = mapped_outputs(body_of(g, n, 1), symbols);
    for (int o = 0; o < outputs.size(); ++o) outputs[o] = outputs[o] || others[o] || symbols[0];
    graph bodies[2] = {body_of_instances(body_of(g, n), symbols, outputs, count),
                       body_of_instances(body_of(g, n, 1), symbols, outputs, count)};
    for (int k = 0; k < operands.size(); ++k) operands[k] = instances_of_operand(g, operands[k], symbols[k], count, mapped, all);
    int const from = output_of(n);
    if (symbols[0]) {
        value const a{g, inlined(g, bodies[0], operands, from)}, b{g, inlined(g, bodies[1], operands, from)};
        shape column{count};
        while (column.rank() < a.shape().rank()) column.push_back(1);
        value const p = value{g, operands[0]}.reshape(column);
        return chosen(g, p.type() == dtype::boolean ? p : p != 0, a, b);
    }
    n.in[0] = operand_list(g, n, operands);
    for (int which = 0; which < 2; ++which) op::control::set_body(n.attr, which, body_index(g, std::move(bodies[which])));
    value const made = control_value(g, n);
    return outputs[from] ? made.id() : made.broadcast_to(op::in_front(count, made.shape())).id();
}

}  // namespace gradus::inline GRADUS_ARCH::core
