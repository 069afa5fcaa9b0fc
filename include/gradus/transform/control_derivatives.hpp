// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/control_facts.hpp>
#include <gradus/transform/control_batch.hpp>
#include <gradus/transform/differentiate.hpp>

// Derivatives of control nodes are control nodes, whose bodies are derivatives of the bodies.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A control node under construction: bodies with symbols in any order, and what each symbol stands for outside.
class control_draft {
public:
    enum role { carried, walked, constant };

    list<graph> bodies;  ///< with as many outputs as the node is to have, the next carries first

    constexpr control_draft(graph& outer, node const& of) : outer_(outer), of_(of) {
        for (int which = 0; which < body_count(of); ++which) bodies.push_back(body_of(outer, of, which));
        for (graph& body : bodies) body.outputs = {};
    }
    constexpr int add(role r, tensor_type const& type, int operand) {
        for (graph& body : bodies)
            if (body.symbols.size() == roles_.size()) body.symbols.push_back({"derivative", type});
        roles_.push_back(r);
        operands_.push_back(operand);
        return roles_.size() - 1;
    }
    constexpr value symbol(int which, int number) { return symbol_at(bodies[which], number); }

    /// Leaves out the symbols that no body reads (not the carries), and sorts the others: carried, walked, constant.
    constexpr void finish(bool reversed, op::loop_end end = op::loop_end::steps) {
        list<char> used(roles_.size(), 0);
        for (graph const& body : bodies) {
            list<char> const needed = needed_nodes(body);
            for (int i = 0; i < body.size(); ++i)
                if (needed[i] && body[i].is_symbol()) used[body[i].symbol()] = 1;
        }
        extent const steps = is_loop(of_) ? steps_of(outer_, of_) : extent(0);
        int counts[3]{}, counting = -1;  // rows that tell the number of steps where nothing else does
        for (int s = 0; s < roles_.size(); ++s)
            if (roles_[s] == walked && (used[s] || (counting < 0 && !steps.is_static()))) counting = s;
        if (counting >= 0) used[counting] = 1;
        bool any = false;
        for (int s = 0; s < roles_.size(); ++s) any = any || used[s] || roles_[s] == carried;
        if (!any) used[0] = 1;  // a list of operands has one at least
        list<int> number(roles_.size(), -1), kept;
        for (int r : {carried, walked, constant})
            for (int s = 0; s < roles_.size(); ++s) {
                if (roles_[s] != r || (r != carried && !used[s])) continue;
                number[s] = kept.size();
                kept.push_back(s);
                ++counts[r];
            }
        for (int which = 0; which < bodies.size(); ++which) {
            graph sorted = rebuild(bodies[which], [&](graph& out, node n) {
                if (n.is_symbol()) n.attr = op::symbol::numbered(number[n.symbol()]);
                return out.intern(n);
            });
            sorted.symbols = {};
            for (int s : kept) sorted.symbols.push_back(bodies[which].symbols[s]);
            attr_.n[which] = body_index(outer_, std::move(sorted));
        }
        if (is_loop(of_)) {
            attr_.n[1] = counts[carried];
            attr_.n[2] = op::scan::packed(counts[walked], end, reversed);
            attr_.n[3] = counts[walked] ? -1 : steps.code;
        }
        attr_.value = kept.size();
        list<int> operands;
        for (int s : kept) operands.push_back(operands_[s]);
        list_ = operand_list(outer_, {of_.op, {-1, -1, -1}, dtype::number, {}, attr_}, operands);
    }
    /// Result k, after finish().
    constexpr value result(op::scan_part part, int k) {
        node n{of_.op, {list_, -1, -1}, dtype::number, {}, attr_};
        if (is_loop(of_)) op::scan::set_part(n.attr, part);
        n.attr = of_result(n.attr, k);
        return control_value(outer_, n);
    }

private:
    graph& outer_;
    node of_;
    list<role> roles_;
    list<int> operands_;
    attributes attr_{};
    int list_ = -1;
};

