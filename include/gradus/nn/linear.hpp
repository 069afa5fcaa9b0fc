// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/rearrange.hpp>
#include <gradus/nn/init.hpp>
#include <gradus/nn/module.hpp>
#include <gradus/tensor/state/factories.hpp>

namespace gradus::inline GRADUS_ARCH::nn {

/// A leaf of this shape that requires a gradient, uniform in (-bound, bound).
template <element T, extent... E>
tensor<T, E...> uniform_parameter(random& source, double bound) {
    auto made = empty<T, E...>();
    init::uniform_(made, source, -bound, bound);
    return made.requires_grad_();
}

/// x weight^T + bias, where x has In columns (PyTorch's Linear: the weight is [Out, In]).
///
/// A call is an expression on tensors, so that layers, activations and the loss fuse into one node of the tape:
/// `gr::tensor loss = gr::mean(gr::square(head(gr::relu(body(x))) - y));`.
template <element T, extent In, extent Out, bool Bias = true>
    requires(In.is_static() && Out.is_static() && floating_element<T>)
struct linear : module<linear<T, In, Out, Bias>> {
    tensor<T, Out, In> weight;
    tensor<T, Out> bias;  ///< undefined without a bias

    /// Uniform in (-1/sqrt(In), 1/sqrt(In)), the weight first, as PyTorch initializes; both require a gradient.
    explicit linear(random& source) {
        double const bound = 1 / std::sqrt(static_cast<double>(In.code));
        weight = uniform_parameter<T, Out, In>(source, bound);
        if (Bias) bias = uniform_parameter<T, Out>(source, bound);
    }
    template <operand X>
    auto operator()(X const& x) const {
        if constexpr (Bias) return matmul(x, transpose<>(weight)) + bias;
        else return matmul(x, transpose<>(weight));
    }
    auto members() const { return nn::members("weight", weight, "bias", bias); }
};

/// Rows of a table, [Entries, Width], by their numbers; the table is normal with deviation 1.
template <element T, extent Entries, extent Width>
    requires(Entries.is_static() && Width.is_static() && floating_element<T>)
struct embedding : module<embedding<T, Entries, Width>> {
    tensor<T, Entries, Width> weight = empty<T, Entries, Width>();

    explicit embedding(random& source) {
        init::normal_(weight, source);
        weight.requires_grad_();
    }
    /// `indices` are integers of any shape; out of range they are refused.
    template <operand X>
    auto operator()(X const& indices) const {
        return gradus::embedding(weight, indices);
    }
    auto members() const { return nn::members("weight", weight); }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
