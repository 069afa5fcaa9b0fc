// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/expression.hpp>

#include <string_view>
#include <tuple>
#include <utility>

// Functions on expressions, bodies of loops and what gr::vmap maps: what they are called with, and what they return.
namespace gradus::inline GRADUS_ARCH::core {

/// A value, or a tuple of values, as a tuple.
template <class T>
struct structure {
    using parts = std::tuple<T>;
    static constexpr bool is_several = false;
};
template <class... T>
struct structure<std::tuple<T...>> {
    using parts = std::tuple<T...>;
    static constexpr bool is_several = true;
};
template <class A, class B>
struct structure<std::pair<A, B>> : structure<std::tuple<A, B>> {};
template <class T>
using parts_of = typename structure<T>::parts;
template <class T>
inline constexpr int part_count = static_cast<int>(std::tuple_size_v<parts_of<T>>);
template <class T>
inline constexpr bool is_several = structure<T>::is_several;
/// A tuple of parts, or the one part where `Like` is no tuple.
template <class Like, class Parts>
using structured_as = std::conditional_t<is_several<Like>, Parts, std::tuple_element_t<0, Parts>>;

/// f on every part of a structure, or on the parts of two in turn.
template <class... S>
constexpr auto map_parts(auto f, S... structures) {
    using first = std::tuple_element_t<0, std::tuple<S...>>;
    if constexpr (!is_several<first>) return f(structures...);
    else
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::make_tuple(  // not std::tuple{...}: one tuple in braces is a copy of it
                [&](auto at) { return f(std::get<decltype(at)::value>(structures)...); }(std::integral_constant<std::size_t, I>{})...);
        }(std::make_index_sequence<std::tuple_size_v<parts_of<first>>>{});
}

/// What a function returns, an expression or tuples and pairs of whatever depth of them, as one tuple, and that tuple's elements in the
/// function's structure.
template <class T>
struct nested {
    using leaves = std::tuple<T>;
    static constexpr std::size_t count = 1;
    template <std::size_t First>
    static constexpr auto restored(auto const& leaves) {
        return std::get<First>(leaves);
    }
};
template <class... T>
struct nested<std::tuple<T...>> {
    using leaves = decltype(std::tuple_cat(std::declval<typename nested<T>::leaves>()...));
    static constexpr std::size_t count = std::tuple_size_v<leaves>;
    static constexpr std::size_t before(std::size_t part) {
        std::size_t const counts[] = {nested<T>::count..., 0};
        std::size_t sum = 0;
        for (std::size_t k = 0; k < part; ++k) sum += counts[k];
        return sum;
    }
    template <std::size_t First>
    static constexpr auto restored(auto const& leaves) {
        return [&]<std::size_t... K>(std::index_sequence<K...>) {
            return std::tuple{nested<T>::template restored<First + before(K)>(leaves)...};
        }(std::index_sequence_for<T...>{});
    }
};
template <class A, class B>
struct nested<std::pair<A, B>> : nested<std::tuple<A, B>> {
    template <std::size_t First>
    static constexpr auto restored(auto const& leaves) {
        return std::pair{nested<A>::template restored<First>(leaves), nested<B>::template restored<First + nested<A>::count>(leaves)};
    }
};
template <class T>
using leaves_of = typename nested<T>::leaves;
template <class T>
inline constexpr int count_of_leaves = static_cast<int>(nested<T>::count);

/// The results of a call, each an Expr<Call, K>, in the structure of what its function returns.
template <template <class, int> class Expr, class Call>
constexpr auto results_of() {
    return []<int... K>(std::integer_sequence<int, K...>) {
        return nested<typename Call::result>::template restored<0>(std::tuple<Expr<Call, K>...>{});
    }(std::make_integer_sequence<int, count_of_leaves<typename Call::result>>{});
}

template <class... E>
constexpr bool all_expressions(std::tuple<E...>*) {
    return (expression<E> && ...);
}
template <class T>
concept expressions_in = all_expressions(static_cast<parts_of<T>*>(nullptr));

template <class... E>
constexpr std::uint64_t hash_parts(std::uint64_t h, std::tuple<E...>*) {
    ((h = mix(h, E::hash)), ...);
    return mix(h, sizeof...(E));
}
template <class T>
constexpr std::uint64_t mixed(std::uint64_t h) {
    return hash_parts(h, static_cast<parts_of<T>*>(nullptr));
}
template <class... E>
constexpr int weigh(std::tuple<E...>*) {
    return (0 + ... + E::weight);
}
template <class T>
inline constexpr int weight_of_parts = weigh(static_cast<parts_of<T>*>(nullptr));
template <class T, int K>
inline constexpr tensor_type type_of_part = std::tuple_element_t<static_cast<std::size_t>(K), parts_of<T>>::type;

/// A number for a body's type, one in all translation units: g++ numbers every `auto` of one. A body may state its own, `hash`.
template <class F>
constexpr std::uint64_t closure_hash() {
    if constexpr (requires { F::hash; }) return F::hash;
    std::string_view const name = __PRETTY_FUNCTION__;
    std::uint64_t h = hash_of({});
    for (std::size_t i = 0; i < name.size(); ++i) {
        bool const numbered = i >= 5 && name[i - 1] == ':' && name.substr(i - 5, 4) == "auto";
        while (numbered && i + 1 < name.size() && name[i] >= '0' && name[i] <= '9') ++i;
        h = (h ^ static_cast<unsigned char>(name[i])) * 0x100000001b3u;
    }
    return h;
}

/// What a body is called with: value K of a role, of the loop, the choice or the mapped function with number Id.
template <std::uint64_t Id, fixed_string Role, int K, tensor_type Type>
struct placeholder : expression_facts<placeholder<Id, Role, K, Type>> {
    static constexpr tensor_type type = Type;
    static constexpr std::uint64_t hash = mix(mix(hash_of(Role.view()), Id), static_cast<std::uint64_t>(K));
    static constexpr int weight = 1;
    struct letters {
        char text[48]{};
        int size = 0;
    };
    /// `carry0`, and what tells it from those of other loops.
    static constexpr letters label = [] {
        letters made;
        for (char c : Role.view()) made.text[made.size++] = c;
        if (K > 9) made.text[made.size++] = static_cast<char>('0' + K / 10);
        made.text[made.size++] = static_cast<char>('0' + K % 10);
        made.text[made.size++] = '.';
        for (std::uint64_t rest = Id; rest; rest /= 36) made.text[made.size++] = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
        return made;
    }();
    static constexpr std::string_view name() { return {label.text, static_cast<std::size_t>(label.size)}; }
};
template <int Count>
struct type_array {
    tensor_type at[Count + 1];
    static constexpr int count = Count;
};
template <class... E>
constexpr auto types_in(std::tuple<E...>*) {
    return type_array<static_cast<int>(sizeof...(E))>{{E::type...}};
}
template <class T>
inline constexpr auto types_of = types_in(static_cast<parts_of<T>*>(nullptr));

}  // namespace gradus::inline GRADUS_ARCH::core
