// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/contract.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

// What kernels on one matrix share.
namespace gradus::inline GRADUS_ARCH::kernel {

/// An operand: where its rows and columns lie.
template <class T>
struct strided_matrix {
    T const* data;
    std::int64_t row, column;

    T operator()(std::int64_t i, std::int64_t j) const { return data[i * row + j * column]; }
    strided_matrix transposed() const { return {data, column, row}; }
    /// What lies from row i and column j on.
    strided_matrix from(std::int64_t i, std::int64_t j) const { return {data + i * row + j * column, row, column}; }
    /// The last row and column first.
    strided_matrix backwards(std::int64_t n) const { return {data + (n - 1) * (row + column), -row, -column}; }
    matrix_layout layout() const { return {row, column}; }
};

/// to -= factor from, for rows that do not overlap.
template <class T>
void subtract_multiple(T* __restrict to, T const* __restrict from, T factor, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) to[j] -= factor * from[j];
}
template <class T>
void copy_matrix(strided_matrix<T> const& from, T* to, std::int64_t rows, std::int64_t columns) {
    constexpr std::int64_t tile = 16;  // lines of memory are read while they are near
    if (from.column == 1 || rows == 1 || columns == 1) {
        for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t j = 0; j < columns; ++j) to[i * columns + j] = from(i, j);
        return;
    }
    for (std::int64_t first = 0; first < columns; first += tile)
        for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t j = first; j < std::min(columns, first + tile); ++j) to[i * columns + j] = from(i, j);
}
template <class T>
void exchange_rows(T* x, std::int64_t i, std::int64_t j, std::int64_t columns, std::int64_t ld) {
    if (i == j) return;
    for (std::int64_t k = 0; k < columns; ++k) std::swap(x[i * ld + k], x[j * ld + k]);
}
template <class T>
void exchange_rows(T* x, std::int64_t i, std::int64_t j, std::int64_t columns) {
    exchange_rows(x, i, j, columns, columns);
}

/// C -= A B; C is row-major and overlaps neither A nor B.
template <class T>
void subtract_product(strided_matrix<T> a, strided_matrix<T> b, T* c, std::int64_t ldc, contract_extents e) {
    if (e.m <= 0 || e.n <= 0 || e.k <= 0) return;
    if (e.m > 1 && e.n > 1) return detail::multiply_blocked<T>(a.data, a.layout(), b.data, b.layout(), {c, ldc, true, T(-1)}, e, {});
    constexpr std::int64_t piece = 256;
    T negative[piece];
    for (std::int64_t k = 0; k < e.k; k += piece) {
        std::int64_t const count = std::min(piece, e.k - k);
        if (e.n == 1) {
            for (std::int64_t p = 0; p < count; ++p) negative[p] = -b(k + p, 0);
            detail::multiply_vector<T>(a.from(0, k).data, a.layout(), negative, 1, c, ldc, e.m, count, true);
        } else {
            for (std::int64_t p = 0; p < count; ++p) negative[p] = -a(0, k + p);
            detail::multiply_vector<T>(b.from(k, 0).data, {b.column, b.row}, negative, 1, c, std::int64_t{1}, e.n, count, true);
        }
    }
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
