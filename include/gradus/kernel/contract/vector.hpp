// SPDX-License-Identifier: BSL-1.0
#pragma once

// y = A * x for any strides. The order of every sum depends on the extents alone.

#include <gradus/core/target.hpp>
#include <gradus/kernel/contract/tile.hpp>
#include <gradus/kernel/reduce.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::kernel {

namespace detail {

/// y = A * x by rows, for contiguous rows of A: a dot product for each lane at a time, then one by one.
template <class T>
GRADUS_SHARED void multiply_rows(T const* a, std::int64_t lda, T const* x, T* y, std::int64_t stride, std::int64_t m, std::int64_t k,
                                 bool add) {
    constexpr int W = simd::native_width<T>;
    // Eight sums hide the latency of fma.
    auto const dots = [&]<int Rows, int Parts>(std::int64_t i, auto& sum, std::integral_constant<int, Rows>,
                                               std::integral_constant<int, Parts>) GRADUS_PART {
        unroll<Rows>([&](auto r)
                         GRADUS_PART { unroll<Parts>([&](auto part) GRADUS_PART { sum[r][part] = simd::broadcast<T, W>(T{0}); }); });
        T const* const top = a + i * lda;
        std::int64_t p = 0;
        for (; p + Parts * W <= k; p += Parts * W) {
            unroll<Parts>([&](auto part) GRADUS_PART {
                auto const right = simd::load<T, W>(x + p + part * W);
                unroll<Rows>([&](auto r) GRADUS_PART {
                    sum[r][part] = simd::fma<T, W>(simd::load<T, W>(top + r * lda + p + part * W), right, sum[r][part]);
                });
            });
        }
        for (; p < k; p += W) {
            int const n = static_cast<int>(std::min<std::int64_t>(W, k - p));
            auto const right = simd::load_partial<T, W>(x + p, n, T{0});
            unroll<Rows>([&](auto r) GRADUS_PART {
                sum[r][0] = simd::fma<T, W>(simd::load_partial<T, W>(top + r * lda + p, n, T{0}), right, sum[r][0]);
            });
        }
        unroll<Rows>([&](auto r)
                         GRADUS_PART { unroll<Parts - 1>([&](auto part) GRADUS_PART { sum[r][0] = sum[r][0] + sum[r][part + 1]; }); });
    };
    std::int64_t i = 0;
    if constexpr (W > 1) {
        constexpr int parts = W < 8 ? 8 / W : 1;
        for (; i + W <= m; i += W) {
            simd::vec<T, W> sum[W][parts];
            dots(i, sum, std::integral_constant<int, W>{}, std::integral_constant<int, parts>{});
            simd::detail::raw<T, W> r[W];
            unroll<W>([&](auto row) GRADUS_PART { r[row] = simd::detail::to_raw<T, W>(sum[row][0]); });
            auto const all = simd::detail::fold_lanes<T, W>(r, [](auto low, auto high) GRADUS_PART { return low + high; });
            if (stride == 1) {
                auto const v = simd::detail::from_raw<T, W>(all);
                simd::store<T, W>(y + i, add ? simd::load<T, W>(y + i) + v : v);
            } else {
                unroll<W>([&](auto row) GRADUS_PART {
                    T& to = y[(i + row) * stride];
                    to = add ? to + all[int{row}] : all[int{row}];
                });
            }
        }
    }
    for (; i < m; ++i) {
        simd::vec<T, W> sum[1][4];
        dots(i, sum, std::integral_constant<int, 1>{}, std::integral_constant<int, 4>{});
        T const dot = simd::reduce_add<T, W>(sum[0][0]);
        T& to = y[i * stride];
        to = add ? to + dot : dot;
    }
}

/// Sums to where they belong: one function for all that compute them.
template <class T>
[[gnu::noinline]] void put_strided(T const* sums, int count, T* y, std::int64_t stride, bool add) {
    for (int r = 0; r < count; ++r) {
        T& to = y[r * stride];
        to = add ? to + sums[r] : sums[r];
    }
}

/// y = A * x by columns, for contiguous columns of A and so few rows that y stays in registers: as many columns at a time as
/// make eight sums. The last of the `Vectors` has n rows.
template <class T, int Vectors, bool Whole>
GRADUS_SHARED void multiply_few_rows(T const* a, std::int64_t lda, T const* x, std::int64_t x_stride, T* y, std::int64_t y_stride, int n,
                                     std::int64_t k, bool add) {
    constexpr int W = simd::native_width<T>, parts = Vectors < 8 ? 8 / Vectors : 1;
    simd::vec<T, W> sum[parts][Vectors];
    unroll<parts>([&](auto part) GRADUS_PART { unroll<Vectors>([&](auto v) GRADUS_PART { sum[part][v] = simd::broadcast<T, W>(T{0}); }); });
    auto const column = [&](auto part, std::int64_t p) GRADUS_PART {
        auto const factor = simd::broadcast<T, W>(x[p * x_stride]);
        unroll<Vectors>([&](auto v) GRADUS_PART {
            T const* const q = a + p * lda + v * W;
            auto const left = Whole ? simd::load<T, W>(q) : simd::load_partial<T, W>(q, n, T{0});
            sum[part][v] = simd::fma<T, W>(left, factor, sum[part][v]);
        });
    };
    std::int64_t p = 0;
    for (; p + parts <= k; p += parts) {
        unroll<parts>([&](auto part) GRADUS_PART { column(part, p + part); });
    }
    for (; p < k; ++p) { column(std::integral_constant<int, 0>{}, p); }
    unroll<Vectors>([&](auto v)
                        GRADUS_PART { unroll<parts - 1>([&](auto part) GRADUS_PART { sum[0][v] = sum[0][v] + sum[part + 1][v]; }); });
    if (Whole && y_stride == 1 && !add) {
        unroll<Vectors>([&](auto v) GRADUS_PART { simd::store<T, W>(y + v * W, sum[0][v]); });
    } else {
        alignas(64) T all[Vectors * W];
        unroll<Vectors>([&](auto v) GRADUS_PART { simd::store<T, W>(all + v * W, sum[0][v]); });
        put_strided(all, (Vectors - 1) * W + n, y, y_stride, add);
    }
}

/// The same for at most eight vectors of rows, split into powers of two.
template <class T, int Vectors = 8>
void multiply_few(T const* a, std::int64_t lda, T const* x, std::int64_t x_stride, T* y, std::int64_t y_stride, std::int64_t m,
                  std::int64_t k, bool add) {
    constexpr int W = simd::native_width<T>;
    for (; m >= Vectors * W; m -= Vectors * W, a += Vectors * W, y += Vectors * W * y_stride) {
        multiply_few_rows<T, Vectors, true>(a, lda, x, x_stride, y, y_stride, W, k, add);
    }
    if constexpr (Vectors > 1) {
        multiply_few<T, Vectors / 2>(a, lda, x, x_stride, y, y_stride, m, k, add);
    } else if (m > 0) {
        multiply_few_rows<T, 1, false>(a, lda, x, x_stride, y, y_stride, static_cast<int>(m), k, add);
    }
}

/// y = A * x by columns, for contiguous columns of A: a piece of y stays in cache while four columns at a time pass.
template <class T>
GRADUS_SHARED void multiply_columns(T const* a, std::int64_t lda, T const* x, std::int64_t x_stride, T* y, std::int64_t y_stride,
                                    std::int64_t m, std::int64_t k, bool add) {
    constexpr int W = simd::native_width<T>;
    constexpr std::int64_t piece = 1024, most = 2 * target::plain_terms;
    alignas(64) T sum[piece], total[piece], lost[piece];
    for (std::int64_t i = 0; i < m; i += piece) {
        std::int64_t const rows = std::min(piece, m - i);
        std::fill_n(sum, (rows + W - 1) / W * W, T{0});
        auto const columns = [&]<int Count>(std::int64_t p, std::integral_constant<int, Count>) {
            T const* const top = a + i + p * lda;
            simd::vec<T, W> factor[Count];
            unroll<Count>([&](auto q) { factor[q] = simd::broadcast<T, W>(x[(p + q) * x_stride]); });
            auto const step = [&](std::int64_t r, int n) GRADUS_PART {
                auto s = simd::load<T, W>(sum + r);
                unroll<Count>([&](auto q)
                                  GRADUS_PART { s = simd::fma<T, W>(simd::load_partial<T, W>(top + q * lda + r, n, T{0}), factor[q], s); });
                simd::store<T, W>(sum + r, s);
            };
            std::int64_t r = 0;
            for (; r + W <= rows; r += W) { step(r, W); }
            if (r < rows) { step(r, static_cast<int>(rows - r)); }
        };
        std::int64_t p = 0;
        for (; p + 4 <= k; p += 4) {
            if (p > 0 && p % most == 0) {
                if (p == most) std::fill_n(total, rows, T{0}), std::fill_n(lost, rows, T{0});
                compensate_in_memory<T, W>(total, lost, sum, rows);
            }
            columns(p, std::integral_constant<int, 4>{});
        }
        for (; p < k; ++p) { columns(p, std::integral_constant<int, 1>{}); }
        if (p >= most + 4) finish_in_memory<T, W>(total, lost, sum, rows);
        for (std::int64_t r = 0; r < rows; ++r) {
            T& to = y[(i + r) * y_stride];
            to = add ? to + sum[r] : sum[r];
        }
    }
}

/// y = A * x, `piece` columns at a time: multiply(row, rows, column, columns, sum) computes the sums of some of them.
template <class T>
void multiply_in_pieces(T* y, std::int64_t y_stride, std::int64_t m, std::int64_t k, std::int64_t piece, bool add, auto multiply) {
    constexpr int W = simd::native_width<T>;
    constexpr std::int64_t most = 8 * W;
    alignas(64) T sum[most], total[most], lost[most];
    for (std::int64_t i = 0; i < m; i += most) {
        std::int64_t const rows = std::min(most, m - i);
        std::fill_n(total, rows, T{0});
        std::fill_n(lost, rows, T{0});
        for (std::int64_t p = 0; p < k; p += piece) {
            multiply(i, rows, p, std::min(piece, k - p), sum);
            if (p + piece < k) compensate_in_memory<T, W>(total, lost, sum, rows);
        }
        finish_in_memory<T, W>(total, lost, sum, rows);
        for (std::int64_t r = 0; r < rows; ++r) {
            T& to = y[(i + r) * y_stride];
            to = add ? to + sum[r] : sum[r];
        }
    }
}

/// y = A * x for any strides.
template <class T>
void multiply_vector(T const* a, matrix_layout la, T const* x, std::int64_t x_stride, T* y, std::int64_t y_stride, std::int64_t m,
                     std::int64_t k, bool add) {
    constexpr int W = simd::native_width<T>, of_few = 8 * W;
    std::int64_t const few = 2 * target::plain_terms * (m <= W ? 8 : 1), row = target::plain_terms * W * (m < W ? 4 : 1);
    if (la.row_stride == 1 && la.column_stride != 1) {
        if (m > of_few) return multiply_columns(a, la.column_stride, x, x_stride, y, y_stride, m, k, add);
        if (k <= few) return multiply_few(a, la.column_stride, x, x_stride, y, y_stride, m, k, add);
        multiply_in_pieces(y, y_stride, m, k, few, add, [&](std::int64_t i, std::int64_t rows, std::int64_t p, std::int64_t n, T* sum) {
            multiply_few(a + i + p * la.column_stride, la.column_stride, x + p * x_stride, x_stride, sum, 1, rows, n, false);
        });
    } else if (la.column_stride == 1 && x_stride == 1) {
        if (k <= row) return multiply_rows(a, la.row_stride, x, y, y_stride, m, k, add);
        multiply_in_pieces(y, y_stride, m, k, row, add, [&](std::int64_t i, std::int64_t rows, std::int64_t p, std::int64_t n, T* sum) {
            multiply_rows(a + i * la.row_stride + p, la.row_stride, x + p, sum, 1, rows, n, false);
        });
    } else {
        // A piece of x, and of the row where that is strided too, side by side.
        constexpr std::int64_t piece = 1024;
        alignas(64) T near[piece], line[piece];
        multiply_in_pieces(y, y_stride, m, k, piece, add,
                           [&](std::int64_t first, std::int64_t rows, std::int64_t p, std::int64_t n, T* sum) {
                               for (std::int64_t q = 0; q < n; ++q) { near[q] = x[(p + q) * x_stride]; }
                               T const* const from = a + first * la.row_stride + p * la.column_stride;
                               if (la.column_stride == 1) return multiply_rows(from, la.row_stride, near, sum, 1, rows, n, false);
                               for (std::int64_t i = 0; i < rows; ++i) {
                                   for (std::int64_t q = 0; q < n; ++q) { line[q] = from[i * la.row_stride + q * la.column_stride]; }
                                   multiply_rows(line, n, near, sum + i, 1, 1, n, false);
                               }
                           });
    }
}

}  // namespace detail
}  // namespace gradus::inline GRADUS_ARCH::kernel
