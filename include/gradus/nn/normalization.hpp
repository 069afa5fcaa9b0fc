// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/reductions.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/tensor/autograd/with_update.hpp>

#include <limits>
#include <vector>

// Layers that standardize. Their scale begins with ones, their shift with zeros.

namespace gradus::inline GRADUS_ARCH::nn {

template <element T, extent... E>
tensor<T, E...> parameter_of(double value) {
    auto made = empty<T, E...>();
    init::constant_(made, value);
    return made.requires_grad_();
}

/// The mean and the variance, divided by n - 1, of each channel (axis 1), in double. (Loops of their own: as statements on tensors they
/// would be programs with derivatives that nobody asks for, which the compiler takes seconds for.)
template <class Asked = void>
void channel_statistics(any_tensor const& x, std::vector<double>& mean, std::vector<double>& variance) {
    core::with_floating_dtype(x.dtype(), [&]<class T>(T) {
        std::size_t const channels = mean.size(), all = static_cast<std::size_t>(x.size());
        std::size_t const inner = all / channels / static_cast<std::size_t>(x.size(0));
        T const* const elements = x.values<T>().data();
        auto const sum_by_channel = [&](std::vector<double>& sums, auto const& term) {
            for (std::size_t from = 0, c = 0; from < all; from += inner, c = c + 1 == channels ? 0 : c + 1) {
                double some[4]{};  // sums that do not wait for each other
                for (std::size_t i = 0; i < inner; ++i) some[i % 4] += term(static_cast<double>(elements[from + i]), c);
                sums[c] += (some[0] + some[1]) + (some[2] + some[3]);
            }
        };
        double const n = static_cast<double>(all / channels);
        sum_by_channel(mean, [](double v, std::size_t) { return v; });
        for (double& m : mean) m /= n;
        sum_by_channel(variance, [&](double v, std::size_t c) { return (v - mean[c]) * (v - mean[c]); });
        for (double& v : variance) v /= n - 1;
    });
}

/// Standardizes every channel (axis 1, whatever the other axes are): while training with the mean and the variance of the batch, which
/// move the running ones by `momentum`; in eval() with the running ones (S. Ioffe, C. Szegedy, 2015). The variance is divided by n for
/// the result, by n - 1 for the running one. A call computes a tensor, as its mode decides at run time what that is; in a compiled program
/// the mode is a number, and one value per channel leaves the running statistics as they are.
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
        if constexpr (core::has_symbol(std::type_identity<X>{}))
            return gradus::let(x, [&](auto const& input) {
                return compiled(input, std::make_integer_sequence<int, X::type.shape.rank() - 1>{});
            });
        else return computed(x);
    }
    auto members() const {
        return nn::members("weight", weight, "bias", bias, "training", training)
            .buffers("running_mean", running_mean, "running_var", running_var, "num_batches_tracked", num_batches_tracked);
    }

private:
    template <class X>
    auto computed(X const& x) const {
        using result = decltype(gradus::tensor(gradus::batch_norm<Epsilon>(x, weight, bias)));
        if (!training) return result(gradus::batch_norm<Epsilon>(x, weight, bias, running_mean, running_var));
        gradus::tensor const input = x;
        if (input.size() <= Channels.code)
            throw error(core::concat("gradus::nn::batch_norm: expected more than 1 value per channel when training: x is ",
                                     input.state()->described())
                            .str());
        result const y = gradus::batch_norm<Epsilon>(input, weight, bias);
        count(input.is_contiguous() ? input.detach() : input.detach().clone());
        return y;
    }
    /// Over all axes but the second.
    template <class X, int... Other>
    auto compiled(X const& x, std::integer_sequence<int, Other...>) const {
        constexpr auto axis = [](int other) { return other == 0 ? 0 : other + 1; };
        auto const values = (gradus::size<X::type.shape[axis(Other)]> * ...);
        auto const spread = variance<axis(Other)..., correction<0>>(x);
        return gradus::let(mean<axis(Other)...>(x), spread, [&](auto const& batch_mean, auto const& batch_variance) {
            auto const trains = full<bool>(training.on);
            auto const moved = [&](auto const& running, auto const& now) {
                return gradus::where(gradus::logical_and(trains, values > constant<1>), running + momentum * (now - running), running);
            };
            auto const standard = [](auto const& running) { return gradus::stop_gradient(running); };
            auto const y = gradus::batch_norm<Epsilon>(x, weight, bias, gradus::where(trains, batch_mean, standard(running_mean)),
                                                       gradus::where(trains, batch_variance, standard(running_var)));
            return with_update(with_update(with_update(y, running_mean, moved(running_mean, batch_mean)), running_var,
                                           moved(running_var, batch_variance * (values / (values - constant<1>)))),
                               num_batches_tracked, num_batches_tracked + gradus::cast<std::int64_t>(trains));
        });
    }
    void count(any_tensor const& x) const {
        std::vector<double> mean(static_cast<std::size_t>(Channels.code)), variance(mean.size());
        channel_statistics(x, mean, variance);
        auto const move = [this](tensor<T, Channels> const& running, std::vector<double> const& now) {
            for (std::size_t c = 0; c < now.size(); ++c) {
                T& at = running.data()[c];
                at = static_cast<T>((1 - momentum) * static_cast<double>(at) + momentum * now[c]);
            }
            increment_version(running);
        };
        move(running_mean, mean);
        move(running_var, variance);
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
