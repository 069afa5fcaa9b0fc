// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/structure.hpp>

// The vocabulary, continued: windows. One number serves all axes of a window.
namespace gradus::inline GRADUS_ARCH {

/// What a convolution has beside its operands: `gr::conv2d<gr::windows{.stride = 2, .padding = 1}>(x, w)`.
struct windows {
    std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};

namespace core {
constexpr parameters window_parameters(windows const& w) {
    parameters p;
    std::int64_t const all[] = {w.stride, w.padding, w.dilation, w.groups};
    for (int i = 0; i < 4; ++i) p.attr.n[i] = all[i];
    return p;
}
}  // namespace core

/// y[n, o, p] = sum over c, k of w[o, c, k] x[n, c, stride p + dilation k - padding]; x is [N, C, length].
template <windows W = windows{}>
constexpr auto conv1d(operand auto x, operand auto w) {
    return apply<with<op::convolution, core::window_parameters(W)>>(std::move(x), std::move(w));
}
template <windows W = windows{}>
constexpr auto conv1d(operand auto x, operand auto w, operand auto bias) {
    return conv1d<W>(std::move(x), std::move(w)) + core::as_channels<3>(std::move(bias));
}
/// The same along two axes; x is [N, C, height, width].
template <windows W = windows{}>
constexpr auto conv2d(operand auto x, operand auto w) {
    return apply<with<op::convolution, core::window_parameters(W)>>(std::move(x), std::move(w));
}
template <windows W = windows{}>
constexpr auto conv2d(operand auto x, operand auto w, operand auto bias) {
    return conv2d<W>(std::move(x), std::move(w)) + core::as_channels<4>(std::move(bias));
}
/// The transpose of conv2d; weights are [in, out, height, width].
template <windows W = windows{}>
constexpr auto conv_transpose2d(operand auto x, operand auto w) {
    return apply<with<op::transposed_convolution, core::window_parameters(W)>>(std::move(x), std::move(w));
}
template <windows W = windows{}>
constexpr auto conv_transpose2d(operand auto x, operand auto w, operand auto bias) {
    return conv_transpose2d<W>(std::move(x), std::move(w)) + core::as_channels<4>(std::move(bias));
}

}  // namespace gradus::inline GRADUS_ARCH