constexpr value zeros(graph& g, tensor_type const& like) { return value::constant(g, 0, like.type).broadcast_to(like.shape); }
/// The single element that a larger value repeats, as the derivative of a mean does; -1 where it is another value.
constexpr int repeated_scalar(graph const& g, int id) {
    int at = id;
    while (!g[at].shape.is_single() && g[at].op->kind == op_kind::view) at = g[at].in[0];
    return g[at].shape.is_single() && at != id ? at : -1;
}
constexpr void add_cotangent(graph& g, list<int>& cotangents, int at, int part) {
    cotangents[at] = add_derivatives(g, cotangents[at], part);
}
/// The node of a symbol among the first `count` of a graph; -1 where there is none.
constexpr int find_symbol(graph const& g, int number, int count) {
    for (int i = 0; i < count; ++i)
        if (g[i].is_symbol() && g[i].symbol() == number) return i;
    return -1;
}
/// Another result of the loop that a node is a result of.
constexpr value other_result(graph& g, node n, op::scan_part part, int k) {
    op::scan::set_part(n.attr, part);
    n.attr = of_result(n.attr, k);
    return control_value(g, n);
}

/// The results that run together with node `first` and have a cotangent.
constexpr list<int> with_cotangents(graph const& g, int first, list<int> const& cotangents) {
    list<int> result;
    for (int i = first; i < cotangents.size(); ++i)
        if (cotangents[i] >= 0 && is_same_call(g[i], g[first]) && is_floating(g[i].type) && !is_zero(g, cotangents[i])) result.push_back(i);
    return result;
}

/// The one condition, a single element, that selects all of these cotangents; a selection without a condition where there is none.
/// Cotangents become what it selects.
constexpr selection common_selection(graph& g, list<int> const& results, list<int>& cotangents) {
    selection common(-1, -1, true);
    for (int r : results) {
        selection const s(g, cotangents[r]);
        if (!s.found() || !g[s.condition].shape.is_single() || (common.found() && !common.same_condition(s))) return {-1, -1, true};
        common = s;
    }
    common.condition = value{g, common.condition}.reshape({}).id();
    for (int r : results) cotangents[r] = repeated_to(g, selection(g, cotangents[r]).of, g[r].shape);
    return common;
}

