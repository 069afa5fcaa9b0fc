// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/exponential.hpp>
#include <gradus/transform/dead_code.hpp>

namespace gradus::inline GRADUS_ARCH::pass {

/// Several of softplus(x), sigmoid(x) and its derivative, as a loss and its derivative have them, share e = exp(-|x|): softplus(x) is
/// max(x, 0) + log1p(e), sigmoid(x) is (x > 0 ? 1 : e) / (1 + e), its derivative e / (1 + e)^2. The derivative of tanh is taken
/// from tanh where that is computed. Idempotent.
constexpr graph exponentials(graph const& g) {
    core::list<int> forms(g.size(), 0);
    core::list<char> needed = core::needed_nodes(g);
    bool any = false;
    for (int i = 0; i < g.size(); ++i) {
        int const form = needed[i] ? g[i].op->shares : 0;
        if (form == 0) continue;
        int& all = forms[g[i].in[0]];
        all |= form;
        any = any || op::shared_forms(all) != 0;
    }
    if (!any) return g;
    int old = -1;  // the number of the node at hand in g: needed nodes come in order
    return dead_code(core::rebuild(g, [&](graph& out, node const& n) {
        do ++old;
        while (!needed[old]);
        int const form = n.op->shares, all = form ? op::shared_forms(forms[g[old].in[0]]) : 0;
        if (!(form & all)) return out.intern(n);
        return op::by_shared_exponential(value{out, n.in[0]}, form, all).id();
    }));
}

}  // namespace gradus::inline GRADUS_ARCH::pass
