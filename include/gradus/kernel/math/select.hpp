// SPDX-License-Identifier: BSL-1.0
#pragma once

// Choices between lanes whose rule for NaN is ours: xsimd's min and max changed theirs between versions 9 and 14.

#include <gradus/kernel/simd.hpp>

#include <type_traits>

namespace gradus::inline GRADUS_ARCH::math {

#ifndef XSIMD_NO_SUPPORTED_ARCHITECTURE
/// a where the mask is true, b elsewhere. Formulas and xsimd's own functions find it instead of xsimd's for integers where a mask is
/// a bit a lane, which g++ 12 does not compile without optimization.
template <class T, class Base>
    requires(std::is_integral_v<T> && sizeof(xsimd::batch_bool<T, arch<Base>>) != sizeof(batch<T, Base>))
[[gnu::always_inline]] inline batch<T, Base> select(xsimd::batch_bool<T, arch<Base>> const& m, batch<T, Base> const& a,
                                                    batch<T, Base> const& b) {
    return simd::select<T, static_cast<int>(batch<T, Base>::size)>(m, a, b);
}
#endif

namespace detail {

/// What the instructions min and max do: b where a and b are equal or either is NaN. (g++ 12 makes two instructions of the comparison.)
template <bool Smaller, class T, class V>
[[gnu::always_inline]] inline V extreme(V a, V b) {
    constexpr bool is_float = std::is_same_v<T, float>;
    static_cast<void>(is_float);
#ifdef __SSE2__
    if constexpr (sizeof(V) == 16 && is_float)
        return __builtin_bit_cast(V, Smaller ? _mm_min_ps(__m128(a), __m128(b)) : _mm_max_ps(__m128(a), __m128(b)));
    else if constexpr (sizeof(V) == 16)
        return __builtin_bit_cast(V, Smaller ? _mm_min_pd(__m128d(a), __m128d(b)) : _mm_max_pd(__m128d(a), __m128d(b)));
    else
#endif
#ifdef __AVX__
        if constexpr (sizeof(V) == 32 && is_float)
        return __builtin_bit_cast(V, Smaller ? _mm256_min_ps(__m256(a), __m256(b)) : _mm256_max_ps(__m256(a), __m256(b)));
    else if constexpr (sizeof(V) == 32)
        return __builtin_bit_cast(V, Smaller ? _mm256_min_pd(__m256d(a), __m256d(b)) : _mm256_max_pd(__m256d(a), __m256d(b)));
    else
#endif
#ifdef __AVX512F__
        if constexpr (sizeof(V) == 64 && is_float)
        return __builtin_bit_cast(V, Smaller ? _mm512_min_ps(__m512(a), __m512(b)) : _mm512_max_ps(__m512(a), __m512(b)));
    else if constexpr (sizeof(V) == 64)
        return __builtin_bit_cast(V, Smaller ? _mm512_min_pd(__m512d(a), __m512d(b)) : _mm512_max_pd(__m512d(a), __m512d(b)));
    else
#endif
        if constexpr (Smaller)
        return a < b ? a : b;
    else return a > b ? a : b;
}

/// The smaller of a and b, b where that is NaN.
template <class T, class V>
[[gnu::always_inline]] inline V smaller(V a, V b) {
    return extreme<true, T>(a, b);
}
/// The larger of a and b, b where that is NaN.
template <class T, class V>
[[gnu::always_inline]] inline V larger(V a, V b) {
    return extreme<false, T>(a, b);
}

}  // namespace detail
}  // namespace gradus::inline GRADUS_ARCH::math
