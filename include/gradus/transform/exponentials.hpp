// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/exponential.hpp>
#include <gradus/transform/dead_code.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Functions of one operand that can share an exponential, as bits.
enum exponential_kind { has_softplus = 1, has_sigmoid = 2, has_sigmoid_slope = 4, has_tanh = 8, has_tanh_slope = 16 };

constexpr int exponential_kind_of(node const& n) {
    return n.is<op::softplus>()        ? has_softplus
           : n.is<op::sigmoid>()       ? has_sigmoid
           : n.is<op::sigmoid_slope>() ? has_sigmoid_slope
           : n.is<op::tanh>()          ? has_tanh
           : n.is<op::tanh_slope>()    ? has_tanh_slope
                                       : 0;
}
/// Which of these kinds are written in terms of each other?
constexpr int shared_kinds(int kinds) {
    int const of_sigmoid = kinds & (has_softplus | has_sigmoid | has_sigmoid_slope), of_tanh = kinds & (has_tanh | has_tanh_slope);
    return ((of_sigmoid & (of_sigmoid - 1)) ? of_sigmoid : 0) | (of_tanh == (has_tanh | has_tanh_slope) ? has_tanh_slope : 0);
}
/// `kind` of x, with e = exp(-|x|).
constexpr value with_exponential(value x, int kind, int kinds) {
    value const e = apply<op::exp>(-apply<op::abs>(x));
    if (kind == has_softplus) {
        value const rest = apply<op::log1p>(e);  // named: compilers evaluate operands in orders of their own
        return gradus::where(x > 0, x, x.number(0)) + rest;
    }
    value const below = 1 + e;
    if (!(kinds & has_sigmoid_slope)) return gradus::where(x > 0, x.number(1), e) / below;
    value const inverse = 1 / below;
    if (kind == has_sigmoid_slope) return e * apply<op::square>(inverse);
    return gradus::where(x > 0, x.number(1), e) * inverse;
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Several of softplus(x), sigmoid(x) and its derivative, as a loss and its derivative have them, share e = exp(-|x|): softplus(x) is
/// max(x, 0) + log1p(e), sigmoid(x) is (x > 0 ? 1 : e) / (1 + e), its derivative e / (1 + e)^2. The derivative of tanh is taken
/// from tanh where that is computed. Idempotent.
constexpr graph exponentials(graph const& g) {
    core::list<int> kinds(g.size(), 0);
    core::list<char> needed = core::needed_nodes(g);
    bool any = false;
    for (int i = 0; i < g.size(); ++i) {
        int const kind = needed[i] ? core::exponential_kind_of(g[i]) : 0;
        if (kind == 0) continue;
        int& all = kinds[g[i].in[0]];
        all |= kind;
        any = any || core::shared_kinds(all) != 0;
    }
    if (!any) return g;
    int old = -1;  // the number of the node at hand in g: needed nodes come in order
    return dead_code(core::rebuild(g, [&](graph& out, node const& n) {
        do ++old;
        while (!needed[old]);
        int const kind = core::exponential_kind_of(n), all = kind ? core::shared_kinds(kinds[g[old].in[0]]) : 0;
        if (!(kind & all)) return out.intern(n);
        value const x{out, n.in[0]};
        return (kind == core::has_tanh_slope ? apply<op::tanh_slope_beside>(x, apply<op::tanh>(x)) : core::with_exponential(x, kind, all))
            .id();
    }));
}

}  // namespace gradus::inline GRADUS_ARCH::pass
