// SPDX-License-Identifier: BSL-1.0
#pragma once

// From the lanes of a register to one number.

#include <gradus/kernel/simd.hpp>

#include <concepts>
#include <type_traits>

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::simd {

/// The sum of the lanes, by halving; integers wrap.
template <class T, int W>
[[gnu::always_inline]] inline T reduce_add(vec<T, W> v) {
    using U = std::conditional_t<std::integral<T>, std::make_unsigned_t<detail::bits_of<T>>, T>;
    auto const sum = [](auto a, auto b) __attribute__((always_inline)) { return a + b; };
    return static_cast<T>(detail::fold<U, W>(__builtin_bit_cast(detail::raw<U, W>, v), sum));
}

/// The largest lane, NaN if any is.
template <class T, int W>
[[gnu::always_inline]] inline T reduce_max(vec<T, W> v) {
    auto const larger = [](auto a, auto b) __attribute__((always_inline)) { return ((a > b) | (a != a)) ? a : b; };
    return detail::fold<T, W>(detail::to_raw<T, W>(v), larger);
}

/// The smallest lane, NaN if any is.
template <class T, int W>
[[gnu::always_inline]] inline T reduce_min(vec<T, W> v) {
    auto const smaller = [](auto a, auto b) __attribute__((always_inline)) { return ((a < b) | (a != a)) ? a : b; };
    return detail::fold<T, W>(detail::to_raw<T, W>(v), smaller);
}

} // namespace gradus::simd

#pragma GCC diagnostic pop
