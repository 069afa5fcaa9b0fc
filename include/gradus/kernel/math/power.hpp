// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/logarithm.hpp>

namespace gradus::inline GRADUS_ARCH::math {
namespace detail {

/// A number of twice the digits: high + low, high the sum rounded.
template <class L>
struct double_length {
    typename L::real high, low;
};

/// k + log2(m), m in [sqrt(1/2), sqrt(2)): log2(m) = s (c0 + c1 s^2 + s^4 p(s^2)), s = (m - 1) / (m + 1), all but p in twice the
/// digits, p a minimax polynomial, at most 2^-12 of the sum.
template <class L>
[[gnu::always_inline]] inline double_length<L> long_log2(split<L> x) {
    using T = typename L::scalar;
    constexpr T c0 = L::single ? T(0x1.715476p+1) : T(0x1.71547652b82fep+1);  // 2 / log(2)
    constexpr T c0_low = L::single ? T(0x1.4ae0cp-25) : T(0x1.777d0ffda0d24p-55);
    constexpr T c1 = L::single ? T(0x1.ec709ep-1) : T(0x1.ec709dc3a03fdp-1);  // 2 / (3 log(2))
    constexpr T c1_low = L::single ? T(-0x1.e2fe02p-28) : T(0x1.d27f05548af0cp-55);
    auto const above = x.m - T(1), below = x.m + T(1), inverse = T(1) / below, s = above * inverse;
    auto const s_low = (L::remainder(above, s, below) - s * (x.m - (below - T(1)))) * inverse;
    auto const z = s * s, z_low = L::fma(s + s, s_low, L::lost(s, s, z));
    typename L::real p;
    if constexpr (L::single) {
        p = z * L::horner(z, 0.57708021475588017719f, 0.411847705795440705f, 0.33786908931538304631f);
    } else {
        p = z * L::polynomial(z, z * z, 0.57707801635561803182, 0.41219858309189380356, 0.32059890228306585956, 0.26230770019096961349,
                              0.22198404523107402501, 0.1912539594176098889, 0.19039741301282600634);
    }
    auto const u = p + c1, u_low = (c1 - u) + p + c1_low;
    auto const v = z * u, v_low = L::fma(z_low, u, L::fma(z, u_low, L::lost(z, u, v)));
    auto const w = v + c0, w_low = (c0 - w) + v + (v_low + c0_low);
    auto const y = s * w, y_low = L::fma(s_low, w, L::fma(s, w_low, L::lost(s, w, y)));
    auto const k = L::single ? x.k * T(0x1p-23) : x.k, sum = k + y;
    return {sum, (k - sum) + y + y_low};
}

template <class L>
[[gnu::always_inline]] inline double_length<L> times(typename L::real y, double_length<L> x) {
    auto const product = y * x.high;
    return {product, L::fma(y, x.low, L::lost(y, x.high, product))};
}

/// Is it an integer? All are from 2^mantissa on.
template <class L>
[[gnu::always_inline]] inline auto is_integer(typename L::real x) {
    constexpr auto unit = static_cast<typename L::scalar>(typename L::word{1} << L::mantissa);
    auto const size = L::abs(x);
    return ((size + unit) - unit == size) | (size >= unit);
}

/// x^y with the cases of C's pow. Out of line, as the logarithm's.
template <class L>
[[gnu::cold, gnu::noinline]] inline typename L::real unusual_power(typename L::real x, typename L::real y) {
    using T = typename L::scalar;
    constexpr T rounder = L::rounder + T(2 * L::bias + 1);  // odd, as the usual one: halves round to the same side
    auto const size = L::abs(x), zero = L::all(0), infinity = L::all(L::infinity), nan = L::all(L::nan);
    auto const small = size < std::numeric_limits<T>::min();
    auto split = split_exponent<L>(small ? size * T(0x1p52) : size);
    split.k = small ? split.k - (L::single ? T(52 * 0x1p23) : T(52)) : split.k;
    // beyond, all but the powers of 1 overflow
    auto const product = times<L>(L::at_least(L::at_most(y, 0x1p80f), -0x1p80f), long_log2<L>(split));
    auto const t = L::at_least(L::at_most(product.high, L::single ? 130 : 1100), L::single ? -160 : -1100), shifted = t + rounder;
    auto const f = (t - (shifted - rounder)) + (t == product.high ? product.low : zero);
    auto const n = L::to_bits(shifted) - 1, half = n >> 1;
    auto z = fractional_power_of_2<L>(f) * L::power_of_2(half) * L::power_of_2(n - half);
    z = size == zero ? (y < zero ? infinity : zero) : z;
    z = size == infinity ? (y < zero ? zero : infinity) : z;
    z = (is_integer<L>(y) & ~is_integer<L>(y * T(0.5))) ? L::flip_sign(z, L::to_bits(x)) : z;
    z = ((x < zero) & (size < infinity) & ~is_integer<L>(y)) ? nan : z;
    z = ((x == x) & (y == y)) ? z : nan;
    return ((x == L::all(1)) | (y == zero)) ? L::all(1) : z;
}

/// x^n for the integers y from -1 to 15, whose numbers n have: products in twice the digits.
template <class L>
[[gnu::always_inline]] inline typename L::real whole_power(typename L::real x, typename L::real y, typename L::bits n) {
    auto const zero = L::all(0);
    auto base = x, base_low = zero, high = (n & 1) != 0 ? x : L::all(1), low = zero;
    for (int bit = 1; bit < 4 && !all(L::to(y) < L::to(L::all(static_cast<typename L::scalar>(1 << bit)))); ++bit) {
        auto const square = base * base;
        base_low = L::fma(base + base, base_low, L::lost(base, base, square));
        base = square;
        auto const product = high * base;
        auto const product_low = L::fma(high, base_low, L::fma(low, base, L::lost(high, base, product)));
        auto const is_set = ((n >> bit) & 1) != 0;
        high = is_set ? product : high;
        low = is_set ? product_low : low;
    }
    return y < zero ? L::all(1) / x : high + low;
}

}  // namespace detail

/// x^y = 2^(y log2(x)), the logarithm and the product in twice the digits. Largest error found 1.36 ulp. Vectors of small integers y are
/// products, as polynomials have them: within 1 ulp, and negative x are as quick.
template <std::floating_point T, class A>
[[gnu::always_inline]] inline batch<T, A> pow(batch<T, A> batch_x, batch<T, A> batch_y) {
    using L = detail::lanes_of<T, A>;
    constexpr T rounder = L::rounder + T(L::bias);
    auto const x = L::from(batch_x), y = L::from(batch_y);
    if constexpr (detail::has_fma) {
        auto const to_integer = y + L::rounder;
        if (all((batch_y >= batch<T, A>(T(-1))) & (batch_y <= batch<T, A>(T(15))) & (L::to(to_integer - L::rounder) == batch_y))) {
            auto const power = L::to(detail::whole_power<L>(x, y, L::to_bits(to_integer)));
            auto const size = L::to(L::abs(L::from(power)));
            constexpr T tiny = L::single ? T(0x1p-90f) : T(0x1p-900), huge = L::single ? T(0x1p120f) : T(0x1p1000);
            if (all((size > batch<T, A>(tiny)) & (size < batch<T, A>(huge)))) return power;  // nothing was lost or overflowed
        }
    }
    auto const t = detail::times<L>(y, detail::long_log2<L>(detail::split_exponent<L>(x)));
    auto const normal = L::to(L::abs(t.high)) < L::to(L::all(T(L::bias) - 2));
    if (!all(detail::usual<L>(x) & normal)) [[unlikely]]
        return L::to(detail::unusual_power<L>(x, y));
    auto const shifted = t.high + rounder, f = (t.high - (shifted - rounder)) + t.low;
    return L::to(detail::fractional_power_of_2<L>(f) * L::power_of_2(L::to_bits(shifted)));
}

}  // namespace gradus::inline GRADUS_ARCH::math
