// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/short_list.hpp>
#include <gradus/core/target.hpp>
#include <gradus/kernel/contract/blocking.hpp>
#include <gradus/kernel/reduce.hpp>

#include <algorithm>

namespace gradus::inline GRADUS_ARCH::kernel {

/// C = A * B, or C += A * B, in little code: for builds that are to compile quickly. B is copied panel by panel, as many columns as a
/// vector has lanes; four rows of A meet a panel at a time.
template <class T, bool Accumulate>
void contract_by_panels(T const* a, matrix_layout la, T const* b, matrix_layout lb, T* c, std::int64_t ldc, contract_extents e) {
    constexpr int W = optimizes ? simd::native_width<T> : 1, rows = 4;
    core::short_list<T, 256> panel(static_cast<int>(std::max<std::int64_t>(1, e.k * W)), T(0));
    for (std::int64_t j = 0; j < e.n; j += W) {
        int const columns = static_cast<int>(std::min<std::int64_t>(W, e.n - j));
        for (std::int64_t k = 0; k < e.k; ++k)
            for (int lane = 0; lane < columns; ++lane)
                panel[static_cast<int>(k) * W + lane] = b[k * lb.row_stride + (j + lane) * lb.column_stride];
        for (std::int64_t i = 0; i < e.m; i += rows) {
            simd::vec<T, W> sum[rows];
            T const* from[rows];
            for (int r = 0; r < rows; ++r) {
                sum[r] = simd::broadcast<T, W>(T(0));
                from[r] = a + std::min(i + r, e.m - 1) * la.row_stride;  // the last row stands in where there are no four
            }
            simd::vec<T, W> all[rows], lost[rows];
            for (int r = 0; r < rows; ++r) all[r] = lost[r] = sum[r];
            for (std::int64_t first = 0; first < e.k; first += target::plain_terms) {  // with what rounding takes from the sums of blocks
                for (std::int64_t k = first; k < std::min(first + target::plain_terms, e.k); ++k) {
                    simd::vec<T, W> const row = simd::load<T, W>(panel.begin() + k * W);
                    for (int r = 0; r < rows; ++r)
                        sum[r] = simd::fma<T, W>(simd::broadcast<T, W>(from[r][k * la.column_stride]), row, sum[r]);
                }
                for (int r = 0; r < rows; ++r) {
                    simd::add_exactly<T, W>(all[r], lost[r], sum[r]);
                    sum[r] = simd::broadcast<T, W>(T(0));
                }
            }
            for (int r = 0; r < rows; ++r) sum[r] = simd::with_lost<T, W>(all[r], lost[r]);
            for (int r = 0; r < rows && i + r < e.m; ++r) {
                T* const to = c + (i + r) * ldc + j;
                if constexpr (Accumulate) sum[r] = sum[r] + simd::load_partial<T, W>(to, columns, T(0));
                simd::store_partial<T, W>(to, sum[r], columns);
            }
        }
    }
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
