// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/batching.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/simplify.hpp>

#include <utility>

namespace gradus::inline GRADUS_ARCH::op {

/// Base of the operations that move or repeat elements and are linear: their jvp is themselves.
template <class Op, op_kind Kind, int Arity = 1>
struct linear {
    static constexpr op_kind kind = Kind;
    static constexpr int arity = Arity;
};

/// The same elements in the same order under another shape.
struct reshape : linear<reshape, op_kind::view> {
    static constexpr auto name = "reshape";
    static constexpr bool rearranges = true;
    static constexpr bool same_order = true;
    static constexpr auto runs_by = own_kernel::loop;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!same_size(c.operand[0].shape, c.target) && !c.is_unknown(c.operand[0].shape))
            return fail("sizes differ: a is ", c.operand[0], ", the new shape is ", c.target);
        return {c.operand[0].type, c.target};
    }
    static constexpr auto vjp(auto g, auto, auto x) { return g.reshape(x.shape()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.reshape(y.shape()); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (x.shape() == y.shape()) return x;
        if (is<reshape>(x)) return x.operand(0).reshape(y.shape());
        return repeats_single(x) ? x.operand(0).broadcast_to_any(y.shape()) : y;
    }
};

/// Repeats along axes of extent 1 and along new leading axes.
struct broadcast_to : linear<broadcast_to, op_kind::view> {
    static constexpr auto name = "broadcast_to";
    static constexpr bool only_repeats = true;
    static constexpr auto runs_by = own_kernel::loop;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        int lead = c.target.rank() - from.rank();
        bool fits = lead >= 0;
        for (int i = 0; fits && i < from.rank(); ++i) fits = from[i].is_one() || c.same(from[i], c.target[i + lead]);
        if (!fits) return fail("a does not broadcast to the shape: a is ", c.operand[0], ", the shape is ", c.target);
        return {c.operand[0].type, c.target};
    }
    static constexpr view_axis view(attributes const&, shape const& from, shape const& to, int axis) {
        int const source = axis - (to.rank() - from.rank());
        return {source >= 0 && from[source] == to[axis] ? source : -1};
    }
    static constexpr auto vjp(auto g, auto, auto x) { return g.sum_to(x.shape()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.broadcast_to(y.shape()); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (x.shape() == y.shape()) return x;
        if (is<broadcast_to>(x)) return x.operand(0);
        return is<reshape>(x) && x.shape().is_single() && x.operand(0).shape().rank() == 0 ? x.operand(0) : y;
    }
};

/// Axis i of the result is axis n[i] of the operand.
struct transpose : linear<transpose, op_kind::view> {
    static constexpr auto name = "transpose";
    static constexpr bool rearranges = true;
    static constexpr auto runs_by = own_kernel::loop;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        shape result = from;
        std::int64_t seen = 0;
        for (int i = 0; i < from.rank(); ++i) {
            auto source = c.attr.n[i];
            if (source < 0 || source >= from.rank() || seen >> source & 1) return fail("the axes are no permutation: a is ", c.operand[0]);
            seen |= 1 << source;
            result[i] = from[static_cast<int>(source)];
        }
        return {c.operand[0].type, result};
    }
    /// The operand's axis that axis `axis` of the result is.
    static constexpr int from_axis(attributes const& attr, int axis) { return static_cast<int>(attr.n[axis]); }
    static constexpr void set_from_axis(attributes& attr, int axis, std::int64_t from) { attr.n[axis] = from; }
    static constexpr view_axis view(attributes const& attr, shape const&, shape const&, int axis) { return {from_axis(attr, axis)}; }
    static constexpr void print(text& out, attributes const& attr, tensor_type const& result) {
        for (int axis = 0; axis < result.shape.rank(); ++axis) {
            out += axis ? ',' : ' ';
            core::append(out, from_axis(attr, axis));
        }
    }
    static constexpr auto vjp(auto g, auto y, auto x) {
        attributes inverse;
        for (int i = 0; i < x.shape().rank(); ++i) inverse.n[y.attr().n[i]] = i;
        return g.transpose(inverse);
    }
    static constexpr auto jvp(auto t, auto y, auto) { return t.transpose(y.attr()); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (keeps_order(x.shape(), y.attr())) return x.reshape(y.shape());
        if (repeats_single(x)) return x.operand(0).broadcast_to_any(y.shape());
        if (!is<transpose>(x)) return y;
        attributes both;
        for (int i = 0; i < y.shape().rank(); ++i) both.n[i] = from_axis(x.attr(), from_axis(y.attr(), i));
        return x.operand(0).transpose(both);
    }
    /// Does the permutation only move axes of extent 1? Then it is a reshape.
    static constexpr bool keeps_order(shape const& from, attributes const& attr) {
        int last = -1;
        for (int i = 0; i < from.rank(); ++i) {
            if (from[from_axis(attr, i)].code == 1) continue;
            if (from_axis(attr, i) < last) return false;
            last = from_axis(attr, i);
        }
        return true;
    }
    /// Does a permutation exchange the last two axes and nothing else?
    static constexpr bool exchanges_last_two(attributes const& attr, int rank) {
        for (int i = 0; i < rank - 2; ++i)
            if (from_axis(attr, i) != i) return false;
        return rank >= 2 && from_axis(attr, rank - 1) == rank - 2;
    }
};

