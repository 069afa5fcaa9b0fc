// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/constants.hpp>
#include <gradus/expr/reductions.hpp>
#include <gradus/nn/activation.hpp>
#include <gradus/nn/dropout.hpp>
#include <gradus/nn/normalization.hpp>
#include <gradus/tensor/state/let.hpp>
#include <gradus/tensor/view/concatenate.hpp>

// Attention and the blocks of transformers (A. Vaswani et al., 2017), with PyTorch's names and numbers to begin with.

namespace gradus::inline GRADUS_ARCH::nn {

/// What multihead_attention can be told.
struct attention_options {
    bool causal = false;       ///< a position sees itself and what is before it
    bool batch_first = false;  ///< operands are [batch, length, Embed] instead of [length, batch, Embed]
    double dropout = 0;        ///< of the weights, while training
    bool bias = true;
};

/// Keys and values of the positions that a layer has seen, so that the next ones need no more than their own.
template <element T, std::int64_t Embed, std::int64_t Heads>
struct attention_cache {
    tensor<T, dyn, Heads, dyn, Embed / Heads> key, value;  ///< [batch, Heads, length, Embed / Heads]; undefined before the first call

    std::int64_t length() const { return key.defined() ? key.size(2) : 0; }
};

/// Heads of scaled_dot_product_attention on projections of query, key and value, and a projection of all of them together. One of batch
/// and length is known to the compiler, or a name. It returns what PyTorch's returns first, an expression, and keeps no weights.
template <element T, std::int64_t Embed, std::int64_t Heads, attention_options O = attention_options{}>
    requires floating_element<T>
struct multihead_attention : module<multihead_attention<T, Embed, Heads, O>> {
    static_assert(Heads > 0 && Embed % Heads == 0, "gradus::nn::multihead_attention: Embed is a multiple of Heads");
    using cache = attention_cache<T, Embed, Heads>;
    tensor<T, 3 * Embed, Embed> in_proj_weight = empty<T, 3 * Embed, Embed>();
    tensor<T, 3 * Embed> in_proj_bias;
    linear<T, Embed, Embed, O.bias> out_proj;
    dropout<O.dropout> drop;

