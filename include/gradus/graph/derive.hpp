// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/value.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

#include <tuple>
#include <utility>

// The one place that reads derivative rules in all their forms and turns them into functions on graphs.
namespace gradus::core {

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
    } else {
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

/// Operations whose vjp repeats or moves elements, of any dtype.
template <class Op>
inline constexpr bool is_rearranging = std::is_same_v<Op, op::sum> || std::is_same_v<Op, op::reshape> || std::is_same_v<Op, op::transpose>;

/// A cotangent that a `where` has let through in some places and made 0 elsewhere. The derivative is applied to what was let
/// through and selected again after that: 0 times a derivative that is infinite or NaN in the branch not taken would be NaN.
struct selected_cotangent {
    int condition = -1, of = -1;
    bool where_true = true;  ///< else it is 0 where the condition holds

    constexpr selected_cotangent(graph const& g, int id) {
        node const& n = g.nodes[id];
        if (!n.is<op::where>()) return;
        for (int k = 1; k < 3; ++k) {
            node const* other = &g.nodes[n.in[3 - k]];
            if (other->is<op::broadcast_to>()) other = &g.nodes[other->in[0]];
            if (!other->is<op::constant>() || other->attr.value != 0) continue;
            condition = n.in[0];
            of = n.in[k];
            where_true = k == 1;
        }
    }
    constexpr bool found() const { return of >= 0; }
    constexpr int again(graph& g, int part) const {
        value const c{g, condition}, v{g, part};
        return (where_true ? gradus::where(c, v, 0) : gradus::where(c, 0, v)).id();
    }
};

/// Operands by number, taken before a rule appends nodes and moves the array they stand in.
template <int... I>
constexpr void vjp_on(auto rule, graph& g, int id, int cotangent, int* out, std::integer_sequence<int, I...>) {
    using Op = decltype(rule);
    value y{g, id}, ct{g, cotangent};
    int in[] = {g.nodes[id].in[I]...};
    if constexpr (requires { Op::vjp(ct, y, (static_cast<void>(I), y)...); }) {
        if constexpr (Op::arity == 1) {
            if constexpr (is_rearranging<Op>) {
                selected_cotangent s(g, cotangent);
                if (s.found() && g.nodes[s.condition].shape == g.nodes[id].shape && g.nodes[s.of].shape == g.nodes[id].shape) {
                    s.condition = Op::vjp(value{g, s.condition}, y, value{g, in[I]}...).id();
                    out[0] = s.again(g, Op::vjp(value{g, s.of}, y, value{g, in[I]}...).id());
                    return;
                }
            }
            out[0] = Op::vjp(ct, y, value{g, in[I]}...).id();
        } else {
            auto parts = Op::vjp(ct, y, value{g, in[I]}...);
            ((out[I] = std::get<I>(parts).id()), ...);
        }
    } else {
        selected_cotangent const s(g, cotangent);
        if (s.found()) ct = value{g, s.of};
        chain_all<Op>(ct, y, out, std::integer_sequence<int, I...>{}, value{g, in[I]}...);
        if (s.found()) ((out[I] = out[I] < 0 ? -1 : out[I] == s.of ? cotangent : s.again(g, out[I])), ...);
        ((out[I] = out[I] < 0 ? -1 : value{g, out[I]}.sum_to(g.nodes[in[I]].shape).id()), ...);
    }
}

/// A missing tangent is a zero of the operand's shape.
constexpr value tangent_or_zero(value x, int tangent) {
    return tangent >= 0 ? value{x.owner(), tangent} : value::constant(x.owner(), 0, x.type()).broadcast_to(x.shape());
}
constexpr int add_tangent(graph& g, int total, int part) {
    return total < 0 ? part : part < 0 ? total : (value{g, total} + value{g, part}).id();
}

template <int... I>
constexpr int jvp_on(auto rule, graph& g, int id, int const* tangents, std::integer_sequence<int, I...>) {
    using Op = decltype(rule);
    value y{g, id};
    int in[] = {g.nodes[id].in[I]...};
    if constexpr (requires { Op::jvp((static_cast<void>(I), y)..., y, (static_cast<void>(I), y)...); }) {
        return Op::jvp(tangent_or_zero(value{g, in[I]}, tangents[I])..., y, value{g, in[I]}...).id();
    } else if constexpr (requires { Op::template directional<0>(y, y, (static_cast<void>(I), y)...); }) {
        int total = -1;
        ((total = tangents[I] < 0 ? total : add_tangent(g, total, Op::template directional<I>(value{g, tangents[I]}, y, value{g, in[I]}...).id())), ...);
        return total;
    } else {
        int total = -1;
        ((total = tangents[I] < 0 ? total : add_tangent(g, total, chain<Op, I>(value{g, tangents[I]}, y, value{g, in[I]}...))), ...);
        return total < 0 ? -1 : value{g, total}.broadcast_to(y.shape()).id();
    }
}

template <class Op>
constexpr void vjp_of(graph& g, int id, int cotangent, int* out) {
    vjp_on(Op{}, g, id, cotangent, out, operand_indices<Op>{});
}
template <class Op>
constexpr int jvp_of(graph& g, int id, int const* tangents) {
    return jvp_on(Op{}, g, id, tangents, operand_indices<Op>{});
}

template <class Op, int... I>
constexpr double eval_on(double const* x, std::integer_sequence<int, I...>) {
    if constexpr (std::is_same_v<Op, op::where>) return x[0] != 0 ? x[1] : x[2];
    else return static_cast<double>(Op::eval(x[I]...));
}
template <class Op>
constexpr double eval_of(double const* x) {
    return eval_on<Op>(x, operand_indices<Op>{});
}

}  // namespace gradus::core

#include <gradus/graph/info.hpp>  // last: it leads to the definitions of what the functions above call
