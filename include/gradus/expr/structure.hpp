// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>

// The vocabulary, continued: operations whose axes, shapes and ranges are template arguments.

namespace gradus::inline GRADUS_ARCH {

/// Where an axis ends: `gr::slice<2, gr::end>(x)`.
inline constexpr std::int64_t end = INT64_MAX;
/// Indices start, start + step, ... before stop; negative ones count from the end, as in NumPy.
struct range {
    std::int64_t start = 0, stop = 0, step = 1;
};

namespace core {

/// An axis as a number from 0; negative ones count from the end. Out of range stays out of range.
constexpr std::int64_t axis_of(std::int64_t axis, int rank) { return axis < 0 && axis + rank >= 0 ? axis + rank : axis < 0 ? 62 : axis; }

constexpr void collect(parameters& p, int rank, int axis) {
    p.attr = op::reduction_attributes(op::folded_axes(p.attr) | std::int64_t{1} << axis_of(axis, rank), op::keeps(p.attr), p.attr.value);
}
constexpr void collect(parameters& p, int, keepdim_t) { p.attr = op::reduction_attributes(op::folded_axes(p.attr), true, p.attr.value); }
constexpr void collect(parameters& p, int, correction_t c) { p.attr.value = c.value; }
constexpr void collect(parameters& p, int, order_t o) { p.attr.value = o.value; }

/// Bits of the axes in A..., all axes (or the last, for operations along one) where none is given.
template <auto... A>
constexpr parameters reduction_parameters(int rank, bool last_by_default) {
    parameters p;
    (collect(p, rank, A), ...);
    if (op::folded_axes(p.attr) == 0) {
        std::int64_t const axes = last_by_default ? std::int64_t{1} << axis_of(-1, rank) : (std::int64_t{1} << rank) - 1;
        p.attr = op::reduction_attributes(axes, op::keeps(p.attr), p.attr.value);
    }
    return p;
}

/// A range of an axis with its numbers from 0 on, and how many elements it has.
struct counted_range {
    std::int64_t start = 0, step = 1, count = 0;

    constexpr counted_range(range const& r, std::int64_t extent) : start(r.start < 0 ? r.start + extent : r.start), step(r.step) {
        std::int64_t const stop = r.stop == end ? extent : r.stop < 0 ? r.stop + extent : r.stop;
        if (step > 0 && stop > start) count = (stop - start - 1) / step + 1;
        if (step <= 0) count = op::no_range;
    }
};
/// The same of a named dimension: what arithmetic on names says.
struct named_range {
    extent start, count;

