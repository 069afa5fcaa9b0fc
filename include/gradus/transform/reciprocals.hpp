// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/selection.hpp>
#include <gradus/transform/dead_code.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Is a node its operand, or a function of it that does not round?
constexpr bool keeps_digits(node const& n) {
    return n.op->kind == op_kind::view || (n.op->kind == op_kind::elementwise && n.op->exact && n.op->arity == 1);
}
/// Marks the quotients that an operation looks at which jumps where they change by their last bit: floor(a / b), a / b >= c, an integer of
/// a / b. (Of what is compared with 0 the sign alone counts.)
constexpr list<char> exact_quotients(graph const& g, list<char> const& needed) {
    list<char> exact(g.size(), 0);
    for (int i = 0; i < g.size(); ++i) {
        node const& n = g[i];
        if (!needed[i]) continue;  // as if dead code were gone
        if (!n.op->steps && !(n.op->converts && !is_floating(n.type))) continue;
        if (n.op->arity == 2 && (is_zero(g, n.in[0]) || is_zero(g, n.in[1]))) continue;
        for (int k = 0; k < n.op->arity; ++k) {
            int id = n.in[k];
            while (keeps_digits(g[id])) id = g[id].in[0];
            exact[id] = g[id].op->divides;
        }
    }
    return exact;
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Divides once where several values, or all elements of a row, share a denominator: a / d and b / d become a r and b r
/// with r = 1 / d, and x / s with a smaller s becomes x (1 / s). A division costs as much as four to eight products; the
/// result differs in the last bit. Constant denominators stay: x / 3 should be what it says; so do quotients that something looks at which
/// jumps: floor(6 / 3) is 2. Idempotent.
constexpr graph reciprocals(graph const& g) {
    core::list<int> divisions(g.size(), 0);
    core::list<char> needed = core::needed_nodes(g), kept = core::exact_quotients(g, needed);
    for (int i = 0; i < g.size(); ++i)
        if (needed[i] && g[i].op->divides) ++divisions[g[i].in[1]];
    int old = -1;  // the number of the node at hand in g: needed nodes come in order
    return dead_code(core::rebuild(g, [&](graph& out, node const& n) {
        do ++old;
        while (!needed[old]);
        int id = out.intern(n);
        if (!n.op->divides) return id;
        node const below = out[n.in[1]], above = out[n.in[0]];
        bool exact =
            kept[old] || below.is_constant() || below.op->holds == leaf_kind::size || (above.is_constant() && above.attr.value == 1);
        bool pays = divisions[g[old].in[1]] > 1 || !(below.shape == n.shape);
        return exact || !pays ? id : (value{out, n.in[0]} * (1 / value{out, n.in[1]})).id();
    }));
}

}  // namespace gradus::inline GRADUS_ARCH::pass
