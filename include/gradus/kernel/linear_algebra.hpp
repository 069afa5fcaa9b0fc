// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

// Kernels on one matrix: factorizations and substitutions. Results are row-major, n rows of `columns` elements; operands have
// strides. Innermost loops go along rows, so that they are SIMD loops. Where a matrix is singular or not positive definite,
// infinities and NaN come out: nothing branches on them, and pivots are checked before they are used as places.
namespace gradus::inline GRADUS_ARCH::kernel {

/// An operand: where its rows and columns lie.
template <class T>
struct strided_matrix {
    T const* data;
    std::int64_t row, column;

    T operator()(std::int64_t i, std::int64_t j) const { return data[i * row + j * column]; }
    strided_matrix transposed() const { return {data, column, row}; }
};

/// to -= factor from, for rows that do not overlap.
template <class T>
void subtract_multiple(T* __restrict to, T const* __restrict from, T factor, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) to[j] -= factor * from[j];
}
template <class T>
void copy_matrix(strided_matrix<T> const& from, T* to, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) to[i * columns + j] = from(i, j);
}
template <class T>
void exchange_rows(T* x, std::int64_t i, std::int64_t j, std::int64_t columns) {
    if (i == j) return;
    for (std::int64_t k = 0; k < columns; ++k) core::exchange(x[i * columns + k], x[j * columns + k]);
}

/// x becomes t^-1 x for the lower or upper triangle t of a; `unit`: its diagonal counts as ones.
template <class T>
void substitute(strided_matrix<T> const& a, bool upper, bool unit, T* x, std::int64_t n, std::int64_t columns) {
    for (std::int64_t step = 0; step < n; ++step) {
        std::int64_t const i = upper ? n - 1 - step : step;
        T* const row = x + i * columns;
        for (std::int64_t k = upper ? i + 1 : 0; k < (upper ? n : i); ++k) subtract_multiple(row, x + k * columns, a(i, k), columns);
        if (unit) continue;
        T const pivot = a(i, i);
        for (std::int64_t j = 0; j < columns; ++j) row[j] /= pivot;
    }
}

/// The lower l with l l^T = (a + a^T) / 2. Works on l^T, whose rows are what the innermost loop subtracts, and turns it at the end.
template <class T>
void cholesky(strided_matrix<T> const& a, T* l, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = i; j < n; ++j) l[i * n + j] = (a(i, j) + a(j, i)) / 2;
    for (std::int64_t k = 0; k < n; ++k) {
        T* const row = l + k * n;
        T const root = row[k] > 0 ? std::sqrt(row[k]) : std::numeric_limits<T>::quiet_NaN();
        row[k] = root;
        for (std::int64_t j = k + 1; j < n; ++j) row[j] /= root;
        for (std::int64_t i = k + 1; i < n; ++i) subtract_multiple(l + i * n + i, row + i, row[i], n - i);
    }
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < i; ++j) {
            l[i * n + j] = l[j * n + i];
            l[j * n + i] = 0;
        }
}

/// f becomes the factors of a, and a row more that says which row was exchanged with row k: Gaussian elimination, the largest
/// element of a column being its pivot. A column of zeros is passed over.
template <class T>
void lu_factor(strided_matrix<T> const& a, T* f, std::int64_t n) {
    copy_matrix(a, f, n, n);
    for (std::int64_t k = 0; k < n; ++k) {
        std::int64_t pivot = k;
        for (std::int64_t i = k + 1; i < n; ++i)
            if (std::abs(f[i * n + k]) > std::abs(f[pivot * n + k])) pivot = i;
        f[n * n + k] = static_cast<T>(pivot);
        exchange_rows(f, k, pivot, n);
        T const* const row = f + k * n;
        if (row[k] == 0) continue;
        for (std::int64_t i = k + 1; i < n; ++i) {
            T* const other = f + i * n;
            other[k] /= row[k];
            subtract_multiple(other + k + 1, row + k + 1, other[k], n - k - 1);
        }
    }
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
