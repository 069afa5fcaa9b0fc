// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/custom_derivatives.hpp>
#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/rule/algebra.hpp>
#include <gradus/transform/rule/contractions.hpp>
#include <gradus/transform/rule/products.hpp>
#include <gradus/transform/rule/stable.hpp>
#include <gradus/transform/rule/views.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Applies the rules to nodes until none applies. What a rule builds is simplified too, operands first, and every node's
/// simple form is remembered, so that one pass reaches the end.
class simplifying {
public:
    constexpr explicit simplifying(bool keep_stop_gradient) : keep_stop_gradient_(keep_stop_gradient) {}
    /// The simple form of a node whose operands are simple.
    constexpr int operator()(graph& g, node const& n) {
        int id = g.intern(n);
        if (known(id) >= 0) return simple_[id];
        bool const kept =
            n.op->kind == op_kind::leaf || (keep_stop_gradient_ && (n.is<op::stop_gradient>() || n.is<op::straight_through>()));
        int better = kept ? -1 : rewrite(g, n);
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
    static constexpr int rewrite(graph& g, node const& n) {
        int better = rule::fold_constants(g, n);
        if (better < 0) better = rule::implicit_broadcast(g, n);
        if (better < 0) better = rule::repeated_scalars(g, n);
        if (better < 0) better = rule::stable_forms(g, n);
        if (better < 0) better = rule::algebra(g, n);
        if (better < 0) better = rule::selections(g, n);
        if (better < 0) better = rule::quotients(g, n);
        if (better < 0) better = rule::products(g, n);
        if (better < 0) better = rule::annihilating_products(g, n);
        if (better < 0) better = rule::views(g, n);
        if (better < 0) better = rule::reductions(g, n);
        if (better < 0) better = rule::contractions(g, n);
        return better;
    }
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
