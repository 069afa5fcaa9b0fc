// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/reductions.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/tensor/mode.hpp>

#include <limits>

// Layers that standardize. Their scale begins with ones, their shift with zeros.

namespace gradus::inline GRADUS_ARCH::nn {

template <element T, extent... E>
tensor<T, E...> parameter_of(double value) {
    auto made = empty<T, E...>();
    init::constant_(made, value);
    return made.requires_grad_();
}

/// Standardizes every channel (axis 1, whatever the other axes are): while training with the mean and the variance of the batch, which
/// move the running ones by `momentum`; in eval() with the running ones (S. Ioffe, C. Szegedy, 2015). The variance is divided by n for
/// the result, by n - 1 for the running one. A call computes a tensor, as its mode decides at run time what that is.
template <element T, extent Channels, double Epsilon = 1e-5>
    requires(Channels.is_static() && floating_element<T>)
struct batch_norm : module<batch_norm<T, Channels, Epsilon>> {
    tensor<T, Channels> weight = parameter_of<T, Channels>(1), bias = parameter_of<T, Channels>(0);
    tensor<T, Channels> running_mean = zeros<T, Channels>(), running_var = ones<T, Channels>();
    tensor<std::int64_t> num_batches_tracked = zeros<std::int64_t>();
    double momentum = 0.1;
    training_mode training;

    /// Throws error while training with one value per channel, whose variance is no number.
    template <operand X>
    auto operator()(X const& x) const {
        using result = decltype(gradus::tensor(gradus::batch_norm<Epsilon>(x, weight, bias)));
        if (!training) return result(gradus::batch_norm<Epsilon>(x, weight, bias, running_mean, running_var));
        gradus::tensor const input = x;
        if (input.size() <= Channels.code)
            throw error(core::concat("gradus::nn::batch_norm: expected more than 1 value per channel when training: x is ",
                                     input.state()->described())
                            .str());
        result const y = gradus::batch_norm<Epsilon>(input, weight, bias);
        count(input.detach());
        return y;
    }
    auto members() const {
        return nn::members("weight", weight, "bias", bias, "training", training)
            .buffers("running_mean", running_mean, "running_var", running_var, "num_batches_tracked", num_batches_tracked);
    }

private:
    void count(auto const& x) const {
        no_grad guard;
        constexpr int rank = std::remove_cvref_t<decltype(x)>::rank();
        auto const move = [this, &x]<int... Axis>(std::integer_sequence<int, Axis...>) {
            gradus::tensor const mean = gradus::mean<(Axis ? Axis + 1 : 0)...>(x);
            gradus::tensor const variance = gradus::variance<(Axis ? Axis + 1 : 0)...>(x);
            gradus::tensor const next_mean = (1 - momentum) * running_mean + momentum * mean,
                                 next_var = (1 - momentum) * running_var + momentum * variance;
            running_mean.copy_(next_mean);
            running_var.copy_(next_var);
        };
        move(std::make_integer_sequence<int, rank - 1>{});
        *num_batches_tracked.data() += 1;
        increment_version(num_batches_tracked);
    }
};

/// Standardizes over the trailing axes E.
template <double Epsilon, element T, extent... E>
    requires((E.is_static() && ...) && sizeof...(E) > 0 && floating_element<T>)
struct basic_layer_norm : module<basic_layer_norm<Epsilon, T, E...>> {
    tensor<T, E...> weight = parameter_of<T, E...>(1), bias = parameter_of<T, E...>(0);

    template <operand X>
    auto operator()(X const& x) const {
        return gradus::layer_norm<Epsilon>(x, weight, bias);
    }
    auto members() const { return nn::members("weight", weight, "bias", bias); }
};
template <element T, extent... E>
using layer_norm = basic_layer_norm<1e-5, T, E...>;

/// x / sqrt(mean x^2 + epsilon) weight, over the trailing axes E.
template <double Epsilon, element T, extent... E>
    requires((E.is_static() && ...) && sizeof...(E) > 0 && floating_element<T>)
struct basic_rms_norm : module<basic_rms_norm<Epsilon, T, E...>> {
    tensor<T, E...> weight = parameter_of<T, E...>(1);

    template <operand X>
    auto operator()(X const& x) const {
        return gradus::rms_norm<Epsilon>(x, weight);
    }
    auto members() const { return nn::members("weight", weight); }
};
/// Epsilon is that of the type, as in PyTorch.
template <element T, extent... E>
using rms_norm = basic_rms_norm<static_cast<double>(std::numeric_limits<T>::epsilon()), T, E...>;

/// Standardizes over groups of neighbouring channels (axis 1) and all axes after them.
template <element T, std::int64_t Groups, std::int64_t Channels, double Epsilon = 1e-5>
    requires floating_element<T>
struct group_norm : module<group_norm<T, Groups, Channels, Epsilon>> {
    static_assert(Groups > 0 && Channels % Groups == 0, "gradus::nn::group_norm: channels are a multiple of the groups");
    tensor<T, Channels> weight = parameter_of<T, Channels>(1), bias = parameter_of<T, Channels>(0);

    template <operand X>
    auto operator()(X const& x) const {
        return gradus::group_norm<Groups, Epsilon>(x, weight, bias);
    }
    auto members() const { return nn::members("weight", weight, "bias", bias); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
