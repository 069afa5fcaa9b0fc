// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/structure.hpp>

// The vocabulary, continued: pooling over the last two axes of [N, C, height, width].

namespace gradus::inline GRADUS_ARCH {

/// A number along the height and one along the width; one number is both.
struct height_width {
    std::int64_t height, width;

    constexpr height_width(std::int64_t both) : height(both), width(both) {}  // NOLINT: .size = 2
    constexpr height_width(std::int64_t h, std::int64_t w) : height(h), width(w) {}
};
/// `gr::max_pool2d<gr::pool{.size = {3, 2}, .stride = 2, .padding = {1, 0}}>(x)`; without a stride, windows stand one after the
/// other.
struct pool {
    height_width size, stride = 0, padding = 0;
    bool count_include_pad = true;  ///< does the mean count padding as zeros?
};

namespace core {
constexpr parameters pool_parameters(pool const& p) {
    parameters made;
    auto const pack = [&made](int axis, std::int64_t size, std::int64_t stride, std::int64_t padding) {
        op::pooled_axis{size, stride ? stride : size, padding}.pack(made.attr, axis);
    };
    pack(2, p.size.height, p.stride.height, p.padding.height);
    pack(3, p.size.width, p.stride.width, p.padding.width);
    made.attr.n[5] = p.count_include_pad;
    return made;
}
constexpr parameters adaptive_parameters(std::int64_t height, std::int64_t width) {
    parameters p;
    p.attr.n[0] = height;
    p.attr.n[1] = width;
    return p;
}
}  // namespace core

/// The largest of each window; what is around x is never the largest.
template <pool P>
constexpr auto max_pool2d(operand auto x) {
    return apply<with<op::max_pool, core::pool_parameters(P)>>(std::move(x));
}
/// The means of windows.
template <pool P>
constexpr auto avg_pool2d(operand auto x) {
    return apply<with<op::avg_pool, core::pool_parameters(P)>>(std::move(x));
}
/// Windows of Size x Size elements, Stride apart, by default one after the other.
template <std::int64_t Size, std::int64_t Stride = Size>
constexpr auto max_pool2d(operand auto x) {
    return max_pool2d<pool{.size = Size, .stride = Stride}>(std::move(x));
}
template <std::int64_t Size, std::int64_t Stride = Size>
constexpr auto avg_pool2d(operand auto x) {
    return avg_pool2d<pool{.size = Size, .stride = Stride}>(std::move(x));
}

/// Height x Width results, whatever the extents of x are: windows that differ by one element where these are no multiples.
template <std::int64_t Height, std::int64_t Width = Height>
constexpr auto adaptive_max_pool2d(operand auto x) {
    return apply<with<op::adaptive_max_pool, core::adaptive_parameters(Height, Width)>>(std::move(x));
}
template <std::int64_t Height, std::int64_t Width = Height>
constexpr auto adaptive_avg_pool2d(operand auto x) {
    return apply<with<op::adaptive_avg_pool, core::adaptive_parameters(Height, Width)>>(std::move(x));
}

}  // namespace gradus::inline GRADUS_ARCH
