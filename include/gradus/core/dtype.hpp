// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace gradus {

/// The type of a tensor's elements. `number` is a constant that has not met a tensor yet and takes its type from it.
enum class dtype : std::uint8_t { boolean, int32, int64, float32, float64, number };

namespace core {
// outside of name_of: in there, every call would build it again when the compiler makes the call
inline constexpr std::string_view dtype_names[] = {"bool", "int32", "int64", "float", "double", "number"};
}  // namespace core

constexpr std::string_view name_of(dtype type) { return core::dtype_names[static_cast<int>(type)]; }
constexpr bool is_floating(dtype type) { return type == dtype::float32 || type == dtype::float64 || type == dtype::number; }
constexpr bool is_integer(dtype type) { return type == dtype::int32 || type == dtype::int64; }
constexpr std::int64_t size_of(dtype type) {
    constexpr std::int64_t sizes[] = {1, 4, 8, 4, 8, 8};
    return sizes[static_cast<int>(type)];
}

/// C++ types that can be elements.
template <class T>
concept element = std::is_same_v<T, bool> || std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t> ||
                  std::is_same_v<T, float> || std::is_same_v<T, double>;

template <element T>
inline constexpr dtype dtype_of = std::is_same_v<T, bool>           ? dtype::boolean
                                  : std::is_same_v<T, std::int32_t> ? dtype::int32
                                  : std::is_same_v<T, std::int64_t> ? dtype::int64
                                  : std::is_same_v<T, float>        ? dtype::float32
                                                                    : dtype::float64;

namespace core {
template <dtype>
struct element_of { using type = double; };
template <> struct element_of<dtype::boolean> { using type = bool; };
template <> struct element_of<dtype::int32> { using type = std::int32_t; };
template <> struct element_of<dtype::int64> { using type = std::int64_t; };
template <> struct element_of<dtype::float32> { using type = float; };
}  // namespace core

/// The C++ type of a dtype's elements.
template <dtype D>
using element_t = typename core::element_of<D>::type;

}  // namespace gradus
