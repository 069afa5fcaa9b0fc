// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/exponential.hpp>
#include <gradus/pass/dead_code.hpp>

namespace gradus::pass {

/// softplus(x) and sigmoid(x) of one x, as a loss and its derivative have them, share e = exp(-|x|): softplus(x) is
/// max(x, 0) + log1p(e), sigmoid(x) is (x > 0 ? 1 : e) / (1 + e). Idempotent.
constexpr graph exponentials(graph const& g) {
    core::list<int> kinds(g.size(), 0);
    core::list<char> needed = core::needed_nodes(g);
    bool both = false;
    for (int i = 0; i < g.size(); ++i) {
        if (!needed[i] || !(g[i].is<op::softplus>() || g[i].is<op::sigmoid>())) continue;
        kinds[g[i].in[0]] |= g[i].is<op::softplus>() ? 1 : 2;
        both = both || kinds[g[i].in[0]] == 3;
    }
    if (!both) return g;
    int old = -1;  // the number of the node at hand in g: needed nodes come in order
    return dead_code(core::rebuild(g, [&](graph& out, node const& n) {
        do ++old;
        while (!needed[old]);
        bool shared = (n.is<op::softplus>() || n.is<op::sigmoid>()) && kinds[g[old].in[0]] == 3;
        if (!shared) return out.intern(n);
        value x{out, n.in[0]}, e = apply<op::exp>(-apply<op::abs>(x));
        value rest = n.is<op::softplus>() ? apply<op::log1p>(e) : 1 + e;  // named: compilers evaluate operands in orders of their own
        if (n.is<op::softplus>()) return (gradus::where(x > 0, x, x.number(0)) + rest).id();
        return (gradus::where(x > 0, x.number(1), e) / rest).id();
    }));
}

}  // namespace gradus::pass