    /// Xavier's uniform numbers for the three projections, linear's for the last, zeros for biases.
    explicit multihead_attention(random& source) : out_proj(source), drop(source) {
        init::xavier_uniform_(in_proj_weight, source);
        in_proj_weight.requires_grad_();
        if (!O.bias) return;
        in_proj_bias = parameter_of<T, 3 * Embed>(0);
        init::zeros_(out_proj.bias);
    }
    /// Of x to itself.
    template <operand X>
    auto operator()(X const& x) const {
        return of_first_batch(x, [this](auto const& input) {
            return gradus::let(all_heads(input), [&](auto const& all) {
                return attended(gradus::select<0, 0>(all), gradus::select<0, 1>(all), gradus::select<0, 2>(all));
            });
        });
    }
    /// Of x to itself and to all positions that came before it, whose keys and values `seen` keeps: call by call the numbers of one call
    /// with all positions. On tensors; their batch is that of the first call. A call that throws leaves `seen` as it was.
    template <run_time_operand X>
    auto operator()(X const& x, cache& seen) const {
        return of_first_batch(x, [&](auto const& input) {
            gradus::tensor const all = all_heads(input);
            auto const q = gradus::tensor(gradus::select<0, 0>(all));
            using query = std::remove_const_t<decltype(q)>;
            cache next = seen;
            append(next.key, gradus::tensor(gradus::select<0, 1>(all)));
            append(next.value, gradus::tensor(gradus::select<0, 2>(all)));
            query const values = weighted(q, next.key, next.value, seen.length());
            gradus::tensor const y = joined<query>(values);
            seen = next;
            return y;
        });
    }
    /// Of a query to keys with their values.
    template <operand Q, operand K, operand V>
    auto operator()(Q const& query, K const& key, V const& value) const {
        return of_first_batch(query, [&](auto const& q) {
            return attended(heads<0>(q), heads<1>(with_first_batch(key)), heads<2>(with_first_batch(value)));
        });
    }
    auto members() const {
        return nn::members("in_proj_weight", in_proj_weight, "in_proj_bias", in_proj_bias, "out_proj", out_proj, "drop", drop);
    }

private:
    static auto with_first_batch(auto const& x) {
        if constexpr (O.batch_first) return x;
        else return gradus::transpose<1, 0, 2>(x);
    }
    /// f on [batch, length, Embed], its result in the order of x.
    static auto of_first_batch(auto const& x, auto const& f) {
        constexpr auto given = std::remove_cvref_t<decltype(x)>::type.shape;
        static_assert(given.rank() == 3 && given[2] == extent(Embed),
                      "gradus::nn::multihead_attention: an operand has three axes, and Embed columns");
        static_assert(!(given[0] == dyn && given[1] == dyn),
                      "gradus::nn::multihead_attention: the batch or the length is a number in the type of the operand");
        return with_first_batch(gradus::let(with_first_batch(x), f));
    }
    /// Projections First to Last - 1, one after the other.
    template <std::int64_t First, std::int64_t Last>
    auto projected(auto const& x) const {
        auto const weight = [this] {
            if constexpr (Last - First == 3) return in_proj_weight;
            else return gradus::slice<First * Embed, Last * Embed>(in_proj_weight);
        }();
        if constexpr (!O.bias) return matmul(x, transpose<>(weight));
        else if constexpr (Last - First == 3) return gradus::linear(x, weight, in_proj_bias);
        else return gradus::linear(x, weight, gradus::slice<First * Embed, Last * Embed>(in_proj_bias));
    }
    template <std::int64_t Which, class X>
    auto heads(X const& x) const {
        constexpr auto n = X::type.shape;
        return permute<0, 2, 1, 3>(gradus::reshape<n[0], n[1], Heads, Embed / Heads>(projected<Which, Which + 1>(x)));
    }
    /// Query, key and value of x, [3, batch, Heads, length, Embed / Heads].
    template <class X>
    auto all_heads(X const& x) const {
        constexpr auto n = X::type.shape;
        return permute<2, 0, 3, 1, 4>(gradus::reshape<n[0], n[1], 3, Heads, Embed / Heads>(projected<0, 3>(x)));
    }
    template <class Q>
    auto attended(Q const& query, auto const& key, auto const& value) const {
        auto const values = gradus::let(query, key, value, [&](auto const& q, auto const& k, auto const& v) {
            if constexpr (O.dropout > 0) return dropped(q, k, v);
            else return scaled_dot_product_attention<O.causal>(q, k, v);
        });
        return gradus::let(values, [&](auto const& y) { return joined<Q>(y); });
    }
    /// The heads' values side by side, and the last projection.
    template <class Q>
    auto joined(auto const& values) const {
        return out_proj(gradus::reshape<Q::type.shape[0], Q::type.shape[2], Embed>(permute<0, 2, 1, 3>(values)));
    }
    static void append(auto& seen, auto const& now) {
        if (seen.defined()) seen = cat<2>(seen, now);
        else seen = now;
    }
    template <class Q, class K>
    auto dropped(Q const& q, K const& k, auto const& v) const {
        if constexpr (!core::is_tensor<Q>) {  // a mask of bools that broadcasts: what is seen
            auto const seen = [] {
                if constexpr (!O.causal) return ones<bool, 1, 1>;
                else return unsqueeze<1>(arange<std::int64_t, Q::type.shape[2]>) >= unsqueeze<0>(arange<std::int64_t, K::type.shape[2]>);
            }();
            return matmul(drop(gradus::apply<op::attention_weights>(q, k, seen)), v);
        } else {
            using result = decltype(gradus::tensor(scaled_dot_product_attention<O.causal>(q, k, v)));
            if (!drop.training) return result(scaled_dot_product_attention<O.causal>(q, k, v));
            return result(weighted(q, k, v, 0));
        }
    }
    /// On tensors: `past` positions stand before that of the first query.
    template <class Q>
    auto weighted(Q const& q, auto const& k, auto const& v, std::int64_t past) const {
        tensor<bool, Q::type.shape[2], dyn> const mask = empty<bool, dyn, dyn>(q.size(2), k.size(2));
        for (std::int64_t i = 0; i < mask.size(); ++i) mask.data()[i] = !O.causal || i % k.size(2) <= i / k.size(2) + past;
        return matmul(drop(gradus::apply<op::attention_weights>(q, k, mask)), v);
    }
};

/// What transformer_encoder_layer can be told.
struct encoder_options {
    double dropout = 0.1;
    bool norm_first = false;  ///< normalizes what goes into a part instead of what comes out
    bool gelu = false;        ///< relu otherwise
    bool causal = false;
    bool batch_first = false;
};

/// x = norm1(x + self_attn(x)), x = norm2(x + linear2(relu(linear1(x)))), with dropout behind each part and inside of it; or, with
/// norm_first, x = x + self_attn(norm1(x)), x = x + linear2(relu(linear1(norm2(x)))).
template <element T, std::int64_t Embed, std::int64_t Heads, std::int64_t Hidden = 2048, encoder_options O = encoder_options{}>
    requires floating_element<T>
struct transformer_encoder_layer : module<transformer_encoder_layer<T, Embed, Heads, Hidden, O>> {
    static constexpr attention_options of_attention{.causal = O.causal, .batch_first = O.batch_first, .dropout = O.dropout};
    using cache = attention_cache<T, Embed, Heads>;
    multihead_attention<T, Embed, Heads, of_attention> self_attn;
    linear<T, Embed, Hidden> linear1;
    linear<T, Hidden, Embed> linear2;
    layer_norm<T, Embed> norm1, norm2;
    dropout<O.dropout> drop, dropout1, dropout2;

