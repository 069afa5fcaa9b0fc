// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/simplify.hpp>

#include <tuple>

namespace gradus::inline GRADUS_ARCH {

/// Which dtypes an elementwise operation takes.
enum class accepts { numbers, floating };

namespace op {

constexpr char letter(int operand) { return static_cast<char>('a' + operand); }

/// Do two operands have one dtype? A plain number takes the other's.
constexpr bool agree_in_dtype(tensor_type const& a, tensor_type const& b) {
    return a.type == b.type || a.type == dtype::number || b.type == dtype::number;
}
/// The dtype that operands `first`..count share; constants (`number`) take the others'.
constexpr dtype common_dtype(call const& c, int first, accepts accepted, complaint& fail) {
    int known = -1;
    for (int i = first; i < c.count; ++i) {
        dtype type = c.operand[i].type;
        if (type == dtype::number) continue;
        if (known >= 0 && c.operand[known].type != type) {
            fail("operands differ in type: ", letter(known), " is ", c.operand[known], ", ", letter(i), " is ", c.operand[i],
                 ". Convert one with gr::cast");
            return type;
        }
        known = i;
    }
    if (known < 0) return dtype::number;
    dtype type = c.operand[known].type;
    if (accepted == accepts::floating && !is_floating(type))
        fail("needs a floating-point operand: ", letter(known), " is ", c.operand[known]);
    if (accepted == accepts::numbers && type == dtype::boolean) fail("needs numbers: ", letter(known), " is ", c.operand[known]);
    return type;
}

/// NumPy's rule, decided by the compiler: trailing axes are aligned, an axis broadcasts when it is absent or statically 1.
constexpr shape broadcast(call const& c, complaint& fail) {
    shape result = c.operand[0].shape;
    for (int i = 1; i < c.count; ++i) {
        shape const& other = c.operand[i].shape;
        shape wide = result.rank() >= other.rank() ? result : other;
        int lead_a = wide.rank() - result.rank(), lead_b = wide.rank() - other.rank();
        for (int axis = 0; axis < wide.rank(); ++axis) {
            if (axis < lead_a || axis < lead_b) continue;
            extent a = result[axis - lead_a], b = other[axis - lead_b];
            if (b.is_one()) wide[axis] = a;
            else if (a.is_one()) wide[axis] = b;
            else if (c.same(a, b)) wide[axis] = call::either(a, b);
            else {
                std::string_view hint = a.code == 1 || b.code == 1
                                            ? "; an extent of 1 that only run time tells does not broadcast, one declared as 1 does"
                                            : "";
                fail("shapes do not broadcast: ", letter(0), " is ", c.operand[0], ", ", letter(i), " is ", c.operand[i], " (", a,
                     " != ", b, hint, ")");
                return wide;
            }
        }
        result = wide;
    }
    return result;
}

/// What elementwise operations of `Arity` operands share. `Op` adds its name, its formula `eval` and its derivative in
/// one of three forms: `derivative(x, y)` for one operand; `partials(a, b, y)`, one per operand; or `chain(g, operands...,
/// y)`, the derivative applied to `g`, where a product would let an infinity of a branch not taken leak.
template <class Op, int Arity>
struct elementwise {
    static constexpr op_kind kind = op_kind::elementwise;
    static constexpr int arity = Arity;
    static constexpr accepts accepted = accepts::floating;

    static constexpr tensor_type infer(call const& c, complaint& fail) {
        dtype type = common_dtype(c, 0, Op::accepted, fail);
        return fail.failed ? tensor_type{} : tensor_type{type, broadcast(c, fail)};
    }
    constexpr auto operator()(auto... operands) const {
        static_assert(sizeof...(operands) == Arity, "gradus: wrong number of operands");
        return apply<Op>(operands...);
    }
};

/// Base of operations that are made of others: `expand` writes them, lowering puts the expansion into the graph.
/// Composites take a numerically stable form, so that neither value nor derivative overflows.
struct composite {
    static constexpr bool is_composite = true;
};
/// Base of composites of elementwise operations: operands broadcast.
template <class Op, int Arity = 1>
struct pointwise : composite, elementwise<Op, Arity> {};

}  // namespace op

/// Base of an elementwise operation of one operand; see op::elementwise.
template <class Op>
struct unary : op::elementwise<Op, 1> {};
/// Base of an elementwise operation of two operands.
template <class Op>
struct binary : op::elementwise<Op, 2> {};

}  // namespace gradus::inline GRADUS_ARCH
