// SPDX-License-Identifier: BSL-1.0
#pragma once

// Pieces of A and B side by side, in the order in which the register tile reads them.

#include <gradus/kernel/contract/blocking.hpp>

#include <algorithm>

namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

/// r[i][j] becomes r[j][i]: each round rotates the bits of (i, j) by one.
template <class T, int W, int Round = 1>
GRADUS_PART inline void transpose(simd::detail::raw<T, W> (&r)[W]) {
    if constexpr (Round < W) {
        simd::detail::raw<T, W> s[W];
        [&]<int... L>(std::integer_sequence<int, L...>) GRADUS_PART {
            unroll<W / 2>([&](auto i) GRADUS_PART {
                constexpr int half = W / 2;
                s[2 * i] = __builtin_shufflevector(r[i], r[i + half], (L / 2 + L % 2 * W)...);
                s[2 * i + 1] = __builtin_shufflevector(r[i], r[i + half], (L / 2 + L % 2 * W + half)...);
            });
        }(std::make_integer_sequence<int, W>{});
        transpose<T, W, 2 * Round>(s);
        unroll<W>([&](auto i) GRADUS_PART { r[i] = s[i]; });
    }
}

/// k rows of B, padded with zeros to whole vectors, one after the other in panel.
template <class T, int Vectors>
GRADUS_SHARED void pack_panel(T const* b, matrix_layout lb, std::int64_t k, int columns, T* panel) {
    constexpr int W = simd::native_width<T>;
    constexpr int width = Vectors * W;
    for (int v = 0; v < Vectors; ++v) {
        int const n = std::min(W, columns - v * W);
        T const* const from = b + v * W * lb.column_stride;
        T* const to = panel + v * W;
        if (lb.column_stride == 1) {
            for (std::int64_t p = 0; p < k; ++p) {
                simd::store<T, W>(to + p * width, simd::load_partial<T, W>(from + p * lb.row_stride, n, T{0}));
            }
        } else if (lb.row_stride == 1) {
            // Blocks of W rows; the last may write beyond row k, where depth leaves room.
            for (std::int64_t p = 0; p < k; p += W) {
                int const rows = static_cast<int>(std::min<std::int64_t>(W, k - p));
                simd::detail::raw<T, W> r[W];
                unroll<W>([&](auto j) GRADUS_PART {
                    T const* const q = from + (j < n ? j : 0) * lb.column_stride + p;
                    r[j] = simd::detail::to_raw<T, W>(simd::load_partial<T, W>(q, j < n ? rows : 0, T{0}));
                });
                transpose<T, W>(r);
                unroll<W>([&](auto i) GRADUS_PART { simd::store<T, W>(to + (p + i) * width, simd::detail::from_raw<T, W>(r[i])); });
            }
        } else {
            for (std::int64_t p = 0; p < k; ++p) {
                T const* const q = from + p * lb.row_stride;
                simd::store<T, W>(to + p * width, simd::load_strided<T, W>(q, lb.column_stride, n, T{0}));
            }
        }
    }
}

/// m rows of A, rows or columns of it contiguous, in strips as high as the tile: the elements of a strip lie column after
/// column. The last may hold fewer rows and zeros. Strips are strip_size(k) apart.
template <class T>
GRADUS_SHARED void pack_strips(T const* a, matrix_layout la, std::int64_t m, std::int64_t k, T* strips) {
    constexpr int W = simd::native_width<T>, rows = tile<T>::rows;
    std::int64_t const size = strip_size<T>(k);
    if (la.row_stride == 1) {
        constexpr int V = std::min(W, rows);
        for (std::int64_t p = 0; p < k; ++p) {
            T const* const column = a + p * la.column_stride;
            T* to = strips + p * rows;
            std::int64_t i = 0;
            if constexpr (rows % V == 0 && simd::has_width<T, V>)
                for (; i + rows <= m; i += rows, to += size)
                    for (int v = 0; v < rows; v += V) simd::store<T, V>(to + v, simd::load<T, V>(column + i + v));
            for (; i < m; i += rows, to += size) {
                int const n = static_cast<int>(std::min<std::int64_t>(rows, m - i));
                // A store may write into what the next column overwrites, and behind the last one.
                for (int v = 0; v < rows; v += W)
                    simd::store<T, W>(to + v, simd::load_partial<T, W>(column + i + v, std::clamp(n - v, 0, W), T{0}));
            }
        }
        return;
    }
    constexpr int at_once = W % rows == 0 ? W / rows : 1;  // strips that one transposition fills
    for (std::int64_t i = 0; i < m; i += at_once * rows) {
        T* const to = strips + i / rows * size;
        for (std::int64_t p = 0; p < k; p += W) {
            int const n = static_cast<int>(std::min<std::int64_t>(W, k - p));
            // From below, since a store that is too wide reaches into the rows on top of the next column.
            for (int v = (at_once * rows - 1) / W * W; v >= 0; v -= W) {
                simd::detail::raw<T, W> r[W];
                unroll<W>([&](auto j) GRADUS_PART {
                    std::int64_t const row = i + v + j;
                    bool const some = v + j < at_once * rows && row < m;
                    r[j] =
                        simd::detail::to_raw<T, W>(simd::load_partial<T, W>(a + (some ? row : 0) * la.row_stride + p, some ? n : 0, T{0}));
                });
                transpose<T, W>(r);
                unroll<W>([&](auto j) GRADUS_PART {
                    if (j >= n) return;
                    if constexpr (at_once == 1) simd::store<T, W>(to + (p + j) * rows + v, simd::detail::from_raw<T, W>(r[j]));
                    else
                        for_constants<at_once>([&](auto part) GRADUS_PART {
                            [&]<int... L>(std::integer_sequence<int, L...>) GRADUS_PART {
                                auto const lanes = __builtin_shufflevector(r[j], r[j], (part * rows + L)...);
                                if (i + part * rows < m)
                                    simd::store<T, rows>(to + part * size + (p + j) * rows, simd::detail::from_raw<T, rows>(lanes));
                            }(std::make_integer_sequence<int, rows>{});
                        });
                });
            }
        }
    }
}

}  // namespace detail
}  // namespace gradus::inline GRADUS_ARCH::kernel