    constexpr named_range(range const& r, extent e) {
        if (!e.is_expressible()) return;  // refused by the rule
        form const one = form::of_number(1), size(e), step = form::of_number(r.step);
        auto place = [&](std::int64_t i) { return i == end ? size : i < 0 ? size + form::of_number(i) : form::of_number(i); };
        form const length = place(r.stop) - place(r.start);
        start = place(r.start).to_extent();
        count = (length + step - one).is_number() && length.number() < 0 ? dyn : ((length + step - one) / step).to_extent();
        if (count == dyn) count.code = length.is_number() ? op::backward_range : op::no_range;
    }
};
/// Do the ranges from an axis on fit the attributes of one slice?
constexpr bool fit_one_slice(shape const& from, range const* ranges, int count, int first_axis) {
    bool fit = true;
    for (int k = 0; fit && count > 1 && k < count && first_axis + k < from.rank(); ++k) {
        if (!from[first_axis + k].is_static()) {
            fit = named_range(ranges[k], from[first_axis + k]).start.is_static();
            continue;
        }
        counted_range const r(ranges[k], from[first_axis + k].code);
        fit = op::can_be_packed(r.start, r.step);
    }
    return fit;
}
constexpr parameters slice_parameters(shape const& from, range const* ranges, int count, int first_axis) {
    parameters p;
    p.target = from;
    op::whole_along(p.attr, (std::int64_t{1} << from.rank()) - 1);
    for (int axis = first_axis; axis < from.rank() && axis < first_axis + count; ++axis) {
        if (!from[axis].is_static()) {
            range const& given = ranges[axis - first_axis];
            named_range const r(given, from[axis]);
            if (count == 1) p.attr = op::range_along(from.rank(), axis, r.start, given.step);
            else op::set_packed_range(p.attr, axis, r.start.code, given.step);
            p.target[axis] = r.count;
            continue;
        }
        counted_range const r(ranges[axis - first_axis], from[axis].code);
        if (count == 1) p.attr = op::range_along(from.rank(), axis, r.start, r.step);
        else op::set_packed_range(p.attr, axis, r.start, r.step);
        p.target[axis].code = r.count;
    }
    return p;
}

/// A shape with at most one -1, which is what is left of the size.
constexpr parameters reshape_parameters(shape const& from, shape target) {
    for (int i = 0; i < target.rank(); ++i) {
        if (target[i] != dyn) continue;
        target[i] = 1;
        for (int j = 0; j < from.rank(); ++j) {  // named dimensions that are missing go here
            if (from[j].is_static()) continue;
            bool present = false;
            for (int k = 0; k < target.rank(); ++k) present = present || (k != i && target[k] == from[j]);
            if (!present) target[i] = target[i].is_one() ? from[j] : target[i] * from[j];
        }
        std::int64_t const rest = target.static_size();
        if (rest > 0 && from.static_size() != rest)
            target[i] = target[i].is_static() ? extent(from.static_size() / rest) : target[i] * (from.static_size() / rest);
    }
    return {{}, target};
}

template <int... Axes>
constexpr parameters transpose_parameters(int rank) {
    parameters p;
    int i = 0;
    if constexpr (sizeof...(Axes) > 0) (op::transpose::set_from_axis(p.attr, i++ % max_rank, axis_of(Axes, rank)), ...);
    else
        for (; i < rank; ++i) op::transpose::set_from_axis(p.attr, i, rank - 1 - i);
    if (i != rank) op::transpose::set_from_axis(p.attr, 0, -1);  // refused by the rule
    return p;
}

/// One number per channel, along axis 1.
template <int Rank>
constexpr auto as_channels(auto b) {
    constexpr shape s = [] {
        shape made{decltype(b)::type.shape[0]};
        for (int i = 2; i < Rank; ++i) made.push_back(1);
        return made;
    }();
    return apply<with<op::reshape, parameters{{}, s}>>(std::move(b));
}

template <dtype D>
constexpr parameters cast_parameters() {
    return {op::cast::to(D), {}};
}

/// What sums and products are of: bools and 32-bit integers as integers of 64 bits.
template <operand E>
constexpr auto summand(E x) {
    if constexpr (E::type.type != dtype::boolean && E::type.type != dtype::int32) return x;
    else return apply<with<op::cast, cast_parameters<dtype::int64>()>>(std::move(x));
}
}  // namespace core

/// Sums over the given axes, over all where none is given; `gr::sum<1, gr::keepdim>(x)`. Integers and bools are summed in 64 bits.
template <auto... Axes, operand E>
constexpr auto sum(E x) {
    return apply<with<op::sum, core::reduction_parameters<Axes...>(E::type.shape.rank(), false)>>(core::summand(std::move(x)));
}
/// The mean over axes.
template <auto... Axes, operand E>
constexpr auto mean(E x) {
    return apply<with<op::mean, core::reduction_parameters<Axes...>(E::type.shape.rank(), false)>>(std::move(x));
}
/// The largest element over axes.
template <auto... Axes, operand E>
constexpr auto amax(E x) {
    return apply<with<op::amax, core::reduction_parameters<Axes...>(E::type.shape.rank(), false)>>(std::move(x));
}
/// The index of the first largest element along one axis (of all elements where none is given), int64.
template <auto... Axes, operand E>
constexpr auto argmax(E x) {
    return apply<with<op::argmax, core::reduction_parameters<Axes...>(E::type.shape.rank(), false)>>(std::move(x));
}
/// log sum exp over axes.
template <auto... Axes, operand E>
constexpr auto logsumexp(E x) {
    return apply<with<op::logsumexp, core::reduction_parameters<Axes...>(E::type.shape.rank(), false)>>(std::move(x));
}
/// exp(x) / sum exp(x) along one axis, the last by default.
template <int... Axis, operand E>
constexpr auto softmax(E x) {
    return apply<with<op::softmax, core::reduction_parameters<Axis...>(E::type.shape.rank(), true)>>(std::move(x));
}
/// log(softmax(x)), stable.
template <int... Axis, operand E>
constexpr auto log_softmax(E x) {
    return apply<with<op::log_softmax, core::reduction_parameters<Axis...>(E::type.shape.rank(), true)>>(std::move(x));
}

/// The same elements in the same order: `gr::reshape<3, 4>(x)`; one extent may be -1.
template <extent... Extents, operand E>
constexpr auto reshape(E x) {
    return apply<with<op::reshape, core::reshape_parameters(E::type.shape, {Extents...})>>(std::move(x));
}
/// Repeats axes of extent 1 and adds leading ones: `gr::broadcast_to<2, 3, 4>(x)`.
template <extent... Extents, operand E>
constexpr auto broadcast_to(E x) {
    return apply<with<op::broadcast_to, parameters{{}, {Extents...}}>>(std::move(x));
}
/// Permutes the axes: axis i of the result is axis Axes[i]; reverses them where none is given.
template <int... Axes, operand E>
constexpr auto transpose(E x) {
    return apply<with<op::transpose, core::transpose_parameters<Axes...>(E::type.shape.rank())>>(std::move(x));
}

/// Elements Start, Start + Step, ... before Stop along one axis, negative ones counted from the end: `gr::slice<0, 7>(p)`,
/// `gr::slice<1, -1>(u)`, `gr::slice<2, gr::end>(u)`.
template <std::int64_t Start, std::int64_t Stop, std::int64_t Step = 1, int Axis = 0, operand E>
constexpr auto slice(E x) {
    constexpr range one{Start, Stop, Step};
    return apply<
        with<op::slice, core::slice_parameters(E::type.shape, &one, 1, static_cast<int>(core::axis_of(Axis, E::type.shape.rank())))>>(
        std::move(x));
}
namespace core {
template <int Axis, range First, range... Rest>
constexpr auto slice_each(auto x) {
    auto one = gradus::slice<First.start, First.stop, First.step, Axis>(std::move(x));
    if constexpr (sizeof...(Rest) == 0) return one;
    else return slice_each<Axis + 1, Rest...>(std::move(one));
}
}  // namespace core
/// One range per axis, from the first: `gr::slice<gr::range{1, 4}, gr::range{0, 6, 2}>(m)`.
template <range... Ranges, operand E>
    requires(sizeof...(Ranges) > 0)
constexpr auto slice(E x) {
    constexpr range all[] = {Ranges...};
    if constexpr (core::fit_one_slice(E::type.shape, all, sizeof...(Ranges), 0))
        return apply<with<op::slice, core::slice_parameters(E::type.shape, all, sizeof...(Ranges), 0)>>(std::move(x));
    else return core::slice_each<0, Ranges...>(std::move(x));
}

/// a, then b, ... along an axis: `gr::concatenate<0>(a, b)`.
template <int Axis, operand A, operand B, operand... More>
constexpr auto concatenate(A a, B b, More... more) {
    constexpr parameters p{op::concatenate::along(core::axis_of(Axis, A::type.shape.rank())), {}};
    if constexpr (sizeof...(More) == 0) return apply<with<op::concatenate, p>>(std::move(a), std::move(b));
    else return concatenate<Axis>(concatenate<Axis>(std::move(a), std::move(b)), std::move(more)...);
}

/// The elements as another dtype: `gr::cast<double>(x)`.
template <element T, operand E>
constexpr auto cast(E x) {
    return apply<with<op::cast, core::cast_parameters<dtype_of<T>>()>>(std::move(x));
}

}  // namespace gradus::inline GRADUS_ARCH
