// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/results.hpp>
#include <gradus/graph/selection.hpp>
#include <gradus/graph/value.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

#include <tuple>
#include <utility>

// The one place that reads derivative rules in all their forms and turns them into functions on graphs.
namespace gradus::inline GRADUS_ARCH::core {

template <class Op>
using operand_indices = std::make_integer_sequence<int, Op::arity>;

/// g times a partial derivative; the integers 0, 1 and -1 cost nothing. id -1 is "no contribution".
constexpr int scaled(value g, int factor) { return factor == 0 ? -1 : factor == 1 ? g.id() : (factor == -1 ? -g : g * factor).id(); }
constexpr int scaled(value g, value factor) { return (g * factor).id(); }
constexpr int id_of(int) { return -1; }
constexpr int id_of(value v) { return v.id(); }

/// The operation's elementwise derivative with respect to operand K, applied to `g`.
template <class Op, int K>
constexpr int chain(value g, value y, auto... operands) {
    if constexpr (requires { Op::chain(g, operands..., y); }) {
        if constexpr (Op::arity == 1) return id_of(Op::chain(g, operands..., y));
        else return id_of(std::get<K>(Op::chain(g, operands..., y)));
    } else if constexpr (requires { Op::derivative(operands..., y); }) {
        return scaled(g, Op::derivative(operands..., y));
    } else if constexpr (requires { Op::partials(operands..., y); }) {
        return scaled(g, std::get<K>(Op::partials(operands..., y)));
    } else {  // of truth values and integers there is none
        if (is_floating(y.type()))
            refuse<"gradus: an elementwise operation states no derivative(operands..., y), no partials and no chain", std::logic_error>();
        return -1;
    }
}

/// The same for all operands: what their derivatives share is written once.
template <class Op, int... I>
constexpr void chain_all(value g, value y, int* out, std::integer_sequence<int, I...>, auto... operands) {
    if constexpr (Op::arity > 1 && requires { Op::chain(g, operands..., y); }) {
        auto const parts = Op::chain(g, operands..., y);
        ((out[I] = id_of(std::get<static_cast<std::size_t>(I)>(parts))), ...);
    } else if constexpr (Op::arity > 1 && requires { Op::partials(operands..., y); }) {
        auto const parts = Op::partials(operands..., y);
        ((out[I] = is_floating(operands.type()) ? scaled(g, std::get<static_cast<std::size_t>(I)>(parts)) : -1), ...);
    } else {
        ((out[I] = chain<Op, I>(g, y, operands...)), ...);
    }
    ((out[I] = is_floating(operands.type()) ? out[I] : -1), ...);
}

/// The operands' parts in what a vjp returns.
template <int K>
constexpr value part_of_rule(auto const& parts) {
    if constexpr (requires { std::get<K>(parts); }) return std::get<K>(parts);
    else return parts;
}

/// The cotangents of the operands of an operation that states its vjp. A selection stays one where the operation does not mix
/// elements that the condition tells apart.
template <class Op, int... I>
constexpr void vjp_by_rule(graph& g, int id, int cotangent, int* out, std::integer_sequence<int, I...>, auto... operands) {
    auto const rule = [&](value ct) { return Op::vjp(ct, value{g, id}, operands...); };
    selection const s(g, cotangent);
    auto const moved = [&]<int K>(std::integral_constant<int, K>) { return [&](value c) { return part_of_rule<K>(rule(c)); }; };
    bool whole = true;
    int const conditions[]{
        (s.found() ? condition_behind<Op>(g, id, s.condition, s.when, operands.shape(), moved(std::integral_constant<int, I>{}), whole)
                   : -1)...};
    bool kept = false, lost = false;
    ((kept = kept || conditions[I] >= 0, lost = lost || conditions[I] < 0), ...);
    if (lost) {
        auto const parts = rule(value{g, cotangent});
        ((out[I] = keep_unselected(g, s, part_of_rule<I>(parts).id())), ...);
    }
    if (kept) {
        auto const parts = rule(value{g, whole ? s.of : cotangent}.broadcast_to(g.nodes[id].shape));
        auto const selected = [&](int condition, value part) { return selection(condition, -1, s.when).again(g, part.id()); };
        ((out[I] = conditions[I] < 0 || !is_floating(operands.type()) ? out[I] : selected(conditions[I], part_of_rule<I>(parts))), ...);
    }
}

/// Does an operation's rule keep zeros of the derivative that it is applied to?
template <class Op>
inline constexpr bool keeps_zeros = requires { Op::keeps_zeros; };

/// An elementwise rule applied to a derivative: to what a selection has selected, or to 1 where zeros are to stay zeros.
template <class Op>
struct elementwise_chain {
    graph& g;
    int derivative;
    selection s;
    bool by_factor;
    int to;

