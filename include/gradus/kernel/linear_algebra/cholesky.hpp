// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/linear_algebra/substitute.hpp>

#include <cmath>
#include <limits>

namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

/// The diagonal block: works on l^T, a few rows at a time, from which what the rows above make of them is subtracted in registers.
/// Elements above the diagonal of `l` are not touched.
template <class T, std::int64_t Most>
void cholesky_of_block(T* l, std::int64_t ld, std::int64_t n) {
    constexpr int W = simd::native_width<T>, rows = 4;
    constexpr std::int64_t width = 2 * W;
    static_assert(Most % width == 0 && Most % rows == 0);
    alignas(64) T u[Most * Most]{};
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j <= i; ++j) u[j * Most + i] = l[i * ld + j];
    for (std::int64_t first = 0; first < n; first += rows) {
        std::int64_t const near = first / width * width, end = std::min(n, first + rows);
        for (std::int64_t j = near; first > 0 && j < n; j += width)
            multiply_tile<T, W, rows, 2>(rows_of<T, rows>(u + first, {1, Most}), panel_of<T, W>{u + j, Most}, first, first, j,
                                         static_cast<int>(width), write_result<T>{u, Most, true, T(-1)});
        for (std::int64_t k = first; k < end; ++k) {
            T* const row = u + k * Most;
            T const root = row[k] > 0 ? std::sqrt(row[k]) : std::numeric_limits<T>::quiet_NaN();
            for (std::int64_t j = k + 1; j < n; ++j) row[j] /= root;
            row[k] = root;
            for (std::int64_t i = k + 1; i < end; ++i) subtract_multiple(u + i * Most + i, row + i, row[i], n - i);
        }
    }
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j <= i; ++j) l[i * ld + j] = u[j * Most + i];
}

/// c -= a a^T on and below the diagonal, and beside it: a panel of columns at a time, from its first row on.
template <class T>
void subtract_square(T const* a, T* c, std::int64_t ld, std::int64_t n, std::int64_t k) {
    constexpr std::int64_t width = tile<T>::columns;
    for (std::int64_t j = 0; j < n; j += width) {
        strided_matrix<T> const rows{a + j * ld, ld, 1};
        subtract_product(rows, rows.transposed(), c + j * ld + j, ld, {n - j, std::min(width, n - j), k});
    }
}

/// Halves, down to blocks (E. Peise, P. Bientinesi, Recursive algorithms for dense linear algebra: the ReLAPACK collection, 2016).
template <class T>
void cholesky_blocked(T* l, std::int64_t ld, std::int64_t n) {
    constexpr std::int64_t most = 32;
    if (n <= most) return cholesky_of_block<T, most>(l, ld, n);
    std::int64_t const half = (n / 2 + most - 1) / most * most, rest = n - half;
    cholesky_blocked(l, ld, half);
    T* const below = l + half * ld;
    substitute_blocked<T>({l, ld, 1}, false, false, below, {1, ld}, half, rest);
    subtract_square<T>(below, below + half, ld, rest, half);
    cholesky_blocked(below + half, ld, rest);
}

}  // namespace detail

/// The lower l with l l^T = (a + a^T) / 2; zeros above.
template <class T>
void cholesky(strided_matrix<T> const& a, T* l, std::int64_t n) {
    constexpr std::int64_t tile = 8;  // rows and columns of a at a time, which are lines of memory
    for (std::int64_t first = 0; first < n; first += tile)
        for (std::int64_t i = first; i < n; ++i)
            for (std::int64_t j = first; j < std::min(first + tile, i + 1); ++j) l[i * n + j] = (a(i, j) + a(j, i)) / 2;
    if constexpr (interprets) {
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j <= i; ++j) {
                T rest = l[i * n + j];
                for (std::int64_t k = 0; k < j; ++k) rest -= l[i * n + k] * l[j * n + k];
                l[i * n + j] = j < i ? rest / l[j * n + j] : rest > 0 ? std::sqrt(rest) : std::numeric_limits<T>::quiet_NaN();
            }
    } else detail::cholesky_blocked(l, n, n);
    for (std::int64_t i = 0; i < n; ++i) std::fill_n(l + i * n + i + 1, n - i - 1, T(0));
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