/// Attributes of slice and pad: per axis the first index and the step, packed; the target shape says how many. A negative
/// step, down to -2^23, goes backwards. Numbers that do not fit stand alone: `value` is 1, n[0] the only axis with a range, n[1] its
/// first index and n[2] its step. So does a first index that is a named dimension or arithmetic on it: `value` is 2, n[1] the step,
/// n[2] and n[3] the extent.
constexpr std::int64_t pack_range(std::int64_t start, std::int64_t step) { return start * (std::int64_t{1} << 24) + step; }
constexpr bool can_be_packed(std::int64_t start, std::int64_t step) {
    std::int64_t const most_start = std::int64_t{1} << 38, most_step = std::int64_t{1} << 23;
    return start > -most_start && start < most_start && step > -most_step && step < most_step;
}
constexpr std::int64_t packed_start(std::int64_t n) { return (n + (1 << 23)) >> 24; }
constexpr std::int64_t start_of(attributes const& attr, int axis) {
    if (attr.value != 0) return attr.value == 1 && attr.n[0] == axis ? attr.n[1] : 0;
    return packed_start(attr.n[axis]);
}
constexpr std::int64_t step_of(attributes const& attr, int axis) {
    if (attr.value != 0) return attr.n[0] == axis ? attr.n[attr.value == 1 ? 2 : 1] : 1;
    return attr.n[axis] - (packed_start(attr.n[axis]) << 24);
}
/// The first index where it is no number, else 0.
constexpr extent named_start_of(attributes const& attr, int axis) {
    extent e;
    if (attr.value != 2 || attr.n[0] != axis) return e;
    e.code = attr.n[2];
    e.more = attr.n[3];
    return e;
}
constexpr extent first_of(attributes const& attr, int axis) {
    extent const named = named_start_of(attr, axis);
    return named.is_static() ? extent(start_of(attr, axis)) : named;
}
constexpr void set_packed_range(attributes& attr, int axis, std::int64_t start, std::int64_t step) {
    attr.n[axis] = pack_range(start, step);
}
/// A range along one axis, everything along the others.
constexpr attributes range_along(int rank, int axis, std::int64_t start, std::int64_t step) {
    attributes attr;
    bool const packed = can_be_packed(start, step);
    for (int i = 0; packed && i < rank; ++i) attr.n[i] = i == axis ? pack_range(start, step) : pack_range(0, 1);
    if (packed) return attr;
    attr.value = 1;
    attr.n[0] = axis;
    attr.n[1] = start;
    attr.n[2] = step;
    return attr;
}
constexpr attributes range_along(int rank, int axis, extent first, std::int64_t step) {
    if (first.is_static()) return range_along(rank, axis, first.code, step);
    attributes attr;
    attr.value = 2;
    attr.n[0] = axis;
    attr.n[1] = step;
    attr.n[2] = first.code;
    attr.n[3] = first.more;
    return attr;
}
/// The same ranges of axes one further back, everything along the first.
constexpr attributes ranges_behind(attributes const& attr) {
    attributes behind = attr;
    if (attr.value != 0) {
        ++behind.n[0];
        return behind;
    }
    for (int axis = 1; axis < max_rank; ++axis) behind.n[axis] = attr.n[axis - 1];
    behind.n[0] = pack_range(0, 1);
    return behind;
}
/// Makes ranges along `axes` (a bit for each) that of the one element which is left there; false for a range that stands alone.
constexpr bool whole_along(attributes& attr, std::int64_t axes) {
    if (attr.value != 0) return false;
    for (int axis = 0; axis < max_rank; ++axis)
        if (axes >> axis & 1) attr.n[axis] = pack_range(0, 1);
    return true;
}
/// The extent asked for by a range that is none.
inline constexpr std::int64_t no_range = -8;
/// That of a range that ends before it begins.
inline constexpr std::int64_t backward_range = -9;
/// The index that a range ends with; false where it is no number of 64 bits.
constexpr bool last_of(std::int64_t start, std::int64_t step, std::int64_t count, std::int64_t& last) {
    return !__builtin_mul_overflow(count - 1, step, &last) && !__builtin_add_overflow(start, last, &last);
}