    constexpr elementwise_chain(graph& g_, int derivative_)
        : g(g_),
          derivative(derivative_),
          s(g_, derivative_),
          by_factor(g_.zeros_stay && !keeps_zeros<Op>),
          to(by_factor ? value{g_, derivative_}.number(1).id() : s.of) {}
    constexpr value argument() const { return {g, to}; }
    /// The derivative that the rule's result `part` makes; -1 stays -1.
    constexpr int result(int part) const {
        if (part < 0 || part == to) return part < 0 ? -1 : derivative;
        if (by_factor) {
            selection const factor(g, part);  // the rule may select too
            part = factor.again(g, mul_no_nan_of(g, s.of, factor.of));
        }
        return s.again(g, part);
    }
};

/// Operands by number, taken before a rule appends nodes and moves the array they stand in.
template <int... I>
constexpr void vjp_on(auto rule, graph& g, int id, int cotangent, int* out, std::integer_sequence<int, I...> all) {
    using Op = decltype(rule);
    value y{g, id};
    int in[] = {g.nodes[id].in[I]...};
    if constexpr (requires { Op::vjp(y, y, (static_cast<void>(I), y)...); }) {
        vjp_by_rule<Op>(g, id, cotangent, out, all, value{g, in[I]}...);
    } else {
        elementwise_chain<Op> const c(g, cotangent);
        chain_all<Op>(c.argument(), y, out, all, value{g, in[I]}...);
        ((out[I] = c.result(out[I])), ...);
        ((out[I] = out[I] < 0 ? -1 : value{g, out[I]}.sum_to(g.nodes[in[I]].shape).id()), ...);
    }
}

/// A missing tangent is a zero of the operand's shape.
constexpr value tangent_or_zero(value x, int tangent) {
    return tangent >= 0 ? value{x.owner(), tangent} : value::constant(x.owner(), 0, x.type()).broadcast_to(x.shape());
}
/// The tangent of an elementwise operation along that of its operand K; -1 for none.
template <class Op, int K>
constexpr int push_through(graph& g, int tangent, value y, auto... operands) {
    if (tangent < 0) return -1;
    elementwise_chain<Op> const c(g, tangent);
    return c.result(chain<Op, K>(c.argument(), y, operands...));
}
/// The tangent of a view, or of a cast, of a selection.
template <class Op>
constexpr int push_selection(graph& g, int tangent, value y, value x) {
    selection const s(g, tangent);
    if (!s.found()) return Op::jvp(value{g, tangent}, y, x).id();
    int condition = s.condition;
    if constexpr (Op::kind == op_kind::view)
        condition = moved_condition(g, condition, x.shape(), [&](value c) { return Op::jvp(c, y, x); });
    return selection(condition, -1, s.when).again(g, Op::jvp(value{g, s.of}.broadcast_to(x.shape()), y, x).id());
}

/// The tangent of a reduction of a selection whose condition does not change along what is folded: a selection again.
template <class Op>
constexpr int push_folded(graph& g, int tangent, value y, value x) {
    selection const s(g, tangent);
    bool whole = true;
    int const lead = s.found() ? x.shape().rank() - g[s.condition].shape.rank() : 0;
    int const fixed = s.found() ? condition_without_change(g, s.condition, s.when, op::folded_axes(y.attr()) >> lead, whole) : -1;
    if (fixed < 0) return Op::jvp(value{g, tangent}, y, x).id();
    shape kept = x.shape();
    for (int axis = 0; axis < kept.rank(); ++axis)
        if (op::reduces(y.attr(), axis)) kept[axis] = 1;
    int const condition = moved_condition(g, fixed, kept, [&](value c) { return c.reshape(y.shape()); });
    int const part = Op::jvp(value{g, whole ? s.of : tangent}.broadcast_to(x.shape()), y, x).id();
    return selection(condition, -1, s.when).again(g, part);
}
/// The tangent of an operation that moves elements to other places. Where they are from tells what was selected; conditions are moved
/// as numbers, which movements have kernels for.
template <class Op>
constexpr int push_moved(graph& g, int const* tangents, value y, auto... x) {
    int of[3]{-1, -1, -1}, holds[3]{-1, -1, -1}, k = 0;
    bool found = false;
    auto look = [&](value operand) {
        int const t = tangents[k];
        of[k] = tangent_or_zero(operand, t).id();
        selection const s(g, of[k]);
        value held = operand.number(t < 0 ? 0 : 1);
        if (s.found()) {
            found = true;
            of[k] = value{g, s.of}.broadcast_to(operand.shape()).id();
            value const condition{g, s.condition}, one = operand.number(1), zero = operand.number(0);
            held = s.when ? gradus::where(condition, one, zero) : gradus::where(condition, zero, one);
        }
        holds[k++] = held.broadcast_to(operand.shape()).id();
    };
    (look(x), ...);
    auto moved = [&]<int... K>(int const* what, std::integer_sequence<int, K...>) { return Op::jvp(value{g, what[K]}..., y, x...); };
    value const part = moved(of, operand_indices<Op>{});
    if (!found) return part.id();
    return selection((moved(holds, operand_indices<Op>{}) > 0).id(), -1, true).again(g, part.id());
}

template <int... I>
constexpr int jvp_on(auto rule, graph& g, int id, int const* tangents, std::integer_sequence<int, I...>) {
    using Op = decltype(rule);
    value y{g, id};
    int in[] = {g.nodes[id].in[I]...};
    if constexpr (requires { Op::jvp((static_cast<void>(I), y)..., y, (static_cast<void>(I), y)...); }) {
        constexpr bool one_to_one = Op::arity == 1 && (Op::kind == op_kind::view || Op::kind == op_kind::elementwise);
        constexpr bool moves = Op::kind == op_kind::movement && requires { requires Op::rearranges; };
        if constexpr (one_to_one) return push_selection<Op>(g, tangents[0], y, value{g, in[0]});
        else if constexpr (std::is_base_of_v<op::reduction<Op>, Op>) return push_folded<Op>(g, tangents[0], y, value{g, in[0]});
        else if constexpr (moves) return push_moved<Op>(g, tangents, y, value{g, in[I]}...);
        else return Op::jvp(tangent_or_zero(value{g, in[I]}, tangents[I])..., y, value{g, in[I]}...).id();
    } else if constexpr (requires { Op::template directional<0>(y, y, (static_cast<void>(I), y)...); }) {
        int total = -1;
        auto const along = [&]<int K>(std::integral_constant<int, K>) {
            return tangents[K] < 0 ? -1 : Op::template directional<K>(value{g, tangents[K]}, y, value{g, in[I]}...).id();
        };
        ((total = add_derivatives(g, total, along(std::integral_constant<int, I>{}))), ...);
        return total;
    } else {
        int total = -1;
        ((total = add_derivatives(g, total, push_through<Op, I>(g, tangents[I], y, value{g, in[I]}...))), ...);
        return total < 0 ? -1 : repeated_to(g, total, g.nodes[id].shape);
    }
}

template <class Op>
using result_indices = std::make_integer_sequence<int, result_count<Op>>;

/// Rules of operations with several results see all of them, and all cotangents: zeros where there are none.
template <class Op, int... R, int... I>
constexpr void vjp_of_results(graph& g, int id, int const* cotangents, int* out, std::integer_sequence<int, R...>,
                              std::integer_sequence<int, I...>) {
    int const in[] = {g.nodes[id].in[I]...}, y[] = {g.intern(result_node(g, g.nodes[id], R))...};
    int const along[] = {tangent_or_zero(value{g, y[R]}, cotangents[R]).id()...};
    auto const parts = Op::vjp(value{g, along[R]}..., value{g, y[R]}..., value{g, in[I]}...);
    ((out[I] = part_of_rule<I>(parts).id()), ...);
}
template <class Op, int... R, int... I>
constexpr int jvp_of_results(graph& g, int id, int const* tangents, std::integer_sequence<int, R...>, std::integer_sequence<int, I...>) {
    int const in[] = {g.nodes[id].in[I]...}, y[] = {g.intern(result_node(g, g.nodes[id], R))...};
    int const along[] = {tangent_or_zero(value{g, in[I]}, tangents[I]).id()...};
    auto const parts = Op::jvp(value{g, along[I]}..., value{g, y[R]}..., value{g, in[I]}...);
    int const made[] = {std::get<static_cast<std::size_t>(R)>(parts).id()...};
    return made[result_of(g.nodes[id].attr)];
}

template <class Op>
constexpr void vjp_of(graph& g, int id, int const* cotangents, int* out) {
    if constexpr (result_count<Op> > 1) vjp_of_results<Op>(g, id, cotangents, out, result_indices<Op>{}, operand_indices<Op>{});
    else vjp_on(Op{}, g, id, cotangents[0], out, operand_indices<Op>{});
}
template <class Op>
constexpr int jvp_of(graph& g, int id, int const* tangents) {
    if constexpr (result_count<Op> > 1) return jvp_of_results<Op>(g, id, tangents, result_indices<Op>{}, operand_indices<Op>{});
    else return jvp_on(Op{}, g, id, tangents, operand_indices<Op>{});
}

template <class Op, int... I>
constexpr double eval_on(double const* x, std::integer_sequence<int, I...>) {
    if constexpr (selects<Op>) return x[0] != 0 ? x[1] : x[2];
    else return static_cast<double>(Op::eval(x[I]...));
}
template <class Op>
constexpr double eval_of(double const* x) {
    return eval_on<Op>(x, operand_indices<Op>{});
}

}  // namespace gradus::inline GRADUS_ARCH::core

#include <gradus/graph/info.hpp>  // last: it leads to the definitions of what the functions above call
