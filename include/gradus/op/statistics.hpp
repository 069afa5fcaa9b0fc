// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>
#include <gradus/op/logical.hpp>
#include <gradus/op/shape.hpp>

#include <limits>

// Reductions that are made of others. Axes are attributes as in op/reduction.hpp; `value` is the correction or the order.
namespace gradus::inline GRADUS_ARCH::op {

constexpr auto with_kept(attributes const& attr, auto y) { return keeps(attr) ? y : y.reduced_shape(attr.n[0]); }

/// Numbers whose order is the reverse one. The smallest integer has no negative.
constexpr auto in_reverse(auto x) { return is_integer(x.type()) ? -1 - x : -x; }

/// The smallest element over some axes, NaN if there is one. Equal smallest elements share the derivative evenly.
struct amin : composite, extremum<amin> {
    static constexpr auto name = "amin";
    static constexpr auto expand(attributes const& attr, auto x) {
        return in_reverse(in_reverse(x).amax(attr.n[0], keeps(attr), asked_by::minimum));
    }
};

/// The index (int64) of the first smallest element; NaN counts as smallest.
struct argmin : composite, extremum<argmin> {
    static constexpr auto name = "argmin";
    static constexpr dtype result(dtype) { return dtype::int64; }
    static constexpr auto expand(attributes const& attr, auto x) {
        return decltype(x)::template emit<argmax>(x.owner(), asked(attr, asked_by::minimum), {}, {in_reverse(x)});
    }
};

/// The product over some axes, whose extents are static: halves are multiplied until one element is left, so that no
/// derivative divides and zeros are nothing special.
struct prod : composite, reduction<prod> {
    static constexpr auto name = "prod";
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        tensor_type result = reduction<prod>::infer(c, fail);
        for (int axis = 0; !fail.failed && axis < from.rank(); ++axis)
            if (reduces(c.attr, axis) && !from[axis].is_static())
                return fail("the product along an axis needs its extent: a is ", c.operand[0]);
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

/// What a variance divides by: n - correction, not below 0 where something is taken off, so that of nothing too it is 0 / 0.
constexpr auto freedom_of(attributes const& attr, auto x) {
    auto freedom = x.count(attr.n[0]) - attr.value;
    return attr.value > 0 ? apply<maximum>(freedom, freedom.number(0)) : freedom;
}
/// sum (x - mean)^2 / (n - correction), NaN where that divides 0 by 0.
struct variance : real_reduction<variance> {
    static constexpr auto name = "variance";
    static constexpr auto expand(attributes const& attr, auto x) {
        auto distance = x - x.sum(attr.n[0], true) / x.count(attr.n[0]);
        return apply<square>(distance).sum(attr.n[0], keeps(attr)) / freedom_of(attr, x);
    }
};

/// The square root that has derivative 0 at 0: that of a sum of squares, whose root has none there.
constexpr auto root(auto square_sum) {
    using std::sqrt;
    return gradus::where(square_sum == 0, 0, sqrt(square_sum));
}

/// The power of two that numbers with this sum of squares are divided by, so that the squares of the quotients neither
/// overflow nor vanish, nor those of differences in their last places: 1 for ordinary numbers, a constant for derivatives.
constexpr auto scale_of(auto square_sum) {
    bool const wide = square_sum.type() == dtype::float64;
    auto among = [&](double above, double scale, auto below) { return gradus::where(square_sum > above, square_sum.number(scale), below); };
    auto small = among(wide ? 0x1p-1050 : 0x1p-140, wide ? 0x1p-350 : 0x1p-50, square_sum.number(wide ? 0x1p-650 : 0x1p-90));
    auto ordinary = among(wide ? 0x1p-400 : 0x1p-40, 1, small);
    return apply<stop_gradient>(among(wide ? 0x1p900 : 0x1p100, wide ? 0x1p560 : 0x1p80, ordinary));
}

/// The square root of the variance, which may overflow where the root does not; where that is 0, so is the derivative.
struct stddev : real_reduction<stddev> {
    static constexpr auto name = "stddev";
    static constexpr auto expand(attributes const& attr, auto x) {
        auto m = scale_of(apply<square>(x).sum(attr.n[0], true));
        auto distance = x - x.sum(attr.n[0], true) / x.count(attr.n[0]);
        return with_kept(attr, m * root(apply<square>(distance / m).sum(attr.n[0], true) / freedom_of(attr, x)));
    }
};

/// (sum |x|^p)^(1/p); p = 0 counts what is not 0, p = infinity is the largest |x|. The derivative of norm 0 is 0.
struct norm : real_reduction<norm> {
    static constexpr auto name = "norm";
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        bool const of_largest = c.attr.value == std::numeric_limits<double>::infinity();
        if (int const empty = of_largest ? empty_axis(c.attr, c.operand[0].shape) : -1; empty >= 0)
            return fail("axis ", empty, " has no elements: a is ", c.operand[0]);
        return real_reduction<norm>::infer(c, fail);
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        double const p = attr.value;
        auto over = [&](auto terms) { return terms.sum(attr.n[0], keeps(attr)); };
        auto magnitude = apply<abs>(x);
        if (p == 2) {
            auto m = scale_of(apply<square>(x).sum(attr.n[0], true));
            return with_kept(attr, m * root(apply<square>(x / m).sum(attr.n[0], true)));
        }
        if (p == 1) return over(magnitude);
        if (p == std::numeric_limits<double>::infinity()) return magnitude.amax(attr.n[0], keeps(attr), asked_by::norm);
        if (p == 0) return over(gradus::where(x == 0, x.number(0), x.number(1)));
        auto m = magnitude_of(magnitude, attr);
        auto total = apply<pow>(magnitude / m, x.number(p)).sum(attr.n[0], true);
        return with_kept(attr, m * gradus::where(total == 0, 0, apply<pow>(total, total.number(1 / p))));
    }
    /// What numbers are divided by before they are raised to the power p: the one that counts most, or what has an inverse.
    static constexpr auto magnitude_of(auto magnitude, attributes const& attr) {
        double const most = magnitude.type() == dtype::float64 ? 0x1p1022 : 0x1p126;
        auto counts = attr.value > 0 ? magnitude.amax(attr.n[0], true) : -(-magnitude).amax(attr.n[0], true);
        return apply<stop_gradient>(apply<minimum>(apply<maximum>(counts, 1 / most), most));
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
    static constexpr auto expand(attributes const& attr, auto x) {
        return (1 - truth(x).cast(dtype::int32)).sum(attr.n[0], keeps(attr)) == 0;
    }
};
/// How many elements are true, int64.
struct count_nonzero : truth_reduction<count_nonzero> {
    static constexpr auto name = "count_nonzero";
    static constexpr dtype result(dtype) { return dtype::int64; }
    static constexpr auto expand(attributes const& attr, auto x) { return truth(x).cast(dtype::int64).sum(attr.n[0], keeps(attr)); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
