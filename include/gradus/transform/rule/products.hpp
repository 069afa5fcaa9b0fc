// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/rule/algebra.hpp>

namespace gradus::inline GRADUS_ARCH::rule {

/// Is `id` a constant times something? Then `factor` is the constant and the result the other operand; else -1.
constexpr int scaled_by(graph const& g, int id, double& factor) {
    if (!is<op::mul>(g, id)) return -1;
    for (int k = 0; k < 2; ++k) {
        int other = g[id].in[1 - k];
        if (!is_constant(g, g[id].in[k]) || !(g[other].shape == g[id].shape)) continue;
        factor = g[g[id].in[k]].attr.value;
        return other;
    }
    return -1;
}

/// May a factor move over another product? What it had scaled before is then this much larger or smaller on the way, so that
/// numbers at the ends of the range, these ten of 250 binades, overflow or vanish where they did not.
constexpr bool may_move(double c) {
    if (c < 0) c = -c;
    return c >= 0x1p-10 && c <= 0x1p10;
}
constexpr bool is_power_of_two(double x) { return may_move(x) && (core::bits_of(x) << 12) == 0; }
/// Is c d a normal number of the type? If not, c (d x) is another number than (c d) x.
constexpr bool may_meet(double c, double d, dtype type) {
    double const most = type == dtype::float32 ? 0x1p126 : 0x1p1022, least = 1 / most;
    if (c < 0) c = -c;
    if (d < 0) d = -d;
    if (!(c >= least && c <= most && d >= least && d <= most)) return false;
    return d >= 1 ? c <= most / d : c >= least / d;
}

/// Constant factors move outwards, where they meet and become one: the derivative of a chain of scalings has one product
/// per element instead of one per link. Factors that could make the rest overflow or vanish stay where they are written.
/// Commutative operands are ordered, so that a b and b a are one node.
constexpr int products(graph& g, node const& n) {
    if (n.is<op::add>() || n.is<op::mul>()) {
        bool first = is_constant(g, n.in[0]), second = is_constant(g, n.in[1]);
        if (first == second ? n.in[0] > n.in[1] : second) {
            node ordered = n;
            ordered.in[0] = n.in[1];
            ordered.in[1] = n.in[0];
            return g.intern(ordered);
        }
    }
    double c = 0, d = 0;
    if (n.is<op::mul>()) {
        int b = scaled_by(g, n.in[1], c);
        if (b >= 0 && is_constant(g, n.in[0])) {
            double const outer = g[n.in[0]].attr.value;
            return may_meet(c, outer, n.type) ? (value{g, b} * value::constant(g, c * outer, n.type)).id() : -1;
        }
        int a = scaled_by(g, n.in[0], d);
        if (a >= 0 && may_move(d)) return (value::constant(g, d, n.type) * (value{g, a} * value{g, n.in[1]})).id();
        if (b >= 0 && may_move(c)) return (value::constant(g, c, n.type) * (value{g, n.in[0]} * value{g, b})).id();
    } else if (n.is<op::neg>()) {
        if (int a = scaled_by(g, n.in[0], c); a >= 0) return (value::constant(g, -c, n.type) * value{g, a}).id();
    } else if (n.is<op::div>()) {
        if (int a = scaled_by(g, n.in[0], c); a >= 0 && may_move(c))
            return (value::constant(g, c, n.type) * (value{g, a} / value{g, n.in[1]})).id();
        if (int b = scaled_by(g, n.in[1], c); b >= 0 && is_power_of_two(c))
            return (value::constant(g, 1 / c, n.type) * (value{g, n.in[0]} / value{g, b})).id();
    } else if (n.is<op::add>() || n.is<op::sub>()) {
        int a = scaled_by(g, n.in[0], c), b = scaled_by(g, n.in[1], d);
        if (a >= 0 && b >= 0 && c == d && may_move(c) && g[a].shape == g[b].shape) {
            value sum = n.is<op::add>() ? value{g, a} + value{g, b} : value{g, a} - value{g, b};
            return (value::constant(g, c, n.type) * sum).id();
        }
    }
    return -1;
}

/// Products in which 0 annihilates associate, so that the derivatives of a chain meet and can cancel: 1 / (a / b) times 1 / b = 1 / a.
constexpr int annihilating_products(graph& g, node const& n) {
    if (!n.is<op::mul_no_nan>()) return -1;
    for (int k = 0; k < 2; ++k)
        if (is_constant(g, n.in[k], 1)) return in_place_of(n, value{g, n.in[1 - k]});
    node const left = g[n.in[0]], right = g[n.in[1]];
    bool const inside = left.is<op::mul_no_nan>();
    node const last = inside ? g[left.in[1]] : left;
    bool const inverse = right.is<op::div>() && is_constant(g, right.in[0], 1);
    if (!inverse || !last.is<op::div>() || !is<op::div>(g, last.in[1]) || g[last.in[1]].in[1] != right.in[1]) return -1;
    node const above = g[last.in[0]];
    if (inside && !(above.is_constant() && may_move(above.attr.value))) return -1;  // x / a alone may be too large
    value const quotient = value{g, last.in[0]} / operand(g, last.in[1], 0);
    return in_place_of(n, inside ? apply<op::mul_no_nan>(value{g, left.in[0]}, quotient) : quotient);
}

/// Quotients of quotients, as the derivative of log(a / b) makes them: (x / (a / b)) / b = x / a, (x / a) (a / b) = x / b.
constexpr int quotients(graph& g, node const& n) {
    if (n.is<op::div>()) {
        node const inner = g[n.in[0]];
        if (inner.is<op::div>() && is<op::div>(g, inner.in[1]) && g[inner.in[1]].in[1] == n.in[1] && inner.shape == n.shape)
            return in_place_of(n, value{g, inner.in[0]} / operand(g, inner.in[1], 0));
    } else if (n.is<op::mul>()) {
        for (int k = 0; k < 2; ++k) {
            node const left = g[n.in[k]], right = g[n.in[1 - k]];
            if (left.is<op::div>() && right.is<op::div>() && left.in[1] == right.in[0])
                return in_place_of(n, value{g, left.in[0]} / value{g, right.in[1]});
        }
    }
    return -1;
}

}  // namespace gradus::inline GRADUS_ARCH::rule
