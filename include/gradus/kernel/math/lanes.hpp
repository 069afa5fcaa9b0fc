// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the functions of this folder are written in: compiler vectors, which have operators and bit patterns on every
// instruction set and cost the compiler little. The functions use no tables and no instruction beyond fma; each states its
// largest error, over all floats (without fma: 10^8) and 3 * 10^7 doubles. Polynomials come from tools/minimax.py.

#include <gradus/kernel/math/select.hpp>
#include <gradus/kernel/simd.hpp>

#include <cstddef>
#include <limits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::math::detail {

using simd::has_fma;

/// W lanes of float or double: their numbers and their bits.
template <class T, int W>
struct lanes {
    using scalar = T;
    using word = std::make_unsigned_t<simd::detail::bits_of<T>>;
    using real = simd::detail::raw<T, W>;
    using bits = simd::detail::raw<word, W>;

    static constexpr int width = W;
    static constexpr bool single = sizeof(T) == 4;
    static constexpr int mantissa = single ? 23 : 52;
    static constexpr word bias = single ? 127 : 1023;
    static constexpr word sign = word{1} << (8 * sizeof(T) - 1);
    static constexpr T infinity = std::numeric_limits<T>::infinity();
    static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    /// A small number plus this is rounded to an integer, which is in the low bits of the sum.
    static constexpr T rounder = T(3) * static_cast<T>(word{1} << (mantissa - 1));

    [[gnu::always_inline]] static real from(simd::vec<T, W> x) { return __builtin_bit_cast(real, x); }
    [[gnu::always_inline]] static simd::vec<T, W> to(real x) { return simd::detail::from_raw<T, W>(x); }
    [[gnu::always_inline]] static real all(T x) { return x - real{}; }
    [[gnu::always_inline]] static bits to_bits(real x) { return __builtin_bit_cast(bits, x); }
    [[gnu::always_inline]] static real to_real(bits x) { return __builtin_bit_cast(real, x); }
    /// 2^n of n + bias in the low bits.
    [[gnu::always_inline]] static real power_of_2(bits biased) { return to_real(biased << mantissa); }
    /// Does the target have an instruction for y 2^n?
#ifdef __AVX512VL__
    static constexpr bool scales = W * sizeof(T) >= 16;
    [[gnu::always_inline]] static real scaled(real y, real n) {
        if constexpr (W * sizeof(T) == 16 && single)
            return __builtin_bit_cast(real, _mm_scalef_ps(__builtin_bit_cast(__m128, y), __builtin_bit_cast(__m128, n)));
        else if constexpr (W * sizeof(T) == 16)
            return __builtin_bit_cast(real, _mm_scalef_pd(__builtin_bit_cast(__m128d, y), __builtin_bit_cast(__m128d, n)));
        else if constexpr (W * sizeof(T) == 32 && single)
            return __builtin_bit_cast(real, _mm256_scalef_ps(__builtin_bit_cast(__m256, y), __builtin_bit_cast(__m256, n)));
        else if constexpr (W * sizeof(T) == 32)
            return __builtin_bit_cast(real, _mm256_scalef_pd(__builtin_bit_cast(__m256d, y), __builtin_bit_cast(__m256d, n)));
        else if constexpr (single)
            return __builtin_bit_cast(real, _mm512_scalef_ps(__builtin_bit_cast(__m512, y), __builtin_bit_cast(__m512, n)));
        else return __builtin_bit_cast(real, _mm512_scalef_pd(__builtin_bit_cast(__m512d, y), __builtin_bit_cast(__m512d, n)));
    }
#else
    static constexpr bool scales = false;
    static real scaled(real y, real) { return y; }
#endif
    [[gnu::always_inline]] static real abs(real x) { return to_real(to_bits(x) & ~sign); }
    /// x >= 0 with the sign of s.
    [[gnu::always_inline]] static real with_sign(real x, real s) { return to_real(to_bits(x) | (to_bits(s) & sign)); }
    /// -x where the highest bit of b is set.
    [[gnu::always_inline]] static real flip_sign(real x, bits b) { return to_real(to_bits(x) ^ (b & sign)); }
    /// A NaN stays.
    [[gnu::always_inline]] static real at_most(real x, T limit) { return smaller<T>(all(limit), x); }
    [[gnu::always_inline]] static real at_least(real x, T limit) { return larger<T>(all(limit), x); }
    /// a * b + c, rounded once where the target has the instruction.
    [[gnu::always_inline]] static real fma(real a, real b, real c) { return from(simd::fma<T, W>(to(a), to(b), to(c))); }
    [[gnu::always_inline]] static real fma(real a, T b, real c) { return fma(a, all(b), c); }
    [[gnu::always_inline]] static real fma(real a, T b, T c) { return fma(a, all(b), all(c)); }
    [[gnu::always_inline]] static real fma(real a, real b, T c) { return fma(a, b, all(c)); }
    /// What rounding a b to `product` lost, by Dekker's product of halves where the target has no fma.
    [[gnu::always_inline]] static real lost(real a, real b, real product) {
        if constexpr (has_fma) return fma(a, b, -product);
        else {
            constexpr word upper = ~word{0} << (mantissa / 2 + 1);
            real const a_high = to_real(to_bits(a) & upper), b_high = to_real(to_bits(b) & upper), a_low = a - a_high, b_low = b - b_high;
            return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
        }
    }
    /// c - a b, c nearly a b rounded.
    [[gnu::always_inline]] static real remainder(real c, real a, real b) {
        if constexpr (has_fma) return fma(-a, b, c);
        else {
            real const product = a * b;
            return (c - product) - lost(a, b, product);
        }
    }
    /// The polynomial of these coefficients, lowest first, by Horner's rule: the fewest operations and roundings.
    template <class... Rest>
    [[gnu::always_inline]] static real horner(real x, Rest... coefficients) {
        T const c[] = {static_cast<T>(coefficients)...};
        return every_other<0, 1>(x, c, std::make_index_sequence<sizeof...(Rest)>{});
    }
    /// The same, even and odd powers apart, two chains that run in parallel.
    template <class... Rest>
    [[gnu::always_inline]] static real polynomial(real x, real square, Rest... coefficients) {
        T const c[] = {static_cast<T>(coefficients)...};
        return fma(every_other<1, 2>(square, c, std::make_index_sequence<sizeof...(Rest) / 2>{}), x,
                   every_other<0, 2>(square, c, std::make_index_sequence<(sizeof...(Rest) + 1) / 2>{}));
    }

private:
    template <std::size_t First, std::size_t Step, std::size_t... I>
    [[gnu::always_inline]] static real every_other(real x, T const* c, std::index_sequence<I...>) {
        constexpr std::size_t last = First + Step * (sizeof...(I) - 1);
        real y = all(c[last]);
        ((y = I == 0 ? y : fma(y, x, all(c[last - Step * I]))), ...);
        return y;
    }
};

template <class T, class A>
using lanes_of = lanes<T, static_cast<int>(batch<T, A>::size)>;

}  // namespace gradus::inline GRADUS_ARCH::math::detail

namespace gradus::inline GRADUS_ARCH::math {

/// What rounding a b to `product` lost.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> lost_product(batch<T, A> a, batch<T, A> b, batch<T, A> product) {
    using L = detail::lanes_of<T, A>;
    return L::to(L::lost(L::from(a), L::from(b), L::from(product)));
}

}  // namespace gradus::inline GRADUS_ARCH::math
