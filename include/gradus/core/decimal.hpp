// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/fixed_string.hpp>

#include <bit>
#include <cstdint>
#include <stdexcept>

namespace gradus::inline GRADUS_ARCH::core {

/// A natural number of up to 2560 bits, for exact decimal to binary conversion in the compiler.
struct natural {
    std::uint32_t limb[80]{};
    int count = 0;

    constexpr void multiply_add(std::uint32_t factor, std::uint32_t addend) {
        std::uint64_t carry = addend;
        for (int i = 0; i < count; ++i) {
            carry += std::uint64_t{limb[i]} * factor;
            limb[i] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        if (carry) limb[count++] = static_cast<std::uint32_t>(carry);
    }
    constexpr int bits() const { return count ? 32 * count - std::countl_zero(limb[count - 1]) : 0; }
    constexpr void shift_left(int places) {
        for (; places >= 31; places -= 31) multiply_add(1u << 31, 0);
        multiply_add(1u << places, 0);
    }
    constexpr bool not_less(natural const& o) const {
        if (count != o.count) return count > o.count;
        for (int i = count - 1; i >= 0; --i)
            if (limb[i] != o.limb[i]) return limb[i] > o.limb[i];
        return true;
    }
    constexpr void subtract(natural const& o) {
        std::uint64_t borrow = 0;
        for (int i = 0; i < count; ++i) {
            std::uint64_t difference = std::uint64_t{limb[i]} - (i < o.count ? o.limb[i] : 0) - borrow;
            limb[i] = static_cast<std::uint32_t>(difference);
            borrow = difference >> 63;
        }
        while (count && !limb[count - 1]) --count;
    }
};

/// The double nearest to the number spelled by a C++ literal (digits, point, exponent, digit separators), ties to even.
/// Exact in one operation where digits and power of ten are exact doubles (W. D. Clinger, 1990), else by long division.
constexpr double parse_decimal(char const* text, int length) {
    natural digits;
    std::uint64_t small = 0;
    int exponent = 0, significant = 0;
    bool point = false;
    int i = 0;
    for (; i < length && text[i] != 'e' && text[i] != 'E'; ++i) {
        if (text[i] == '\'') continue;
        if (text[i] == '.') {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') refuse<"gradus: a number is spelled in decimal digits", std::invalid_argument>();
        auto digit = static_cast<std::uint32_t>(text[i] - '0');
        exponent -= point;
        if (significant == 0 && digit == 0) continue;
        ++significant;
        small = small * 10 + digit;
        digits.multiply_add(10, digit);
    }
    if (significant == 0) return 0;
    if (i < length) {
        bool negative = text[++i] == '-';
        if (negative || text[i] == '+') ++i;
        int written = 0;
        for (; i < length; ++i)
            if (text[i] != '\'' && written < 100000) written = written * 10 + (text[i] - '0');
        exponent += negative ? -written : written;
    }
    if (significant <= 15 && exponent >= -22 && exponent <= 22) {
        double power = 1;
        for (int k = exponent < 0 ? -exponent : exponent; k > 0; --k) power *= 10;
        return exponent < 0 ? static_cast<double>(small) / power : static_cast<double>(small) * power;
    }
    if (significant + exponent > 310) return __builtin_huge_val();
    if (significant + exponent < -330) return 0;
    natural below;
    below.multiply_add(0, 1);
    for (int k = 0; k < exponent; ++k) digits.multiply_add(10, 0);
    for (int k = 0; k < -exponent; ++k) below.multiply_add(10, 0);
    // quotient = digits / below with 55 or 56 significant bits, times 2^scale
    int scale = digits.bits() - below.bits() - 55;
    if (scale < -1076) scale = -1076;  // denormals keep fewer bits
    if (scale < 0) digits.shift_left(-scale);
    else below.shift_left(scale);
    std::uint64_t quotient = 0;
    natural step = below;
    step.shift_left(57);
    for (int k = 57; k >= 0; --k) {  // schoolbook, one bit at a time
        quotient <<= 1;
        natural divisor = below;
        divisor.shift_left(k);
        if (digits.not_less(divisor)) {
            digits.subtract(divisor);
            quotient |= 1;
        }
    }
    bool inexact = digits.count > 0;
    int width = 64 - std::countl_zero(quotient);
    int drop = width - 53 > -1074 - scale ? width - 53 : -1074 - scale;
    if (drop > 0) {
        std::uint64_t half = std::uint64_t{1} << (drop - 1), rest = quotient & (2 * half - 1);
        quotient >>= drop;
        if (rest > half || (rest == half && (inexact || (quotient & 1)))) ++quotient;
        scale += drop;
    }
    double result = static_cast<double>(quotient);
    for (; scale >= 30; scale -= 30) result *= 1073741824.0;
    for (; scale > 0; --scale) result *= 2;
    for (; scale <= -30; scale += 30) result /= 1073741824.0;
    for (; scale < 0; ++scale) result /= 2;
    return result;
}

}  // namespace gradus::inline GRADUS_ARCH::core