/// Reverse mode of a loop: a loop in the other direction over the carries before each step, which are stored, and the rows. It
/// carries the cotangents of the carry, sums those of what is the same in every step and stacks those of the rows.
constexpr void scan_vjp(graph& g, int first, list<int>& cotangents) {
    list<int> const results = with_cotangents(g, first, cotangents);
    if (results.empty()) return;
    node const of = g[first];
    if (op::scan::steps(of.attr) == op::unbounded)
        refuse<
            "gradus::grad(f, x): f depends on x through a gr::while_loop without a bound: reverse mode keeps what a step starts with. "
            "Write gr::while_loop<1000>(condition, body, init), or take the derivative by gr::jvp",
            std::logic_error>();
    list<int> const operands = control_operands(g, of);
    selection const selected = common_selection(g, results, cotangents);
    graph const& f = body_of(g, of);
    int const carries = op::scan::carries(of.attr);

    control_draft draft(g, of);
    for (int s = 0; s < operands.size(); ++s) {
        if (s < carries) draft.add(control_draft::walked, f.symbols[s].type, other_result(g, of, op::scan_part::states, s).id());
        else draft.add(is_walked(of, s) ? control_draft::walked : control_draft::constant, f.symbols[s].type, operands[s]);
    }
    graph& body = draft.bodies[0];
    list<int> inner(f.size(), -1), later(carries, -1);
    for (int k = 0; k < carries; ++k) {
        if (!is_floating(f.symbols[k].type.type)) continue;
        int init = -1;
        for (int r : results)
            if (op::scan::part(g[r].attr) == op::scan_part::last && result_of(g[r].attr) == k) init = cotangents[r];
        if (init < 0) init = zeros(g, f.symbols[k].type).id();
        value const c = draft.symbol(0, draft.add(control_draft::carried, f.symbols[k].type, init));
        add_cotangent(body, inner, f.outputs[k].node, c.id());
    }
    for (int r : results) {
        op::scan_part const part = op::scan::part(g[r].attr);
        int const k = result_of(g[r].attr);
        if (part == op::scan_part::last) continue;
        bool const summed = part == op::scan_part::sum;
        tensor_type const type = summed ? g[r].result() : row_of(g[r].result());
        value c = 0;
        if (int const constant = constant_behind(g, cotangents[r]); constant >= 0)
            c = value::constant(body, g[constant].attr.value, type.type).broadcast_to(type.shape);
        else if (int const scalar = repeated_scalar(g, cotangents[r]); scalar >= 0)
            c = draft.symbol(0, draft.add(control_draft::constant, {type.type, {}}, value{g, scalar}.reshape({}).id()))
                    .broadcast_to(type.shape);
        else c = draft.symbol(0, draft.add(summed ? control_draft::constant : control_draft::walked, type, cotangents[r]));
        if (part == op::scan_part::states) later[k] = c.id();
        else add_cotangent(body, inner, f.outputs[carries + k].node, c.id());
    }
    sweep(body, inner);

    auto cotangent_of = [&](int s) {
        int const at = find_symbol(f, s, f.size());
        return at < 0 || !is_floating(f.symbols[s].type.type) ? -1 : inner[at];
    };
    for (int k = 0; k < carries; ++k) {
        if (!is_floating(f.symbols[k].type.type)) continue;
        int next = cotangent_of(k);
        if (later[k] >= 0) next = next < 0 ? later[k] : (value{body, next} + value{body, later[k]}).id();
        body.outputs.push_back({next < 0 ? zeros(body, f.symbols[k].type).id() : next, -1});
    }
    for (int s = carries; s < operands.size(); ++s)
        if (int const c = cotangent_of(s); c >= 0) body.outputs.push_back({c, -1});
    list<char> has(operands.size(), 0);
    for (int s = carries; s < operands.size(); ++s) has[s] = cotangent_of(s) >= 0;
    draft.finish(!op::scan::is_reversed(of.attr));

    int at = 0;
    for (int k = 0; k < carries; ++k)
        if (is_floating(f.symbols[k].type.type))
            add_cotangent(g, cotangents, operands[k], selected.again(g, draft.result(op::scan_part::last, at++).id()));
    at = 0;
    for (int s = carries; s < operands.size(); ++s)
        if (has[s])
            add_cotangent(g, cotangents, operands[s],
                          selected.again(g, draft.result(is_walked(of, s) ? op::scan_part::stack : op::scan_part::sum, at++).id()));
}

