// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/leaves.hpp>
#include <gradus/tensor/view/view.hpp>

#include <source_location>

// Indices in an expression on tensors are looked at before anything is computed: kernels pass over those that are out of range.

namespace gradus::inline GRADUS_ARCH::core {

template <class X>
tensor_ref evaluate(X const& x, std::source_location where);  // evaluate.hpp

[[noreturn, gnu::cold]] inline void refuse_index(std::string_view call, tensor_type const& of, std::int64_t index, int axis) {
    throw shape_error(concat("gradus::", call, ": index ", index, " is out of bounds for axis ", axis, " of ", of).str());
}

template <class Op>
concept indexing = requires { operation<Op>::type::indexes(attributes{}, 0); };
/// Is an operand of an operation in this expression made of indices?
template <class X>
inline constexpr bool has_indices = false;
template <class Op, class... A>
inline constexpr bool has_indices<tensor_expression<Op, A...>> = indexing<Op> || (has_indices<A> || ...);

template <class I>
void require_in_range(std::string_view op, indexed_axis const& rule, tensor_type const& of, I const* index, std::int64_t count) {
    std::int64_t const extent = of.shape[rule.axis].code;
    for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t const at = index[i];
        if ((at < 0 || at >= extent) && !(rule.ignores && at == rule.ignored)) refuse_index(concat(op, "(a, b)").view(), of, at, rule.axis);
    }
}
inline void require_in_range(std::string_view op, indexed_axis const& rule, tensor_type const& of, tensor_state const& names) {
    if (!names.is_contiguous()) return require_in_range(op, rule, of, *contiguous_copy(names));
    if (names.type == dtype::int32) require_in_range(op, rule, of, reinterpret_cast<std::int32_t const*>(names.data), names.size());
    else require_in_range(op, rule, of, reinterpret_cast<std::int64_t const*>(names.data), names.size());
}
/// What an operand is as indices: a tensor, or computed for this.
template <class X>
tensor_ref index_values(X const& x, std::source_location where) {
    if constexpr (is_tensor<X>) return x.state();
    else return evaluate(x, where);
}

template <class X>
void require_in_range(X const&, leaf const*& at, std::source_location) {
    at += leaf_count<X>;
}
/// Throws shape_error for the first index that leaves its axis; `at` walks over the leaves of the expression.
template <class Op, class... A>
    requires has_indices<tensor_expression<Op, A...>>
void require_in_range(tensor_expression<Op, A...> const& e, leaf const*& at, std::source_location where) {
    leaf const* first = at;
    apply_on([&](A const&... a) { (require_in_range(a, at, where), ...); }, e.operands);
    if constexpr (indexing<Op>) {
        using X = std::tuple_element_t<0, std::tuple<A...>>;
        constexpr indexed_axis rule = operation<Op>::type::indexes(operation<Op>::given.attr, X::type.shape.rank());
        auto const& names = get<rule.operand>(e.operands);
        if constexpr (leaf_count<std::remove_cvref_t<decltype(names)>> > 0) {
            tensor_type const of = X::type.shape.is_static() ? X::type : actual_type<X>::of(first);
            require_in_range(operation<Op>::type::name, rule, of, *index_values(names, where));
        }
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
