// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cfloat>
#include <concepts>
#include <cstdint>
#include <limits>

// Numbers of 16 bits. They are for memory: whatever is computed with them is computed in float.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// The upper half of a float, to nearest, ties to even; NaN becomes quiet.
constexpr std::uint16_t bfloat16_bits(float x) {
    auto const bits = __builtin_bit_cast(std::uint32_t, x);
    std::uint32_t const rounded = x != x ? bits | 0x400000U : bits + 0x7fffU + (bits >> 16 & 1U);
    return static_cast<std::uint16_t>(rounded >> 16);
}
constexpr float from_bfloat16(std::uint16_t bits) { return __builtin_bit_cast(float, std::uint32_t{bits} << 16); }

/// IEEE 754's binary16, to nearest, ties to even; NaN becomes quiet. What the instructions of F16C do.
constexpr std::uint16_t float16_bits(float x) {
    auto const bits = __builtin_bit_cast(std::uint32_t, x);
    std::uint32_t const sign = bits >> 16 & 0x8000U, size = bits & 0x7fffffffU;
    constexpr std::uint32_t half = 0x3f000000U;                         // the last bit of 0.5f is the smallest subnormal
    std::uint32_t rounded = 0x7c00U;                                    // infinity
    if (size > 0x7f800000U) rounded = 0x7e00U | (size >> 13 & 0x3ffU);  // NaN
    else if (size < 0x38800000U)                                        // subnormal
        rounded = __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, size) + 0.5F) - half;
    else if (size < 0x47800000U) rounded = (size - 0x38000000U + 0xfffU + (size >> 13 & 1U)) >> 13;
    return static_cast<std::uint16_t>(sign | rounded);
}
constexpr float from_float16(std::uint16_t bits) {
    std::uint32_t const sign = (bits & 0x8000U) << 16, size = bits & 0x7fffU;
    std::uint32_t wide = (size << 13) + 0x38000000U;
    if (size > 0x7c00U) wide = size << 13 | 0x7fc00000U;
    else if (size == 0x7c00U) wide = 0x7f800000U;
    else if (size < 0x400U) wide = __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, wide + 0x800000U) - 0x1p-14F);
    return __builtin_bit_cast(float, sign | wide);
}

/// What numbers of 16 bits have in common: assignments that compute in float and round once.
template <class Self>
struct half_assignments {
    friend constexpr Self& operator+=(Self& a, float b) { return a = Self(static_cast<float>(a) + b); }
    friend constexpr Self& operator-=(Self& a, float b) { return a = Self(static_cast<float>(a) - b); }
    friend constexpr Self& operator*=(Self& a, float b) { return a = Self(static_cast<float>(a) * b); }
    friend constexpr Self& operator/=(Self& a, float b) { return a = Self(static_cast<float>(a) / b); }
};

}  // namespace core

/// The upper half of a float: its range, 8 significant bits. Widens to float by itself, narrows where that is written.
struct bfloat16 : core::half_assignments<bfloat16> {
    std::uint16_t bits;

    bfloat16() = default;
    constexpr explicit bfloat16(float x) : bits(core::bfloat16_bits(x)) {}
    template <class T>
        requires(std::integral<T> || std::floating_point<T>)
    constexpr explicit bfloat16(T x) : bfloat16(static_cast<float>(x)) {}
    constexpr operator float() const { return core::from_bfloat16(bits); }
    constexpr bfloat16 operator-() const { return from_bits(static_cast<std::uint16_t>(bits ^ 0x8000U)); }
    static constexpr bfloat16 from_bits(std::uint16_t pattern) {
        bfloat16 x(0.0F);
        x.bits = pattern;
        return x;
    }
};

/// IEEE 754's binary16: 11 significant bits, up to 65504. Widens to float by itself, narrows where that is written.
struct float16 : core::half_assignments<float16> {
    std::uint16_t bits;

    float16() = default;
    constexpr explicit float16(float x) : bits(core::float16_bits(x)) {}
    template <class T>
        requires(std::integral<T> || std::floating_point<T>)
    constexpr explicit float16(T x) : float16(static_cast<float>(x)) {}
    constexpr operator float() const { return core::from_float16(bits); }
    constexpr float16 operator-() const { return from_bits(static_cast<std::uint16_t>(bits ^ 0x8000U)); }
    static constexpr float16 from_bits(std::uint16_t pattern) {
        float16 x(0.0F);
        x.bits = pattern;
        return x;
    }
};

namespace core {

/// std::numeric_limits of a format with that many significant bits and these exponents.
template <class T, int Digits, int LeastExponent, int MostExponent, int Digits10, int MaxDigits10, int LeastExponent10, int MostExponent10>
struct half_limits : std::numeric_limits<float> {
    static constexpr int digits = Digits, digits10 = Digits10, max_digits10 = MaxDigits10;
    static constexpr int min_exponent = LeastExponent, max_exponent = MostExponent;
    static constexpr int min_exponent10 = LeastExponent10, max_exponent10 = MostExponent10;
    /// The bits of the exponent, all of which are set in infinity.
    static constexpr int infinite = (0x8000 - (1 << (Digits - 1)));
    static constexpr T of(int pattern) { return T::from_bits(static_cast<std::uint16_t>(pattern)); }
    static constexpr T min() noexcept { return of(1 << (Digits - 1)); }
    static constexpr T max() noexcept { return of(infinite - 1); }
    static constexpr T lowest() noexcept { return -max(); }
    static constexpr T denorm_min() noexcept { return of(1); }
    static constexpr T infinity() noexcept { return of(infinite); }
    static constexpr T quiet_NaN() noexcept { return of(infinite | 1 << (Digits - 2)); }
    static constexpr T signaling_NaN() noexcept { return of(infinite | 1 << (Digits - 3)); }
    static constexpr T round_error() noexcept { return T(0.5F); }
    static constexpr T epsilon() noexcept { return T(2.0F / static_cast<float>(1 << Digits)); }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH

template <>
struct std::numeric_limits<gradus::bfloat16> : gradus::core::half_limits<gradus::bfloat16, 8, -125, 128, 2, 4, -37, 38> {};
template <>
struct std::numeric_limits<gradus::float16> : gradus::core::half_limits<gradus::float16, 11, -13, 16, 3, 5, -4, 4> {};
