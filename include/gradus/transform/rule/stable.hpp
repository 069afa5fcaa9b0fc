// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/rule/algebra.hpp>

namespace gradus::inline GRADUS_ARCH::rule {

/// Is `id` 1 + exp(x)? Returns x, or -1.
constexpr int one_plus_exp(graph const& g, int id) {
    if (!is<op::add>(g, id)) return -1;
    for (int k = 0; k < 2; ++k)
        if (is_constant(g, g[id].in[k], 1) && is<op::exp>(g, g[id].in[1 - k])) return g[g[id].in[1 - k]].in[0];
    return -1;
}

/// Forms that overflow or cancel, as users write them, become the ones that do not:
/// log(1 + exp x) and log1p(exp x) -> softplus x; log(exp x) -> x; log(exp(u) / s) -> u - log s, which makes log(softmax)
/// a log_softmax; log(sigmoid x) -> -softplus(-x); 1 / (1 + exp(-x)) -> sigmoid x.
constexpr int stable_forms(graph& g, node const& n) {
    if (n.is<op::log>()) {
        int x = n.in[0];
        if (int inner = one_plus_exp(g, x); inner >= 0) return apply<op::softplus>(value{g, inner}).id();
        if (is<op::exp>(g, x)) return g[x].in[0];
        if (is<op::sigmoid>(g, x)) return (-apply<op::softplus>(-operand(g, x, 0))).id();
        if (is<op::div>(g, x) && is<op::exp>(g, g[x].in[0]) && g[g[x].in[0]].shape == n.shape)
            return (operand(g, g[x].in[0], 0) - apply<op::log>(operand(g, x, 1))).id();
    } else if (n.is<op::log1p>()) {
        if (is<op::exp>(g, n.in[0])) return apply<op::softplus>(operand(g, n.in[0], 0)).id();
    } else if (n.is<op::div>() && is_constant(g, n.in[0], 1)) {
        int inner = one_plus_exp(g, n.in[1]);
        if (inner >= 0 && is<op::neg>(g, inner)) return apply<op::sigmoid>(operand(g, inner, 0)).id();
    }
    return -1;
}

}  // namespace gradus::inline GRADUS_ARCH::rule