    explicit transformer_encoder_layer(random& source)
        : self_attn(source), linear1(source), linear2(source), drop(source), dropout1(source), dropout2(source) {}
    template <operand X>
    auto operator()(X const& x) const {
        return around(x, [this](auto const& in) { return self_attn(in); });
    }
    /// Of positions behind those that `seen` keeps keys and values of; see multihead_attention. A model has a cache for each layer.
    template <run_time_operand X>
    auto operator()(X const& x, cache& seen) const {
        return around(x, [&](auto const& in) { return self_attn(in, seen); });
    }
    auto members() const {
        return nn::members("self_attn", self_attn, "linear1", linear1, "dropout", drop, "linear2", linear2, "norm1", norm1, "norm2", norm2,
                           "dropout1", dropout1, "dropout2", dropout2);
    }

private:
    static constexpr auto result = [](auto const& y) { return y; };
    /// The layer, whose attention is `attend`.
    auto around(auto const& x, auto const& attend) const {
        return gradus::let(x, [&](auto const& input) {
            if constexpr (O.norm_first)
                return gradus::let(input + dropped<0>(attend(norm1(input))), [this](auto const& middle) {
                    return gradus::let(middle + dropped<1>(feed_forward(norm2(middle))), result);
                });
            else
                return gradus::let(norm1(input + dropped<0>(attend(input))), [this](auto const& middle) {
                    return gradus::let(norm2(middle + dropped<1>(feed_forward(middle))), result);
                });
        });
    }
    /// Without dropout an expression stays one.
    template <int Which>
    auto dropped(auto const& x) const {
        if constexpr (O.dropout == 0) return x;
        else return (Which == 0 ? dropout1 : dropout2)(x);
    }
    auto feed_forward(auto const& x) const {
        auto const hidden = linear1(x);
        auto const active = [&] {
            if constexpr (O.gelu) return gradus::gelu(hidden);
            else return gradus::relu(hidden);
        }();
        if constexpr (O.dropout == 0) return linear2(active);
        else return linear2(drop(active));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::nn
