// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/decimal.hpp>
#include <gradus/expr/expression.hpp>

namespace gradus::inline GRADUS_ARCH {

template <class S, class Data>
struct binding;

/// A variable of a program: a name, a dtype, extents; no state. Its identity is its name.
template <fixed_string Name, element T, extent... E>
struct symbol : expression_facts<symbol<Name, T, E...>> {
    using element_type = T;
    static constexpr auto label = Name;
    static constexpr std::string_view name() { return label.view(); }
    static_assert(sizeof...(E) <= max_rank, "gradus: a shape has at most 6 axes");
    static constexpr tensor_type type{dtype_of<T>, {E...}};
    static_assert(!type.shape.is_too_large(), "gradus::var: more elements than 64 bits count");
    static constexpr std::uint64_t hash = [] {
        std::uint64_t h = core::mix(core::hash_of("symbol"), core::hash_of(Name.view()) + static_cast<std::uint64_t>(dtype_of<T>));
        ((h = core::mix(core::mix(h, static_cast<std::uint64_t>(E.code)), static_cast<std::uint64_t>(E.more))), ...);
        return h;
    }();
    static constexpr int weight = 1;

    /// `x = data` names an argument of a program; see binding.
    template <class Data>
    constexpr auto operator=(Data&& data) const {  // NOLINT: no assignment
        return binding<symbol, Data&&>{data};
    }
};

/// `gr::var<"w", float, 5, 3>`; an extent is a number or a named dimension: `gr::var<"x", float, "batch", 64>`.
template <fixed_string Name, element T, extent... E>
inline constexpr symbol<Name, T, E...> var{};

/// The place of an operand in an expression whose operands have no names: the K-th tensor (tensor/state/expression.hpp).
template <int K, element T, extent... E>
struct slot : expression_facts<slot<K, T, E...>> {
    static constexpr tensor_type type{dtype_of<T>, {E...}};
    static constexpr std::uint64_t hash = core::mix(core::hash_of("slot"), static_cast<std::uint64_t>(K));
    static constexpr int weight = 1;
};

/// A named expression; see let.
template <class F>
struct let_expr : expression_facts<let_expr<F>> {
    using body = std::invoke_result_t<F const&>;
    static_assert(expression<body>, "gradus::let: the function does not return an expression");
    static constexpr tensor_type type = body::type;
    static constexpr std::uint64_t hash = body::hash;
    static constexpr int weight = 1;
};

/// Names a subexpression that is used more than once: `constexpr auto h = gr::let([=] { return tanh(matmul(x, w)); });`.
/// The type of `h` is the closure's, short whatever is inside. It never changes the graph: equal nodes are one node anyway.
template <class F>
constexpr auto let(F) {
    return let_expr<F>{};
}

/// A parameter update. All right-hand sides see the old values.
template <class S, class E>
struct update_expr {
    using symbol = S;
    using source = E;
};

namespace core {
template <class S, class E>
constexpr text update_complaint() {
    if (!(S::type == E::type) && !is_refused<E>)
        return concat("gradus::update(a, b): the new value is not like the symbol: ", S::name(), " is ", S::type, ", b is ", E::type);
    return {};
}
}  // namespace core

/// Writes a new value to a symbol's memory when the program has read the old one: `gr::update(w, w - rate * gr::grad(loss, w))`.
template <fixed_string Name, element T, extent... X, expression E>
constexpr auto update(symbol<Name, T, X...>, E) {
    using S = symbol<Name, T, X...>;
    core::report<&core::update_complaint<S, E>>();
    if constexpr (S::type == E::type) return update_expr<S, E>{};
    else return update_expr<S, S>{};
}

namespace literals {

/// `0.5_c`: a number in the type; takes the dtype of what it meets.
template <char... C>
consteval auto operator""_c() {
    constexpr char text[] = {C...};
    return constant_expr<core::parse_decimal(text, sizeof...(C))>{};
}

}  // namespace literals
}  // namespace gradus::inline GRADUS_ARCH
