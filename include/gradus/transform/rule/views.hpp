// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/rule/algebra.hpp>

namespace gradus::inline GRADUS_ARCH::rule {

/// An elementwise operation broadcasts by itself: explicit broadcasts and reshapes of single elements in front of it go.
constexpr int implicit_broadcast(graph& g, node const& n) {
    if (n.op->kind != op_kind::elementwise) return -1;
    for (int k = 0; k < n.op->arity; ++k) {
        node const& from = g[n.in[k]];
        bool single = from.is<op::reshape>() && from.shape.is_single();
        if (!single && !from.is<op::broadcast_to>()) continue;
        node lighter = n;
        lighter.in[k] = from.in[0];
        call c{n.attr, n.shape, {}, 0};
        for (; c.count < n.op->arity; ++c.count) c.operand[c.count] = g[lighter.in[c.count]].result();
        complaint fail;
        if (tensor_type result = n.op->infer(c, fail); !fail.failed && result.shape == n.shape) return g.intern(lighter);
    }
    return -1;
}

/// An operation on repeated scalars alone is a repeated scalar.
constexpr int repeated_scalars(graph& g, node const& n) {
    if (n.op->kind != op_kind::elementwise || n.shape.is_single() || n.op->copies) return -1;
    node once = n;
    for (int k = 0; k < n.op->arity; ++k) {
        int id = n.in[k];
        if (g[id].is<op::broadcast_to>()) id = g[id].in[0];
        if (!g[id].shape.is_single()) return -1;
        once.in[k] = value{g, id}.reshape({}).id();
    }
    once.shape = {};
    return value{g, g.intern(once)}.broadcast_to(n.shape).id();
}

/// Does the permutation only move axes of extent 1? Then it is a reshape.
constexpr bool keeps_order(shape const& from, attributes const& axes) {
    std::int64_t last = -1;
    for (int i = 0; i < from.rank(); ++i) {
        if (from[static_cast<int>(axes.n[i])].code == 1) continue;
        if (axes.n[i] < last) return false;
        last = axes.n[i];
    }
    return true;
}

constexpr bool goes_backwards(node const& slice_or_pad) {
    bool backwards = false;
    for (int i = 0; i < slice_or_pad.shape.rank(); ++i) backwards = backwards || op::step_of(slice_or_pad.attr, i) < 0;
    return backwards;
}

/// Views of views are one view; views that change nothing are none.
constexpr int views(graph& g, node const& n) {
    node const& from = g[n.in[0]];
    if (n.is<op::reshape>()) {
        if (from.shape == n.shape) return n.in[0];
        if (from.is<op::reshape>()) return operand(g, n.in[0], 0).reshape(n.shape).id();
        if (from.is<op::broadcast_to>() && g[from.in[0]].shape.is_single()) return operand(g, n.in[0], 0).broadcast_to_any(n.shape).id();
    } else if (n.is<op::broadcast_to>()) {
        if (from.shape == n.shape) return n.in[0];
        if (from.is<op::broadcast_to>()) return operand(g, n.in[0], 0).broadcast_to(n.shape).id();
        if (from.is<op::reshape>() && from.shape.is_single() && g[from.in[0]].shape.rank() == 0)
            return operand(g, n.in[0], 0).broadcast_to(n.shape).id();
    } else if (n.is<op::transpose>()) {
        if (keeps_order(from.shape, n.attr)) return value{g, n.in[0]}.reshape(n.shape).id();
        if (from.is<op::transpose>()) {
            attributes both;
            for (int i = 0; i < n.shape.rank(); ++i) both.n[i] = from.attr.n[n.attr.n[i]];
            return operand(g, n.in[0], 0).transpose(both).id();
        }
        if (from.is<op::broadcast_to>() && g[from.in[0]].shape.is_single()) return operand(g, n.in[0], 0).broadcast_to_any(n.shape).id();
    } else if (n.is<op::slice>() || n.is<op::pad>()) {
        if (from.shape == n.shape && !goes_backwards(n)) return n.in[0];
        if (n.is<op::slice>() && from.is<op::broadcast_to>() && g[from.in[0]].shape.is_single())
            return operand(g, n.in[0], 0).broadcast_to_any(n.shape).id();
    }
    return -1;
}

/// Sums over axes of extent 1 are reshapes; the sum of a repeated element is a product.
constexpr int reductions(graph& g, node const& n) {
    if (!n.is<op::sum>() && !n.is<op::amax>()) return -1;
    node const& from = g[n.in[0]];
    bool trivial = true;
    for (int axis = 0; axis < from.shape.rank(); ++axis) trivial = trivial && (!op::reduces(n.attr, axis) || from.shape[axis].code == 1);
    if (trivial) return value{g, n.in[0]}.reshape(n.shape).id();
    if (n.is<op::sum>() && from.is<op::broadcast_to>() && g[from.in[0]].shape.is_single()) {
        value all{g, n.in[0]}, one = operand(g, n.in[0], 0);
        value const count = all.count(n.attr.n[0]);
        bool const finite = one.at().is_constant() && one.at().attr.value - one.at().attr.value == 0;
        bool const counted = count.at().is_constant() && count.at().attr.value != 0;
        // none of an infinity is 0
        value const sum = finite || counted ? one * count : apply<op::mul_no_nan>(count, one);
        return sum.broadcast_to_any(n.shape).id();
    }
    return -1;
}

}  // namespace gradus::inline GRADUS_ARCH::rule
