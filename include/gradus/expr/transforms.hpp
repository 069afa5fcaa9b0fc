// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/derivatives.hpp>

// Derivatives of functions, as jax.grad and its relatives: `gr::grad(f)` is a function on expressions and on tensors. Inside of it the
// arguments are variables of their own, so that what else depends on an argument's value, such as what f captures, is a constant.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// F on variables in place of arguments.
template <class F, class... A>
struct applied_call {
    static constexpr std::uint64_t id = [] {
        std::uint64_t h = mix(hash_of("applied"), closure_hash<F>());
        ((h = mix(h, A::hash)), ...);
        return h;
    }();
    using arguments = std::tuple<A...>;
    using numbers = std::make_integer_sequence<int, static_cast<int>(sizeof...(A))>;
    template <int K>
    using argument = std::tuple_element_t<static_cast<std::size_t>(K), arguments>;
    template <int K>
    using variable = placeholder<id, "argument", K, argument<K>::type>;
    template <int... K>
    static auto called(std::integer_sequence<int, K...>) -> std::invoke_result_t<F const&, variable<K>...>;
    using result = decltype(called(numbers{}));
    static constexpr int weight = 1 + (0 + ... + A::weight);
};
/// Result K of a function on variables.
template <class Call, int K>
struct applied_expr : expression_facts<applied_expr<Call, K>> {
    using one = std::tuple_element_t<static_cast<std::size_t>(K), leaves_of<typename Call::result>>;
    static constexpr tensor_type type = one::type;
    static constexpr std::uint64_t hash = mix(mix(hash_of("applied"), Call::id), one::hash);
    static constexpr int weight = Call::weight;
};

/// A function on expressions whose arguments become variables.
template <class F>
struct on_variables : on_tensors_too<on_variables<F>> {
    static constexpr std::uint64_t hash = mix(hash_of("on_variables"), closure_hash<F>());
    using on_tensors_too<on_variables>::operator();
    template <expression... A>
        requires(sizeof...(A) > 0)
    constexpr auto operator()(A...) const {
        return results_of<applied_expr, applied_call<F, A...>>();
    }
};

template <class F, class... V>
constexpr text function_complaint() {
    if constexpr (!std::is_invocable_v<F const&, V...>)
        return concat("gradus: a derivative of a function f: f cannot be called with ", int{sizeof...(V)}, " of these arguments");
    else if constexpr (!expression<std::invoke_result_t<F const&, V...>>)
        return concat("gradus: a derivative of a function f: f returns no expression of its arguments. Tensors that f needs are arguments");
    else return {};
}
/// F on variables; a sentence where it is no function of them.
template <class F, class... V>
constexpr auto called_with(V... v) {
    report<&function_complaint<F, V...>>();
    if constexpr (!is_empty<&function_complaint<F, V...>>) return std::get<0>(std::tuple{v...});
    else return std::invoke_result_t<F const&, V...>{};
}
template <int... Arguments>
constexpr std::uint64_t hash_of_arguments(std::uint64_t h) {
    ((h = mix(h, static_cast<std::uint64_t>(Arguments))), ...);
    return h;
}

/// `Of{}(f(v...), v[i])` for one argument, a tuple for several; with the value first if `WithValue`.
template <class Of, class F, bool WithValue, int... Arguments>
struct derivative_with {
    static constexpr std::uint64_t hash = hash_of_arguments<Arguments...>(mix(mix(Of::hash, closure_hash<F>()), WithValue));
    template <class... V>
    constexpr auto operator()(V... v) const {
        auto const y = called_with<F>(v...);
        std::tuple const all{v...};
        static_assert(((Arguments >= 0 && Arguments < static_cast<int>(sizeof...(V))) && ...),
                      "gradus: a derivative of a function f: there is no argument of that number");
        auto const derivatives = structured_as<std::conditional_t<(sizeof...(Arguments) > 1), std::tuple<V...>, int>,
                                               std::tuple<decltype(Of{}(y, std::get<Arguments>(all)))...>>{};
        if constexpr (WithValue) return std::pair{y, derivatives};
        else return derivatives;
    }
};

/// Derivatives of expressions as function objects.
struct gradient_operator {
    static constexpr std::uint64_t hash = hash_of("grad");
    constexpr auto operator()(auto y, auto x) const { return gradus::grad(y, x); }
};
struct jacfwd_operator {
    static constexpr std::uint64_t hash = hash_of("jacfwd");
    constexpr auto operator()(auto y, auto x) const { return gradus::jacfwd(y, x); }
};
struct jacrev_operator {
    static constexpr std::uint64_t hash = hash_of("jacrev");
    constexpr auto operator()(auto y, auto x) const { return gradus::jacrev(y, x); }
};
struct jacobian_operator {
    static constexpr std::uint64_t hash = hash_of("jacobian");
    constexpr auto operator()(auto y, auto x) const { return gradus::jacobian(y, x); }
};
struct hessian_operator {
    static constexpr std::uint64_t hash = hash_of("hessian");
    constexpr auto operator()(auto y, auto x) const { return gradus::hessian(y, x); }
};
struct hessian_diagonal_operator {
    static constexpr std::uint64_t hash = hash_of("hessian_diagonal");
    constexpr auto operator()(auto y, auto x) const { return gradus::hessian_diagonal(y, x); }
};
template <class Of, class F, bool WithValue, int... Arguments>
constexpr auto function_derivative() {
    if constexpr (sizeof...(Arguments) == 0) return on_variables<derivative_with<Of, F, WithValue, 0>>{};
    else return on_variables<derivative_with<Of, F, WithValue, Arguments...>>{};
}

