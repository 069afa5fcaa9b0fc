// SPDX-License-Identifier: BSL-1.0
#pragma once

// From the lanes of a register to one number.

#include <gradus/kernel/simd.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace gradus::inline GRADUS_ARCH::simd {

/// The sum of the lanes, by halving; integers wrap.
template <class T, int W>
[[gnu::always_inline]] inline T reduce_add(vec<T, W> v) {
    using U = std::conditional_t<std::integral<T>, std::make_unsigned_t<detail::bits_of<T>>, T>;
    auto const sum = [](auto a, auto b) __attribute__((always_inline)) { return a + b; };
    return static_cast<T>(detail::fold<U, W>(__builtin_bit_cast(detail::raw<U, W>, v), sum));
}

/// s + v, of which s is the rounded value and lost collects the rest (D. Knuth, The Art of Computer Programming 2, 4.2.2).
template <class T, int W>
[[gnu::always_inline]] inline void add_exactly(vec<T, W>& s, vec<T, W>& lost, vec<T, W> v) {
    vec<T, W> const t = s + v, part = t - s;
    lost = lost + ((s - (t - part)) + (v - part));
    s = t;
}
/// The sum of both; s where infinities have made the rest NaN.
template <class T, int W>
[[gnu::always_inline]] inline vec<T, W> with_lost(vec<T, W> s, vec<T, W> lost) {
    return select<T, W>(is_nan<T, W>(lost), s, vec<T, W>(s + lost));
}

namespace detail {
/// Lane i becomes f of the lanes of r[i]: halves, then their halves, ... of two vectors are folded in one.
template <class T, int W, int Block = W>
GRADUS_PART inline raw<T, W> fold_lanes(raw<T, W> const (&r)[Block], auto f) {
    if constexpr (Block == 1) {
        return r[0];
    } else {
        constexpr int half = Block / 2;
        raw<T, W> s[half];
        [&]<int... L>(std::integer_sequence<int, L...>) GRADUS_PART {
            GRADUS_UNROLL
            for (int i = 0; i < half; ++i)
                s[i] = f(__builtin_shufflevector(r[i], r[i + half], (L % Block < half ? L : L - half + W)...),
                         __builtin_shufflevector(r[i], r[i + half], (L % Block < half ? L + half : L + W)...));
        }(std::make_integer_sequence<int, W>{});
        return fold_lanes<T, W, half>(s, f);
    }
}
}  // namespace detail

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

}  // namespace gradus::inline GRADUS_ARCH::simd

namespace gradus::inline GRADUS_ARCH::kernel {

/// f(i, n): vectors from element i on, of which n lanes count, a constant where that is all of them.
template <int W>
GRADUS_PART inline void each_vector(std::int64_t size, auto f) {
    std::int64_t i = 0;
    for (; i + W <= size; i += W) f(i, std::integral_constant<int, W>{});
    if (i < size) f(i, static_cast<int>(size - i));
}

/// s += block, what rounding takes going to lost; the block is 0 again.
template <class T, int W>
GRADUS_SHARED void compensate_in_memory(T* s, T* lost, T* block, std::int64_t size) {
    each_vector<W>(size, [&](std::int64_t i, auto n) GRADUS_PART {
        auto sum = simd::load_partial<T, W>(s + i, n, T(0)), rest = simd::load_partial<T, W>(lost + i, n, T(0));
        simd::add_exactly<T, W>(sum, rest, simd::load_partial<T, W>(block + i, n, T(0)));
        simd::store_partial<T, W>(s + i, sum, n);
        simd::store_partial<T, W>(lost + i, rest, n);
        simd::store_partial<T, W>(block + i, simd::broadcast<T, W>(T(0)), n);
    });
}

/// block = block + s + lost.
template <class T, int W>
GRADUS_SHARED void finish_in_memory(T* s, T* lost, T* block, std::int64_t size) {
    each_vector<W>(size, [&](std::int64_t i, auto n) GRADUS_PART {
        auto sum = simd::load_partial<T, W>(s + i, n, T(0)), rest = simd::load_partial<T, W>(lost + i, n, T(0));
        simd::add_exactly<T, W>(sum, rest, simd::load_partial<T, W>(block + i, n, T(0)));
        simd::store_partial<T, W>(block + i, simd::with_lost<T, W>(sum, rest), n);
    });
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
