// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/constants.hpp>
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
namespace core {
/// Of the largest, or smallest, elements so far and a row the elements that go on, with their indices where they have some.
template <class Op>
struct running_choice {
    constexpr auto operator()(expression auto earlier, expression auto later) const { return chosen(earlier, later, earlier, later); }
    template <class A, class I, class B, class J>
    constexpr auto operator()(std::tuple<A, I> earlier, std::tuple<B, J> later) const {
        A const a = std::get<0>(earlier);
        B const b = std::get<0>(later);
        return std::tuple{chosen(a, b, a, b), chosen(a, b, std::get<1>(earlier), std::get<1>(later))};
    }
    static constexpr auto chosen(auto a, auto b, auto if_earlier, auto if_later) {
        return where(Op::beats(b, a), if_later, where(b == b, if_earlier, if_later));
    }
};
/// The index along an axis, of x's shape.
template <int Axis, class E>
constexpr auto index_along(E) {
    constexpr shape s = E::type.shape;
    constexpr shape column = [] {
        shape made = E::type.shape;
        for (int i = 0; i < made.rank(); ++i)
            if (i != Axis) made[i] = 1;
        return made;
    }();
    auto const indices = apply<with<op::reshape, parameters{{}, column}>>(iota<std::int64_t, s[Axis]>);
    return apply<with<op::broadcast_to, parameters{{}, s}>>(indices);
}
/// Running largest or smallest elements and their indices along one axis, the last by default.
template <class Op, class Index, int... A, class E>
constexpr auto running_extremes(E x) {
    constexpr shape s = E::type.shape;
    if constexpr (!runs_in_loop<A...>(s)) return std::tuple{along<Op, A...>(x), along<Index, A...>(x)};
    else {
        constexpr int axis = running_axis<A...>(s.rank());
        auto const both = associative_scan<axis>(running_choice<Op>{}, std::tuple{x, index_along<axis>(x)});
        return std::tuple{associative_scan<axis>(running_choice<Op>{}, x), std::get<1>(both)};
    }
}
}  // namespace core

/// The largest element up to each along an axis, the last by default, and its index: the last of equal ones.
template <int... Axis, operand E>
constexpr auto cummax(E x) {
    return core::running_extremes<op::cummax, op::cummax_index, Axis...>(x);
}
/// The smallest element up to each, and its index.
template <int... Axis, operand E>
constexpr auto cummin(E x) {
    return core::running_extremes<op::cummin, op::cummin_index, Axis...>(x);
}

}  // namespace gradus::inline GRADUS_ARCH