/// Is y, a slice of x or x in zeros, x as it is?
constexpr bool changes_nothing(auto const& y, auto const& x) {
    bool forward = true;
    for (int axis = 0; axis < y.shape().rank(); ++axis) forward = forward && step_of(y.attr(), axis) > 0;
    return forward && x.shape() == y.shape();
}

/// The elements start, start + step, ... along every axis.
struct slice : linear<slice, op_kind::view> {
    static constexpr auto name = "slice";
    static constexpr bool cuts = true;
    static constexpr auto runs_by = own_kernel::loop;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        if (c.target.rank() != from.rank()) return fail("one range per axis: a is ", c.operand[0], ", the result is ", c.target);
        for (int axis = 0; axis < from.rank(); ++axis) {
            if (from[axis] == c.target[axis] && start_of(c.attr, axis) == 0 && step_of(c.attr, axis) == 1) continue;
            if (c.target[axis].code == backward_range && c.target[axis].more == 0)
                return fail("the range ends before it begins along axis ", axis, ": a is ", c.operand[0]);
            if (c.target[axis].code == no_range && c.target[axis].more == 0)
                return fail("needs a step of at least 1 along axis ", axis, ": a is ", c.operand[0]);
            if (!from[axis].is_static() || !c.target[axis].is_static()) {
                if (leaves(c, axis)) return fail("the range leaves axis ", axis, ": a is ", c.operand[0], ", the result is ", c.target);
                continue;
            }
            std::int64_t last = 0;
            bool beyond = !last_of(start_of(c.attr, axis), step_of(c.attr, axis), c.target[axis].code, last) || last < 0 ||
                          last >= from[axis].code || start_of(c.attr, axis) >= from[axis].code;
            if (c.target[axis].code < 0 || start_of(c.attr, axis) < 0 || (c.target[axis].code > 0 && beyond))
                return fail("the range leaves axis ", axis, ": a is ", c.operand[0], ", the last index is ", last);
        }
        return {c.operand[0].type, c.target};
    }
    /// Is it known that a range of a named dimension leaves its axis? What only their sizes tell, binding checks.
    static constexpr bool leaves(call const& c, int axis) {
        extent const from = c.operand[0].shape[axis], count = c.target[axis], first = first_of(c.attr, axis);
        if (!from.is_expressible() || !count.is_expressible() || !first.is_expressible()) return count != dyn && !c.unknowns;
        auto negative = [](core::form const& f) { return f.is_number() && f.number() < 0; };
        core::form const one = core::form::of_number(1), step = core::form::of_number(step_of(c.attr, axis));
        core::form const last = core::form(first) + (count - one) * step;
        return negative(first) || negative(last) || negative(from - one - first) || negative(from - one - last);
    }
    static constexpr view_axis view(attributes const& attr, shape const&, shape const&, int axis) {
        return {axis, start_of(attr, axis), step_of(attr, axis), named_start_of(attr, axis)};
    }
    /// ` 0:7,1:9:2`.
    static constexpr void print(text& out, attributes const& attr, tensor_type const& result) {
        for (int axis = 0; axis < result.shape.rank(); ++axis) {
            out += axis ? ',' : ' ';
            std::int64_t const start = start_of(attr, axis), step = step_of(attr, axis);
            extent const first = first_of(attr, axis);
            if (!result.shape[axis].is_static() || !first.is_static()) {
                if (first == extent{}) out += ':';
                else core::append(out, core::concat(first, ':').view());
            } else core::append(out, core::concat(start, ':', start + result.shape[axis].code * step).view());
            if (step != 1) core::append(out, core::concat(':', step).view());
        }
    }
    static constexpr auto vjp(auto g, auto y, auto x) { return g.pad(y.attr(), x.shape()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.slice(y.attr(), y.shape()); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (changes_nothing(y, x)) return x;
        return repeats_single(x) ? x.operand(0).broadcast_to_any(y.shape()) : y;
    }
};

