// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/value.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/logical.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

// What a `where` does not select has a derivative of 0, whatever the derivatives of the branch are: 0 times an infinity would be
// NaN. So a derivative that a condition has made 0 somewhere is a selection, where(condition, of, 0); rules are applied to `of`,
// and what they make is selected again.
namespace gradus::inline GRADUS_ARCH::core {

/// The constant that a value shows in all places; -1 where it is none.
constexpr int constant_behind(graph const& g, int id) {
    while (g[id].op->kind == op_kind::view) id = g[id].in[0];
    return g[id].is_constant() ? id : -1;
}
/// Is the node 0 everywhere?
constexpr bool is_zero(graph const& g, int id) {
    int const constant = constant_behind(g, id);
    return constant >= 0 && g[constant].attr.value == 0;
}

// Defined in graph/build.hpp, behind the templates that they use: clang instantiates constexpr functions where they are named.
constexpr int both_of(graph& g, int a, int b);
constexpr int either_of(graph& g, int a, int b);
constexpr int negation_of(graph& g, int a);
/// `if_true` where the condition holds, `if_false` elsewhere; -1 stands for 0.
constexpr int where_of(graph& g, int condition, int if_true, int if_false);
/// a b, and 0 where a is 0.
constexpr int mul_no_nan_of(graph& g, int a, int b);
/// op::is_reached of a derivative.
constexpr int is_reached_of(graph& g, int derivative, int zero);

/// A derivative that is `of` where the condition has the value `when`, and 0 elsewhere; no condition (-1) holds everywhere.
struct selection {
    int condition = -1, of = -1;
    bool when = true;

    /// Takes node `id` apart: one where, or several inside each other, whose other branches are 0.
    constexpr selection(graph& g, int id) : of(id) {
        while (g[of].op->connects == connective_kind::selection) {
            node const n = g[of];
            bool const zero_if_true = is_zero(g, n.in[1]), zero_if_false = is_zero(g, n.in[2]);
            if (zero_if_true == zero_if_false) return;
            if (found()) narrow(g, zero_if_true ? negation_of(g, n.in[0]) : n.in[0]);
            else condition = n.in[0], when = zero_if_false;
            of = zero_if_true ? n.in[2] : n.in[1];
        }
    }
    constexpr selection(int condition_, int of_, bool when_) : condition(condition_), of(of_), when(when_) {}

