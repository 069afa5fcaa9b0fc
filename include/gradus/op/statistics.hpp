// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>
#include <gradus/op/logical.hpp>
#include <gradus/op/shape.hpp>

#include <limits>

// Reductions that are made of others. Axes are attributes as in op/reduction.hpp; `value` is the correction or the order.
namespace gradus::op {

constexpr auto with_kept(attributes const& attr, auto y) { return keeps(attr) ? y : y.reduced_shape(attr.n[0]); }

/// The smallest element over some axes, NaN if there is one. Equal smallest elements share the derivative evenly.
struct amin : composite, reduction<amin> {
    static constexpr auto name = "amin";
    static constexpr auto expand(attributes const& attr, auto x) { return -(-x).amax(attr.n[0], keeps(attr)); }
};

/// The index (int64) of the first smallest element; NaN counts as smallest.
struct argmin : composite, reduction<argmin> {
    static constexpr auto name = "argmin";
    static constexpr dtype result(dtype) { return dtype::int64; }
    static constexpr auto expand(attributes const& attr, auto x) { return decltype(x)::template emit<argmax>(x.owner(), attr, {}, {-x}); }
};

/// The product over some axes, whose extents are static: halves are multiplied until one element is left, so that no
/// derivative divides and zeros are nothing special.
struct prod : composite, reduction<prod> {
    static constexpr auto name = "prod";
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        tensor_type result = reduction<prod>::infer(c, fail);
        for (int axis = 0; !fail.failed && axis < from.rank(); ++axis)
            if (reduces(c.attr, axis) && !from[axis].is_static()) return fail("the product along an axis needs its extent: a is ", c.operand[0]);
        return result;
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        for (int axis = 0; axis < x.shape().rank(); ++axis)
            if (reduces(attr, axis)) x = along(x, axis);
        return with_kept(attr, x);
    }
    static constexpr auto along(auto x, int axis) {
        std::int64_t n = x.shape()[axis].code;
        if (n == 0) {
            shape one = x.shape();
            one[axis] = 1;
            return x.number(1).broadcast_to(one);
        }
        for (; n > 1; n = (n + 1) / 2) {
            auto product = part_of(x, axis, 0, n / 2) * part_of(x, axis, n / 2, n / 2);
            x = n % 2 ? joined(product, part_of(x, axis, n - 1, 1), axis) : product;
        }
        return x;
    }
};

/// Base of the reductions of floating-point numbers.
template <class Op>
struct real_reduction : composite, reduction<Op> {
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!is_floating(c.operand[0].type)) return fail("needs a floating-point operand: a is ", c.operand[0]);
        return reduction<Op>::infer(c, fail);
    }
};

/// sum (x - mean)^2 / (n - correction).
struct variance : real_reduction<variance> {
    static constexpr auto name = "variance";
    static constexpr auto expand(attributes const& attr, auto x) {
        auto distance = x - x.sum(attr.n[0], true) / x.count(attr.n[0]);
        return apply<square>(distance).sum(attr.n[0], keeps(attr)) / (x.count(attr.n[0]) - attr.value);
    }
};

/// The square root that has derivative 0 at 0: that of a sum of squares, whose root has none there.
constexpr auto root(auto square_sum) {
    using std::sqrt;
    return gradus::where(square_sum == 0, 0, sqrt(square_sum));
}

/// The square root of the variance; where that is 0, so is the derivative.
struct stddev : real_reduction<stddev> {
    static constexpr auto name = "stddev";
    static constexpr auto expand(attributes const& attr, auto x) { return root(variance::expand(attr, x)); }
};

/// (sum |x|^p)^(1/p); p = 0 counts what is not 0, p = infinity is the largest |x|. The derivative of norm 0 is 0.
struct norm : real_reduction<norm> {
    static constexpr auto name = "norm";
    static constexpr auto expand(attributes const& attr, auto x) {
        double const p = attr.value;
        auto over = [&](auto terms) { return terms.sum(attr.n[0], keeps(attr)); };
        auto magnitude = apply<abs>(x);
        if (p == 2) return root(over(apply<square>(x)));
        if (p == 1) return over(magnitude);
        if (p == std::numeric_limits<double>::infinity()) return magnitude.amax(attr.n[0], keeps(attr));
        if (p == 0) return over(gradus::where(x == 0, x.number(0), x.number(1)));
        auto total = over(apply<pow>(magnitude, x.number(p)));
        return gradus::where(total == 0, 0, apply<pow>(total, total.number(1 / p)));
    }
};

/// Base of the reductions of truth values; numbers are true where they are not 0.
template <class Op>
struct truth_reduction : composite, reduction<Op> {
    static constexpr tensor_type infer(call c, complaint& fail) {
        c.operand[0].type = dtype::int32;
        return reduction<Op>::infer(c, fail);
    }
    static constexpr dtype result(dtype) { return dtype::boolean; }
};
/// Is one of the elements true?
struct any : truth_reduction<any> {
    static constexpr auto name = "any";
    static constexpr auto expand(attributes const& attr, auto x) { return truth(x).cast(dtype::int32).sum(attr.n[0], keeps(attr)) > 0; }
};
/// Are all elements true?
struct all : truth_reduction<all> {
    static constexpr auto name = "all";
    static constexpr auto expand(attributes const& attr, auto x) { return (1 - truth(x).cast(dtype::int32)).sum(attr.n[0], keeps(attr)) == 0; }
};
/// How many elements are true, int64.
struct count_nonzero : truth_reduction<count_nonzero> {
    static constexpr auto name = "count_nonzero";
    static constexpr dtype result(dtype) { return dtype::int64; }
    static constexpr auto expand(attributes const& attr, auto x) { return truth(x).cast(dtype::int64).sum(attr.n[0], keeps(attr)); }
};

}  // namespace gradus::op
