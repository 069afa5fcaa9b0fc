// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/build.hpp>
#include <gradus/op/exponential.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// The node that `s` is the sum of along axes that it keeps, if that is an exp; -1 otherwise.
constexpr int summed_exp(graph const& g, int s) {
    int sum = s;
    while (g[sum].is<op::reshape>()) sum = g[sum].in[0];
    if (!g[sum].is<op::sum>() || !g[g[sum].in[0]].is<op::exp>()) return -1;
    int const e = g[sum].in[0];
    shape kept = g[e].shape;
    for (int axis = 0; axis < kept.rank(); ++axis)
        if (op::reduces(g[sum].attr, axis)) kept[axis] = 1;
    return g[s].shape == kept ? e : -1;
}
/// The same for the logarithm of such a sum.
constexpr int logsummed_exp(graph const& g, int l) { return g[l].is<op::log>() ? summed_exp(g, g[l].in[0]) : -1; }

/// A node whose derivative is short in terms of its own value, found in its operations as they are written out.
struct softmax_form {
    enum { none, softmax, log_softmax, logsumexp } kind = none;
    int of = -1;   ///< what it is a function of, the maximum being a constant
    int sum = -1;  ///< the node with the axes
};
constexpr softmax_form softmax_form_of(graph const& g, int id) {
    node const& n = g[id];
    auto found = [&](auto kind, int of, int s) {
        while (g[s].is<op::reshape>()) s = g[s].in[0];
        return g[of].shape == g[g[s].in[0]].shape ? softmax_form{kind, of, s} : softmax_form{};
    };
    if (n.is<op::div>()) {
        int const e = summed_exp(g, n.in[1]);
        if (e >= 0 && e == n.in[0]) return found(softmax_form::softmax, g[e].in[0], n.in[1]);
    } else if (n.is<op::sub>()) {
        int const e = logsummed_exp(g, n.in[1]);
        if (e >= 0 && g[e].in[0] == n.in[0]) return found(softmax_form::log_softmax, n.in[0], g[n.in[1]].in[0]);
    } else if (n.is<op::add>()) {
        for (int k = 0; k < 2; ++k) {
            int const e = logsummed_exp(g, n.in[k]);
            if (e < 0 || !(g[n.in[1 - k]].shape == n.shape)) continue;
            node const& shifted = g[g[e].in[0]];
            if (shifted.is<op::sub>() && shifted.in[1] == n.in[1 - k])
                return found(softmax_form::logsumexp, shifted.in[0], g[n.in[k]].in[0]);
        }
    }
    return {};
}

/// The derivative that goes to `form.of` when c arrives at node `id`:
/// y (c - sum(c y)), c - exp(y) sum(c), or c e / sum(e) with e = exp(x - maximum): x - y would have lost the digits of a large x.
/// `times(d, f)` multiplies a derivative.
constexpr value softmax_derivative(graph& g, softmax_form const& form, int id, int c_id, auto times) {
    value const y{g, id}, c{g, c_id};
    std::int64_t const axes = op::folded_axes(g[form.sum].attr);
    if (form.kind == softmax_form::softmax) return times(c - times(c, y).sum(axes, true), y);
    if (form.kind == softmax_form::log_softmax) return c - times(c.sum(axes, true), apply<op::exp>(y));
    value const sum{g, form.sum}, e{g, g[form.sum].in[0]};
    return times(c / sum.reshape(y.shape()), e);
}

}  // namespace gradus::inline GRADUS_ARCH::core
