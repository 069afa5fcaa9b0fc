// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/tape/program_call.hpp>

// Programs of expressions in which tensors and symbols meet: a model whose parameters are tensors, applied to a symbol. The tensors are
// captured, the symbols are bound at each call.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// The name of the symbol that stands for the K-th tensor or number of an expression: "tensor 3".
template <int K>
inline constexpr auto captured_name = [] {
    static_assert(K < 1000, "gradus::compile: an expression captures at most 1000 tensors");
    constexpr std::size_t digits = K < 10 ? 1 : K < 100 ? 2 : 3;
    fixed_string<sizeof("tensor ") + digits> name;
    std::string_view const word = "tensor ";
    for (std::size_t i = 0; i < word.size(); ++i) name.text[i] = word[i];
    int rest = K;
    for (std::size_t at = word.size() + digits; at > word.size(); rest /= 10) name.text[--at] = static_cast<char>('0' + rest % 10);
    return name;
}();
struct as_symbols {
    template <int K, class T, extent... E>
    using leaf = symbol<captured_name<K>, T, E...>;
    static constexpr bool take_symbols = true;
};

/// The leaves of an expression as arguments of its program, the first with number K.
template <int K, class T, extent... E>
auto captured_arguments(tensor<T, E...> const& t) {
    static_assert((E.is_static() && ...),
                  "gradus::compile: an expression captures tensors of known extents: what changes its size from call to call is a symbol");
    return std::tuple{binding<as_symbols::leaf<K, T, E...>, tensor<T, E...> const&>{t}};
}
template <int K, class T>
auto captured_arguments(number<T> const& n) {
    return std::tuple{binding<as_symbols::leaf<K, typename number<T>::value_type>, typename number<T>::value_type const&>{n.value}};
}
template <int K, expression E>
auto captured_arguments(E const&) {
    return std::tuple<>{};
}
template <int K, class Op, class... A>
auto captured_arguments(tensor_expression<Op, A...> const& e) {
    constexpr auto first = [] {
        std::array<int, sizeof...(A) + 1> numbers{K};
        int const counts[] = {leaf_count<A>...};
        for (std::size_t i = 0; i < sizeof...(A); ++i) numbers[i + 1] = numbers[i] + counts[i];
        return numbers;
    }();
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple_cat(core::captured_arguments<first[I]>(get<I>(e.operands))...);
    }(std::index_sequence_for<A...>{});
}

/// An expression whose tensors are symbols, by a short name.
template <class X>
struct released {
    constexpr auto operator()() const { return typename slotted<X, 0, as_symbols>::type{}; }
};

}  // namespace core

/// The program of an expression that captures tensors. A call binds the symbols that are left, and is one node of the tape. It reads the
/// tensors as they are then, so that it follows what an optimiser writes to them.
template <class X>
class captured_program {
    static constexpr auto run = compile(let_expr<core::released<X>>{});

public:
    explicit captured_program(X const& e) : of_(e) {}
    template <class... A>
    auto operator()(A&&... arguments) const {
        return std::apply([&](auto const&... captured) { return run(captured..., std::forward<A>(arguments)...); },
                          core::captured_arguments<0>(of_));
    }

private:
    X of_;
};

/// Compiles an expression in which tensors meet symbols: `auto const predict = gr::compile(net(x));`, then `auto [y] = predict(x = X);`.
/// Results are tensors; the call is recorded as any other operation on tensors.
template <run_time_operand X>
auto compile(X e) {
    return captured_program<X>(e);
}

}  // namespace gradus::inline GRADUS_ARCH