/// Reverse mode of a choice: the chosen branch's, of the operands that either branch reads.
constexpr void cond_vjp(graph& g, int first, list<int>& cotangents) {
    list<int> const results = with_cotangents(g, first, cotangents);
    if (results.empty()) return;
    node const of = g[first];
    list<int> const operands = control_operands(g, of);
    selection const selected = common_selection(g, results, cotangents);
    control_draft draft(g, of);
    auto f = [&](int b) -> graph const& { return body_of(g, of, b); };
    for (int s = 0; s < operands.size(); ++s)
        draft.add(s ? control_draft::constant : control_draft::carried, f(0).symbols[s].type, operands[s]);
    list<list<int>> inner;
    for (int b = 0; b < 2; ++b) inner.push_back(list<int>(f(b).size(), -1));
    for (int r : results) {
        int const s = draft.add(control_draft::constant, g[r].result(), cotangents[r]), k = result_of(g[r].attr);
        for (int b = 0; b < 2; ++b) add_cotangent(draft.bodies[b], inner[b], f(b).outputs[k].node, draft.symbol(b, s).id());
    }
    for (int b = 0; b < 2; ++b) {
        draft.bodies[b].zeros_stay = true;  // what the outer graph has not selected is a 0 here that only run time tells
        sweep(draft.bodies[b], inner[b]);
    }
    list<int> reached;
    for (int s = 1; s < operands.size(); ++s) {
        tensor_type const& type = f(0).symbols[s].type;
        int part[2];
        for (int b = 0; b < 2; ++b) {
            int const at = find_symbol(f(b), s, f(b).size());
            part[b] = at < 0 || !is_floating(type.type) ? -1 : inner[b][at];
        }
        if (part[0] < 0 && part[1] < 0) continue;
        reached.push_back(s);
        for (int b = 0; b < 2; ++b) draft.bodies[b].outputs.push_back({part[b] < 0 ? zeros(draft.bodies[b], type).id() : part[b], -1});
    }
    if (reached.empty()) return;
    draft.finish(false);
    for (int k = 0; k < reached.size(); ++k)
        add_cotangent(g, cotangents, operands[reached[k]], selected.again(g, draft.result({}, k).id()));
}
/// Forward mode: the bodies compute the derivatives beside what they depend on.
constexpr void control_jvp(graph& g, int first, list<int>& tangents) {
    node const of = g[first];
    list<int> const operands = control_operands(g, of);
    bool const loop = is_loop(of);
    int const carries = loop ? op::scan::carries(of.attr) : 0;
    auto has_tangent = [&](int s) {
        return tangents[operands[s]] >= 0 && is_floating(g[operands[s]].type) && !is_zero(g, tangents[operands[s]]);
    };
    bool depends = false;
    for (int s = 0; s < operands.size(); ++s) depends = depends || has_tangent(s);
    if (!depends) return;

    control_draft draft(g, of);
    int const branches = body_count(of);
    auto f = [&](int b) -> graph const& { return body_of(g, of, b); };
    auto role_of = [&](int s) {
        return s < carries || (!loop && s == 0) ? control_draft::carried
               : is_walked(of, s)               ? control_draft::walked
                                                : control_draft::constant;
    };
    for (int s = 0; s < operands.size(); ++s) draft.add(role_of(s), f(0).symbols[s].type, operands[s]);
    list<list<int>> inner;
    for (int b = 0; b < branches; ++b) inner.push_back(list<int>(f(b).size(), -1));
    list<int> number(carries, -1);  // of the carry's derivative among the carries
    int all = carries;
    for (int s = 0; s < operands.size(); ++s) {
        tensor_type const type = f(0).symbols[s].type;
        bool const carry = s < carries && is_floating(type.type);
        if (!carry && !has_tangent(s)) continue;
        if (carry) number[s] = all++;
        int const t = draft.add(role_of(s), type, has_tangent(s) ? tangents[operands[s]] : zeros(g, type).id());
        for (int b = 0; b < branches; ++b)
            if (int const at = find_symbol(f(b), s, f(b).size()); at >= 0) inner[b][at] = draft.symbol(b, t).id();
    }
    list<int> found;  // per output beside the carries: its number among the results
    for (int b = 0; b < branches; ++b) {
        draft.bodies[b].zeros_stay = !loop;
        push_forward(draft.bodies[b], inner[b], 0);
    }
    for (int b = 0; b < branches; ++b) {
        graph& body = draft.bodies[b];
        auto derivative = [&](int o) { return inner[b][f(b).outputs[o].node]; };
        for (int k = 0; k < carries; ++k) body.outputs.push_back(f(b).outputs[k]);
        for (int k = 0; k < carries; ++k)
            if (number[k] >= 0) body.outputs.push_back({derivative(k) < 0 ? zeros(body, f(b).symbols[k].type).id() : derivative(k), -1});
        for (int o = carries; o < f(b).outputs.size(); ++o) {
            tensor_type const type = f(b)[f(b).outputs[o].node].result();
            bool reached = false;
            for (int other = 0; other < branches; ++other)
                reached = reached || (is_floating(type.type) && inner[other][f(other).outputs[o].node] >= 0);
            if (b == 0) found.push_back(reached ? body.outputs.size() - all : -1);
            if (reached) body.outputs.push_back({derivative(o) < 0 ? zeros(body, type).id() : derivative(o), -1});
        }
    }
    if (loop) draft.finish(op::scan::is_reversed(of.attr), op::scan::end(of.attr));
    else draft.finish(false);
    for (int i = first; i < tangents.size(); ++i) {
        if (!is_same_call(g[i], of) || !is_floating(g[i].type)) continue;
        op::scan_part const part = loop ? op::scan::part(g[i].attr) : op::scan_part::stack;
        bool const is_carry = part == op::scan_part::last || part == op::scan_part::states;
        int const k = result_of(g[i].attr), result = is_carry ? number[k] : found[k];
        if (result >= 0) tangents[i] = draft.result(part, result).id();
    }
}

