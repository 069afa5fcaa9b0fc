// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/dead_code.hpp>

namespace gradus::pass {

/// Divides once where several values, or all elements of a row, share a denominator: a / d and b / d become a r and b r
/// with r = 1 / d, and x / s with a smaller s becomes x (1 / s). A division costs as much as four to eight products; the
/// result differs in the last bit. Constant denominators stay: x / 3 should be what it says. Idempotent.
constexpr graph reciprocals(graph const& g) {
    core::list<int> divisions(g.size(), 0);
    core::list<char> needed = core::needed_nodes(g);
    for (int i = 0; i < g.size(); ++i)
        if (needed[i] && g[i].is<op::div>()) ++divisions[g[i].in[1]];
    int old = -1;  // the number of the node at hand in g: needed nodes come in order
    return dead_code(core::rebuild(g, [&](graph& out, node const& n) {
        do ++old;
        while (!needed[old]);
        int id = out.intern(n);
        if (!n.is<op::div>()) return id;
        node const below = out[n.in[1]], above = out[n.in[0]];
        bool exact = below.is<op::constant>() || below.is<op::size>() || (above.is<op::constant>() && above.attr.value == 1);
        bool pays = divisions[g[old].in[1]] > 1 || !(below.shape == n.shape);
        return exact || !pays ? id : (value{out, n.in[0]} * (1 / value{out, n.in[1]})).id();
    }));
}

}  // namespace gradus::pass
