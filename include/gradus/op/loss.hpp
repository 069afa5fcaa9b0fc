// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>
#include <gradus/op/logarithm.hpp>

// More losses: means over all elements unless a text says otherwise. Parameters are `value` of the attributes.
namespace gradus::inline GRADUS_ARCH::op {

/// mean |a - b|.
struct l1_loss : loss<l1_loss> {
    static constexpr auto name = "l1_loss";
    static constexpr auto expand(attributes const&, auto a, auto b) { return apply<abs>(a - b).mean(); }
};

/// mean of d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere; d = a - b.
struct huber_loss : loss<huber_loss> {
    static constexpr auto name = "huber_loss";
    static constexpr auto expand(attributes const& attr, auto a, auto b) {
        auto d = a - b, distance = apply<abs>(d);
        return gradus::where(distance <= attr.value, 0.5 * apply<square>(d), attr.value * (distance - 0.5 * attr.value)).mean();
    }
};

/// huber_loss / beta: slope 1 away from 0.
struct smooth_l1_loss : loss<smooth_l1_loss> {
    static constexpr auto name = "smooth_l1_loss";
    static constexpr auto expand(attributes const& attr, auto a, auto b) {
        auto d = a - b, distance = apply<abs>(d);
        return gradus::where(distance < attr.value, apply<square>(d) * (0.5 / attr.value), distance - 0.5 * attr.value).mean();
    }
};

/// sum of b (log b - a) per row of the first axis, averaged: the divergence of exp(a) from b. 0 where b is 0.
struct kl_div : loss<kl_div> {
    static constexpr auto name = "kl_div";
    using uses = op_list<xlogy>;
    static constexpr auto expand(attributes const&, auto a, auto b) {
        auto terms = apply<xlogy>(b, b) - b * a;
        return terms.sum((std::int64_t{1} << a.shape().rank()) - 1, false) / a.count(1);
    }
};

/// The derivative by a of the term below, (a - b) / (a (1 - a)): 0 where a is 0 or 1, so that it is 0 behind a saturated sigmoid.
struct cross_entropy_slope : binary<cross_entropy_slope> {
    static constexpr auto name = "cross_entropy_slope";
    static constexpr auto eval(auto a, auto b) {
        return gradus::where(a > 0, gradus::where(a < 1, (a - b) / a / (1 - a), 0), gradus::where(a == a, 0, a));
    }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto inside = [a](auto x) { return gradus::where(a > 0, gradus::where(a < 1, x, 0), 0); };
        auto c = 1 - a;
        return std::tuple{inside(g * (b / a / a + (1 - b) / c / c)), inside(-(g / a / c))};
    }
};

/// -max(log a, -100) b - max(log(1 - a), -100) (1 - b).
struct cross_entropy_term : binary<cross_entropy_term> {
    static constexpr auto name = "cross_entropy_term";
    using uses = op_list<cross_entropy_slope>;
    static auto eval(auto a, auto b) {
        using std::log, std::log1p;
        return -(b * at_least_100(log(a)) + (1 - b) * at_least_100(log1p(-a)));
    }
    static constexpr auto partials(auto a, auto b, auto) {
        using std::log, std::log1p;
        return std::tuple{apply<cross_entropy_slope>(a, b), apply<maximum>(log1p(-a), -100) - apply<maximum>(log(a), -100)};
    }

private:
    static constexpr auto at_least_100(auto x) { return gradus::where(x < -100, -100, x); }
};

/// mean of max(log a, -100) b + max(log(1 - a), -100) (1 - b), negated: a is a probability. Prefer the one with logits.
struct binary_cross_entropy : loss<binary_cross_entropy> {
    static constexpr auto name = "binary_cross_entropy";
    using uses = op_list<cross_entropy_term>;
    static constexpr auto expand(attributes const&, auto a, auto b) { return apply<cross_entropy_term>(a, b).mean(); }
};

/// The derivative by a of the term below, sigmoid(a) - b, with e / (1 + e) for what sigmoid(|a|) lacks of 1, e = exp(-|a|): where the
/// sigmoid rounds to 1 and b is 1, it has all digits.
struct logits_slope : binary<logits_slope> {
    static constexpr auto name = "logits_slope";
    static auto eval(auto a, auto b) {
        using std::abs, std::exp;
        auto const e = exp(-abs(a)), rest = e / (1 + e);
        return gradus::where(a > 0, (1 - b) - rest, rest - b);
    }
    static constexpr auto partials(auto a, auto, auto) { return std::tuple{apply<sigmoid_slope>(a), -1}; }
};

/// softplus(a) - a b, as log1p(exp(-|a|)) + |a| (1 - b or b), which does not cancel.
struct logits_term : binary<logits_term> {
    static constexpr auto name = "logits_term";
    using uses = op_list<logits_slope>;
    static auto eval(auto a, auto b) {
        using std::abs, std::exp, std::log1p;
        return log1p(exp(-abs(a))) + gradus::where(a > 0, a * (1 - b), -(a * b));
    }
    static constexpr auto partials(auto a, auto b, auto) { return std::tuple{apply<logits_slope>(a, b), -a}; }
};

/// mean of softplus(x) - x y: the cross entropy of sigmoid(x) against y in [0, 1].
struct binary_cross_entropy_with_logits : loss<binary_cross_entropy_with_logits> {
    static constexpr auto name = "binary_cross_entropy_with_logits";
    using uses = op_list<logits_term>;
    static constexpr auto expand(attributes const&, auto x, auto y) { return apply<logits_term>(x, y).mean(); }
};

/// mean of a where b is 1 and of max(0, margin - a) where b is -1.
struct hinge_embedding_loss : loss<hinge_embedding_loss> {
    static constexpr auto name = "hinge_embedding_loss";
    static constexpr auto expand(attributes const& attr, auto a, auto b) {
        return gradus::where(b > 0, a, apply<relu>(attr.value - a)).mean();
    }
};

/// mean of (log v + (a - b)^2 / v) / 2 with variance v, at least `value`.
struct gaussian_nll_loss : composite {
    static constexpr auto name = "gaussian_nll_loss";
    static constexpr int arity = 3;
    static constexpr op_kind kind = op_kind::reduction;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        dtype type = common_dtype(c, 0, accepts::floating, fail);
        if (!fail.failed) broadcast(c, fail);
        return {type, {}};
    }
    static constexpr auto expand(attributes const& attr, auto a, auto b, auto variance) {
        auto v = apply<maximum>(variance, attr.value);
        return (0.5 * (apply<log>(v) + apply<square>(a - b) / v)).mean();
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
