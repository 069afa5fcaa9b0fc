// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>
#include <gradus/expr/structure.hpp>
#include <gradus/nn/linear.hpp>

// Activations as layers, for nn::sequential. Each is the function of its name.

namespace gradus::inline GRADUS_ARCH::nn {

struct identity {
    auto operator()(operand auto const& x) const { return x; }
};
struct relu {
    auto operator()(operand auto const& x) const { return gradus::relu(x); }
};
struct leaky_relu {
    double negative_slope = 0.01;
    auto operator()(operand auto const& x) const { return gradus::leaky_relu(x, negative_slope); }
};
struct elu {
    double alpha = 1;
    auto operator()(operand auto const& x) const { return gradus::elu(x, alpha); }
};
struct selu {
    auto operator()(operand auto const& x) const { return gradus::selu(x); }
};
/// With the normal distribution function; `gelu_tanh` approximates it.
struct gelu {
    auto operator()(operand auto const& x) const { return gradus::gelu(x); }
};
struct gelu_tanh {
    auto operator()(operand auto const& x) const { return gradus::gelu_tanh(x); }
};
struct silu {
    auto operator()(operand auto const& x) const { return gradus::silu(x); }
};
struct mish {
    auto operator()(operand auto const& x) const { return gradus::mish(x); }
};
struct sigmoid {
    auto operator()(operand auto const& x) const { return gradus::sigmoid(x); }
};
struct logsigmoid {
    auto operator()(operand auto const& x) const { return gradus::logsigmoid(x); }
};
struct tanh {
    auto operator()(operand auto const& x) const { return gradus::tanh(x); }
};
struct hardtanh {
    auto operator()(operand auto const& x) const { return gradus::hardtanh(x); }
};
struct softplus {
    auto operator()(operand auto const& x) const { return gradus::softplus(x); }
};
/// Along the last axis by default.
template <int Axis = -1>
struct softmax {
    auto operator()(operand auto const& x) const { return gradus::softmax<Axis>(x); }
};
template <int Axis = -1>
struct log_softmax {
    auto operator()(operand auto const& x) const { return gradus::log_softmax<Axis>(x); }
};

/// x above 0, elsewhere x times a slope that is learned: one for all, or one per channel (axis 1).
template <element T, extent Channels = 1>
    requires(Channels.is_static() && floating_element<T>)
struct prelu : module<prelu<T, Channels>> {
    tensor<T, Channels> weight = empty<T, Channels>();

    explicit prelu(double initial = 0.25) {
        init::constant_(weight, initial);
        weight.requires_grad_();
    }
    template <operand X>
    auto operator()(X const& x) const {
        constexpr int rank = X::type.shape.rank();
        if constexpr (Channels.code == 1) return gradus::leaky_relu(x, weight);
        else return gradus::leaky_relu(x, core::as_channels<rank>(weight));
    }
    auto members() const { return nn::members("weight", weight); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
