// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>

#include <limits>

namespace gradus::op {

/// sum / count over some axes.
struct mean : composite, reduction<mean> {
    static constexpr auto name = "mean";
    static constexpr auto expand(attributes const& attr, auto x) { return x.sum(attr.n[0], keeps(attr)) / x.count(attr.n[0]); }
};

/// Operations along one axis that keep the shape; n[0] has that axis' bit.
template <class Op>
struct along_axis : composite {
    static constexpr int arity = 1;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (c.attr.n[0] >> c.operand[0].shape.rank()) return fail("no such axis: a is ", c.operand[0], " and has ", c.operand[0].shape.rank(), " axes");
        if (!is_floating(c.operand[0].type)) return fail("needs a floating-point operand: a is ", c.operand[0]);
        return c.operand[0];
    }
    // The maximum only scales: its derivative cancels exactly, so none is taken.
    static constexpr auto shifted(attributes const& attr, auto x) { return x - apply<stop_gradient>(x.amax(attr.n[0], true)); }
};

/// exp(x) / sum exp(x) along an axis, shifted by the maximum.
struct softmax : along_axis<softmax> {
    static constexpr auto name = "softmax";
    static constexpr auto expand(attributes const& attr, auto x) {
        using std::exp;
        auto e = exp(shifted(attr, x));
        return e / e.sum(attr.n[0], true);
    }
};

/// x - log sum exp(x) along an axis, shifted by the maximum.
struct log_softmax : along_axis<log_softmax> {
    static constexpr auto name = "log_softmax";
    static constexpr auto expand(attributes const& attr, auto x) {
        using std::exp, std::log;
        auto s = shifted(attr, x);
        return s - log(exp(s).sum(attr.n[0], true));
    }
};

/// log sum exp(x) over some axes, shifted by the maximum (by 0 where that is infinite).
struct logsumexp : composite, reduction<logsumexp> {
    static constexpr auto name = "logsumexp";
    static constexpr auto expand(attributes const& attr, auto x) {
        using std::abs, std::exp, std::log;
        auto top = apply<stop_gradient>(x.amax(attr.n[0], true));
        auto m = gradus::where(abs(top) < std::numeric_limits<double>::infinity(), top, 0);
        auto y = log(exp(x - m).sum(attr.n[0], true)) + m;
        return keeps(attr) ? y : y.reduced_shape(attr.n[0]);
    }
};

/// Losses: the mean over all elements, a scalar.
template <class Op>
struct loss : composite {
    static constexpr int arity = 2;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (c.operand[0].type != c.operand[1].type || !c.same(c.operand[0].shape, c.operand[1].shape)) return fail("prediction and target differ: a is ", c.operand[0], ", b is ", c.operand[1]);
        if (!is_floating(c.operand[0].type)) return fail("needs floating-point operands: a is ", c.operand[0]);
        return {c.operand[0].type, {}};
    }
};

/// mean of (a - b)^2.
struct mse_loss : loss<mse_loss> {
    static constexpr auto name = "mse_loss";
    static constexpr auto expand(attributes const&, auto a, auto b) { return apply<square>(a - b).mean(); }
};

/// mean of softplus(x) - x y: the cross entropy of sigmoid(x) against y in [0, 1].
struct binary_cross_entropy_with_logits : loss<binary_cross_entropy_with_logits> {
    static constexpr auto name = "binary_cross_entropy_with_logits";
    static constexpr auto expand(attributes const&, auto x, auto y) { return (apply<softplus>(x) - x * y).mean(); }
};

/// mean of logsumexp(x) - x[label] over rows; x is [..., classes], labels are integers of x's leading shape.
/// A label outside 0 .. classes-1 selects nothing: such a row contributes its logsumexp.
struct cross_entropy : composite {
    static constexpr auto name = "cross_entropy";
    static constexpr int arity = 2;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &x = c.operand[0], &label = c.operand[1];
        if (!is_floating(x.type) || !is_integer(label.type)) return fail("needs floating-point logits and integer labels: a is ", x, ", b is ", label);
        bool fits = x.shape.rank() == label.shape.rank() + 1;
        for (int i = 0; fits && i < label.shape.rank(); ++i) fits = c.same(x.shape[i], label.shape[i]);
        if (!fits) return fail("one label per row of logits: a is ", x, ", b is ", label);
        return {x.type, {}};
    }
    static constexpr auto expand(attributes const&, auto x, auto label) {
        int last = x.shape().rank() - 1;
        auto row = logsumexp::expand(reduction_attributes(1 << last, false), x) - selected(x, label);
        return row.mean();
    }
    /// x[label] of every row.
    static constexpr auto selected(auto x, auto label) {
        int last = x.shape().rank() - 1;
        shape column = label.shape();
        column.push_back(1);
        auto hot = label.reshape(column).cast(x.size_integer()) == x.index(last);
        return gradus::where(hot, x, 0).sum(1 << last, false);
    }
};

}  // namespace gradus::op
