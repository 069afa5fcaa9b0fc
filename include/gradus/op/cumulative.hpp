// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>
#include <gradus/op/logarithm.hpp>
#include <gradus/op/shape.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// Running results along the axis whose bit is n[0]; its extent is static. After step k every element has taken in the 2^k
/// before it: O(n log n) work in log n passes over memory (Hillis and Steele 1986), and no identity is needed.
template <class Op, class Combine>
struct running : along_axis<Op> {
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        shape const& from = c.operand[0].shape;
        for (int axis = 0; axis < from.rank(); ++axis)
            if (reduces(c.attr, axis) && !from[axis].is_static())
                return fail("running results along an axis need its extent: a is ", c.operand[0]);
        return along_axis<Op>::infer(c, fail);
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        int axis = 0;
        while (!reduces(attr, axis)) ++axis;
        std::int64_t const n = x.shape()[axis].code;
        for (std::int64_t step = 1; step < n; step *= 2)
            x = joined(part_of(x, axis, 0, step), apply<Combine>(part_of(x, axis, 0, n - step), part_of(x, axis, step, n - step)), axis);
        return x;
    }
};

/// x_0 + ... + x_i along an axis.
struct cumsum : running<cumsum, add> {
    static constexpr auto name = "cumsum";
    static constexpr bool takes_integers = true;
};
/// x_0 ... x_i along an axis; zeros are nothing special.
struct cumprod : running<cumprod, mul> {
    static constexpr auto name = "cumprod";
    static constexpr bool takes_integers = true;
};
/// log(exp(x_0) + ... + exp(x_i)) along an axis, without overflow.
struct logcumsumexp : running<logcumsumexp, logaddexp> {
    static constexpr auto name = "logcumsumexp";
    using uses = op_list<logaddexp>;
};

}  // namespace gradus::inline GRADUS_ARCH::op
