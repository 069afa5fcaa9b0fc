// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/linear_algebra/matrix.hpp>

// Substitution by blocks: a column of vectors of the right side is packed, its rows are solved a few at a time in registers
// (F. Van Zee, R. van de Geijn, BLIS: a framework for rapidly instantiating BLAS functionality, 2015), and what is left of a block is
// subtracted as a product.
namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

/// Row after row. Elements are numbers, or vectors with a number of every instance.
template <class E>
void substitute_plain(strided_matrix<E> const& a, bool upper, bool unit, E* x, std::int64_t n, std::int64_t columns) {
    for (std::int64_t step = 0; step < n; ++step) {
        std::int64_t const i = upper ? n - 1 - step : step;
        E* const row = x + i * columns;
        for (std::int64_t k = upper ? i + 1 : 0; k < (upper ? n : i); ++k) subtract_multiple(row, x + k * columns, a(i, k), columns);
        if (unit) continue;
        E const pivot = a(i, i);
        for (std::int64_t j = 0; j < columns; ++j) row[j] /= pivot;
    }
}

/// Rows i .. i + Rows - 1 of a packed panel, the rows above them being solved; `a` is read on and below its diagonal. Rows of
/// the panel are `step` apart, which is negative where the last one comes first.
template <class T, int Rows, int Vectors>
[[gnu::always_inline]] inline void solve_rows(strided_matrix<T> const& a, bool unit, T* panel, std::int64_t step, std::int64_t i) {
    constexpr int W = simd::native_width<T>;
    rows_of<T, Rows> const left(a.data + i * a.row, a.layout());
    simd::vec<T, W> x[Rows][Vectors];
    unroll<Rows>([&](auto r) __attribute__((always_inline)) {
        unroll<Vectors>([&](auto v) __attribute__((always_inline)) { x[r][v] = simd::broadcast<T, W>(T(0)); });
    });
    for (std::int64_t p = 0; p < i; ++p) {
        simd::vec<T, W> b[Vectors];
        unroll<Vectors>([&](auto v) __attribute__((always_inline)) { b[v] = simd::load<T, W>(panel + p * step + v * W); });
        unroll<Rows>([&](auto r) __attribute__((always_inline)) {
            auto const factor = simd::broadcast<T, W>(left(r, p));
            unroll<Vectors>([&](auto v) __attribute__((always_inline)) { x[r][v] = simd::fma<T, W>(factor, b[v], x[r][v]); });
        });
    }
    unroll<Rows>([&](auto r) __attribute__((always_inline)) {
        T* const to = panel + (i + r) * step;
        unroll<Vectors>([&](auto v) __attribute__((always_inline)) { x[r][v] = simd::load<T, W>(to + v * W) - x[r][v]; });
        unroll<Rows>([&](auto q) __attribute__((always_inline)) {
            if (q >= r) return;
            auto const factor = simd::broadcast<T, W>(-left(r, i + q));
            unroll<Vectors>([&](auto v) __attribute__((always_inline)) { x[r][v] = simd::fma<T, W>(factor, x[q][v], x[r][v]); });
        });
        if (!unit) {
            auto const pivot = simd::broadcast<T, W>(left(r, i + r));
            unroll<Vectors>([&](auto v) __attribute__((always_inline)) { x[r][v] = x[r][v] / pivot; });
        }
        unroll<Vectors>([&](auto v) __attribute__((always_inline)) { simd::store<T, W>(to + v * W, x[r][v]); });
    });
}
/// The first rows, of which there is no whole tile, are those with the least to subtract.
template <class T, int Vectors>
void solve_panel(strided_matrix<T> const& a, bool unit, T* panel, std::int64_t step, std::int64_t n) {
    constexpr int rows = tile<T>::rows;
    std::int64_t i = 0;
    for (; i < n % rows; ++i) solve_rows<T, 1, Vectors>(a, unit, panel, step, i);
    for (; i < n; i += rows) solve_rows<T, rows, Vectors>(a, unit, panel, step, i);
}

