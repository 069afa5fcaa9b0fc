// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/factories.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH::nn {

/// x weight^T + bias, where x has In columns (PyTorch's Linear: the weight is [Out, In]).
///
/// A call is an expression on tensors, so that layers, activations and the loss fuse into one node of the tape:
/// `gr::tensor loss = gr::mean(gr::square(head(gr::relu(body(x))) - y));`.
template <element T, extent In, extent Out>
    requires(In.is_static() && Out.is_static() && floating_element<T>)
struct linear {
    tensor<T, Out, In> weight;
    tensor<T, Out> bias;

    /// Uniform in (-1/sqrt(In), 1/sqrt(In)), the weight first, as PyTorch initializes; both require a gradient.
    explicit linear(random& source) {
        T const bound = static_cast<T>(1 / std::sqrt(static_cast<double>(In.code)));
        weight = array<T, Out, In>::uniform(source, -bound, bound);
        bias = array<T, Out>::uniform(source, -bound, bound);
        requires_grad_();
    }
    template <operand X>
    auto operator()(X const& x) const {
        return matmul(x, transpose<>(weight)) + bias;
    }

    std::vector<any_tensor> parameters() const { return {weight, bias}; }
    /// False freezes the layer: its parameters get no gradients, so optimisers leave them alone.
    linear const& requires_grad_(bool on = true) const {
        weight.requires_grad_(on);
        bias.requires_grad_(on);
        return *this;
    }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
