// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/linear_algebra/substitute.hpp>

// Reverse mode through a Cholesky factorization, step by step backwards (I. Murray, Differentiation of the Cholesky decomposition, 2016,
// the blocked form): twice the work of the factorization, where the closed form is two substitutions and a product.
namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

/// Column after column, the last one first. The rows of h above its diagonal hold the column that is being made.
template <class T>
void cholesky_slope_of_block(strided_matrix<T> const& l, T* h, std::int64_t ld, std::int64_t n) {
    for (std::int64_t k = n - 1; k >= 0; --k) {
        T* const row = h + k * ld;
        T const root = l(k, k);
        for (std::int64_t j = k + 1; j < n; ++j) row[j] = h[j * ld + k];
        for (std::int64_t j = k + 1; j < n; ++j) subtract_multiple(row + k + 1, h + j * ld + k + 1, l(j, k), n - k - 1);
        for (std::int64_t j = k + 1; j < n; ++j) {
            h[j * ld + k] = row[j] /= root;
            row[k] -= row[j] * l(j, k);
        }
        row[k] /= root;
    }
}

/// The lower triangle of h, derivatives by l, becomes the symmetric matrix of twice the derivatives by l l^T: halves, the second first.
template <class T>
void cholesky_slope_blocked(strided_matrix<T> const& l, T* h, std::int64_t ld, std::int64_t n) {
    constexpr std::int64_t most = 16, width = tile<T>::columns;
    if (n <= most) return cholesky_slope_of_block(l, h, ld, n);
    std::int64_t const half = (n / 2 + most - 1) / most * most, rest = n - half;
    T* const below = h + half * ld;
    strided_matrix<T> const factors = l.from(half, 0), slopes{below, ld, 1};
    cholesky_slope_blocked(l.from(half, half), below + half, ld, rest);
    subtract_product<T>({below + half, ld, 1}, factors, below, ld, {rest, half, rest});
    substitute_blocked<T>(l.transposed(), true, false, below, {1, ld}, half, rest);
    for (std::int64_t j = 0; j < half; j += width)  // on and below the diagonal
        subtract_product(slopes.from(0, j).transposed(), factors.from(0, j), h + j * ld + j, ld,
                         {half - j, std::min(width, half - j), rest});
    cholesky_slope_blocked(l, h, ld, half);
    constexpr std::int64_t tile_rows = 8;
    for (std::int64_t first = 0; first < rest; first += tile_rows)
        for (std::int64_t j = 0; j < half; ++j)
            for (std::int64_t i = first; i < std::min(rest, first + tile_rows); ++i) h[j * ld + half + i] = below[i * ld + j];
}

}  // namespace detail

/// h becomes the symmetric derivative of what has the derivative g by the factor l, by the matrix that l is of. Of l and g the lower
/// triangles are read.
template <class T>
void cholesky_slope(strided_matrix<T> const& l, strided_matrix<T> const& g, T* h, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j <= i; ++j) h[i * n + j] = g(i, j);
    if constexpr (interprets) detail::cholesky_slope_of_block(l, h, n, n);
    else detail::cholesky_slope_blocked(l, h, n, n);
    for (std::int64_t i = 0; i < n * n; ++i) h[i] /= 2;
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
