// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/dtype.hpp>
#include <gradus/kernel/compiler_vector.hpp>

#if defined(__F16C__) || defined(__AVX2__)
#include <immintrin.h>
#endif

// Lanes of 16 bits in memory, of float in registers.

namespace gradus::inline GRADUS_ARCH::simd::detail {

template <int W>
using half_words = raw<std::uint16_t, W>;

#ifdef __F16C__
template <int W>
[[gnu::always_inline]] inline raw<float, W> from_float16(half_words<W> h) {
#ifdef __AVX512F__
    if constexpr (W == 16) return _mm512_cvtph_ps(__builtin_bit_cast(__m256i, h));
#endif
    if constexpr (W == 8) return _mm256_cvtph_ps(__builtin_bit_cast(__m128i, h));
    else if constexpr (W == 4) return _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(&h)));
}
template <int W>
[[gnu::always_inline]] inline half_words<W> to_float16(raw<float, W> f) {
#ifdef __AVX512F__
    if constexpr (W == 16) return __builtin_bit_cast(half_words<16>, _mm512_cvtps_ph(f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#endif
    if constexpr (W == 8) return __builtin_bit_cast(half_words<8>, _mm256_cvtps_ph(f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    else if constexpr (W == 4) {
        half_words<4> h;
        _mm_storel_epi64(reinterpret_cast<__m128i*>(&h), _mm_cvtps_ph(f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
        return h;
    }
}
#else
template <int W>
[[gnu::always_inline]] inline raw<float, W> from_float16(half_words<W> h) {
    raw<float, W> f{};
    for (int k = 0; k < W; ++k) f[k] = core::from_float16(h[k]);
    return f;
}
template <int W>
[[gnu::always_inline]] inline half_words<W> to_float16(raw<float, W> f) {
    half_words<W> h{};
    for (int k = 0; k < W; ++k) h[k] = core::float16_bits(f[k]);
    return h;
}
#endif

/// Words of 16 bits as words of 32, and their lower halves back. (g++ 12 converts compiler vectors word by word.)
template <int W>
[[gnu::always_inline]] inline raw<std::uint32_t, W> widened_words(half_words<W> h) {
    using words_of_float = raw<std::uint32_t, W>;
#ifdef __AVX512F__
    if constexpr (W == 16) return (words_of_float)_mm512_cvtepu16_epi32(__builtin_bit_cast(__m256i, h));
#endif
#ifdef __AVX2__
    if constexpr (W == 8) return (words_of_float)_mm256_cvtepu16_epi32(__builtin_bit_cast(__m128i, h));
#endif
    return __builtin_convertvector(h, words_of_float);
}
template <int W>
[[gnu::always_inline]] inline half_words<W> narrowed_words(raw<std::uint32_t, W> f) {
#ifdef __AVX512F__
    if constexpr (W == 16) return __builtin_bit_cast(half_words<W>, _mm512_cvtepi32_epi16((__m512i)f));
#endif
#ifdef __AVX2__
    if constexpr (W == 8) {
        auto const all = (__m256i)f;
        return __builtin_bit_cast(half_words<W>, _mm_packus_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
    }
#endif
    return __builtin_convertvector(f, half_words<W>);
}

/// W elements of 16 bits as floats.
template <class T, int W>
[[gnu::always_inline]] inline raw<float, W> widened(half_words<W> h) {
    if constexpr (std::is_same_v<T, float16>) return from_float16<W>(h);
    else return (raw<float, W>)(widened_words<W>(h) << 16);
}
/// Floats as W elements of 16 bits, to nearest, ties to even; NaN becomes quiet.
template <class T, int W>
[[gnu::always_inline]] inline half_words<W> narrowed(raw<float, W> f) {
    if constexpr (std::is_same_v<T, float16>) return to_float16<W>(f);
    else {
        using words_of_float = raw<std::uint32_t, W>;
        auto const bits = (words_of_float)f;
        auto const nan = (words_of_float)(f != f);
        auto const up = (0x7fffU + (bits >> 16 & 1U)) & ~nan;
        return narrowed_words<W>(((bits | (nan & 0x400000U)) + up) >> 16);
    }
}

/// The first n of W elements, fill in the others.
template <class T, int W>
[[gnu::always_inline]] inline raw<float, W> load_half(T const* p, std::int64_t stride, int n, T fill) {
    half_words<W> h;
    if (n >= W && stride == 1) {
        std::memcpy(&h, p, sizeof h);
    } else {
        h = [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
            return half_words<W>{(Lane < n ? p[Lane * stride].bits : fill.bits)...};
        }(std::make_integer_sequence<int, W>{});
    }
    return widened<T, W>(h);
}
template <class T, int W>
[[gnu::always_inline]] inline void store_half(T* p, raw<float, W> f, int n) {
    half_words<W> const h = narrowed<T, W>(f);
    std::memcpy(p, &h, static_cast<std::size_t>(n < W ? n : W) * sizeof(T));
}

}  // namespace gradus::inline GRADUS_ARCH::simd::detail