    constexpr bool found() const { return condition >= 0; }
    constexpr bool same_condition(selection const& that) const { return condition == that.condition && when == that.when; }
    /// The condition as a node that holds where this is not 0.
    constexpr int holds(graph& g) const { return when ? condition : negation_of(g, condition); }
    /// Asks for a second condition too.
    constexpr void narrow(graph& g, int also) {
        condition = both_of(g, holds(g), also);
        when = true;
    }
    /// `part`, where this is selected, and 0 elsewhere.
    constexpr int again(graph& g, int part) const {
        if (!found() || part < 0) return part;
        selection const inner(g, part);
        if (same_condition(inner)) return part;
        selection whole = *this;
        if (inner.found()) whole.narrow(g, inner.holds(g));
        return where_of(g, whole.condition, whole.when ? inner.of : -1, whole.when ? -1 : inner.of);
    }
};

constexpr int without_change(graph& g, int id, std::int64_t axes, int& steps);
/// The same of a view that moves elements: its operand must not change along the axes that become those.
constexpr int view_without_change(graph& g, node n, std::int64_t axes, int& steps) {
    shape const from = g[n.in[0]].shape, to = n.shape;
    std::int64_t behind = axes;
    if (n.op->cuts) {
        if (!op::whole_along(n.attr, axes)) return -1;
    } else if (!n.op->same_order) {
        behind = 0;
        for (int axis = 0; axis < to.rank(); ++axis)
            if (axes >> axis & 1) behind |= std::int64_t{1} << n.op->view(n.attr, from, to, axis).from;
    } else {  // axes before the first that differs are the same; of the others, all or none
        int same = 0;
        while (same < from.rank() && same < to.rank() && from[same] == to[same]) ++same;
        std::int64_t const rest = std::int64_t{-1} << same;
        std::int64_t wide = 0;
        for (int axis = same; axis < to.rank(); ++axis)
            if (!to[axis].is_one()) wide |= std::int64_t{1} << axis;
        if ((axes & rest) != 0 && (axes & rest) != wide) return -1;
        behind = (axes & ~rest) | ((axes & rest) ? rest : 0);
    }
    n.in[0] = without_change(g, n.in[0], behind, steps);
    if (n.in[0] < 0) return -1;
    for (int axis = 0; axis < to.rank(); ++axis)
        if (axes >> axis & 1) n.shape[axis] = 1;
    return n.op->same_order ? value{g, n.in[0]}.reshape(n.shape).id() : g.intern(n);
}
/// A node that has extent 1 along `axes` (a bit for each) and the same elements as node `id`, which does not change along them;
/// -1 where it may change. `steps` bounds the search.
constexpr int without_change(graph& g, int id, std::int64_t axes, int& steps) {
    node n = g[id];
    std::int64_t wide = 0;
    for (int axis = 0; axis < n.shape.rank(); ++axis)
        if (!n.shape[axis].is_one()) wide |= std::int64_t{1} << axis;
    axes &= wide;
    if (axes == 0) return id;
    if (--steps < 0) return -1;
    if (n.op->same_order || n.op->cuts || (n.op->rearranges && n.op->kind == op_kind::view)) return view_without_change(g, n, axes, steps);
    bool const repeated = n.op->only_repeats;
    if (!repeated && n.op->kind != op_kind::elementwise) return -1;
    for (int k = 0; k < n.op->arity; ++k) {
        int const lead = n.shape.rank() - g[n.in[k]].shape.rank();
        n.in[k] = without_change(g, n.in[k], axes >> lead, steps);
        if (n.in[k] < 0) return -1;
    }
    for (int axis = 0; axis < n.shape.rank(); ++axis)
        if (axes >> axis & 1) n.shape[axis] = 1;
    return repeated ? value{g, n.in[0]}.broadcast_to(n.shape).id() : g.intern(n);
}
/// The same; conditions are short, and a search without a bound could visit a shared operand many times.
constexpr int without_change(graph& g, int id, std::int64_t axes) {
    int steps = 64;
    return without_change(g, id, axes, steps);
}

/// The same of a condition that is asked to have the value `when`. Of one that asks for several things at once, as `both` does and an
/// `either` that is not to hold, those that do not change; then `whole` becomes false.
constexpr int condition_without_change(graph& g, int condition, bool when, std::int64_t axes, bool& whole, int& steps) {
    if (int const fixed = without_change(g, condition, axes); fixed >= 0) return fixed;
    node const n = g[condition];
    whole = false;
    bool const one = n.op->connects == connective_kind::either, all = one == when;
    if ((!one && n.op->connects != connective_kind::both) || --steps < 0) return -1;
    int found = -1;
    for (int k = 0; k < 2; ++k) {
        int const lead = n.shape.rank() - g[n.in[k]].shape.rank();
        int part = condition_without_change(g, n.in[k], when, axes >> lead, whole, steps);
        if (part < 0 && all) return -1;
        if (part < 0) continue;
        shape s;
        for (int axis = 0; axis < n.shape.rank(); ++axis) s.push_back(axis < lead ? extent(1) : g[part].shape[axis - lead]);
        part = value{g, part}.reshape(s).id();
        found = found < 0 ? part : one ? either_of(g, found, part) : both_of(g, found, part);
    }
    return found;
}
constexpr int condition_without_change(graph& g, int condition, bool when, std::int64_t axes, bool& whole) {
    int steps = 16;
    return condition_without_change(g, condition, when, axes, whole, steps);
}

/// `move` applied to a condition on the shape `to`: to its operands, where it compares values of that shape with each other or with
/// single numbers, so that what is moved has memory and needs no loop; not to integers, which loops over numbers do not compare.
constexpr int moved_condition(graph& g, int condition, shape const& to, auto move, int& steps) {
    node n = g[condition];
    if ((n.op->connects == connective_kind::both || n.op->connects == connective_kind::either) && --steps >= 0) {
        bool const all = n.op->connects == connective_kind::either;
        int const a = moved_condition(g, n.in[0], to, move, steps), b = moved_condition(g, n.in[1], to, move, steps);
        return all ? either_of(g, a, b) : both_of(g, a, b);
    }
    bool through = n.op->kind == op_kind::elementwise && n.shape == to;
    for (int k = 0; k < n.op->arity; ++k)
        through = through && is_floating(g[n.in[k]].type) && (g[n.in[k]].shape == to || g[n.in[k]].shape.rank() == 0);
    if (!through) return move(value{g, condition}.broadcast_to(to)).id();
    for (int k = 0; k < n.op->arity; ++k)
        if (g[n.in[k]].shape == to) n.in[k] = move(value{g, n.in[k]}).id(), n.shape = g[n.in[k]].shape;
    return g.intern(n);
}
constexpr int moved_condition(graph& g, int condition, shape const& to, auto move) {
    int steps = 16;
    return moved_condition(g, condition, to, move, steps);
}

/// f(node) for everything that a condition asks for.
constexpr void each_asked(graph const& g, int condition, auto const& f) {
    while (g[condition].op->kind == op_kind::view) condition = g[condition].in[0];
    node const n = g[condition];
    if (n.op->connects != connective_kind::both && n.op->connects != connective_kind::either) return f(n);
    each_asked(g, n.in[0], f);
    each_asked(g, n.in[1], f);
}
/// Has a derivative come from a cotangent that is reached (transform/backward.hpp), one of those that a condition asks for? -1 where it
/// asks for
/// none.
constexpr int reached_by(graph& g, int condition, int derivative) {
    int reached = -1;
    each_asked(g, condition, [&](node const& n) {
        if (n.op->connects != connective_kind::reached || g[n.in[1]].shape.rank() != 0) return;
        int const by = is_reached_of(g, derivative, n.in[1]);
        reached = reached < 0 || reached == by ? by : either_of(g, reached, by);
    });
    return reached;
}
/// A derivative that an operation has made of the elements of a selection, so that its condition is lost. Where it is 0, what it was made
/// of was, and zeros that another statement has not selected stay so, as they do between statements.
constexpr int keep_unselected(graph& g, selection const& of, int derivative) {
    int const reached = of.found() && derivative >= 0 ? reached_by(g, of.condition, derivative) : -1;
    return reached < 0 ? derivative : where_of(g, reached, derivative, -1);
}

/// The sum over `axes` (a bit for each), as shape `to`, of a selection: one again where the condition does not change along them, or asks
/// what is reached. -1 where the value is none.
constexpr int selected_sum(graph& g, int id, std::int64_t axes, shape const& to) {
    selection s(g, id);
    if (!s.found()) return -1;
    shape const from = g[id].shape;
    int const lead = from.rank() - g[s.condition].shape.rank();
    bool whole = true;
    int const fixed = condition_without_change(g, s.condition, s.when, axes >> lead, whole);
    if (fixed < 0) return keep_unselected(g, s, value{g, id}.sum(axes, false).reshape(to).id());
    shape const narrow = g[fixed].shape;
    shape kept;
    for (int axis = from.rank() - to.rank(); axis < from.rank(); ++axis)
        if (axis >= lead) kept.push_back(narrow[axis - lead]);
    s.condition = moved_condition(g, fixed, narrow, [&](value c) { return c.reshape(kept); });
    return s.again(g, value{g, whole ? s.of : id}.broadcast_to(from).sum(axes, false).reshape(to).id());
}

/// A derivative repeated to shape `to`.
constexpr int repeated_to(graph& g, int id, shape const& to) {
    if (g[id].shape == to) return id;
    selection const s(g, id);
    int const of = value{g, s.of}.broadcast_to(to).id();
    return s.again(g, of);
}

/// Operations whose vjp shows elements of the cotangent again, in other places.
template <class Op>
inline constexpr bool is_rearranging = requires { requires Op::rearranges; };

/// The condition that selects a cotangent at node `id`, as one that selects the cotangent of an operand of that shape; -1 where the
/// operation mixes elements that the condition tells apart. `rearranged` applies the vjp to the condition.
template <class Op>
constexpr int condition_behind(graph& g, int id, int condition, bool when, shape const& operand, auto rearranged, bool& whole) {
    if constexpr (Op::kind == op_kind::elementwise) return condition;
    shape const result = g[id].shape;
    int const lead = result.rank() - g[condition].shape.rank();
    if (int const single = without_change(g, condition, -1); single >= 0) return value{g, single}.reshape({}).id();
    if constexpr (requires { requires Op::cuts; }) {
        std::int64_t cut = 0;
        for (int axis = 0; axis < result.rank(); ++axis)
            if (!(operand[axis] == result[axis]) || !(op::first_of(g[id].attr, axis) == extent{}) || op::step_of(g[id].attr, axis) != 1)
                cut |= std::int64_t{1} << axis;
        return condition_without_change(g, condition, when, cut >> lead, whole);
    } else if constexpr (is_rearranging<Op>) {
        return moved_condition(g, condition, result, rearranged);
    } else if constexpr (std::is_base_of_v<op::reduction<Op>, Op>) {
        return moved_condition(g, condition, result, [&](value c) { return c.expand_reduced(value{g, id}); });
    } else if constexpr (requires { Op::on_matrices_of_a_batch; }) {
        // one problem for each index of the axes before the last two: the condition must not change inside of one
        int const batch = operand.rank() - 2;
        for (int axis = 0; axis < batch; ++axis)
            if (axis >= result.rank() || !(operand[axis] == result[axis])) {
                int const single = condition_without_change(g, condition, when, -1, whole);
                return single < 0 ? -1 : value{g, single}.reshape({}).id();
            }
        std::int64_t const inside = std::int64_t{-1} << batch;
        int const fixed = condition_without_change(g, condition, when, inside >> lead, whole);
        if (fixed < 0) return -1;
        shape kept;
        for (int axis = lead; axis < batch; ++axis) kept.push_back(g[fixed].shape[axis - lead]);
        kept.push_back(1);
        kept.push_back(1);
        return value{g, fixed}.reshape(kept).id();
    } else {
        int const single = condition_without_change(g, condition, when, -1, whole);
        return single < 0 ? -1 : value{g, single}.reshape({}).id();
    }
}

/// The other half of a condition that asks for `given` and something else; -1 where it is none.
constexpr int beside(graph const& g, int condition, int given) {
    node const& n = g[condition];
    if (n.op->connects != connective_kind::both || (n.in[0] != given && n.in[1] != given)) return -1;
    return n.in[0] == given ? n.in[1] : n.in[0];
}
/// The sum of a selection and of one under a part of its condition; -1 where `inner` is none.
constexpr int add_nested(graph& g, selection const& inner, selection const& outer) {
    int const rest = inner.when && outer.when ? beside(g, inner.condition, outer.condition) : -1;
    if (rest < 0) return -1;
    int const part = selection(rest, -1, true).again(g, inner.of);
    return outer.again(g, (value{g, part} + value{g, outer.of}).id());
}

/// The sum of two derivatives of one value. Where both are selections, so is it.
constexpr int add_derivatives(graph& g, int a, int b) {
    if (a < 0 || b < 0) return a < 0 ? b : a;
    selection const p(g, a), q(g, b);
    if (!p.found() || !q.found()) return (value{g, a} + value{g, b}).id();
    if (p.same_condition(q)) return p.again(g, (value{g, p.of} + value{g, q.of}).id());
    if (p.condition == q.condition) { return where_of(g, p.condition, p.when ? p.of : q.of, p.when ? q.of : p.of); }
    if (int const sum = add_nested(g, p, q); sum >= 0) return sum;
    if (int const sum = add_nested(g, q, p); sum >= 0) return sum;
    return selection(either_of(g, p.holds(g), q.holds(g)), -1, true).again(g, (value{g, a} + value{g, b}).id());
}

}  // namespace gradus::inline GRADUS_ARCH::core

#include <gradus/graph/derive.hpp>  // last: it leads to the definitions of what the functions above call
