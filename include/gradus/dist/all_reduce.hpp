// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/collectives.hpp>
#include <gradus/tensor/autograd/function.hpp>

#include <optional>

namespace gradus::inline GRADUS_ARCH {

namespace dist {

template <class X>
auto all_reduce(communicator const& all, X const& x, reduce_options const& options = {});

}  // namespace dist

namespace core {

/// y = x0 + x1 + ... on every rank. What x of one rank does to the losses of all ranks comes in through all their y, and so the derivative
/// is the same operation on what comes in.
struct all_reduced : autograd::function<all_reduced> {
    struct kept {
        std::optional<dist::communicator> all;
        dist::reduce_options options;
    };
    template <class X>
    static X forward(autograd::context& ctx, X const& x, dist::communicator const& all, dist::reduce_options const& options) {
        ctx.saved_data<kept>() = {all, options};
        X const y = x.clone();
        dist::all_reduce_(all, any_tensor(y), options);
        return y;
    }
    template <class G>
    static auto backward(autograd::context& ctx, G const& gradient) {
        kept const& k = ctx.saved_data<kept>();
        return std::tuple(dist::all_reduce(*k.all, gradient, k.options), nothing, nothing);
    }
};

}  // namespace core

namespace dist {

/// The sum (or mean) over ranks of a tensor or an expression on tensors, on all ranks, with a derivative: the same sum (or mean) of the
/// gradients of all ranks, to any order. The loss that is differentiated is the sum of the losses of all ranks. All ranks run the backward
/// pass. Throws error for the least and the largest, which all_reduce_ finds.
template <class X>
auto all_reduce(communicator const& all, X const& x, reduce_options const& options) {
    if (options.op != reduction::sum && options.op != reduction::mean)
        throw error("gradus::dist::all_reduce(communicator, x): a minimum or maximum over ranks has no derivative here: use all_reduce_");
    return core::all_reduced::apply(x, all, options);
}

}  // namespace dist
}  // namespace gradus::inline GRADUS_ARCH
