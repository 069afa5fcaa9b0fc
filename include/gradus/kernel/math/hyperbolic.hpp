// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/exponential.hpp>

// g++ takes names in an instantiated template for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::math {

/// tanh(|x|) = (1 - p) / (1 + p) with p = e^(-2 |x|) = 2^n (1 + m), for |x| bounded where that rounds to 1. For float with
/// fma that is enough. Else what the roundings of 1 - p, 1 + p and m lost is divided by 1 + p = 2 / (1 + tanh(|x|)) and added.
/// Largest error 1.99 ulp for float with fma, else 1.5.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> tanh(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const bounded = L::at_most(L::abs(L::from(x)), L::single ? T(9.1) : T(19.1));
    auto const e = detail::reduce_exponential<L, true, -2>(bounded, L::bias);
    auto const power = L::power_of_2(e.n), below = T(1) - power, above = T(1) + power;
    if constexpr (L::single && detail::has_fma) {
        auto const m = L::fma(e.square, e.p, e.r);
        return L::to(L::with_sign(L::fma(-power, m, below) / L::fma(power, m, above), L::from(x)));
    } else {
        auto const rest = e.rest(), m = e.head + rest;
        auto const top = L::fma(-power, m, below), bottom = L::fma(power, m, above), y = top / bottom;
        auto const m_lost = power * (e.head - m + rest);
        auto const top_lost = L::fma(-power, m, below - top) - m_lost, bottom_lost = L::fma(power, m, above - bottom);
        auto const lost = L::fma(-y, bottom_lost, top_lost);
        return L::to(L::with_sign(L::fma(lost, L::fma(y, T(0.5), T(0.5)), y), L::from(x)));
    }
}

}  // namespace gradus::math

#pragma GCC diagnostic pop
