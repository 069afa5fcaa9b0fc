// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/block.hpp>
#include <gradus/kernel/reduce.hpp>

#include <algorithm>
#include <limits>

// The loop interpreter's folds.

namespace gradus::inline GRADUS_ARCH::kernel {

/// What a fold begins with.
template <fold How, class T>
constexpr T fold_identity() {
    if constexpr (How == fold::sum) return T(0);
    else if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
    else return std::numeric_limits<T>::lowest();
}

/// What floats are added up in, one by one.
template <class T>
using wide_sum = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// The sum of n values and `start`, or the largest (NaN if any is): vectors side by side, so that no float takes in many terms.
template <fold How, class T>
wide_sum<T> fold_values(T const* x, std::int64_t n, T start) {
    constexpr int W = block_lanes<T>;
    auto const both = []<int Lanes>(auto a, auto b) {
        if constexpr (How == fold::sum) return a + b;
        else return simd::max_nan<T, Lanes>(a, b);
    };
    std::int64_t i = 0;
    wide_sum<T> all = start;
    if constexpr (W > 1) {
        if (n >= W) {
            simd::vec<T, W> part[4];
            for (simd::vec<T, W>& p : part) p = simd::broadcast<T, W>(fold_identity<How, T>());
            for (; i + 4 * W <= n; i += 4 * W)
                for (int u = 0; u < 4; ++u) part[u] = both.template operator()<W>(part[u], simd::load<T, W>(x + i + u * W));
            for (; i + W <= n; i += W) part[0] = both.template operator()<W>(part[0], simd::load<T, W>(x + i));
            if (i < n)
                part[1] =
                    both.template operator()<W>(part[1], simd::load_partial<T, W>(x + i, static_cast<int>(n - i), fold_identity<How, T>()));
            i = n;
            simd::vec<T, W> const total =
                both.template operator()<W>(both.template operator()<W>(part[0], part[1]), both.template operator()<W>(part[2], part[3]));
            if constexpr (How == fold::sum) all += simd::reduce_add<T, W>(total);
            else all = simd::max_nan<wide_sum<T>, 1>(all, simd::reduce_max<T, W>(total));
        }
    }
    for (; i < n; ++i) {
        if constexpr (How == fold::sum) all = static_cast<wide_sum<T>>(all + x[i]);
        else all = simd::max_nan<wide_sum<T>, 1>(all, x[i]);
    }
    return all;
}

/// A fold over everything: reals in double, with what rounding takes from them.
struct fold_total {
    double real = 0, lost = 0;
    std::int64_t whole = 0;

    template <fold How, class V>
    void take(V term) {
        if constexpr (std::is_integral_v<V>) whole = How == fold::sum ? whole + term : std::max(whole, term);
        else if constexpr (How == fold::amax) real = simd::max_nan<double, 1>(real, static_cast<double>(term));
        else simd::add_exactly<double, 1>(real, lost, static_cast<double>(term));
    }
};

/// Elements in memory take in a term each. Where they take in many: floats in doubles beside, doubles with what rounding
/// takes from them.
template <fold How, class T>
void combine(T* to, double* exact, T const* term, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k) {
        if constexpr (How == fold::amax) to[k] = simd::max_nan<T, 1>(to[k], term[k]);
        else if constexpr (std::is_same_v<T, double>) {
            if (exact) simd::add_exactly<double, 1>(to[k], exact[k], term[k]);
            else to[k] += term[k];
        } else if constexpr (std::is_same_v<T, float>) {
            if (exact) exact[k] += static_cast<double>(term[k]);
            else to[k] += term[k];
        } else to[k] = static_cast<T>(to[k] + term[k]);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
