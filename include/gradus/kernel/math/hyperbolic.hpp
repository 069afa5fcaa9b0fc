// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/exponential.hpp>

namespace gradus::inline GRADUS_ARCH::math {
namespace detail {

/// Beyond this |x| e^(-2 |x|) is no normal number.
template <class L>
inline constexpr typename L::scalar most_of_tanh = L::single ? 43.5f : 354;

template <class L>
[[gnu::always_inline]] inline reduced_exponential<L> exponential_of_tanh(typename L::real x) {
    return reduce_exponential<L, true, -2>(L::at_most(L::abs(x), most_of_tanh<L>), L::bias);
}
/// e^r - 1 of it.
template <class L>
[[gnu::always_inline]] inline typename L::real fraction_of_tanh(reduced_exponential<L> e) {
    if constexpr (L::single && has_fma) return L::fma(e.square, e.p, e.r);
    else return e.head + e.rest();
}

}  // namespace detail

/// tanh(|x|) = (1 - p) / (1 + p) with p = e^(-2 |x|) = 2^n (1 + m), for |x| bounded where p is a normal number. For float with
/// fma that is enough. Else what the roundings of 1 - p, 1 + p and m lost is divided by 1 + p = 2 / (1 + tanh(|x|)) and added.
/// Largest error 1.99 ulp for float with fma, else 1.5.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> tanh(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const e = detail::exponential_of_tanh<L>(L::from(x));
    auto const power = L::power_of_2(e.n), below = T(1) - power, above = T(1) + power;
    if constexpr (L::single && detail::has_fma) {
        auto const m = detail::fraction_of_tanh<L>(e);
        return L::to(L::with_sign(L::fma(-power, m, below) / L::fma(power, m, above), L::from(x)));
    } else {
        auto const rest = e.rest(), m = detail::fraction_of_tanh<L>(e);
        auto const top = L::fma(-power, m, below), bottom = L::fma(power, m, above), y = top / bottom;
        auto const m_lost = power * (e.head - m + rest);
        auto const top_lost = L::fma(-power, m, below - top) - m_lost, bottom_lost = L::fma(power, m, above - bottom);
        auto const lost = L::fma(-y, bottom_lost, top_lost);
        return L::to(L::with_sign(L::fma(lost, L::fma(y, T(0.5), T(0.5)), y), L::from(x)));
    }
}

/// e^(-2 |x|), which a kernel that computes tanh(x) has already. Largest error 1.5 ulp.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> exp_of_tanh(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const e = detail::exponential_of_tanh<L>(L::from(x));
    auto const power = L::power_of_2(e.n), size = L::abs(L::from(x));
    if (any(L::to(size) > L::to(L::all(detail::most_of_tanh<L>)))) [[unlikely]]
        return exp(L::to(size * T(-2)));
    return L::to(L::fma(power, detail::fraction_of_tanh<L>(e), power));
}

}  // namespace gradus::inline GRADUS_ARCH::math