/// f on the first half of its arguments, and its derivative along the second half of them.
template <class F>
struct tangent_function {
    static constexpr std::uint64_t hash = mix(hash_of("tangent"), closure_hash<F>());
    template <class... V>
    constexpr auto operator()(V... v) const {
        constexpr std::size_t half = sizeof...(V) / 2;
        std::tuple const all{v...};
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            auto const y = called_with<F>(std::get<K>(all)...);
            return std::pair{y, (... + gradus::jvp(y, std::get<K>(all), std::get<half + K>(all)))};
        }(std::make_index_sequence<half>{});
    }
};
/// The derivatives of <last argument, f of the others> with respect to the others.
template <class F>
struct pullback_function {
    static constexpr std::uint64_t hash = mix(hash_of("pullback"), closure_hash<F>());
    template <class... V>
    constexpr auto operator()(V... v) const {
        std::tuple const all{v...};
        auto const cotangent = std::get<sizeof...(V) - 1>(all);
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            auto const y = called_with<F>(std::get<K>(all)...);
            if constexpr (sizeof...(K) == 1) return gradus::vjp(y, std::get<0>(all), cotangent);
            else return std::tuple{gradus::vjp(y, std::get<K>(all), cotangent)...};
        }(std::make_index_sequence<sizeof...(V) - 1>{});
    }
};
/// f itself.
template <class F>
struct value_function {
    static constexpr std::uint64_t hash = mix(hash_of("value"), closure_hash<F>());
    template <class... V>
    constexpr auto operator()(V... v) const {
        return called_with<F>(v...);
    }
};
/// What gr::vjp(f, x...) returns beside the value: cotangents to derivatives.
template <class F, class... A>
struct pullback_of {
    std::tuple<A...> arguments;
    constexpr auto operator()(operand auto cotangent) const {
        return std::apply([&](auto... x) { return on_variables<pullback_function<F>>{}(x..., cotangent); }, arguments);
    }
};

template <class F>
concept function_of_expressions = !operand<F> && std::is_class_v<F>;

}  // namespace core

/// The gradient of a scalar function with respect to its first argument, or to those that are given by number, as jax.grad:
/// `gr::grad(f)(x, y)`, `gr::grad<0, 1>(f)(x, y)` (a tuple). On expressions and on tensors.
template <int... Arguments, core::function_of_expressions F>
constexpr auto grad(F) {
    return core::function_derivative<core::gradient_operator, F, false, Arguments...>();
}
/// The function that returns std::pair{f(x...), gradient}.
template <int... Arguments, core::function_of_expressions F>
constexpr auto value_and_grad(F) {
    return core::function_derivative<core::gradient_operator, F, true, Arguments...>();
}
/// The Jacobian of a function, forward mode, reverse mode, or whichever has fewer directions: the axes of f's result before those of
/// the argument.
template <int... Arguments, core::function_of_expressions F>
constexpr auto jacfwd(F) {
    return core::function_derivative<core::jacfwd_operator, F, false, Arguments...>();
}
template <int... Arguments, core::function_of_expressions F>
constexpr auto jacrev(F) {
    return core::function_derivative<core::jacrev_operator, F, false, Arguments...>();
}
template <int... Arguments, core::function_of_expressions F>
constexpr auto jacobian(F) {
    return core::function_derivative<core::jacobian_operator, F, false, Arguments...>();
}
/// The Hessian of a scalar function, and its diagonal.
template <int... Arguments, core::function_of_expressions F>
constexpr auto hessian(F) {
    return core::function_derivative<core::hessian_operator, F, false, Arguments...>();
}
template <int... Arguments, core::function_of_expressions F>
constexpr auto hessian_diagonal(F) {
    return core::function_derivative<core::hessian_diagonal_operator, F, false, Arguments...>();
}

/// f and its derivative along directions of all arguments, as jax.jvp: `auto [y, dy] = gr::jvp(f, std::tuple{a, b}, std::tuple{da, db});`.
template <core::function_of_expressions F, class... X, class... V>
    requires(sizeof...(X) == sizeof...(V))
constexpr auto jvp(F, std::tuple<X...> at, std::tuple<V...> directions) {
    return std::apply([](auto... all) { return core::on_variables<core::tangent_function<F>>{}(std::move(all)...); },
                      std::tuple_cat(std::move(at), std::move(directions)));
}
/// f and the function from a cotangent to the derivatives with respect to all arguments, as jax.vjp:
/// `auto [y, pullback] = gr::vjp(f, a, b);`, `auto [da, db] = pullback(cotangent);`.
template <core::function_of_expressions F, operand... X>
    requires(sizeof...(X) > 0)
constexpr auto vjp(F, X... x) {
    return std::pair{core::on_variables<core::value_function<F>>{}(x...), core::pullback_of<F, X...>{{x...}}};
}
/// The Hessian of a scalar function times a vector, which is like x.
template <core::function_of_expressions F>
constexpr auto hvp(F, operand auto x, operand auto vector) {
    return core::on_variables<core::tangent_function<core::derivative_with<core::gradient_operator, F, false, 0>>>{}(std::move(x),
                                                                                                                     std::move(vector))
        .second;
}

/// The derivative of an expression along directions of several variables: `gr::jvp(y, std::tuple{a, b}, std::tuple{da, db})`.
template <expression Y, expression... X, expression... V>
    requires(sizeof...(X) == sizeof...(V) && sizeof...(X) > 0)
constexpr auto jvp(Y y, std::tuple<X...>, std::tuple<V...>) {
    return (... + jvp(y, X{}, V{}));
}

/// `body` on every row of xs (of each of them), its results along a new first axis, as jax.lax.map: gr::vmap(body)(xs...).
template <core::function_of_expressions F>
constexpr auto map(F body, operand auto... xs) {
    return vmap(body)(std::move(xs)...);
}

}  // namespace gradus::inline GRADUS_ARCH
