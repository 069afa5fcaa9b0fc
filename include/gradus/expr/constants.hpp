// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/functions.hpp>

#include <concepts>

// Constants with a shape, beside symbols: `gr::eye<double, 3> + h` is an expression. Called, they make tensors
// (tensor/state/factories.hpp), with a number for each extent that is gr::dyn: `gr::zeros<float, gr::dyn, 5>(7)`.
namespace gradus::inline GRADUS_ARCH {

namespace core {

template <extent... E>
inline constexpr std::size_t unknown_extents = (std::size_t{0} + ... + std::size_t{E == dyn});

/// All elements V.
template <double V, element T, extent... E>
struct filled_expr : expression_facts<filled_expr<V, T, E...>> {
    static constexpr tensor_type type{dtype_of<T>, {E...}};
    static constexpr std::uint64_t hash = hash_of_type(mix(hash_of("filled"), bits_of(V)), type);
    static constexpr int weight = 1;

    template <std::integral... N>
        requires(sizeof...(N) == unknown_extents<E...>)
    auto operator()(N... extents) const {
        return tensor_of(*this, static_cast<std::int64_t>(extents)...);
    }
};
/// Ones on the diagonal, zeros elsewhere.
template <element T, extent N, extent M>
struct identity_expr : expression_facts<identity_expr<T, N, M>> {
    static constexpr tensor_type type{dtype_of<T>, {N, M}};
    static constexpr std::uint64_t hash = hash_of_type(hash_of("identity"), type);
    static constexpr int weight = 1;

    auto operator()() const { return tensor_of(*this); }
};
/// 0, 1, 2, ...
template <element T, extent N>
struct counting_expr : expression_facts<counting_expr<T, N>> {
    static constexpr tensor_type type{dtype_of<T>, {N}};
    static constexpr std::uint64_t hash = hash_of_type(hash_of("counting"), type);
    static constexpr int weight = 1;

    auto operator()() const
        requires(unknown_extents<N> == 0)
    {
        return tensor_of(*this);
    }
    /// start, start + step, ... before stop, as torch.arange: `gr::arange<double, gr::dyn>(1, 2.5, 0.5)`.
    template <class... A>
        requires(unknown_extents<N> == 1 && sizeof...(A) >= 1 && sizeof...(A) <= 3 && (std::is_arithmetic_v<A> && ...))
    auto operator()(A... stop_or_start_stop_step) const {
        return tensor_of(*this, static_cast<T>(stop_or_start_stop_step)...);
    }
};
/// An extent as a number, which takes the dtype of what it meets.
template <extent E>
struct size_expr : expression_facts<size_expr<E>> {
    static constexpr tensor_type type{};
    static constexpr std::uint64_t hash = mix(mix(hash_of("size"), static_cast<std::uint64_t>(E.code)), static_cast<std::uint64_t>(E.more));
    static constexpr int weight = 1;
};
template <element T, extent... E>
struct full_function {
    template <double V>
    constexpr auto operator()(constant_expr<V>) const {
        return filled_expr<V, T, E...>{};
    }
    template <class... A>
        requires((... && !symbolic<A>) && sizeof...(A) == unknown_extents<E...> + 1)
    auto operator()(A... extents_and_value) const {
        return tensor_of(*this, extents_and_value...);
    }
};

template <tensor_type T, class V>
constexpr auto filled_like(V value) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return full_function<element_t<T.type>, T.shape[static_cast<int>(I)]...>{}(value);
    }(std::make_index_sequence<static_cast<std::size_t>(T.shape.rank())>{});
}

}  // namespace core

/// Zeros: `gr::zeros<double, 3, "n">` is an expression, `gr::zeros<float, gr::dyn>(7)` a tensor.
template <element T, extent... E>
inline constexpr core::filled_expr<0.0, T, E...> zeros{};
/// Ones: `gr::ones<double, 3>`.
template <element T, extent... E>
inline constexpr core::filled_expr<1.0, T, E...> ones{};
/// All elements one number: the expression `gr::full<double, 3>(0.5_c)`; a tensor for plain numbers, the extents before the value.
template <element T, extent... E>
inline constexpr core::full_function<T, E...> full{};
/// The identity matrix, ones on the diagonal where it is not square: `gr::eye<double, 3>`.
template <element T, extent N, extent M = N>
inline constexpr core::identity_expr<T, N, M> eye{};
/// 0, 1, 2, ...: `gr::arange<double, 5>`; `gr::arange<double, gr::dyn>(start, stop, step)` is a tensor.
template <element T, extent N>
inline constexpr core::counting_expr<T, N> arange{};
/// The same by XLA's name.
template <element T, extent N>
inline constexpr core::counting_expr<T, N> iota{};
/// An extent as a number, which takes the dtype of what it meets: `x / gr::size<"n">`.
template <extent E>
inline constexpr core::size_expr<E> size{};

namespace core {
template <element T, extent N>
    requires floating_element<T>
struct linspace_function {
    constexpr auto operator()(expression auto start, expression auto stop) const {
        constexpr auto intervals = [] {
            constexpr std::int64_t known = N.code < 2 ? 1 : N.code - 1;
            if constexpr (N.is_static()) return constant<known>;
            else return maximum(size<N> - constant<1>, constant<1>);
        }();
        auto const step = (stop - start) / intervals;
        return where(arange<T, N> < intervals * constant<0.5>, start + step * arange<T, N>, stop - step * (intervals - arange<T, N>));
    }
    template <class A, class B, std::integral... Count>
        requires(std::is_arithmetic_v<A> && std::is_arithmetic_v<B> && sizeof...(Count) == unknown_extents<N>)
    auto operator()(A start, B stop, Count... count) const {
        return tensor_of(*this, static_cast<T>(start), static_cast<T>(stop), static_cast<std::int64_t>(count)...);
    }
};
}  // namespace core
/// N numbers from `start` to `stop`, both included, at equal distances, as torch.linspace: `gr::linspace<double, 11>(0_c, x)` is an
/// expression of expressions, `gr::linspace<double, 11>(0.0, 1.0)` a tensor, `gr::linspace<double, gr::dyn>(0.0, 1.0, 11)` too.
template <element T, extent N>
inline constexpr core::linspace_function<T, N> linspace{};

/// Zeros, ones, or one number, of an expression's shape and dtype.
template <expression X>
constexpr auto zeros_like(X) {
    return core::filled_like<X::type>(constant<0.0>);
}
template <expression X>
constexpr auto ones_like(X) {
    return core::filled_like<X::type>(constant<1.0>);
}
template <expression X, double V>
constexpr auto full_like(X, constant_expr<V> value) {
    return core::filled_like<X::type>(value);
}

}  // namespace gradus::inline GRADUS_ARCH