/// Zeros, with the operand at start, start + step, ...: the transpose of slice.
struct pad : linear<pad, op_kind::movement> {
    static constexpr auto name = "pad";
    static constexpr bool rearranges = true;
    static constexpr auto runs_by = own_kernel::pad;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        call back{c.attr, c.operand[0].shape, {{c.operand[0].type, c.target}}, 1, c.unknowns};
        slice::infer(back, fail);
        return {c.operand[0].type, c.target};
    }
    static constexpr auto vjp(auto g, auto y, auto x) { return g.slice(y.attr(), x.shape()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.pad(y.attr(), y.shape()); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return changes_nothing(y, x) ? x : y; }
    static constexpr auto batch(batched_call const& c, auto x) { return x.pad(ranges_behind(c.attr), in_front(c.instances, c.result)); }
};

/// Is a pad an operand in the middle of zeros, for a loop to read through a window? Not with steps, and not for booleans.
constexpr bool is_window(attributes const& attr, tensor_type const& operand, shape const& result) {
    bool plain = operand.type != dtype::boolean;
    for (int axis = 0; axis < operand.shape.rank(); ++axis) {
        bool const known = operand.shape[axis].is_static() || operand.shape[axis] == result[axis];
        plain = plain && step_of(attr, axis) == 1 && operand.shape[axis].code != 0 && known && named_start_of(attr, axis).is_static();
    }
    return plain;
}

/// `count` elements start, start + step, ... along one axis.
constexpr auto part_of(auto x, int axis, extent start, extent count, std::int64_t step = 1) {
    shape part = x.shape();
    part[axis] = count;
    return x.slice(range_along(part.rank(), axis, start, step), part);
}
/// a, then b, along one axis.
constexpr auto joined(auto a, auto b, int axis) { return a.concatenate(b, first_attribute(axis)); }

/// a, then b, along axis n[0].
struct concatenate : linear<concatenate, op_kind::movement, 2> {
    static constexpr auto name = "concatenate";
    static constexpr bool rearranges = true;
    static constexpr auto runs_by = own_kernel::concatenate;
    static constexpr int axis(attributes const& attr) { return static_cast<int>(attr.n[0]); }
    static constexpr attributes along(std::int64_t axis) { return first_attribute(axis); }
    static constexpr void print(text& out, attributes const& attr, tensor_type const&) {
        core::append(out, core::concat(" axis=", axis(attr)).view());
    }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &b = c.operand[1];
        shape result = a.shape;
        if (!agree_in_dtype(a, b)) return fail("operands differ in type: a is ", a, ", b is ", b);
        dtype const type = a.type == dtype::number ? b.type : a.type;
        if (c.attr.n[0] < 0 || c.attr.n[0] >= a.shape.rank()) return fail("no such axis: a is ", a, " and has ", a.shape.rank(), " axes");
        bool fits = a.shape.rank() == b.shape.rank();
        for (int axis = 0; fits && axis < a.shape.rank(); ++axis) {
            if (axis != c.attr.n[0]) {
                fits = c.same(a.shape[axis], b.shape[axis]);
                continue;
            }
            result[axis] = a.shape[axis] + b.shape[axis];
            if (result[axis] == dyn && a.shape[axis].is_expressible() && b.shape[axis].is_expressible())
                return fail("the sum of the extents is longer than a name: a is ", a, ", b is ", b);
        }
        if (!fits) return fail("shapes differ beside axis ", c.attr.n[0], ": a is ", a, ", b is ", b);
        return {type, result};
    }
    /// The part of `whole`, shaped like the result, that came from operand `k`.
    static constexpr auto part(auto whole, auto y, auto a, auto b, int k) {
        int const joined = static_cast<int>(y.attr().n[0]);
        return whole.slice(range_along(y.shape().rank(), joined, k == 1 ? a.shape()[joined] : extent{}, 1), (k ? b : a).shape());
    }
    static constexpr auto vjp(auto g, auto y, auto a, auto b) { return std::pair{part(g, y, a, b, 0), part(g, y, a, b, 1)}; }
    static constexpr auto jvp(auto ta, auto tb, auto y, auto, auto) { return ta.concatenate(tb, y.attr()); }
    static constexpr auto batch(batched_call const& c, auto a, auto b) {
        return joined(every_instance(c, a, 0), every_instance(c, b, 1), static_cast<int>(c.attr.n[0]) + 1);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
