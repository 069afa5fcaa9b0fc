// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/rearrange.hpp>
#include <gradus/expr/reductions.hpp>

#include <tuple>

// The vocabulary, continued: order along an axis. NaN counts as largest; equal elements keep their order.
namespace gradus::inline GRADUS_ARCH {

/// The indices (int64) that sort along an axis, the last by default.
template <int Axis = -1, bool Descending = false, operand E>
constexpr auto argsort(E x) {
    return apply<with<op::argsort, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()), Descending)>>(std::move(x));
}
/// The elements in order along an axis.
template <int Axis = -1, bool Descending = false, operand E>
constexpr auto sort(E x) {
    return apply<with<op::sort, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()), Descending)>>(std::move(x));
}
/// The K largest elements along an axis (`Largest` false: the smallest), in order, and their indices.
template <std::int64_t K, int Axis = -1, bool Largest = true, operand E>
constexpr auto topk(E x) {
    constexpr parameters p = core::with_numbers(core::axis_of(Axis, E::type.shape.rank()), Largest, K);
    return std::tuple{apply<with<op::topk, p>>(x), apply<with<op::topk_index, p>>(x)};
}
/// The element in the middle along an axis, the smaller of two; of all elements where no axis is given.
template <int... Axis, operand E>
    requires(sizeof...(Axis) <= 1)
constexpr auto median(E x) {
    if constexpr (sizeof...(Axis) == 0) return median<0>(reshape<-1>(std::move(x)));
    else return apply<with<op::median, core::with_numbers((core::axis_of(Axis, E::type.shape.rank()), ...))>>(std::move(x));
}
/// The largest element up to each along an axis, the last by default, and its index: the last of equal ones.
template <int... Axis, operand E>
constexpr auto cummax(E x) {
    return std::tuple{core::along<op::cummax, Axis...>(x), core::along<op::cummax_index, Axis...>(x)};
}
/// The smallest element up to each, and its index.
template <int... Axis, operand E>
constexpr auto cummin(E x) {
    return std::tuple{core::along<op::cummin, Axis...>(x), core::along<op::cummin_index, Axis...>(x)};
}

}  // namespace gradus::inline GRADUS_ARCH