/// The opposite of pack_panel: rows or columns of x are contiguous, or neither.
template <class T, int Vectors>
void unpack_panel(T const* panel, T* x, matrix_layout l, std::int64_t k, int columns) {
    constexpr int W = simd::native_width<T>, width = Vectors * W;
    for (int v = 0; v < Vectors; ++v) {
        int const n = std::min(W, columns - v * W);
        T const* const from = panel + v * W;
        T* const to = x + v * W * l.column_stride;
        if (l.column_stride == 1) {
            for (std::int64_t p = 0; p < k; ++p) simd::store_partial<T, W>(to + p * l.row_stride, simd::load<T, W>(from + p * width), n);
            continue;
        }
        std::int64_t p = 0;
        for (; l.row_stride == 1 && p + W <= k; p += W) {
            simd::detail::raw<T, W> r[W];
            unroll<W>([&](auto i)
                          __attribute__((always_inline)) { r[i] = simd::detail::to_raw<T, W>(simd::load<T, W>(from + (p + i) * width)); });
            transpose<T, W>(r);
            for (int j = 0; j < n; ++j) simd::store<T, W>(to + j * l.column_stride + p, simd::detail::from_raw<T, W>(r[j]));
        }
        for (; p < k; ++p)
            for (int j = 0; j < n; ++j) to[p * l.row_stride + j * l.column_stride] = from[p * width + j];
    }
}

/// One column of the right side: what is solved leaves the rest of its block at once.
template <class T>
void substitute_vector(strided_matrix<T> const& a, bool unit, T* x, std::int64_t step, std::int64_t n) {
    constexpr std::int64_t block = 64;
    for (std::int64_t k = 0; k < n; k += block) {
        std::int64_t const end = std::min(n, k + block);
        for (std::int64_t j = k; j < end; ++j) {
            T const solved = unit ? x[j * step] : x[j * step] / a(j, j);
            x[j * step] = solved;
            for (std::int64_t i = j + 1; i < end; ++i) x[i * step] -= a(i, j) * solved;
        }
        subtract_product<T>(a.from(end, k), {x + k * step, step, 1}, x + end * step, step, {n - end, 1, end - k});
    }
}

/// The triangle of a block on some columns of x, packed on the way.
template <class T, int Vectors>
void substitute_columns(strided_matrix<T> const& a, bool upper, bool unit, T* x, matrix_layout l, std::int64_t n, int columns, T* panel) {
    constexpr std::int64_t width = Vectors * tile<T>::width;
    pack_panel<T, Vectors>(x, l, n, columns, panel);
    if (upper) solve_panel<T, Vectors>(a.backwards(n), unit, panel + (n - 1) * width, -width, n);
    else solve_panel<T, Vectors>(a, unit, panel, width, n);
    unpack_panel<T, Vectors>(panel, x, l, n, columns);
}
/// x becomes t^-1 x for the lower or upper triangle t of a; rows or columns of x are contiguous.
template <class T>
void substitute_blocked(strided_matrix<T> const& a, bool upper, bool unit, T* x, matrix_layout l, std::int64_t n, std::int64_t columns) {
    using t = tile<T>;
    constexpr std::int64_t depth = t::depth / 2;
    alignas(64) T panel[(depth + t::width) * t::columns];
    for (std::int64_t done = 0; done < n; done += depth) {
        std::int64_t const count = std::min(depth, n - done), left = n - done - count, k = upper ? left : done;
        T* const solved = x + k * l.row_stride;
        strided_matrix<T> const block = a.from(k, k);
        for (std::int64_t j = 0; j < columns; j += t::columns) {
            int const some = static_cast<int>(std::min<std::int64_t>(t::columns, columns - j));
            T* const at = solved + j * l.column_stride;
            if (some <= t::width) substitute_columns<T, 1>(block, upper, unit, at, l, count, some, panel);
            else substitute_columns<T, 2>(block, upper, unit, at, l, count, some, panel);
        }
        std::int64_t const first = upper ? 0 : k + count;
        strided_matrix<T> const factors = a.from(first, k), known{solved, l.row_stride, l.column_stride};
        T* const rest = x + first * l.row_stride;
        if (l.column_stride == 1) subtract_product(factors, known, rest, l.row_stride, {left, columns, count});
        else subtract_product(known.transposed(), factors.transposed(), rest, l.column_stride, {columns, left, count});
    }
}

}  // namespace detail

/// x becomes t^-1 x for the lower or upper triangle t of a; `unit`: its diagonal counts as ones. x is row-major.
template <class T>
void substitute(strided_matrix<T> const& a, bool upper, bool unit, T* x, std::int64_t n, std::int64_t columns) {
    constexpr std::int64_t little = 512;  // elements of a and x that are read before packing pays
    if (n <= 0 || columns <= 0) return;
    if (interprets || n * n * columns <= little) {
        detail::substitute_plain(a, upper, unit, x, n, columns);
    } else if constexpr (!interprets) {
        if (columns > 1) detail::substitute_blocked(a, upper, unit, x, {columns, 1}, n, columns);
        else if (upper) detail::substitute_vector(a.backwards(n), unit, x + n - 1, -1, n);  // the last row is the first one to be solved
        else detail::substitute_vector(a, unit, x, 1, n);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
