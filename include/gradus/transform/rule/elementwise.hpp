// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>

// What is true of every elementwise operation, whichever it is; its own rules it states itself (op/simplify.hpp). A rule returns the id of
// a node that stands for the given one, or -1 where it does not apply.
namespace gradus::inline GRADUS_ARCH::rule {

/// Operations on constants alone, where the formula is constexpr.
constexpr int fold_constants(graph& g, node const& n) {
    if (!n.op->foldable || n.shape.rank() != 0) return -1;
    double x[3]{};
    for (int k = 0; k < n.op->arity; ++k) {
        if (!g[n.in[k]].is_constant()) return -1;
        x[k] = g[n.in[k]].attr.value;
    }
    if (n.op->divides && x[1] == 0) return -1;  // no constant expression
    double const y = n.op->eval(x);
    if (n.type == dtype::float32 && y - y == 0 && (y > 0x1.fffffep127 || y < -0x1.fffffep127)) return -1;  // no constant expression
    return value::constant(g, y, n.type).id();
}

/// An elementwise operation broadcasts by itself: explicit broadcasts and reshapes of single elements in front of it go.
constexpr int implicit_broadcast(graph& g, node const& n) {
    for (int k = 0; k < n.op->arity; ++k) {
        node const& from = g[n.in[k]];
        if (!from.op->only_repeats && !(from.op->same_order && from.shape.is_single())) continue;
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
    if (n.shape.is_single() || n.op->copies) return -1;
    node once = n;
    for (int k = 0; k < n.op->arity; ++k) {
        int id = n.in[k];
        if (g[id].op->only_repeats) id = g[id].in[0];
        if (!g[id].shape.is_single()) return -1;
        once.in[k] = value{g, id}.reshape({}).id();
    }
    once.shape = {};
    return value{g, g.intern(once)}.broadcast_to(n.shape).id();
}

constexpr int elementwise(graph& g, node const& n) {
    int better = fold_constants(g, n);
    if (better < 0) better = implicit_broadcast(g, n);
    if (better < 0) better = repeated_scalars(g, n);
    return better;
}

}  // namespace gradus::inline GRADUS_ARCH::rule
