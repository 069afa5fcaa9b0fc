// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/rule/algebra.hpp>

namespace gradus::rule {

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

constexpr bool is_power_of_two(double x) {
    if (x < 0) x = -x;
    return x >= 0x1p-60 && x <= 0x1p60 && (core::bits_of(x) << 12) == 0;
}

/// Constant factors move outwards, where they meet and become one: the derivative of a chain of scalings has one product
/// per element instead of one per link. Commutative operands are ordered, so that a b and b a are one node.
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
        if (b >= 0 && is_constant(g, n.in[0])) return (value{g, b} * value::constant(g, c * g[n.in[0]].attr.value, n.type)).id();
        int a = scaled_by(g, n.in[0], d);
        if (a >= 0) return (value::constant(g, d, n.type) * (value{g, a} * value{g, n.in[1]})).id();
        if (b >= 0) return (value::constant(g, c, n.type) * (value{g, n.in[0]} * value{g, b})).id();
    } else if (n.is<op::neg>()) {
        if (int a = scaled_by(g, n.in[0], c); a >= 0) return (value::constant(g, -c, n.type) * value{g, a}).id();
    } else if (n.is<op::div>()) {
        if (int a = scaled_by(g, n.in[0], c); a >= 0) return (value::constant(g, c, n.type) * (value{g, a} / value{g, n.in[1]})).id();
        if (int b = scaled_by(g, n.in[1], c); b >= 0 && is_power_of_two(c)) return (value::constant(g, 1 / c, n.type) * (value{g, n.in[0]} / value{g, b})).id();
    } else if (n.is<op::add>() || n.is<op::sub>()) {
        int a = scaled_by(g, n.in[0], c), b = scaled_by(g, n.in[1], d);
        if (a >= 0 && b >= 0 && c == d && g[a].shape == g[b].shape) {
            value sum = n.is<op::add>() ? value{g, a} + value{g, b} : value{g, a} - value{g, b};
            return (value::constant(g, c, n.type) * sum).id();
        }
    }
    return -1;
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
            if (left.is<op::div>() && right.is<op::div>() && left.in[1] == right.in[0]) return in_place_of(n, value{g, left.in[0]} / value{g, right.in[1]});
        }
    }
    return -1;
}

}  // namespace gradus::rule
