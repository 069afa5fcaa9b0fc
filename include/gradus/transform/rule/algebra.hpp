// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>
#include <gradus/op/exponential.hpp>

// Rules of simplification return the id of a node that stands for the given one, or -1 where they do not apply.
namespace gradus::inline GRADUS_ARCH::rule {

constexpr bool is_constant(graph const& g, int id) { return g[id].is<op::constant>(); }
constexpr bool is_constant(graph const& g, int id, double x) { return is_constant(g, id) && g[id].attr.value == x; }
template <class Op>
constexpr bool is(graph const& g, int id) {
    return g[id].is<Op>();
}
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
    double const y = n.op->eval(x);
    if (n.type == dtype::float32 && y - y == 0 && (y > 0x1.fffffep127 || y < -0x1.fffffep127)) return -1;  // no constant expression
    return value::constant(g, y, n.type).id();
}

/// Does the condition ask whether x is reached, and is `id` x, -x or a constant times x? Then it is 0 where the condition does not hold.
constexpr bool is_multiple_of_tested(graph const& g, int condition, int id) {
    if (!is<op::is_reached>(g, condition)) return false;
    int const tested = g[condition].in[0];
    if (is<op::neg>(g, id)) id = g[id].in[0];
    if (is<op::mul>(g, id) && is_constant(g, g[id].in[0])) id = g[id].in[1];
    return id == tested;
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
        if (is<op::where>(g, n.in[1]) && g[n.in[1]].in[0] == n.in[0])
            return gradus::where(a, operand(g, n.in[1], 1), c).broadcast_to(n.shape).id();
        if (is<op::where>(g, n.in[2]) && g[n.in[2]].in[0] == n.in[0])
            return gradus::where(a, b, operand(g, n.in[2], 2)).broadcast_to(n.shape).id();
        if (is_constant(g, n.in[2], 0) && is_multiple_of_tested(g, n.in[0], n.in[1])) return in_place_of(n, b);
    } else if (n.is<op::stop_gradient>() || n.is<op::straight_through>() || n.is<op::argument>()) {
        return in_place_of(n, a);
    } else if (n.is<op::sqrt>() || n.is<op::rsqrt>()) {
        if (is_constant(g, n.in[0], 1)) return n.in[0];
    } else if (n.is<op::cast>()) {
        if (g[n.in[0]].type == n.type) return n.in[0];
    }
    return -1;
}

/// Sums of selections by one condition, as the derivatives of a selection's branches are: where(c, a, 0) + where(c, 0, b) is
/// where(c, a, b), and what is added to one branch only is added there.
constexpr int selections(graph& g, node const& n) {
    if (!n.is<op::add>() || !is<op::where>(g, n.in[0]) || !is<op::where>(g, n.in[1])) return -1;
    node const a = g[n.in[0]], b = g[n.in[1]];
    if (a.in[0] != b.in[0]) return -1;
    int branch[3]{}, sums = 0;
    for (int k = 1; k < 3; ++k) {
        branch[k] = is_constant(g, a.in[k], 0) ? b.in[k] : is_constant(g, b.in[k], 0) ? a.in[k] : -1;
        sums += branch[k] < 0;
    }
    if (sums == 2) return -1;
    for (int k = 1; k < 3; ++k)
        if (branch[k] < 0) branch[k] = (value{g, a.in[k]} + value{g, b.in[k]}).id();
    return in_place_of(n, gradus::where(value{g, a.in[0]}, value{g, branch[1]}, value{g, branch[2]}));
}

}  // namespace gradus::inline GRADUS_ARCH::rule
