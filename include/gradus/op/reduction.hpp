// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/batching.hpp>
#include <gradus/op/simplify.hpp>

#include <limits>

namespace gradus::inline GRADUS_ARCH {

/// Keeps a reduced axis with extent 1: `gr::sum<1, gr::keepdim>(x)`.
struct keepdim_t {
    constexpr bool operator==(keepdim_t const&) const = default;
};
inline constexpr keepdim_t keepdim{};
/// What a variance takes off the number of elements, 1 by default: `gr::variance<gr::correction<0>>(x)`.
struct correction_t {
    double value;
};
template <auto N>
inline constexpr correction_t correction{static_cast<double>(N)};
/// The p of a norm, 2 by default: `gr::norm<gr::order<1>>(x)`.
struct order_t {
    double value;
};
template <auto P>
inline constexpr order_t order{static_cast<double>(P)};

namespace op {

/// Attributes of a reduction: n[0] has a bit for every axis that is folded, n[1] is 1 where they stay with extent 1.
constexpr bool reduces(attributes const& attr, int axis) { return attr.n[0] >> axis & 1; }
constexpr std::int64_t folded_axes(attributes const& attr) { return attr.n[0]; }
constexpr bool keeps(attributes const& attr) { return attr.n[1] != 0; }
constexpr attributes reduction_attributes(std::int64_t axes, bool keep, double value = 0) {
    attributes attr;
    attr.value = value;
    attr.n[0] = axes;
    attr.n[1] = keep;
    return attr;
}

/// What reductions share: the shape rule. `Op` adds `identity` and `combine`, or a kernel of its own.
template <class Op>
struct reduction {
    static constexpr op_kind kind = op_kind::reduction;
    static constexpr int arity = 1;

    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        if (c.operand[0].type == dtype::boolean) return fail("needs numbers: a is ", c.operand[0]);
        if (c.attr.n[0] >> from.rank()) return fail("no such axis: a is ", c.operand[0], " and has ", from.rank(), " axes");
        shape result;
        for (int axis = 0; axis < from.rank(); ++axis) {
            if (!reduces(c.attr, axis)) result.push_back(from[axis]);
            else if (keeps(c.attr)) result.push_back(1);
        }
        return {Op::result(c.operand[0].type), result};
    }
    static constexpr dtype result(dtype operand) { return operand; }
    /// Are all axes that y folds of extent 1?
    static constexpr bool folds_nothing(auto const& y, auto const& x) {
        shape const from = x.shape();
        bool nothing = true;
        for (int axis = 0; axis < from.rank(); ++axis) nothing = nothing && (!reduces(y.attr(), axis) || from[axis].code == 1);
        return nothing;
    }
    /// ` axes=1,2 keepdim`.
    static constexpr void print(text& out, attributes const& attr, tensor_type const&) {
        char separator = '=';
        out += " axes";
        for (int axis = 0; axis < max_rank; ++axis) {
            if (!reduces(attr, axis)) continue;
            out += separator;
            core::append(out, axis);
            separator = ',';
        }
        if (keeps(attr)) out += " keepdim";
    }
    /// The same axes of every instance.
    static constexpr auto batch(batched_call const& c, auto x) {
        attributes attr = c.attr;
        attr.n[0] <<= 1;
        return batched_as<Op>(attr, {}, x);
    }
};

/// The sum over some axes; in a fixed order, so that the same input gives the same bits.
struct sum : reduction<sum> {
    static constexpr auto name = "sum";
    static constexpr auto runs_by = own_kernel::loop;
    static constexpr auto reduces_by = reducer::sum;
    template <class T>
    static constexpr T identity = T(0);
    static constexpr auto combine(auto a, auto b) { return a + b; }
    static constexpr auto vjp(auto g, auto y, auto x) { return g.expand_reduced(y).broadcast_to(x.shape()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.like(y); }
    /// The sum of a repeated element is a product.
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (folds_nothing(y, x)) return x.reshape(y.shape());
        if (!repeats_single(x)) return y;
        auto const one = x.operand(0), count = x.count(folded_axes(y.attr()));
        bool const finite = one.is_constant() && one.attr().value - one.attr().value == 0;
        bool const counted = count.is_constant() && count.attr().value != 0;
        // none of an infinity is 0
        auto const total = finite || counted ? one * count : apply<mul_no_nan>(count, one);
        return total.broadcast_to_any(y.shape());
    }
};

/// Who asks amax and argmax for a largest element (n[2]). None is the largest of no elements: what users ask for then is refused, as
/// PyTorch does; rows that are shifted by theirs are then empty themselves.
enum class asked_by : std::int64_t { itself, shift, minimum, norm };
constexpr asked_by who_asks(attributes const& attr) { return static_cast<asked_by>(attr.n[2]); }
constexpr attributes asked(attributes attr, asked_by who) {
    attr.n[2] = static_cast<std::int64_t>(who);
    return attr;
}
/// The operation that users asked for: amin is an amax of other numbers.
constexpr std::string_view asked_name(std::string_view name, attributes const& attr) {
    switch (who_asks(attr)) {
        case asked_by::norm: return "norm";
        case asked_by::minimum: return name == "argmax" ? "argmin" : "amin";
        case asked_by::itself:
        case asked_by::shift: break;
    }
    return name;
}
/// The first axis of `from` that is folded and has no elements; -1 where there is none.
constexpr int empty_axis(attributes const& attr, shape const& from) {
    for (int axis = 0; axis < from.rank(); ++axis)
        if (reduces(attr, axis) && from[axis].is_static() && from[axis].code == 0) return axis;
    return -1;
}
/// Reductions of at least one element.
template <class Op>
struct extremum : reduction<Op> {
    static constexpr bool needs_elements = true;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        int const empty = who_asks(c.attr) == asked_by::shift ? -1 : empty_axis(c.attr, c.operand[0].shape);
        if (empty >= 0) return fail("axis ", empty, " has no elements: a is ", c.operand[0]);
        return reduction<Op>::infer(c, fail);
    }
};

/// The largest element over some axes, NaN if there is one. Equal largest elements share the derivative evenly.
struct amax : extremum<amax> {
    static constexpr auto name = "amax";
    static constexpr auto runs_by = own_kernel::loop;
    static constexpr auto reduces_by = reducer::max;
    template <class T>
    static constexpr T identity =
        std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    static constexpr auto combine(auto a, auto b) { return gradus::where(a > b, a, gradus::where(a == a, b, a)); }
    static constexpr auto ties(auto y, auto x) { return x == y.expand_reduced(y); }
    static constexpr auto share(auto y, auto x) { return gradus::where(ties(y, x), x.number(1), 0).sum(y.attr().n[0], true); }
    static constexpr auto vjp(auto g, auto y, auto x) { return gradus::where(ties(y, x), g.expand_reduced(y) / share(y, x), 0); }
    static constexpr auto jvp(auto t, auto y, auto x) {
        return gradus::where(ties(y, x), t / share(y, x), 0).sum(y.attr().n[0], keeps(y.attr()));
    }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return amax::folds_nothing(y, x) ? x.reshape(y.shape()) : y; }
};

/// The index (int64) of the first largest element along one axis, or of the flattened tensor; NaN counts as largest.
struct argmax : extremum<argmax> {
    static constexpr auto name = "argmax";
    static constexpr auto runs_by = own_kernel::argmax;
    static constexpr dtype result(dtype) { return dtype::int64; }
};

}  // namespace op
}  // namespace gradus::inline GRADUS_ARCH
