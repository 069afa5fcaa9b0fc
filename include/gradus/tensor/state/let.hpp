// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/var.hpp>
#include <gradus/tensor/state/leaves.hpp>

namespace gradus::inline GRADUS_ARCH {

/// On tensors `let` is what the function returns: a model that names its parts takes symbols and tensors alike.
template <class F>
    requires run_time_operand<std::invoke_result_t<F const&>>
constexpr auto let(F f) {
    return f();
}
namespace core {

/// A value that a function reads more than once: computed.
template <class X>
auto computed_once(X const& x) {
    if constexpr (expression<X> || is_tensor<X>) return x;
    else return computed_now(x, std::source_location::current());
}
template <class... A, std::size_t... I>
auto let_computed(std::tuple<A const&...> const& all, std::index_sequence<I...>) {
    return std::get<sizeof...(I)>(all)(computed_once(std::get<I>(all))...);
}

}  // namespace core

/// f(x), where x is computed before f reads it. Where tensors meet symbols all values get names, as in an expression of symbols alone.
template <class... A>
    requires((run_time_operand<A> || ...) && (std::size_t{operand<A>} + ...) + 1 == sizeof...(A))
auto let(A const&... values_and_function) {
    std::tuple<A const&...> const all(values_and_function...);
    if constexpr ((core::has_symbol(std::type_identity<A>{}) || ...)) return core::let_each<core::id_of_let<A...>, 0>(all);
    else return core::let_computed(all, std::make_index_sequence<sizeof...(A) - 1>{});
}

}  // namespace gradus::inline GRADUS_ARCH
