// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/linear_algebra/substitute.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

/// Row-major matrices whose rows are ld apart, the first row being row `before` of the whole one; `pivots` is of the whole one.
template <class T>
struct lu_part {
    T* f;
    std::int64_t ld, rows, columns, before;
    T* pivots;

    /// The row that was exchanged with row k of this part.
    std::int64_t pivot(std::int64_t k) const { return static_cast<std::int64_t>(pivots[before + k]) - before; }
    lu_part left(std::int64_t count) const { return {f, ld, rows, count, before, pivots}; }
    lu_part rest(std::int64_t k) const { return {f + k * (ld + 1), ld, rows - k, columns - k, before + k, pivots}; }
};

/// Columns of a part that its first `rows` exchanges are made in.
template <class T>
void make_exchanges(lu_part<T> const& of, T* columns, std::int64_t count, std::int64_t rows) {
    for (std::int64_t k = 0; k < rows; ++k) exchange_rows(columns, k, of.pivot(k), count, of.ld);
}

/// Step k of an elimination: the largest element of column k on and below row k becomes its pivot. False where there is none but 0.
template <class T>
bool take_pivot(lu_part<T> const& p, std::int64_t k) {
    std::int64_t pivot = k;
    T largest = std::abs(p.f[k * p.ld + k]);
    for (std::int64_t i = k + 1; i < p.rows; ++i)
        if (T const x = std::abs(p.f[i * p.ld + k]); x > largest) largest = x, pivot = i;
    p.pivots[p.before + k] = static_cast<T>(pivot + p.before);
    exchange_rows(p.f, k, pivot, p.columns, p.ld);
    return p.f[k * p.ld + k] != 0;
}
/// Few columns, one elimination after the other.
template <class T>
void lu_of_columns(lu_part<T> const& p) {
    for (std::int64_t k = 0; k < p.columns; ++k) {
        if (!take_pivot(p, k)) continue;
        T const* const row = p.f + k * p.ld;
        for (std::int64_t i = k + 1; i < p.rows; ++i) {
            T* const other = p.f + i * p.ld;
            other[k] /= row[k];
            subtract_multiple(other + k + 1, row + k + 1, other[k], p.columns - k - 1);
        }
    }
}
/// The same for whole vectors of columns.
template <class T, int Columns>
void lu_of_vectors(lu_part<T> const& p) {
    constexpr int W = std::min(Columns, simd::native_width<T>), vectors = Columns / W;
    for_constants<Columns>([&](auto k) {
        if (!take_pivot(p, k)) return;
        constexpr int first = k / W;  // vectors before have no columns behind column k
        T const pivot = p.f[k * p.ld + k];
        simd::vec<T, W> row[vectors];
        unroll<vectors>([&](auto v) __attribute__((always_inline)) { row[v] = simd::load<T, W>(p.f + k * p.ld + v * W); });
        for (std::int64_t i = k + 1; i < p.rows; ++i) {
            T* const other = p.f + i * p.ld;
            T const factor = other[k] / pivot;
            auto const negative = simd::broadcast<T, W>(-factor);
            unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                if (v < first) return;
                auto const x = simd::load<T, W>(other + v * W), less = simd::fma<T, W>(negative, row[v], x);
                simd::store<T, W>(other + v * W, v == first ? simd::select<T, W>(simd::first<T, W>(k % W + 1), x, less) : less);
            });
            other[k] = factor;
        }
    });
}
/// Halves of the columns (S. Toledo, Locality of reference in LU decomposition with partial pivoting, 1997).
template <class T>
void lu_blocked(lu_part<T> const& p) {
    constexpr int most = std::max(8, simd::native_width<T>);
    if (p.columns == most) return lu_of_vectors<T, most>(p);
    if (p.columns < most) return lu_of_columns(p);
    std::int64_t const half = (p.columns / 2 + most - 1) / most * most, columns = p.columns - half;
    lu_blocked(p.left(half));
    T* const right = p.f + half;
    T* const below = p.f + half * p.ld;
    make_exchanges(p, right, columns, half);
    substitute_blocked<T>({p.f, p.ld, 1}, false, true, right, {p.ld, 1}, half, columns);
    subtract_product<T>({below, p.ld, 1}, {right, p.ld, 1}, below + half, p.ld, {p.rows - half, columns, half});
    lu_part<T> const rest = p.rest(half);
    lu_blocked(rest);
    make_exchanges(rest, below, half, std::min(rest.columns, rest.rows));
}

}  // namespace detail

/// f becomes the factors of a, and a row more that says which row was exchanged with row k: Gaussian elimination, the largest
/// element of a column being its pivot. A column of zeros is passed over.
template <class T>
void lu_factor(strided_matrix<T> const& a, T* f, std::int64_t n) {
    copy_matrix(a, f, n, n);
    detail::lu_part<T> const whole{f, n, n, n, 0, f + n * n};
    if constexpr (interprets) detail::lu_of_columns(whole);
    else detail::lu_blocked(whole);
}
/// The row that was exchanged with row k; k where the element is no number of a row.
template <class T>
std::int64_t pivot_of(strided_matrix<T> const& f, std::int64_t k, std::int64_t n) {
    T const place = f(n, k);
    return place >= 0 && place < static_cast<T>(n) ? static_cast<std::int64_t>(place) : k;
}
/// x becomes a^-1 x, or a^-T x, for the factors f of a.
template <class T>
void lu_solve(strided_matrix<T> const& f, bool transposed, T* x, std::int64_t n, std::int64_t columns) {
    if (transposed) {
        substitute(f.transposed(), false, false, x, n, columns);
        substitute(f.transposed(), true, true, x, n, columns);
        for (std::int64_t k = n - 1; k >= 0; --k) exchange_rows(x, k, pivot_of(f, k, n), columns);
    } else {
        for (std::int64_t k = 0; k < n; ++k) exchange_rows(x, k, pivot_of(f, k, n), columns);
        substitute(f, false, true, x, n, columns);
        substitute(f, true, false, x, n, columns);
    }
}
/// The determinant of a matrix with the factors f (0), the logarithm of its absolute value (1), or its sign (2).
template <class T>
T lu_determinant(strided_matrix<T> const& f, std::int64_t n, int which) {
    T result = which == 1 ? T(0) : T(1);
    for (std::int64_t k = 0; k < n; ++k) {
        T const d = f(k, k);
        if (which == 1) result += std::log(std::abs(d));
        else result *= (pivot_of(f, k, n) == k ? 1 : -1) * (which == 0 ? d : d > 0 ? T(1) : d < 0 ? T(-1) : d);
    }
    return result;
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
