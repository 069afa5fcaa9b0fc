// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/autograd/with_update.hpp>
#include <gradus/tensor/tape/program_call.hpp>

// Programs of expressions in which tensors and symbols meet: a model whose parameters are tensors, applied to a symbol. The tensors are
// captured, the symbols are bound at each call.

namespace gradus::inline GRADUS_ARCH {

namespace core {

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
        for (std::size_t i = 0; i < sizeof...(A); ++i) numbers[i + 1] = numbers[i] + (is_leaf_part<Op>(i) ? counts[i] : 0);
        return numbers;
    }();
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        auto const of = [&]<std::size_t At>(std::integral_constant<std::size_t, At>) {
            if constexpr (!is_leaf_part<Op>(At)) return std::tuple<>{};
            else return core::captured_arguments<first[At]>(get<At>(e.operands));
        };
        return std::tuple_cat(of(std::integral_constant<std::size_t, I>{})...);
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
    using updates = core::updates_of<X>;
    static constexpr auto numbers = std::make_index_sequence<std::tuple_size_v<updates>>{};
    static constexpr auto run = []<std::size_t... I>(std::index_sequence<I...>) {
        return compile(let_expr<core::released<X>>{}, std::tuple_element_t<I, updates>{}...);
    }(numbers);

public:
    explicit captured_program(X const& e) : of_(e) {}
    template <class... A>
    auto operator()(A&&... arguments) const {
        auto const buffers = core::updated_buffers(of_);
        std::apply([](auto const&... buffer) { (core::require_buffer(buffer), ...); }, buffers);
        auto results = std::apply([&](auto const&... captured) { return run(captured..., std::forward<A>(arguments)...); },
                                  core::captured_arguments<0>(of_));
        if constexpr (std::tuple_size_v<updates> == 0) return results;
        else {
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                (core::write_update(std::get<I>(buffers), std::get<I + 1>(results)), ...);
            }(numbers);
            return core::program_results_t<std::tuple_element_t<0, decltype(results)>>(std::get<0>(std::move(results)));
        }
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
