// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/formula.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// The derivative of a scalar with respect to a value: a place that pass/differentiate fills.
struct grad {
    static constexpr auto name = "grad";
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

/// The derivative of a along direction c of b: forward mode.
struct jvp {
    static constexpr auto name = "jvp";
    static constexpr op_kind kind = op_kind::marker;
    static constexpr int arity = 3;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!is_floating(c.operand[0].type)) return fail("the derivative of an integer: a is ", c.operand[0]);
        if (!is_floating(c.operand[1].type)) return fail("no derivative with respect to an integer: b is ", c.operand[1]);
        if (!(c.operand[1] == c.operand[2]))
            return fail("the direction is not like the variable: b is ", c.operand[1], ", c is ", c.operand[2]);
        return c.operand[0];
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
