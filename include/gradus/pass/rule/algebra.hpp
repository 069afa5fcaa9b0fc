// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>
#include <gradus/op/exponential.hpp>

// Rules of simplification return the id of a node that stands for the given one, or -1 where they do not apply.
namespace gradus::rule {

constexpr bool is_constant(graph const& g, int id) { return g[id].is<op::constant>(); }
constexpr bool is_constant(graph const& g, int id, double x) { return is_constant(g, id) && g[id].attr.value == x; }
template <class Op>
constexpr bool is(graph const& g, int id) { return g[id].is<Op>(); }
/// The value of a node's operand.
constexpr value operand(graph& g, int id, int k) { return {g, g[id].in[k]}; }
/// `v` in place of `n`: broadcast where the neutral element it lost had the larger shape.
constexpr int in_place_of(node const& n, value v) { return v.broadcast_to(n.shape).id(); }

/// Operations on constants alone, where the formula is constexpr.
constexpr int fold_constants(graph& g, node const& n) {
    if (n.op->kind != op_kind::elementwise || !n.op->foldable || n.shape.rank() != 0) return -1;
    double x[3]{};
    for (int k = 0; k < n.op->arity; ++k) {
        if (!is_constant(g, n.in[k])) return -1;
        x[k] = g[n.in[k]].attr.value;
    }
    if (n.is<op::div>() && x[1] == 0) return -1;  // no constant expression
    return value::constant(g, n.op->eval(x), n.type).id();
}

/// Neutral elements, signs pulled outwards, squares.
constexpr int algebra(graph& g, node const& n) {
    value a{g, n.in[0]}, b{g, n.in[1] >= 0 ? n.in[1] : n.in[0]};
    if (n.is<op::add>()) {
        if (is_constant(g, n.in[1], 0)) return in_place_of(n, a);
        if (is_constant(g, n.in[0], 0)) return in_place_of(n, b);
        if (is<op::neg>(g, n.in[1])) return (a - operand(g, n.in[1], 0)).id();
        if (is<op::neg>(g, n.in[0])) return (b - operand(g, n.in[0], 0)).id();
    } else if (n.is<op::sub>()) {
        if (is_constant(g, n.in[1], 0)) return in_place_of(n, a);
        if (is_constant(g, n.in[0], 0)) return in_place_of(n, -b);
        if (is<op::neg>(g, n.in[1])) return (a + operand(g, n.in[1], 0)).id();
    } else if (n.is<op::mul>()) {
        if (is_constant(g, n.in[1], 1)) return in_place_of(n, a);
        if (is_constant(g, n.in[0], 1)) return in_place_of(n, b);
        if (is_constant(g, n.in[1], -1)) return in_place_of(n, -a);
        if (is_constant(g, n.in[0], -1)) return in_place_of(n, -b);
        if (is<op::neg>(g, n.in[0])) return (-(operand(g, n.in[0], 0) * b)).id();
        if (is<op::neg>(g, n.in[1])) return (-(a * operand(g, n.in[1], 0))).id();
        if (n.in[0] == n.in[1]) return apply<op::square>(a).id();
    } else if (n.is<op::div>()) {
        if (is_constant(g, n.in[1], 1)) return in_place_of(n, a);
        if (is<op::neg>(g, n.in[0])) return (-(operand(g, n.in[0], 0) / b)).id();
    } else if (n.is<op::neg>()) {
        if (is<op::neg>(g, n.in[0])) return g[n.in[0]].in[0];
    } else if (n.is<op::square>() || n.is<op::abs>()) {
        if (is<op::neg>(g, n.in[0])) {
            node even = n;
            even.in[0] = g[n.in[0]].in[0];
            return g.intern(even);
        }
    } else if (n.is<op::pow>()) {
        if (is_constant(g, n.in[1], 1)) return in_place_of(n, a);
        if (is_constant(g, n.in[1], 2)) return apply<op::square>(a).id();
    } else if (n.is<op::where>()) {
        value c{g, n.in[2]};
        if (n.in[1] == n.in[2]) return in_place_of(n, c);
        if (is_constant(g, n.in[0])) return in_place_of(n, g[n.in[0]].attr.value != 0 ? b : c);
    } else if (n.is<op::stop_gradient>()) {
        return n.in[0];
    } else if (n.is<op::cast>()) {
        if (g[n.in[0]].type == n.type) return n.in[0];
    }
    return -1;
}

}  // namespace gradus::rule
