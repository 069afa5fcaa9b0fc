// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/simd.hpp>

// Masks from and to truth values of a byte in memory.

namespace gradus::inline GRADUS_ARCH::simd {
namespace detail {

/// W bytes as lanes of I.
template <class I, int W>
GRADUS_PART inline vec<I, W> widen_bytes(void const* p) {
#ifdef __AVX2__
    // g++ 12 widens a compiler vector byte by byte.
    if constexpr (W > 1 && W < 16) {
        std::int64_t word = 0;
        std::memcpy(&word, p, W);
        auto const x = _mm_loadl_epi64(reinterpret_cast<__m128i const*>(&word));  // there on 32-bit machines too
        if constexpr (W * words<I> == 8) {
            return vec<I, W>(W == 8 ? _mm256_cvtepu8_epi32(x) : _mm256_cvtepu8_epi64(x));
        } else if constexpr (W * words<I> == 4) {
            return vec<I, W>(W == 4 ? _mm_cvtepu8_epi32(x) : _mm_cvtepu8_epi64(x));
        }
#ifdef __AVX512F__
        else {
            return vec<I, W>(_mm512_cvtepu8_epi64(x));
        }
    } else if constexpr (W == 16) {
        return vec<I, W>(_mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<__m128i const*>(p))));
#endif
    }
#endif
    raw<unsigned char, W> bytes;
    std::memcpy(&bytes, p, W);
    return from_raw<I, W>(__builtin_convertvector(bytes, raw<I, W>));
}

}  // namespace detail

/// Is a lane true?
template <class T, int W>
GRADUS_PART inline bool any(mask<T, W> m) {
    if constexpr (W == 1) return m;
    else return xsimd::any(m);
}

/// Lane i is p[i] for i < n, false beyond; reads nothing beyond p[n - 1].
template <class T, int W>
GRADUS_PART inline mask<T, W> load_bool(bool const* p, int n) {
    using I = detail::bits_of<T>;
    vec<I, W> const zero(I{0});
    if (__builtin_constant_p(n) && n >= W) { return mask_cast<T, I, W>(not_equal<I, W>(detail::widen_bytes<I, W>(p), zero)); }
    unsigned char bytes[W] = {};
    auto const from = reinterpret_cast<unsigned char const*>(p);  // not as bool: a block's end holds any bytes
    [&]<int... Lane>(std::integer_sequence<int, Lane...>)
        GRADUS_PART { ((Lane < n ? void(bytes[Lane] = from[Lane]) : void()), ...); }(std::make_integer_sequence<int, W>{});
    return mask_cast<T, I, W>(not_equal<I, W>(detail::widen_bytes<I, W>(bytes), zero));
}

/// The first n lanes to p as bytes 0 and 1; writes nothing beyond p[n - 1].
template <class T, int W>
GRADUS_PART inline void store_bool(bool* p, mask<T, W> m, int n) {
    using I = detail::bits_of<T>;
#if defined(__AVX__) && !defined(__AVX512F__)
    if constexpr (std::is_floating_point_v<T> && W * detail::words<T> == 8 && W > 2)
        if (__builtin_constant_p(n) && n >= W) {  // bit j of four moves to byte j: g++ 12 narrows a compiler vector byte by byte
            auto const bits = [&] {
                if constexpr (sizeof(T) == 8) return static_cast<unsigned>(_mm256_movemask_pd(m));
                else return static_cast<unsigned>(_mm256_movemask_ps(m));
            }();
            for (int half = 0; half < W; half += 4) {
                unsigned const bytes = ((bits >> half & 15U) * 0x00204081U) & 0x01010101U;
                std::memcpy(p + half, &bytes, 4);
            }
            return;
        }
#endif
    auto const ones = select<I, W>(mask_cast<I, T, W>(m), vec<I, W>(I{1}), vec<I, W>(I{0}));
    auto const b = __builtin_convertvector((detail::to_raw<I, W>(ones)), detail::raw<unsigned char, W>);
    if (__builtin_constant_p(n) && n >= W) {
        std::memcpy(p, &b, W);
    } else {
        [&]<int... Lane>(std::integer_sequence<int, Lane...>)
            GRADUS_PART { ((Lane < n ? void(p[Lane] = b[Lane] != 0) : void()), ...); }(std::make_integer_sequence<int, W>{});
    }
}

}  // namespace gradus::inline GRADUS_ARCH::simd
