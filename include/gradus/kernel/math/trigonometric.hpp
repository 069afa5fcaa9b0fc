// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/lanes.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH::math {
namespace detail {

/// Beyond this |x| the reduction below would be wrong.
template <class T>
inline constexpr T most_radians = sizeof(T) == 4 ? (has_fma ? T(0x1p16) : T(0x1p13)) : (has_fma ? T(0x1p30) : T(0x1p21));

/// x - n pi by Cody and Waite's reduction. With fma pi has three parts of full precision: the first difference is exact.
/// Without, four parts, short enough for exact products.
template <class L>
[[gnu::always_inline]] inline typename L::real without_pi(typename L::real x, typename L::real n) {
    auto const subtract = [n](auto r, auto... part) __attribute__((always_inline)) {
        ((r = L::fma(n, -static_cast<typename L::scalar>(part), r)), ...);
        return r;
    };
    if constexpr (L::single && has_fma) return subtract(x, 0x1.921fb6p+1, -0x1.777a5cp-24, -0x1.ee59dap-49);
    else if constexpr (L::single) return subtract(x, 0x1.92p+1, 0x1.fb4p-11, 0x1.444p-23, 0x1.68c234p-38);
    else if constexpr (has_fma) return subtract(x, 0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53, -0x1.f1976b7ed8fbcp-109);
    else return subtract(x, 0x1.921fb544p+1, 0x1.0b4611a6p-33, 0x1.3198a2ep-68, 0x1.b839a252049c1p-103);
}

/// (-1)^n sin(r) for |r| <= pi / 2, n in the low bits: an odd minimax polynomial, its coefficients moved by some ulp to where
/// the roundings add up to least.
template <class L>
[[gnu::always_inline]] inline typename L::real signed_sine(typename L::real r, typename L::bits n) {
    auto const z = r * r;
    typename L::real p;
    if constexpr (L::single) {
        p = L::horner(z, -0.166666597f, 0.00833306462f, -0.000198091933f, 2.60428169e-6f);
    } else {
        p = L::horner(z, -0.16666666666666669, 0.0083333333333331944, -0.00019841269841205445, 2.7557319210471465e-6,
                      -2.5052106810585469e-8, 1.6058936518588721e-10, -7.6429070860916775e-13, 2.7202718817747031e-15);
    }
    return L::flip_sign(L::fma(r * z, p, r), n << (8 * sizeof(typename L::scalar) - 1));
}

/// y, but f(x) where |x| is beyond the reduction: the C library's function, one lane at a time.
template <class L>
[[gnu::cold, gnu::noinline]] inline typename L::real replace_huge(typename L::real y, typename L::real x,
                                                                  typename L::scalar (*f)(typename L::scalar)) {
    for (int i = 0; i < L::width; ++i)
        if (std::abs(x[i]) > most_radians<typename L::scalar>) y[i] = f(x[i]);
    return y;
}

template <class L>
[[gnu::always_inline]] inline bool any_huge(typename L::real x) {
    return any(L::to(L::abs(x)) > L::to(L::all(most_radians<typename L::scalar>)));
}

}  // namespace detail

/// sin(x) = (-1)^n sin(x - n pi), n the nearest integer to x / pi. Largest error 1.82 ulp for float, 1.87 for double; without
/// fma 2.3.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> sin(batch<T, A> batch_x) {
    using L = detail::lanes_of<T, A>;
    auto const x = L::from(batch_x), positive = L::abs(x), t = L::fma(positive, T(0.31830988618379067154), L::rounder);
    auto const sine = detail::signed_sine<L>(detail::without_pi<L>(positive, t - L::rounder), L::to_bits(t));
    auto const y = L::flip_sign(sine, L::to_bits(x));
    if (detail::any_huge<L>(x)) [[unlikely]]
        return L::to(detail::replace_huge<L>(y, x, [](T r) { return std::sin(r); }));
    return L::to(y);
}

/// cos(x) = sin(x + pi / 2) = (-1)^n sin(x - (n - 1/2) pi). Largest error 1.82 ulp for float, 1.95 for double; without fma 2.3.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> cos(batch<T, A> batch_x) {
    using L = detail::lanes_of<T, A>;
    auto const x = L::from(batch_x), t = L::fma(x, T(0.31830988618379067154), T(0.5)) + L::rounder;
    auto const y = detail::signed_sine<L>(detail::without_pi<L>(x, t - L::rounder - T(0.5)), L::to_bits(t));
    if (detail::any_huge<L>(x)) [[unlikely]]
        return L::to(detail::replace_huge<L>(y, x, [](T r) { return std::cos(r); }));
    return L::to(y);
}

}  // namespace gradus::inline GRADUS_ARCH::math
