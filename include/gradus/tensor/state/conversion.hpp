// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/expression.hpp>

// What a tensor can be made from.

namespace gradus::inline GRADUS_ARCH::core {

template <class X>
concept tensor_value = run_time_operand<X> && !is_tensor<X>;

/// Can a tensor declared as `to` hold what is `from`? Extents known at run time only are checked then.
constexpr bool can_hold(tensor_type const& to, tensor_type const& from) {
    return to.type == from.type && call{}.same(to.shape, from.shape);
}

constexpr bool is_static_column(gradus::shape const& s) { return s.is_static() && s[1].is_one(); }
template <tensor_type To, tensor_type From>
constexpr text conversion_complaint() {
    if (can_hold(To, From)) return {};
    return concat("gradus::tensor(a): types differ: the tensor is ", To, ", a is ", From);
}
template <tensor_type Type>
constexpr text requires_grad_complaint() {
    if (is_floating(Type.type)) return {};
    return concat("gradus::tensor::requires_grad_(): only Tensors of floating point dtype can require gradients: the tensor is ", Type);
}

}  // namespace gradus::inline GRADUS_ARCH::core
