// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/transforms.hpp>
#include <gradus/tensor/state/tensor.hpp>

// gr::vmap on tensors: one statement, whose program is that of the function on slots. What the function needs is an argument; it sees
// expressions, so that it may differentiate.
namespace gradus::inline GRADUS_ARCH::core {

/// An argument where only its type matters.
template <int K, tensor_type Type>
struct stand_in : expression_facts<stand_in<K, Type>> {
    static constexpr tensor_type type = Type;
    static constexpr std::uint64_t hash = mix(hash_of("stand_in"), static_cast<std::uint64_t>(K));
    static constexpr int weight = 1;
};
/// Result K of a mapped function, as the operation of an expression on tensors.
template <class Mapped, int K>
struct mapped_result {
    static constexpr auto name = "vmap";
};
template <class Mapped, class... A>
struct mapped_on {
    template <int... I>
    static auto call(std::integer_sequence<int, I...>) -> decltype(Mapped{}(stand_in<I, A::type>{}...));
    using result = decltype(call(std::make_integer_sequence<int, static_cast<int>(sizeof...(A))>{}));
    template <int... I>
    static constexpr auto complaint_of_call(std::integer_sequence<int, I...>) {
        return &Mapped::template complaint<stand_in<I, A::type>...>;
    }
    static constexpr auto complaint = complaint_of_call(std::make_integer_sequence<int, static_cast<int>(sizeof...(A))>{});
};
template <class Mapped, int K, class... A>
constexpr tensor_type inferred_type<mapped_result<Mapped, K>, A...> =
    std::tuple_element_t<static_cast<std::size_t>(K), leaves_of<typename mapped_on<Mapped, A...>::result>>::type;

template <class Mapped, int K, class... A>
inline constexpr bool maps_function<tensor_expression<mapped_result<Mapped, K>, A...>> = true;
template <class Call, int K>
constexpr bool has_symbol(std::type_identity<vmap_expr<Call, K>>) {
    return has_symbol(std::type_identity<typename vmap_expr<Call, K>::one>{});
}
template <class Call, int K>
constexpr bool has_symbol(std::type_identity<applied_expr<Call, K>>) {
    return has_symbol(std::type_identity<typename applied_expr<Call, K>::one>{});
}
template <class Mapped, int Number, int K, class Leaves, class... Done>
struct slotted_operands<mapped_result<Mapped, Number>, K, Leaves, std::tuple<Done...>> {
    using type = std::tuple_element_t<static_cast<std::size_t>(Number), leaves_of<decltype(Mapped{}(Done{}...))>>;
    static_assert(Leaves::take_symbols || !has_symbol(std::type_identity<type>{}),
                  "gradus: a function on tensors, gr::vmap(f) or gr::grad(f), captures a symbol: hand in a tensor, gr::unmapped in "
                  "gr::vmap<0, gr::unmapped>(f) where it is not mapped");
};
/// The sentence for numbers of instances that only run time tells.
template <class Mapped, int K, class... A>
struct actual_type<tensor_expression<mapped_result<Mapped, K>, A...>> {
    [[gnu::cold]] static tensor_type of(leaf const*& at) {
        tensor_type const types[] = {actual_type<A>::of(at)...};  // braces: from left to right
        int first = -1;
        for (int k = 0; k < static_cast<int>(sizeof...(A)); ++k) {
            int const axis = Mapped::axis(k, types[k].shape.rank());
            if (axis == not_mapped) continue;
            if (first < 0) first = k;
            extent const a = types[first].shape[Mapped::axis(first, types[first].shape.rank())], b = types[k].shape[axis];
            if (a.code != b.code)
                throw shape_error(concat("gradus::vmap(f)(xs...): numbers of instances differ: argument ", first, " is ", types[first],
                                         ", argument ", k, " is ", types[k], " (", a, " != ", b, ")")
                                      .str());
        }
        throw shape_error("gradus::vmap(f)(xs...): an operation of f does not fit the extents of the arguments");
    }
};

template <class Mapped, int... K, class... A>
auto mapped_results(std::integer_sequence<int, K...>, A const&... arguments) {
    using result = typename mapped_on<Mapped, A...>::result;
    return nested<result>::template restored<0>(std::tuple{tensor_expression<mapped_result<Mapped, K>, A...>(A(arguments)...)...});
}
template <class mapped, class... A>
auto map_tensors(mapped, A... arguments) {
    auto const on_operands = []<class... X>(X... operands) {
        using on = mapped_on<mapped, X...>;
        report<on::complaint>();
        if constexpr (!is_empty<on::complaint>) return std::get<0>(std::tuple{std::move(operands)...});
        else return mapped_results<mapped>(std::make_integer_sequence<int, count_of_leaves<typename on::result>>{}, operands...);
    };
    return on_operands(as_operand<number_type<A...>()>(std::move(arguments))...);
}

}  // namespace gradus::inline GRADUS_ARCH::core
