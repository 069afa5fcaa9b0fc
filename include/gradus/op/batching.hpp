// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/formula.hpp>

namespace gradus::inline GRADUS_ARCH {

/// What a batching rule is told: the operation as it is on one instance, how many instances there are, and which operands have an axis
/// of instances. That axis comes first; operands without one are the same for all instances. What a rule makes has one.
struct batched_call {
    attributes attr;
    shape result;  ///< of one instance, as are the operands' shapes
    shape operand[3];
    extent instances;
    bool mapped[3]{};  ///< which operands have the axis
};

namespace op {

/// A shape behind an axis of instances.
constexpr shape in_front(extent instances, shape const& s) {
    shape result{instances};
    for (int axis = 0; axis < s.rank(); ++axis) result.push_back(s[axis]);
    return result;
}
/// Operand k, repeated for every instance where it is the same for all.
constexpr auto every_instance(batched_call const& c, auto x, int k) {
    return c.mapped[k] ? x : x.broadcast_to(in_front(c.instances, c.operand[k]));
}
/// Operand k as a stack of instances of a higher rank: axes of 1 stand behind the axis of instances.
constexpr auto with_instance_rank(batched_call const& c, auto x, int k, int rank) {
    shape s;
    for (int axis = c.operand[k].rank(); axis < rank; ++axis) s.push_back(1);
    for (int axis = 0; axis < c.operand[k].rank(); ++axis) s.push_back(c.operand[k][axis]);
    return c.mapped[k] ? x.reshape(in_front(c.instances, s)) : x;
}
/// The node that an operation with these attributes makes of values.
template <class Op, class X>
constexpr X batched_as(attributes const& attr, shape const& target, X x, auto... more) {
    return X::template emit<Op>(x.owner(), attr, target, {x, more...});
}

}  // namespace op
}  // namespace gradus::inline GRADUS_ARCH
