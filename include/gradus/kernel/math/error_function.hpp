// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/exponential.hpp>

namespace gradus::inline GRADUS_ARCH::math {

/// erf(a) = 1 - e^-w, w = -log(erfc(a)) = a + a h(a), for a = |x| bounded where that rounds to 1. One minimax polynomial h
/// serves all a: where it cannot be accurate, e^-w is small. Near 0, h is 0.128 and its rounding does not matter.
/// Largest error 1.92 ulp for float (1.49 without fma), 1.61 for double.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> erf(batch<T, A> x) {
    using L = detail::lanes_of<T, A>;
    auto const a = L::at_most(L::abs(L::from(x)), L::single ? T(3.93) : T(5.93));
    typename L::real h;
    if constexpr (L::single) {
        h = L::polynomial(a, a * a, 0.1283791716113839397f, 0.63661938188732346563f, 0.10277783128683134558f, -0.019153066768830667272f,
                          -0.00016039082162183242287f, 0.0016670222252598022913f, -0.00063283397063532862615f, 0.00011764045352484393383f,
                          -9.2561726146263273557e-6f);
    } else {
        h = L::polynomial(a, a * a, 0.1283791670955125495, 0.63661977236759097061, 0.10277260330131526754, -0.019128446993090580657,
                          -0.00020919485397468655546, 0.0016962076702545423244, -0.00059013243202915627009, 0.000025904505945802224261,
                          0.000064420457515953383465, -0.000029575642380265391897, 3.1696380062873016065e-6, 3.1329978330866125443e-6,
                          -2.0372184039951252172e-6, 5.7065245364925060068e-7, -1.1718777233652946109e-8, -6.5729144382660051631e-8,
                          3.4583411025830942401e-8, -1.0772982776011793001e-8, 2.3604421955022856159e-9, -3.7606028565407742497e-10,
                          4.3016666846655350072e-11, -3.364259318854395077e-12, 1.6148284961191603322e-13, -3.5921019599680887129e-15);
    }
    auto const w = L::fma(a, h, a);
    auto const e = detail::reduce_exponential<L, true>(-w, L::bias);
    auto const power = L::power_of_2(e.n);
    typename L::real m;
    if constexpr (L::single && detail::has_fma) m = L::fma(e.square, e.p, e.r);
    else m = e.head + (e.rest() + (w - a - a * h));  // the rounding of w, too
    return L::to(L::with_sign(L::fma(-power, m, T(1) - power), L::from(x)));
}

/// erfc(x): for a = |x| it is e^(-a^2) P / (1 + b a), b = 1 or 2, where P = (1 + b a) e^(a^2) erfc(a) varies little (Shepherd and
/// Laframboise 1981). P is 1 / sqrt(pi) or 1 and a rest p made of v = 1 / (a + c) and of a minimax polynomial of (a - z) v; z is
/// where that rounds least. What the roundings of a^2, of the sums and of the quotient lost is added: the exponential multiplies
/// the first by up to 745. One division serves both quotients. Largest error 1.81 ulp for float, 1.92 for double; without fma 2.2.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> erfc(batch<T, A> batch_x) {
    using L = detail::lanes_of<T, A>;
    constexpr T base = L::single ? T(0x1.20dd76p-1) : T(1);  // float: 1 / sqrt(pi), so that p vanishes for large a
    constexpr int scale = L::single ? 24 : 54;               // of the result, to be a normal number
    auto const x = L::from(batch_x), a = L::at_most(L::abs(x), L::single ? T(10.1) : T(27.3));
    typename L::real below, below_lost, per_below, p;
    if constexpr (L::single) {  // b = c = 1
        below = a + T(1), below_lost = a - (below - T(1)), per_below = T(1) / below;
        auto const q = L::fma(per_below, T(-2), T(1));
        p = L::polynomial(q, q * q, 0.2922893555437930237f, -0.079102797831457764825f, -0.089933496304793064436f, -0.023469153597775569818f,
                          0.011601121787561004026f, 0.014726457983660266433f, 0.007006676228649996673f, 0.000049313074250963171062f,
                          -0.0032417893174690851987f, -0.0022252712481352710729f, 0.00015969450784666326846f, 0.0004737754717423769971f);
        p = L::fma(p, T(1) - per_below, 1 - base) * per_below;
    } else {  // b = 2, c = 4
        below = L::fma(a, T(2), T(1)), below_lost = a + a - (below - T(1));
        auto const shifted = a + T(4), inverse = T(1) / (below * shifted), near = below * inverse;
        per_below = shifted * inverse;
        auto const v = L::fma(near, L::remainder(L::all(1), near, shifted) - near * (a - (shifted - T(4))), near), q = (a - T(6)) * v;
        p = L::polynomial(q, q * q, 0.3434923023449976931, -0.39951919750672328618, 0.30700551619657205977, -0.1910485719163098025,
                          0.10120616786938721336, -0.046144595378769374562, 0.017947895199225426325, -0.005778803790699114509,
                          0.0014311245857450749377, -0.00021367674235277020544, -0.000012677921908301811498, 0.000017859027168890979403,
                          -4.2899917735936121295e-6, -1.9032857131518884859e-7, 3.8545863406412536357e-7, -7.0801858202705780949e-8,
                          -1.9284660210099018654e-8, 1.1447679747228784312e-8, 6.1340799946590941003e-10, -1.6940180992187834619e-9,
                          -4.5062386171722379483e-10, -3.3648129717748495537e-11);
        p = p * (a * v);
    }
    auto const above = p + base, y = above * per_below;
    auto const rest = (L::remainder(above, y, below) + ((p - (above - base)) - y * below_lost)) * per_below;
    auto const exponent = L::fma(-a, a, L::all(0));
    auto const e = detail::reduce_exponential<L>(exponent, L::bias + scale, L::remainder(-exponent, a, a));
    auto const m = e.head + e.rest();
    auto const tail =
        (y + L::fma(y, m, L::fma(rest, m, rest))) * L::power_of_2(e.n) * (T(1) / static_cast<T>(typename L::word{1} << scale));
    return L::to(x < T(0) ? T(2) - tail : tail);
}

}  // namespace gradus::inline GRADUS_ARCH::math
