// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/exponential.hpp>

namespace gradus::inline GRADUS_ARCH::math {
namespace detail {

/// Beyond this |x| e^(-2 |x|) rounds to 0.
template <class L>
inline constexpr typename L::scalar most_of_tanh = L::single ? 53 : 374;
/// e^(-2 |x|) is computed times 2^64 or 2^512, a normal number for all these |x|.
template <class L>
inline constexpr typename L::word exponent_of_scale = L::single ? 64 : 512;
template <class L>
inline constexpr auto scale_of_tanh = static_cast<typename L::scalar>(L::single ? 0x1p64 : 0x1p512);

template <class L>
[[gnu::always_inline]] inline reduced_exponential<L> exponential_of_tanh(typename L::real x) {
    return reduce_exponential<L, true, -2>(L::at_most(L::abs(x), most_of_tanh<L>), L::bias + exponent_of_scale<L>);
}
/// e^r - 1 of it.
template <class L>
[[gnu::always_inline]] inline typename L::real fraction_of_tanh(reduced_exponential<L> e) {
    if constexpr (L::single && has_fma) return L::fma(e.square, e.p, e.r);
    else return e.head + e.rest();
}

}  // namespace detail

/// tanh(|x|) = (S - p) / (S + p) with p = S e^(-2 |x|) = 2^n (1 + m), S a power of two. For float with fma that is enough. Else what
/// the roundings of S - p, S + p and m lost is divided by S + p = 2 S / (1 + tanh(|x|)) and added.
/// Largest error 1.99 ulp for float with fma, else 1.5.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> tanh(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    constexpr T scale = detail::scale_of_tanh<L>;
    auto const e = detail::exponential_of_tanh<L>(L::from(x));
    auto const power = L::power_of_2(e.n), below = scale - power, above = scale + power;
    if constexpr (L::single && detail::has_fma) {
        auto const m = detail::fraction_of_tanh<L>(e);
        return L::to(L::with_sign(L::fma(-power, m, below) / L::fma(power, m, above), L::from(x)));
    } else {
        auto const rest = e.rest(), m = detail::fraction_of_tanh<L>(e);
        auto const top = L::fma(-power, m, below), bottom = L::fma(power, m, above), y = top / bottom;
        auto const m_lost = power * (e.head - m + rest);
        auto const top_lost = L::fma(-power, m, below - top) - m_lost, bottom_lost = L::fma(power, m, above - bottom);
        auto const lost = L::fma(-y, bottom_lost, top_lost);
        return L::to(L::with_sign(L::fma(lost, L::fma(y, T(0.5) / scale, T(0.5) / scale), y), L::from(x)));
    }
}

/// The derivative of tanh at x where y = tanh(x) is known: e^(-2 |x|) (1 + |y|)^2, whose exponential a kernel that computes y has
/// already. A denormal result is rounded once more.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> slope_of_tanh(batch<T, A> x, batch<T, A> y) {
    using L = detail::lanes_of<T, A>;
    auto const e = detail::exponential_of_tanh<L>(L::from(x));
    auto const power = L::power_of_2(e.n), exponential = L::fma(power, detail::fraction_of_tanh<L>(e), power);
    constexpr T root = L::single ? T(0x1p-32) : T(0x1p-256);  // its square takes the scale away
    auto const top = L::fma(L::abs(L::from(y)), root, L::all(root));
    return L::to(exponential * (top * top));
}

}  // namespace gradus::inline GRADUS_ARCH::math
