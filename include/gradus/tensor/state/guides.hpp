// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/tensor.hpp>

#include <initializer_list>
#include <iterator>

// The element type and the extents that `gr::tensor(...)` takes from its argument.

namespace gradus::inline GRADUS_ARCH {

template <element T, extent... E>
tensor(evaluates_to<T, E...> const&) -> tensor<T, E...>;
template <element T, extent... E>
tensor(evaluates_to<T, E...> const&, std::source_location) -> tensor<T, E...>;
template <element T, extent... E>
tensor(array<T, E...> const&) -> tensor<T, E...>;
template <element T>
tensor(std::initializer_list<T>) -> tensor<T, dyn>;
template <element T>
tensor(std::initializer_list<std::initializer_list<T>>) -> tensor<T, dyn, dyn>;
template <element T>
tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>>) -> tensor<T, dyn, dyn, dyn>;
template <core::flat_data Data>
tensor(Data const&) -> tensor<core::value_of<Data>, core::extent_of_data<Data>>;
template <element T, std::size_t N, std::size_t M>
tensor(T const (&)[N][M]) -> tensor<T, N, M>;
template <std::input_iterator I, std::sentinel_for<I> S>
tensor(I, S) -> tensor<std::iter_value_t<I>, dyn>;

}  // namespace gradus::inline GRADUS_ARCH
