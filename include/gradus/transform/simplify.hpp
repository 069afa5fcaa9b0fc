// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/custom_derivatives.hpp>
#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/rule/elementwise.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Applies the rules that operations state (op/simplify.hpp), and those of elementwise operations, until none applies. What a rule
/// builds is simplified too, operands first, and every node's simple form is remembered, so that one pass reaches the end.
class simplifying {
public:
    constexpr explicit simplifying(bool keep_stop_gradient) : keep_stop_gradient_(keep_stop_gradient) {}
    /// The simple form of a node whose operands are simple.
    constexpr int operator()(graph& g, node const& n) {
        int id = g.intern(n);
        if (known(id) >= 0) return simple_[id];
        int const better = rewrite(g, n, id);
        remember(id, better < 0 ? id : resolve(g, better));
        return simple_[id];
    }

private:
    constexpr int resolve(graph& g, int id) {
        if (known(id) >= 0) return simple_[id];
        node n = g[id];
        for (int k = 0; k < n.op->arity; ++k) n.in[k] = resolve(g, n.in[k]);
        int result = (*this)(g, n);
        remember(id, result);
        return result;
    }
    constexpr int rewrite(graph& g, node const& n, int id) const {
        int better = n.op->kind == op_kind::elementwise && !kept(n) ? rule::elementwise(g, n) : -1;
        if (better < 0 && n.op->differs_in_derivative && !kept(n)) better = value{g, n.in[0]}.broadcast_to(n.shape).id();
        if (better < 0 && n.op->simplifies) better = n.op->simplify(g, id);
        return better;
    }
    constexpr bool kept(node const& n) const { return keep_stop_gradient_ && n.op->differs_in_derivative; }
    constexpr int known(int id) const { return id < simple_.size() ? simple_[id] : -1; }
    constexpr void remember(int id, int simple) {
        while (simple_.size() <= id) simple_.push_back(-1);
        simple_[id] = simple;
    }
    bool keep_stop_gradient_;
    list<int> simple_;
};
constexpr graph simplified(graph const& g, bool is_differentiated_later) {
    if (!is_differentiated_later && has_custom(g)) return simplified(without_custom(g), false);
    simplifying simple(is_differentiated_later);
    graph result = pass::dead_code(rebuild(g, [&](graph& out, node const& n) { return simple(out, n); }));
    drop_unused_bodies(result);
    return result;
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Algebra, constant folding, stable forms, views folded away, transposes folded into products. Idempotent.
constexpr graph simplify(graph const& g) { return core::simplified(g, false); }
/// The same for a graph that is yet to be differentiated: stop_gradient stays, and functions with a rule.
constexpr graph simplify_differentiable(graph const& g) { return core::simplified(g, true); }

}  // namespace gradus::inline GRADUS_ARCH::pass
