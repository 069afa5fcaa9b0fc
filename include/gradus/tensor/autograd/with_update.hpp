// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/let.hpp>
#include <gradus/tensor/state/tensor.hpp>

// Expressions that write to a tensor beside being computed. In a compiled program the new values are further results, which are copied
// when it has run.

namespace gradus::inline GRADUS_ARCH {

/// y, and `value` is written to `buffer`: running statistics of a layer. On tensors that happens here, after y is computed; where tensors
/// meet symbols it happens when the compiled program has run. The new value has no derivative.
template <operand Y, element T, extent... E, operand V>
auto with_update(Y const& y, tensor<T, E...> const& buffer, V const& value) {
    if constexpr (core::has_symbol(std::type_identity<Y>{}) || core::has_symbol(std::type_identity<V>{}))
        return apply<op::with_update>(y, buffer, stop_gradient(value));
    else {
        gradus::tensor const computed = y;
        no_grad guard;
        buffer.copy_(value);
        return computed;
    }
}

namespace core {

/// The new values that an expression says, whose first leaf has number K: as expressions on symbols, in a tuple.
template <class X, int K>
struct updates_in {
    using type = std::tuple<>;
};
template <class Done, int K, class... Left>
struct updates_in_all {
    using type = Done;
};
template <class... Done, int K, class X, class... Left>
struct updates_in_all<std::tuple<Done...>, K, X, Left...>
    : updates_in_all<decltype(std::tuple_cat(std::tuple<Done...>{}, typename updates_in<X, K>::type{})), K + leaf_count<X>, Left...> {};
template <class Op, class... A, int K>
struct updates_in<tensor_expression<Op, A...>, K> : updates_in_all<std::tuple<>, K, A...> {};
template <class Y, class B, class V, int K>
struct updates_in<tensor_expression<op::with_update, Y, B, V>, K> {
    using value = typename slotted<V, K + leaf_count<Y>, as_symbols>::type;
    using type = decltype(std::tuple_cat(typename updates_in<Y, K>::type{}, std::tuple<value>{}));
};
/// Values that are computed of a named one have it under its name.
template <parameters P, class X, class B, int K>
struct updates_in<tensor_expression<with<op::let, P>, X, B>, K> {
    using named = typename slotted<X, K, as_symbols>::type;
    template <class... V>
    static auto under_name(std::tuple<V...>) -> std::tuple<expr<with<op::let, P>, named, V>...>;
    using type = decltype(std::tuple_cat(typename updates_in<X, K>::type{},
                                         under_name(typename updates_in<B, K + leaf_count<X>>::type{})));
};
template <class X>
using updates_of = typename updates_in<X, 0>::type;

/// The tensors that they are written to, in the same order.
template <class X>
std::tuple<> updated_buffers(X const&) {
    return {};
}
template <class Op, class... A>
auto updated_buffers(tensor_expression<Op, A...> const& e) {
    auto const all = apply_on([](auto const&... operand) { return std::tuple_cat(core::updated_buffers(operand)...); }, e.operands);
    if constexpr (requires { Op::written; }) return std::tuple_cat(all, std::tuple{get<Op::written>(e.operands)});
    else return all;
}

/// Before a program runs whose result is copied to the buffer.
inline void require_buffer(any_tensor const& buffer) {
    require_writable(buffer.state());
    if (!buffer.is_contiguous())
        throw binding_error("gradus::with_update(y, buffer, value): the elements of the buffer do not follow each other in memory");
}
inline void write_update(any_tensor const& buffer, any_tensor const& value) {
    std::memcpy(buffer.data(), value.data(), static_cast<std::size_t>(value.state()->bytes()));
    buffer.state()->memory->written();
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
