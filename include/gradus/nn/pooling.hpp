// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/pooling.hpp>
#include <gradus/expr/rearrange.hpp>

// Pooling and flattening as layers, for nn::sequential. P is a number, the size of windows that stand one after the other, or a gr::pool:
// `gr::nn::max_pool2d<gr::pool{.size = 3, .stride = 2}>`.

namespace gradus::inline GRADUS_ARCH::nn {

template <auto P>
struct max_pool2d {
    auto operator()(operand auto const& x) const { return gradus::max_pool2d<P>(x); }
};
template <auto P>
struct avg_pool2d {
    auto operator()(operand auto const& x) const { return gradus::avg_pool2d<P>(x); }
};
template <std::int64_t Height, std::int64_t Width = Height>
struct adaptive_max_pool2d {
    auto operator()(operand auto const& x) const { return gradus::adaptive_max_pool2d<Height, Width>(x); }
};
template <std::int64_t Height, std::int64_t Width = Height>
struct adaptive_avg_pool2d {
    auto operator()(operand auto const& x) const { return gradus::adaptive_avg_pool2d<Height, Width>(x); }
};
/// Axes First to Last as one, by default all but the first.
template <int First = 1, int Last = -1>
struct flatten {
    auto operator()(operand auto const& x) const { return gradus::flatten<First, Last>(x); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
