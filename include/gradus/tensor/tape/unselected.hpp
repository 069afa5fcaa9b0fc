// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/state.hpp>

#include <limits>

// Zeros of cotangents that a condition of the program has made (graph/selection.hpp): a mark on the tensor, while the program runs.

namespace gradus::inline GRADUS_ARCH::core {

/// Can zeros of a cotangent be those of what a condition has not selected? A missing cotangent is not selected at all.
inline bool may_be_unselected(tensor_ref const& cotangent) { return !cotangent || cotangent->may_be_unselected; }
/// What a backward graph compares cotangents with (op::is_reached): 0, or a NaN, which is equal to nothing.
inline void const* zero_of_unselected(dtype type, bool unselected) {
    return with_floating_dtype(type, [&]<class T>(T) -> void const* {
        static constexpr T numbers[]{std::numeric_limits<T>::quiet_NaN(), T(0)};
        return &numbers[unselected];
    });
}

/// Zeros that a condition has made are zeros that it has made in what follows.
inline void hand_on_unselected(backward_call const& call, bool user) {
    auto const is_zero_everywhere = [](tensor_state const& c) {
        bool zero = true;
        with_dtype(c.type, [&]<class T>(T) {
            for (std::int64_t k = 0; zero && k < c.size(); ++k) zero = reinterpret_cast<T const*>(c.data)[k] == T(0);
        });
        return zero;
    };
    bool any = false, reached = false;
    for (tensor_ref const& c : call.cotangents) {
        any = any || (c && c->may_be_unselected);
        reached = reached || (c && !(c->may_be_unselected && is_zero_everywhere(*c)));
    }
    if (!any) return;
    for (tensor_ref const& g : call.gradients) {
        if (g && !g->may_be_unselected) g->may_be_unselected = true;
        if (g && !reached && !user)
            with_dtype(g->type, [&]<class T>(T) {
                for (std::int64_t k = 0; k < g->size(); ++k) reinterpret_cast<T*>(g->data)[k] = T(0);
            });
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
