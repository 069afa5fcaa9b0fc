// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/lanes.hpp>

namespace gradus::inline GRADUS_ARCH::math {
namespace detail {

/// e^x = 2^n e^r, |r| <= log(2) / 2.
template <class L>
struct reduced_exponential {
    typename L::bits n;           ///< with a bias, in the low bits
    typename L::real exponent;    ///< n without it, as a number
    typename L::real r, square;   ///< r rounded, and its square
    typename L::real head, tail;  ///< the sum is r
    typename L::real p;           ///< (e^r - 1 - r) / r^2, a minimax polynomial: a tenth of an ulp in e^r

    /// e^r - 1 but for the head.
    [[gnu::always_inline]] typename L::real rest() const { return L::fma(square, p, tail); }
    /// e^x, where n has twice the bias. The exponent is applied in halves, to reach all of the numbers, the denormals too.
    [[gnu::always_inline]] typename L::real whole() const {
        auto const y = L::fma(square, p, r) + typename L::scalar(1);
        if constexpr (L::scales) return L::scaled(y, exponent);
        auto const half = n >> 1;
        return y * L::power_of_2(half) * L::power_of_2(n - half);
    }
};

/// Cody and Waite's reduction of Scale x, Scale a power of two: n log(2) leaves in two steps, the first exact: a product of
/// few digits, or with fma, for small n, all digits, which leave less for the tail. n does not wait for the product Scale x.
/// `rest` belongs to x and is too small to be added to it.
template <class L, bool SmallN = false, int Scale = 1, class... Rest>
[[gnu::always_inline]] inline reduced_exponential<L> reduce_exponential(typename L::real x, typename L::word bias, Rest... rest) {
    using T = typename L::scalar;
    constexpr bool whole = SmallN && has_fma;
    constexpr T high = whole ? T(0.69314718055994530942) : L::single ? T(0x1.63p-1) : T(0x1.62e42feep-1);
    constexpr T low = whole       ? (L::single ? T(-1.9046543e-9) : T(2.3190468138462996e-17))
                      : L::single ? T(-2.1219444005469058e-4)
                                  : T(1.9082149292705878161e-10);
    T const rounder = L::rounder + static_cast<T>(bias);
    auto const t = L::fma(x, T(1.4426950408889634074) * T(Scale), rounder), scaled = Scale == 1 ? x : x * T(Scale);
    auto const n = t - rounder, head = L::fma(n, -high, scaled), tail = ((n * -low) + ... + rest);
    auto const r = sizeof...(rest) > 0 ? head + tail : whole ? head : L::fma(n, -low, head), square = r * r;
    typename L::real p;
    if constexpr (L::single) {
        p = L::polynomial(r, square, 0.49999993375895139713f, 0.16666519518114889759f, 0.041668400462330036805f, 0.0083688516218352817105f,
                          0.001381435336069731182f);
    } else {
        p = L::polynomial(r, square, 0.5000000000000010826, 0.16666666666666407666, 0.041666666666528104507, 0.0083333333334969274301,
                          0.001388888894424908279, 0.00019841269502731753026, 0.000024801492388356133131, 2.7557588429976853764e-6,
                          2.7630523454243113432e-7, 2.499985540729604276e-8);
    }
    return {L::to_bits(t), n, r, square, head, tail, p};
}

/// 2^f, |f| <= 1/2, by a minimax polynomial.
template <class L>
[[gnu::always_inline]] inline typename L::real fractional_power_of_2(typename L::real f) {
    typename L::real p;
    if constexpr (L::single) {
        p = L::polynomial(f, f * f, 0.69314721518487199278f, 0.24022652795438562985f, 0.055503101297078411767f, 0.0096176912071142676098f,
                          0.0013406797120208014578f, 0.00015595063854284972493f);
    } else {
        p = L::polynomial(f, f * f, 0.69314718055994530795, 0.24022650695910071139, 0.055504108664821735336, 0.0096181291076285621046,
                          0.001333355814638135335, 0.00015403530393170113852, 0.000015252733865220405419, 1.3215487004721172205e-6,
                          1.0178047372934870566e-7, 7.054814438264596557e-9, 4.4572633564892512033e-10, 2.5855605390614768831e-11);
    }
    return L::fma(f, p, typename L::scalar(1));
}

}  // namespace detail

/// e^x. Largest error 1.05 ulp.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> exp(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const bounded = L::at_least(L::at_most(L::from(x), L::single ? 89 : 710), L::single ? -104 : -746);
    return L::to(detail::reduce_exponential<L>(bounded, 2 * L::bias).whole());
}

/// e^(-x^2 / N), N a power of two, with what rounding the square loses. Denormal results are rounded twice. Largest error 1.2 ulp.
template <std::floating_point T, class A, int N>
[[gnu::always_inline]] inline batch<T, A> exp_of_square(batch<T, A> x, std::integral_constant<int, N>) {
    using L = detail::lanes_of<T, A>;
    constexpr T factor = T(1) / N;
    auto const a = L::at_most(L::abs(L::from(x)), L::single ? T(15) : T(39)), scaled = a * factor, square = scaled * a;
    return L::to(
        detail::reduce_exponential<L>(L::at_least(-square, L::single ? -104 : -746), 2 * L::bias, -L::lost(scaled, a, square)).whole());
}

/// 2^x = 2^n 2^f, n the nearest integer, f the rest, which is exact; n is applied in halves. Largest error 1.25 ulp.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> exp2(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const bounded = L::at_least(L::at_most(L::from(x), L::single ? 129 : 1025), L::single ? -151 : -1076);
    auto const t = bounded + (L::rounder + T(2 * L::bias)), f = bounded - (t - (L::rounder + T(2 * L::bias)));
    auto const n = L::to_bits(t), half = n >> 1;
    return L::to(detail::fractional_power_of_2<L>(f) * L::power_of_2(half) * L::power_of_2(n - half));
}

/// e^x - 1 = 2^n m + (2^n - 1), m = e^r - 1 rounded once, computed as twice its half: 2^n may overflow before the result.
/// Largest error 1.73 ulp for float (1.82 without fma), 1.68 for double.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> expm1(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const bounded = L::at_least(L::at_most(L::from(x), L::single ? 89 : 710), L::single ? -20 : -40);
    auto const e = detail::reduce_exponential<L>(bounded, L::bias - 1);
    auto const m = e.head + e.rest(), half_power = L::power_of_2(e.n), half = L::fma(half_power, m, half_power - T(0.5));
    return L::to(L::with_sign(half_power == L::all(T(0.5)) ? m : half + half, L::from(x)));
}

}  // namespace gradus::inline GRADUS_ARCH::math
