// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

// Softmax, log_softmax and logsumexp as their expansions leave them in a graph (op/composite.hpp), and their derivatives.
namespace gradus::inline GRADUS_ARCH::core {

/// The node that `s` is the sum of along axes that it keeps, if that is an exp; -1 otherwise.
constexpr int summed_exp(auto const& g, int s) {
    int sum = s;
    while (g[sum].template is<op::reshape>()) sum = g[sum].in[0];
    if (!g[sum].template is<op::sum>() || !g[g[sum].in[0]].template is<op::exp>()) return -1;
    int const e = g[sum].in[0];
    shape kept = g[e].shape;
    for (int axis = 0; axis < kept.rank(); ++axis)
        if (op::reduces(g[sum].attr, axis)) kept[axis] = 1;
    return g[s].shape == kept ? e : -1;
}
/// The same for the logarithm of such a sum.
constexpr int logsummed_exp(auto const& g, int l) { return g[l].template is<op::log>() ? summed_exp(g, g[l].in[0]) : -1; }

/// A node whose derivative is short in terms of its own value, found in its operations as they are written out.
struct softmax_form {
    enum { none, softmax, log_softmax, logsumexp } kind = none;
    int of = -1;   ///< what it is a function of, the maximum being a constant
    int sum = -1;  ///< the node with the axes
};
constexpr softmax_form softmax_form_of(auto const& g, int id) {
    auto const& n = g[id];
    auto found = [&](auto kind, int of, int s) {
        while (g[s].template is<op::reshape>()) s = g[s].in[0];
        return g[of].shape == g[g[s].in[0]].shape ? softmax_form{kind, of, s} : softmax_form{};
    };
    if (n.template is<op::div>()) {
        int const e = summed_exp(g, n.in[1]);
        if (e >= 0 && e == n.in[0]) return found(softmax_form::softmax, g[e].in[0], n.in[1]);
    } else if (n.template is<op::sub>()) {
        int const e = logsummed_exp(g, n.in[1]);
        if (e >= 0 && g[e].in[0] == n.in[0]) return found(softmax_form::log_softmax, n.in[0], g[n.in[1]].in[0]);
    } else if (n.template is<op::add>()) {
        for (int k = 0; k < 2; ++k) {
            int const e = logsummed_exp(g, n.in[k]);
            if (e < 0 || !(g[n.in[1 - k]].shape == n.shape)) continue;
            auto const& shifted = g[g[e].in[0]];
            if (shifted.template is<op::sub>() && shifted.in[1] == n.in[1 - k])
                return found(softmax_form::logsumexp, shifted.in[0], g[n.in[k]].in[0]);
        }
    }
    return {};
}

/// The derivative that goes to `form.of` when c arrives at y, the value that has it:
/// y (c - sum(c y)), c - exp(y) sum(c), or c e / sum(e) with e = exp(x - maximum): x - y would have lost the digits of a large x.
/// `times(d, f)` multiplies a derivative.
constexpr auto softmax_derivative(softmax_form const& form, auto y, auto c, auto times) -> decltype(y) {
    decltype(y) const sum{y.owner(), form.sum};
    std::int64_t const axes = op::folded_axes(sum.attr());
    if (form.kind == softmax_form::softmax) return times(c - times(c, y).sum(axes, true), y);
    if (form.kind == softmax_form::log_softmax) return c - times(c.sum(axes, true), apply<op::exp>(y));
    return times(c / sum.reshape(y.shape()), sum.operand(0));
}

}  // namespace gradus::inline GRADUS_ARCH::core
