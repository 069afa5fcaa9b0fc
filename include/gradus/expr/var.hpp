// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/decimal.hpp>
#include <gradus/expr/body.hpp>
#include <gradus/op/marker.hpp>

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
    constexpr binding<symbol, Data&&> operator=(Data&& data) const {  // NOLINT: no assignment
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

namespace core {

/// The name of a value in a function of it. (A class: g++ 12 crashes on an alias template here.)
template <std::uint64_t Id, class X>
struct let_variable {
    using type = placeholder<Id, "let", 0, X::type>;
};

/// The structural hash of an operand, expression or not: of tensors it knows the types.
template <class X>
inline constexpr std::uint64_t operand_hash = hash_of_type(hash_of("tensor"), X::type);
template <expression X>
inline constexpr std::uint64_t operand_hash<X> = X::hash;

/// x under a name in each part of a body.
template <std::uint64_t Id, class X, class B>
constexpr auto let_in_parts(X const& x, B const& body) {
    if constexpr (is_several<B>) return map_parts([&](auto const& part) { return core::let_in_parts<Id>(x, part); }, body);
    else return apply<with<op::let, parameters{first_attribute(static_cast<std::int64_t>(Id))}>>(x, body);
}
/// f of a name for x, and x with it.
template <std::uint64_t Id, class X, class F>
constexpr auto let_in(X const& x, F const& f) {
    return core::let_in_parts<Id>(x, f(typename let_variable<Id, X>::type{}));
}
/// The last of some arguments, a function, on the others, each under a name. Values that are visible in one place under the same name
/// would be values of one function.
template <std::uint64_t Id, std::size_t I, class... A>
constexpr auto let_each(std::tuple<A const&...> const& all, auto const&... done) {
    auto const& now = std::get<I>(all);
    using X = std::remove_cvref_t<decltype(now)>;
    if constexpr (I + 1 == sizeof...(A)) return now(done...);
    else {
        auto const rest = [&](auto const& named) { return core::let_each<Id, I + 1>(all, done..., named); };
        if constexpr (X::weight == 1 && expression<X>) return rest(now);
        else return core::let_in<mix(mix(operand_hash<X>, Id), I)>(now, rest);
    }
}
template <class... A>
inline constexpr std::uint64_t id_of_let = closure_hash<std::tuple_element_t<sizeof...(A) - 1, std::tuple<A...>>>();

}  // namespace core

/// `gr::let(x, f)` is f(x) where f reads x more than once: `gr::let(block(x), [](auto const& h) { return h + tanh(h); })`. In an
/// expression x gets a name, so that it stands in the type once; on tensors it is computed. One text serves symbols and tensors. There
/// may be several values, `gr::let(x, y, f)`, and f may return a tuple.
template <class... A>
    requires(sizeof...(A) > 1 && (std::size_t{expression<A>} + ...) + 1 == sizeof...(A))
constexpr auto let(A const&... values_and_function) {
    return core::let_each<core::id_of_let<A...>, 0>(std::tuple<A const&...>(values_and_function...));
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