template <class Op>
constexpr op_info control_operation = [] {
    op_info info{&gradus::label_of<Op>, Op::name, type_id<Op>, Op::kind, Op::arity, false, true, &Op::infer, nullptr, nullptr, nullptr};
    state_facts<Op>(info);
    return info;
}();

/// Is node `id` of a body what node `target` is outside? `outside` says what the body's symbols are there, -1: nothing.
constexpr bool stands_for(graph const& body, int id, list<int> const& outside, graph const& g, int target) {
    node const &n = body[id], &t = g[target];
    if (n.is_symbol()) return outside[n.symbol()] == target;
    bool same = n.op->id == t.op->id && n.result() == t.result() && n.attr == t.attr && n.operands() == t.operands();
    for (int k = 0; same && k < n.operands(); ++k) same = stands_for(body, n.in[k], outside, g, t.in[k]);
    return same;
}
/// Does a branch, or one inside of a body, compute node `target` of g? A scan takes such values as operands.
constexpr bool captures(graph const& at, node const& n, list<int> const& operands, graph const& g, int target) {
    for (int which = 0; which < body_count(n); ++which) {
        graph const& body = body_of(at, n, which);
        for (int i = 0; i < body.size(); ++i) {
            if (is_control(body[i])) {
                list<int> inner = control_operands(body, body[i]);
                for (int k = 0; k < inner.size(); ++k) {
                    bool const changes = is_loop(body[i]) && k < op::scan::carries(body[i].attr) + op::scan::walked(body[i].attr);
                    node const& operand = body[inner[k]];
                    inner[k] = operand.is_symbol() && !changes ? operands[operand.symbol()] : -1;
                }
                if (captures(body, body[i], inner, g, target)) return true;
            } else if (is_choice(n) && !body[i].is_symbol() && stands_for(body, i, operands, g, target)) return true;
        }
    }
    return false;
}
constexpr bool recomputes(graph const& g, node const& n, int target) {
    list<int> operands = control_operands(g, n);
    for (int k = 0; is_loop(n) && k < op::scan::carries(n.attr) + op::scan::walked(n.attr); ++k) operands[k] = -1;
    return captures(g, n, operands, g, target);
}

}  // namespace core

template <>
inline constexpr auto info_of<op::scan> = control_info{core::control_operation<op::scan>,
                                                       &core::scan_vjp,
                                                       &core::control_jvp,
                                                       [](graph const& g, node const& n) { return shape{core::steps_of(g, n)}; },
                                                       &core::control_fault,
                                                       &core::describe_control,
                                                       &core::recomputes,
                                                       &core::batch_scan};
template <>
inline constexpr auto info_of<op::cond> = control_info{core::control_operation<op::cond>,
                                                       &core::cond_vjp,
                                                       &core::control_jvp,
                                                       [](graph const&, node const&) { return shape{}; },
                                                       &core::control_fault,
                                                       &core::describe_control,
                                                       &core::recomputes,
                                                       &core::batch_cond};

}  // namespace gradus::inline GRADUS_ARCH
