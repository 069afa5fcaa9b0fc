// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/lanes.hpp>

namespace gradus::inline GRADUS_ARCH::math {
namespace detail {

/// x = 2^k m with m in [sqrt(1/2), sqrt(2)), for positive normal x.
template <class L>
struct split {
    typename L::real m;
    typename L::bits exponent;  ///< k in its place in a number's bits
    typename L::real k;         ///< float: times 2^23, as conversion gives it
};

template <class L>
[[gnu::always_inline]] inline split<L> split_exponent(typename L::real x) {
    using word = typename L::word;
    constexpr word root = L::single ? word{0x3f3504f3} : static_cast<word>(0x3fe6a09e667f3bcd);
    constexpr word fraction = (word{1} << L::mantissa) - 1;
    if constexpr (L::single) {
        auto const exponent = (L::to_bits(x) - root) & ~fraction;
        auto const k = __builtin_convertvector(__builtin_bit_cast(simd::detail::raw<std::int32_t, L::width>, exponent), typename L::real);
        return {L::to_real(L::to_bits(x) - exponent), exponent, k};
    } else {  // no conversion from 64 bits before AVX-512: k + 1024 is put below the point of 2^52
        constexpr word positive = word{1024} << 52;
        auto const shifted = L::to_bits(x) - (root - positive);
        auto const k = L::to_real((shifted >> 52) | 0x4330000000000000) - (0x1p52 + 1024);
        return {L::to_real((shifted & fraction) + root), (shifted & ~fraction) - positive, k};
    }
}

/// log(1 + f) + k log(2), log(2) in two parts, the first product exact.
template <class L>
[[gnu::always_inline]] inline typename L::real log_of_split(typename L::real f, typename L::real k) {
    if constexpr (L::single) {  // f + f^2 p(f), a minimax polynomial
        auto const square = f * f;
        auto const p = L::polynomial(f, square, -0.49999988166661154902f, 0.3333332423041587135f, -0.25001598490617725654f,
                                     0.2000208787597994057f, -0.16608795673491741442f, 0.14179254740629202995f, -0.13242719327835945381f,
                                     0.12921946231203726252f, -0.076449890393767205833f);
        return L::fma(k, 0x1.63p-24f, f + L::fma(square, p, k * static_cast<float>(-2.1219444005469058e-4 * 0x1p-23)));
    } else {  // 2 atanh(s) = f - (f^2 / 2 - s (f^2 / 2 + s^2 p(s^2))), which rounds f^2 / 2 where it matters less
        auto const s = f / (f + 2.0), z = s * s, half_square = f * (f * 0.5);
        auto const p = L::polynomial(z, z * z, 0.66666666666667348949, 0.39999999999411093794, 0.28571428743262073303,
                                     0.22222198476090303414, 0.18183569732541532466, 0.15313903467547695674, 0.14797505264399352243);
        auto const rest = half_square - L::fma(s, L::fma(z, p, half_square), k * 1.9082149292705878161e-10);
        return L::fma(k, 0x1.62e42feep-1, f - rest);
    }
}

/// Normal numbers, but for the largest, whose k is as large as infinity's.
template <class L>
[[gnu::always_inline]] inline auto usual(typename L::real x) {
    using limits = std::numeric_limits<typename L::scalar>;
    return (L::to(x) >= L::to(L::all(limits::min()))) & (L::to(x) <= L::to(L::all(limits::max() / 2)));
}

/// y, but log(x) where x is unusual. Out of line: a test per vector is cheaper than to have all cases in all vectors.
template <class L>
[[gnu::cold, gnu::noinline]] inline typename L::real replace_unusual(typename L::real y, typename L::real x) {
    using T = typename L::scalar;
    constexpr T unit = L::single ? T(0x1p23) : T(1);  // of k
    auto const small = x < L::all(std::numeric_limits<T>::min());
    auto const s = split_exponent<L>(small ? x * T(0x1p52) : x);
    auto z = log_of_split<L>(s.m - T(1), small ? s.k - T(52) * unit : s.k);
    z = x < L::all(L::infinity) ? z : x;
    z = x < L::all(0) ? L::all(L::nan) : z;
    z = x == L::all(0) ? L::all(-L::infinity) : z;
    return L::from(select(usual<L>(x), L::to(y), L::to(z)));
}

}  // namespace detail

/// log(x). Largest error 1.04 ulp for float, 0.83 for double.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> log(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const s = detail::split_exponent<L>(L::from(x));
    auto const y = detail::log_of_split<L>(s.m - T(1), s.k);
    if (!all(detail::usual<L>(L::from(x)))) [[unlikely]]
        return L::to(detail::replace_unusual<L>(y, L::from(x)));
    return L::to(y);
}

/// log(1 + x), accurate near 0: what the sum 1 + x loses joins the fraction. It loses nothing that matters where the sum
/// is unusual. Largest error 1.57 ulp for float, 1.39 for double.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> log1p(batch<T, A> batch_x) {
    using L = detail::lanes_of<T, A>;
    auto const x = L::from(batch_x), sum = x + T(1), lost = x - (sum - T(1));
    auto const s = detail::split_exponent<L>(sum);
    auto const f = L::fma(lost, L::to_real((L::bias << L::mantissa) - s.exponent), s.m - T(1));
    auto const y = L::with_sign(detail::log_of_split<L>(f, s.k), x);
    if (!all(detail::usual<L>(sum))) [[unlikely]]
        return L::to(detail::replace_unusual<L>(y, sum));
    return L::to(y);
}

}  // namespace gradus::inline GRADUS_ARCH::math
