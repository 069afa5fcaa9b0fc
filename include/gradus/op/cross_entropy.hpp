// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>

#include <bit>

// Losses by labels: rows of scores and the number of the class that is right, an integer, for each. Weighted ones have a number per
// class too.
namespace gradus::inline GRADUS_ARCH {

/// What losses by labels can be told, by PyTorch's names: `gr::cross_entropy<gr::labels{.ignore_index = 0}>(x, label)`. Rows whose
/// label is `ignore_index` do not count; `label_smoothing` is the part of the target that all classes share evenly.
struct labels {
    std::int64_t ignore_index = -100;
    double label_smoothing = 0;
};

namespace op {

/// Integers of another size. What does not fit is -1 or 2^31 - 1, which are no indices where 32 bits are enough for them.
constexpr auto as_index(auto index, dtype to) {
    if (size_of(index.type()) <= size_of(to)) return index.cast(to);
    return apply<minimum>(apply<maximum>(index, -1), 0x7fffffff).cast(to);
}

/// Base of losses by labels: x is [..., classes], labels are integers of x's leading shape, weights, if there are any, [classes].
/// The mean over rows, by the weights of their labels. n[2] is the ignored label, exclusive or -100, n[3] has the bits of the smoothing, so
/// that attributes that say nothing mean PyTorch's defaults.
///
/// A label outside of the classes selects nothing: such a row contributes what is left without it.
template <class Op, int Arity>
struct label_loss : composite {
    static constexpr int arity = Arity;
    static constexpr op_kind kind = op_kind::reduction;

    static constexpr std::int64_t ignored(attributes const& attr) { return attr.n[2] ^ -100; }
    static constexpr double smoothing(attributes const& attr) { return std::bit_cast<double>(attr.n[3]); }
    static constexpr attributes told(labels const& given) {
        attributes attr;
        attr.n[2] = given.ignore_index ^ -100;
        attr.n[3] = std::bit_cast<std::int64_t>(given.label_smoothing);
        return attr;
    }
    static constexpr indexed_axis indexes(attributes const& attr, int rank) { return {1, rank - 1, true, ignored(attr)}; }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &x = c.operand[0], &label = c.operand[1], &weight = c.operand[2];
        if (!is_floating(x.type) || !is_integer(label.type))
            return fail("needs floating-point logits and integer labels: a is ", x, ", b is ", label);
        bool fits = x.shape.rank() == label.shape.rank() + 1;
        for (int i = 0; fits && i < label.shape.rank(); ++i) fits = c.same(x.shape[i], label.shape[i]);
        if (!fits) return fail("one label per row of logits: a is ", x, ", b is ", label);
        bool const weighted =
            Arity < 3 || (weight.type == x.type && weight.shape.rank() == 1 && c.same(weight.shape[0], x.shape[x.shape.rank() - 1]));
        if (!weighted) return fail("needs a weight per class: a is ", x, ", c is ", weight);
        if (!(smoothing(c.attr) >= 0 && smoothing(c.attr) <= 1)) return fail("label_smoothing is a number from 0 to 1");
        return {x.type, {}};
    }
    static constexpr auto expand(attributes const& attr, auto x, auto label, auto... weight) {
        std::int64_t const classes = std::int64_t{1} << (x.shape().rank() - 1), rows = classes - 1;
        auto base = Op::base(x, classes);  // first: what reads x belongs behind the product that made it
        auto const kept = is_kept(label, ignored(attr));
        auto const of_kept = [&](auto per_row) { return gradus::where(kept, per_row, 0); };
        auto const of_label = [&](auto per_class) {
            auto const selected = gradus::where(is_label(x, label), per_class, 0).sum(classes, false);
            return ignored(attr) < 0 ? selected : of_kept(selected);  // a negative label is no class: 0
        };
        auto row = of_kept(base - of_label(x)), counted = kept.cast(x.type());
        if constexpr (Arity == 3) counted = of_label(weight...), row = row * counted;
        auto const count = counted.sum(rows, false);
        double const shared = smoothing(attr);
        if (shared == 0) return row.sum(rows, false) / count;
        auto each = Op::each(x, classes);
        if constexpr (Arity == 3) each = (each * ... * weight);
        return ((1 - shared) * row + of_kept((shared / x.count(classes)) * each.sum(classes, false))).sum(rows, false) / count;
    }
    static constexpr auto is_kept(auto label, std::int64_t ignored_label) {
        bool const can_be = label.type() == dtype::int64 || ignored_label == static_cast<std::int32_t>(ignored_label);
        return can_be ? label != static_cast<double>(ignored_label) : label == label;
    }
    /// Is this column the row's label?
    static constexpr auto is_label(auto x, auto label) {
        shape column = label.shape();
        column.push_back(1);
        auto const index = x.index(x.shape().rank() - 1);
        return as_index(label.reshape(column), index.type()) == index;
    }
};

/// logsumexp(x) - x[label].
template <class Op, int Arity>
struct cross_entropy_base : label_loss<Op, Arity> {
    static constexpr auto base(auto x, std::int64_t classes) { return logsumexp::expand(reduction_attributes(classes, false), x); }
    static constexpr auto each(auto x, std::int64_t classes) { return logsumexp::expand(reduction_attributes(classes, true), x) - x; }
};
struct cross_entropy : cross_entropy_base<cross_entropy, 2> {
    static constexpr auto name = "cross_entropy";
};
struct weighted_cross_entropy : cross_entropy_base<weighted_cross_entropy, 3> {
    static constexpr auto name = "weighted_cross_entropy";
};

/// -x[label], of rows of logarithms of probabilities.
template <class Op, int Arity>
struct nll_loss_base : label_loss<Op, Arity> {
    static constexpr auto base(auto x, std::int64_t) { return x.number(0); }
    static constexpr auto each(auto x, std::int64_t) { return -x; }
};
struct nll_loss : nll_loss_base<nll_loss, 2> {
    static constexpr auto name = "nll_loss";
};
struct weighted_nll_loss : nll_loss_base<weighted_nll_loss, 3> {
    static constexpr auto name = "weighted_nll_loss";
};

}  // namespace op
}  // namespace gradus::inline GRADUS_ARCH
