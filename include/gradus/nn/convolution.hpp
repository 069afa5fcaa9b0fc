// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/convolution.hpp>
#include <gradus/expr/pooling.hpp>
#include <gradus/nn/linear.hpp>

// Convolutions. A call is an expression.
// All start uniform in (-1/sqrt(n), 1/sqrt(n)), the weight first, with the n numbers that PyTorch counts: weight.size(1) times the window.

namespace gradus::inline GRADUS_ARCH::nn {

/// conv1d along the last axis of [N, In, length]: `gr::nn::conv1d<float, 4, 8, 3, gr::windows{.padding = 1}> f(random);`.
template <element T, std::int64_t In, std::int64_t Out, std::int64_t Kernel, windows W = windows{}, bool Bias = true>
struct conv1d : module<conv1d<T, In, Out, Kernel, W, Bias>> {
    static_assert(W.groups > 0 && In % W.groups == 0 && Out % W.groups == 0, "gradus::nn::conv1d: channels are a multiple of the groups");
    tensor<T, Out, In / W.groups, Kernel> weight;
    tensor<T, Out> bias;  ///< undefined without a bias

    explicit conv1d(random& source) {
        double const bound = 1 / std::sqrt(static_cast<double>(In / W.groups * Kernel));
        weight = uniform_parameter<T, Out, In / W.groups, Kernel>(source, bound);
        if (Bias) bias = uniform_parameter<T, Out>(source, bound);
    }
    template <operand X>
    auto operator()(X const& x) const {
        if constexpr (Bias) return gradus::conv1d<W>(x, weight, bias);
        else return gradus::conv1d<W>(x, weight);
    }
    auto members() const { return nn::members("weight", weight, "bias", bias); }
};

/// conv2d along the last two axes of [N, In, height, width]; the kernel is a number or {height, width}.
template <element T, std::int64_t In, std::int64_t Out, height_width Kernel, windows W = windows{}, bool Bias = true>
struct conv2d : module<conv2d<T, In, Out, Kernel, W, Bias>> {
    static_assert(W.groups > 0 && In % W.groups == 0 && Out % W.groups == 0, "gradus::nn::conv2d: channels are a multiple of the groups");
    tensor<T, Out, In / W.groups, Kernel.height, Kernel.width> weight;
    tensor<T, Out> bias;  ///< undefined without a bias

    explicit conv2d(random& source) {
        double const bound = 1 / std::sqrt(static_cast<double>(In / W.groups * Kernel.height * Kernel.width));
        weight = uniform_parameter<T, Out, In / W.groups, Kernel.height, Kernel.width>(source, bound);
        if (Bias) bias = uniform_parameter<T, Out>(source, bound);
    }
    template <operand X>
    auto operator()(X const& x) const {
        if constexpr (Bias) return gradus::conv2d<W>(x, weight, bias);
        else return gradus::conv2d<W>(x, weight);
    }
    auto members() const { return nn::members("weight", weight, "bias", bias); }
};

/// conv_transpose2d, whose weight is [In, Out, height, width].
template <element T, std::int64_t In, std::int64_t Out, height_width Kernel, windows W = windows{}, bool Bias = true>
struct conv_transpose2d : module<conv_transpose2d<T, In, Out, Kernel, W, Bias>> {
    tensor<T, In, Out, Kernel.height, Kernel.width> weight;
    tensor<T, Out> bias;  ///< undefined without a bias

    explicit conv_transpose2d(random& source) {
        double const bound = 1 / std::sqrt(static_cast<double>(Out * Kernel.height * Kernel.width));
        weight = uniform_parameter<T, In, Out, Kernel.height, Kernel.width>(source, bound);
        if (Bias) bias = uniform_parameter<T, Out>(source, bound);
    }
    template <operand X>
    auto operator()(X const& x) const {
        if constexpr (Bias) return gradus::conv_transpose2d<W>(x, weight, bias);
        else return gradus::conv_transpose2d<W>(x, weight);
    }
    auto members() const { return nn::members("weight", weight, "bias", bias); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
