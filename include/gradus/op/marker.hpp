// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// The derivative of a scalar with respect to a value: a place that transform/differentiate fills.
struct grad {
    static constexpr auto name = "grad";
    static constexpr auto marks = marker_kind::gradient;
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 2;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!c.operand[0].shape.is_single())
            return fail("the gradient of a non-scalar: a is ", c.operand[0], ". Sum it first, or use gr::jvp");
        if (!is_floating(c.operand[0].type)) return fail("the gradient of an integer: a is ", c.operand[0]);
        if (!is_floating(c.operand[1].type)) return fail("no gradient with respect to an integer: b is ", c.operand[1]);
        return c.operand[1];
    }
};

/// Are values of two types alike? Plain numbers take the other's dtype.
constexpr bool is_like(tensor_type const& a, tensor_type const& b) { return a.shape == b.shape && agree_in_dtype(a, b); }

/// The derivative of a along direction c of b: forward mode.
struct jvp {
    static constexpr auto name = "jvp";
    static constexpr auto marks = marker_kind::tangent;
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 3;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!is_floating(c.operand[0].type)) return fail("the derivative of an integer: a is ", c.operand[0]);
        if (!is_floating(c.operand[1].type)) return fail("no derivative with respect to an integer: b is ", c.operand[1]);
        if (!is_like(c.operand[2], c.operand[1]))
            return fail("the direction is not like the variable: b is ", c.operand[1], ", c is ", c.operand[2]);
        return c.operand[0];
    }
};

/// The derivatives of <c, a> with respect to b: reverse mode.
struct vjp : composite {
    static constexpr auto name = "vjp";
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 3;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!is_floating(c.operand[0].type)) return fail("the derivative of an integer: a is ", c.operand[0]);
        if (!is_floating(c.operand[1].type)) return fail("no derivative with respect to an integer: b is ", c.operand[1]);
        if (!is_like(c.operand[2], c.operand[0]))
            return fail("the cotangent is not like the value: a is ", c.operand[0], ", c is ", c.operand[2]);
        return c.operand[1];
    }
    static constexpr auto expand(attributes const&, auto y, auto x, auto cotangent) {
        auto const weighted = (y * cotangent).sum((std::int64_t{1} << y.shape().rank()) - 1, false);
        return decltype(y)::template emit<grad>(y.owner(), {}, {}, {weighted, x});
    }
};

/// b, in which a has a name that n[0] tells; see gr::let.
struct let {
    static constexpr auto name = "let";
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 2;
    static constexpr tensor_type infer(call const& c, complaint&) { return c.operand[1]; }
    static constexpr std::uint64_t number_of(attributes const& attr) { return static_cast<std::uint64_t>(attr.n[0]); }
};

/// a, in a program that writes c to b as well; see gr::with_update.
struct with_update {
    static constexpr auto name = "with_update";
    static constexpr std::size_t written = 1;  ///< the operand that is no value
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 3;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!(c.operand[1] == c.operand[2]))
            return fail("the new value is not like the buffer: b is ", c.operand[1], ", c is ", c.operand[2]);
        return c.operand[0];
    }
};

/// What both ends of a function that is mapped say: its call's number, n[0], and the axis of the instances, n[1].
constexpr std::int64_t mapping_of(attributes const& attr) { return attr.n[0]; }
constexpr int mapped_axis(attributes const& attr) { return static_cast<int>(attr.n[1]); }
constexpr attributes mapped_along(std::int64_t call, std::int64_t axis) {
    attributes attr;
    attr.n[0] = call;
    attr.n[1] = axis;
    return attr;
}

/// One instance of a, under a function that is mapped: a without axis n[1]. Instances of one call of gr::vmap have one number, n[0].
struct instance {
    static constexpr auto name = "instance";
    static constexpr auto marks = marker_kind::instance;
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 1;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& a = c.operand[0];
        if (c.attr.n[1] >= a.shape.rank()) return fail("no such axis: a is ", a, " and has ", a.shape.rank(), " axes");
        tensor_type one{a.type, {}};
        for (int axis = 0; axis < a.shape.rank(); ++axis)
            if (axis != c.attr.n[1]) one.shape.push_back(a.shape[axis]);
        return one;
    }
};

/// a for every instance with number n[0], along a new first axis; axis n[1] of b tells how many there are. transform/vectorize expands it.
struct vmap {
    static constexpr auto name = "vmap";
    static constexpr auto marks = marker_kind::instances;
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 2;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &b = c.operand[1];
        if (c.attr.n[1] >= b.shape.rank()) return fail("no such axis: b is ", b, " and has ", b.shape.rank(), " axes");
        if (a.shape.rank() == max_rank) return fail("one instance has ", max_rank, " axes, which leaves none for the instances: a is ", a);
        tensor_type all{a.type, {b.shape[static_cast<int>(c.attr.n[1])]}};
        for (int axis = 0; axis < a.shape.rank(); ++axis) all.shape.push_back(a.shape[axis]);
        return all;
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
