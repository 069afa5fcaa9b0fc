// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/reduction.hpp>

// What an operation of users' says of itself, held against its shape rule: loops believe it.

namespace gradus::inline GRADUS_ARCH::core {

/// The indices of one axis of an operand that a view reads.
struct axis_reading {
    std::int64_t first = 0, last = 0;
    int readers = 0;     ///< axes of the result
    bool whole = false;  ///< one of them is this axis as it is
};

/// Refuses a view that reads elements which its operand does not have. Extents that are not static are read as they are, or not at all.
constexpr void check_view(auto view, call const& c, shape const& to, complaint& fail) {
    shape const& from = c.operand[0].shape;
    axis_reading of[max_rank]{};
    for (int axis = 0; axis < to.rank(); ++axis) {
        if (to[axis].is_static() && to[axis].code == 0) return;  // nothing is read
        view_axis const read = view(c.attr, from, to, axis);
        if (read.from < -1 || read.from >= from.rank())
            return void(fail("axis ", axis, " of the result reads axis ", read.from, ", which does not exist: a is ", c.operand[0]));
        if (read.from < 0) continue;
        axis_reading& r = of[read.from];
        bool const as_it_is = to[axis] == from[read.from] && read.first == 0 && read.step == 1;
        if (!as_it_is && (!to[axis].is_static() || !from[read.from].is_static()))
            return void(fail("axis ", axis, " of the result reads part of a named dimension: a is ", c.operand[0]));
        ++r.readers;
        r.whole = r.whole || as_it_is;
        if (!to[axis].is_static()) continue;
        std::int64_t const last = read.first + (to[axis].code - 1) * read.step;
        r.first += read.first < last ? read.first : last;
        r.last += read.first < last ? last : read.first;
    }
    for (int axis = 0; axis < from.rank(); ++axis) {
        axis_reading const& r = of[axis];
        bool const exists = from[axis].is_static() ? r.first >= 0 && r.last < from[axis].code : r.whole && r.readers == 1;
        if (!exists) return void(fail("the view leaves axis ", axis, ": a is ", c.operand[0], ", the result is ", to));
    }
}

template <class Op>
constexpr tensor_type shape_rule(call const& c, complaint& fail) {
    if constexpr (result_count<Op> > 1) return Op::infer(c, fail, result_of(c.attr));
    else return Op::infer(c, fail);
}
/// The result that the shape rule of `Op` says. Where loops compute the operation, the rule has to agree with `view`, `same_order` or
/// `reduces_by`.
template <class Op>
constexpr tensor_type infer_checked(call const& c, complaint& fail) {
    tensor_type const result = shape_rule<Op>(c, fail);
    if constexpr (runs_in_loops<Op>) {
        if (fail.failed) return result;
        if (result.type != c.operand[0].type) return fail("loops keep the type: a is ", c.operand[0], ", the result is ", result);
        if constexpr (Op::kind == op_kind::reduction && !std::is_base_of_v<op::reduction<Op>, Op>) {
            return result;  // refused where the operation's record is made
        } else if constexpr (Op::kind == op_kind::reduction) {
            tensor_type const folded = op::reduction<Op>::infer(c, fail);
            if (!fail.failed && !(folded == result)) return fail("folding the axes gives ", folded, ", the shape rule says ", result);
        } else if constexpr (requires { &Op::view; }) {
            check_view(&Op::view, c, result.shape, fail);
            if (fail.failed) return {};
        } else {
            static_assert(Op::same_order);
            if (!same_size(c.operand[0].shape, result.shape)) return fail("sizes differ: a is ", c.operand[0], ", the result is ", result);
        }
    }
    return result;
}

}  // namespace gradus::inline GRADUS_ARCH::core
