// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>

#include <limits>

namespace gradus::inline GRADUS_ARCH::op {

/// sum / count over some axes.
struct mean : composite, reduction<mean> {
    static constexpr auto name = "mean";
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (is_integer(c.operand[0].type)) return fail("needs a floating-point operand: a is ", c.operand[0], ". Convert it with gr::cast");
        return reduction<mean>::infer(c, fail);
    }
    static constexpr auto expand(attributes const& attr, auto x) { return x.sum(attr.n[0], keeps(attr)) / x.count(attr.n[0]); }
};

/// Operations along one axis that keep the shape; n[0] has that axis' bit.
template <class Op>
struct along_axis : composite {
    static constexpr int arity = 1;
    static constexpr bool takes_integers = false;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (c.attr.n[0] >> c.operand[0].shape.rank())
            return fail("no such axis: a is ", c.operand[0], " and has ", c.operand[0].shape.rank(), " axes");
        if (!is_floating(c.operand[0].type) && !(Op::takes_integers && is_integer(c.operand[0].type)))
            return fail("needs ", Op::takes_integers ? "numbers" : "a floating-point operand", ": a is ", c.operand[0]);
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
        if (!agree_in_dtype(c.operand[0], c.operand[1]) || !c.same(c.operand[0].shape, c.operand[1].shape))
            return fail("prediction and target differ: a is ", c.operand[0], ", b is ", c.operand[1]);
        if (!is_floating(c.operand[0].type)) return fail("needs floating-point operands: a is ", c.operand[0]);
        return {c.operand[0].type, {}};
    }
};

/// mean of (a - b)^2.
struct mse_loss : loss<mse_loss> {
    static constexpr auto name = "mse_loss";
    static constexpr auto expand(attributes const&, auto a, auto b) { return apply<square>(a - b).mean(); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
