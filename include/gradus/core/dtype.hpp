// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/half.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace gradus::inline GRADUS_ARCH {

/// The type of a tensor's elements. `number` is a constant that has not met a tensor yet and takes its type from it.
enum class dtype : std::uint8_t { boolean, int32, int64, float32, float64, bfloat16, float16, number };

namespace core {
// outside of name_of: in there, every call would build it again when the compiler makes the call
inline constexpr std::string_view dtype_names[] = {"bool", "int32", "int64", "float", "double", "bfloat16", "float16", "number"};
}  // namespace core

constexpr std::string_view name_of(dtype type) { return core::dtype_names[static_cast<int>(type)]; }
constexpr bool is_integer(dtype type) { return type == dtype::int32 || type == dtype::int64; }
constexpr bool is_floating(dtype type) { return type != dtype::boolean && !is_integer(type); }
constexpr std::int64_t size_of(dtype type) {
    constexpr std::int64_t sizes[] = {1, 4, 8, 4, 8, 2, 2, 8};
    return sizes[static_cast<int>(type)];
}
/// Types that memory has and registers have not: their elements are computed with in float.
constexpr bool is_half(dtype type) { return type == dtype::bfloat16 || type == dtype::float16; }
constexpr dtype computed_in(dtype type) { return is_half(type) ? dtype::float32 : type; }

namespace core {
template <class T>
inline constexpr dtype dtype_or_number = dtype::number;
template <>
inline constexpr dtype dtype_or_number<bool> = dtype::boolean;
template <>
inline constexpr dtype dtype_or_number<std::int32_t> = dtype::int32;
template <>
inline constexpr dtype dtype_or_number<std::int64_t> = dtype::int64;
template <>
inline constexpr dtype dtype_or_number<float> = dtype::float32;
template <>
inline constexpr dtype dtype_or_number<double> = dtype::float64;
template <>
inline constexpr dtype dtype_or_number<bfloat16> = dtype::bfloat16;
template <>
inline constexpr dtype dtype_or_number<float16> = dtype::float16;
}  // namespace core

/// C++ types that can be elements.
template <class T>
concept element = core::dtype_or_number<T> != dtype::number;

template <element T>
inline constexpr dtype dtype_of = core::dtype_or_number<T>;

template <class T>
concept floating_element = element<T> && is_floating(core::dtype_or_number<T>);
template <class T>
concept half_element = element<T> && is_half(core::dtype_or_number<T>);

namespace core {
/// Calls f with a value of the C++ type that a dtype stands for: the one switch over dtypes at run time.
constexpr decltype(auto) with_dtype(dtype type, auto&& f) {
    switch (type) {
        case dtype::boolean: return f(bool{});
        case dtype::int32: return f(std::int32_t{});
        case dtype::int64: return f(std::int64_t{});
        case dtype::float32: return f(float{});
        case dtype::bfloat16: return f(bfloat16{});
        case dtype::float16: return f(float16{});
        case dtype::float64:
        case dtype::number: break;
    }
    return f(double{});
}
/// The same for the types that derivatives have.
constexpr decltype(auto) with_floating_dtype(dtype type, auto&& f) {
    switch (type) {
        case dtype::float32: return f(float{});
        case dtype::bfloat16: return f(bfloat16{});
        case dtype::float16: return f(float16{});
        case dtype::boolean:
        case dtype::int32:
        case dtype::int64:
        case dtype::float64:
        case dtype::number: break;
    }
    return f(double{});
}
/// What elements of that dtype hold of x, where they have 16 bits.
constexpr double rounded_to(dtype type, double x) {
    if (!is_half(type)) return x;
    return with_floating_dtype(type, [x]<class T>(T) { return static_cast<double>(static_cast<T>(x)); });
}
template <dtype>
struct element_of {
    using type = double;
};
template <>
struct element_of<dtype::boolean> {
    using type = bool;
};
template <>
struct element_of<dtype::int32> {
    using type = std::int32_t;
};
template <>
struct element_of<dtype::int64> {
    using type = std::int64_t;
};
template <>
struct element_of<dtype::float32> {
    using type = float;
};
template <>
struct element_of<dtype::bfloat16> {
    using type = bfloat16;
};
template <>
struct element_of<dtype::float16> {
    using type = float16;
};
}  // namespace core

/// The C++ type of a dtype's elements.
template <dtype D>
using element_t = typename core::element_of<D>::type;
/// The C++ type that registers hold them in.
template <dtype D>
using computed_t = element_t<computed_in(D)>;

}  // namespace gradus::inline GRADUS_ARCH
