// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/module.hpp>
#include <gradus/tensor/state/let.hpp>

namespace gradus::inline GRADUS_ARCH::nn {

/// One layer after the other: `gr::nn::sequential net(gr::nn::linear<float, 2, 8>(random), gr::nn::relu{}, ...);`. Layers are named "0",
/// "1", ... What they return is handed on as it is, so that expressions fuse.
template <class... Layer>
struct sequential : module<sequential<Layer...>> {
    std::tuple<Layer...> layers;

    explicit sequential(Layer... all) : layers(std::move(all)...) {}
    template <operand X>
    auto operator()(X const& x) const {
        return run<0>(x);
    }
    template <std::size_t I>
    auto const& layer() const {
        return std::get<I>(layers);
    }
    auto members() const {
        return [this]<std::size_t... I>(std::index_sequence<I...>) {
            return (nn::members() + ... + nn::members(std::to_string(I), std::get<I>(layers)));
        }(std::index_sequence_for<Layer...>{});
    }

private:
    template <std::size_t I, class X>
    auto run(X const& x) const {
        if constexpr (I == sizeof...(Layer)) return x;
        else return run<I + 1>(std::get<I>(layers)(x));
    }
};

/// x + layer(x): `gr::nn::residual block(gr::nn::sequential(...));`. The layer is named "layer".
template <class Layer>
struct residual : module<residual<Layer>> {
    Layer layer;

    explicit residual(Layer of) : layer(std::move(of)) {}
    template <operand X>
    auto operator()(X const& x) const {
        return gradus::let(x, [this](auto const& h) { return h + layer(h); });
    }
    auto members() const { return nn::members("layer", layer); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
