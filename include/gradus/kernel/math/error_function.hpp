// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/exponential.hpp>

// g++ takes names in an instantiated template for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::math {

/// erf(a) = 1 - e^-w, w = -log(erfc(a)) = a + a h(a), for a = |x| bounded where that rounds to 1. One minimax polynomial h
/// serves all a: where it cannot be accurate, e^-w is small. Near 0, h is 0.128 and its rounding does not matter.
/// Largest error 1.92 ulp for float (1.49 without fma), 1.61 for double.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> erf(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const a = L::at_most(L::abs(L::from(x)), L::single ? T(3.93) : T(5.93));
    typename L::real h;
    if constexpr (L::single) {
        h = L::polynomial(a, a * a, 0.1283791716113839397f, 0.63661938188732346563f, 0.10277783128683134558f,
                        -0.019153066768830667272f, -0.00016039082162183242287f, 0.0016670222252598022913f,
                        -0.00063283397063532862615f, 0.00011764045352484393383f, -9.2561726146263273557e-6f);
    } else {
        h = L::polynomial(a, a * a, 0.1283791670955125495, 0.63661977236759097061, 0.10277260330131526754,
                          -0.019128446993090580657, -0.00020919485397468655546, 0.0016962076702545423244,
                          -0.00059013243202915627009, 0.000025904505945802224261, 0.000064420457515953383465,
                          -0.000029575642380265391897, 3.1696380062873016065e-6, 3.1329978330866125443e-6,
                          -2.0372184039951252172e-6, 5.7065245364925060068e-7, -1.1718777233652946109e-8,
                          -6.5729144382660051631e-8, 3.4583411025830942401e-8, -1.0772982776011793001e-8,
                          2.3604421955022856159e-9, -3.7606028565407742497e-10, 4.3016666846655350072e-11,
                          -3.364259318854395077e-12, 1.6148284961191603322e-13, -3.5921019599680887129e-15);
    }
    auto const w = L::fma(a, h, a);
    auto const e = detail::reduce_exponential<L, true>(-w, L::bias);
    auto const power = L::power_of_2(e.n);
    typename L::real m;
    if constexpr (L::single && detail::has_fma) m = L::fma(e.square, e.p, e.r);
    else m = e.head + (e.rest() + (w - a - a * h));  // the rounding of w, too
    return L::to(L::with_sign(L::fma(-power, m, T(1) - power), L::from(x)));
}

}  // namespace gradus::math

#pragma GCC diagnostic pop
