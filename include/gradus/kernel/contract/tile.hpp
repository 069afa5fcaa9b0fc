// SPDX-License-Identifier: BSL-1.0
#pragma once

// The register tile of C = A * B.

#include <gradus/core/target.hpp>
#include <gradus/kernel/simd.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Distances in elements between neighbours of a column and of a row; a transpose swaps them.
struct matrix_layout {
    std::int64_t row_stride, column_stride;
};

/// A is m x k, B is k x n, C is m x n.
struct contract_extents {
    std::int64_t m, n, k;
};

namespace detail {

/// f with the constants 0 .. N-1.
template <int N, class F>
GRADUS_PART inline void for_constants(F f) {
    [&]<int... I>(std::integer_sequence<int, I...>)
        GRADUS_PART { (f(std::integral_constant<int, I>{}), ...); }(std::make_integer_sequence<int, N>{});
}
/// f with 0 .. N-1, which become constants where the loop is unrolled: accumulators stay in registers. N is at most 64. The lambda is
/// optimized once, not once for each number.
template <int N, class F>
GRADUS_PART inline void unroll(F f) {
    GRADUS_UNROLL
    for (int i = 0; i < N; ++i) f(i);
}

/// The register tile, rows x columns of C, and the depth at which a packed panel of B fills half of the first cache.
template <class T>
struct tile {
    static constexpr int width = simd::native_width<T>;
    static constexpr int bytes = width * static_cast<int>(sizeof(T));
    static constexpr int rows = target::tile_rows(bytes);
    static constexpr int vectors = 2;
    static constexpr int columns = vectors * width;
    static constexpr int depth = static_cast<int>(target::panel_bytes(bytes)) / (columns * static_cast<int>(sizeof(T)));
};

/// Where finished sums go: C, overwritten, or added to `sign` (1 or -1) times.
template <class T, class Add = bool>
struct write_result {
    T* c;
    std::int64_t ldc;
    Add add;
    T sign = T(1);
};

/// The first `columns` columns of a tile in memory, to C: for edges, which all tiles share.
template <class T, int W>
GRADUS_SHARED void write_tile(T const* tile, int rows, int vectors, write_result<T> out, int columns) {
    for (int r = 0; r < rows; ++r)
        for (int v = 0; v < vectors; ++v, tile += W) {
            T* const p = out.c + r * out.ldc + v * W;
            int const lanes = columns - v * W < W ? columns - v * W : W;
            auto x = simd::load<T, W>(tile);
            if (out.add) x = simd::fma<T, W>(simd::broadcast<T, W>(out.sign), x, simd::load_partial<T, W>(p, lanes, T{0}));
            simd::store_partial<T, W>(p, x, lanes);
        }
}

/// One Rows x (Vectors * W) tile of C at (row, column), of which n columns exist: rank one updates of registers, one for
/// each of k. left(r, p) is element p of row r of A, right(p, v) is register v of row p of B. k, n and whether C is added to are
/// constants (std::integral_constant), or none of them is.
template <class T, int W, int Rows, int Vectors, class Left, class Right, class Add>
GRADUS_PART inline void multiply_tile(Left left, Right right, auto k, std::int64_t row, std::int64_t column, auto n,
                                      write_result<T, Add> out) {
    T* const to = out.c + row * out.ldc + column;
    constexpr bool is_static = !std::is_same_v<Add, bool>;
    simd::vec<T, W> sum[Rows][Vectors];
    unroll<Rows>([&](auto r) GRADUS_PART { unroll<Vectors>([&](auto v) GRADUS_PART { sum[r][v] = simd::broadcast<T, W>(T{0}); }); });
    auto const step = [&](auto p) GRADUS_PART {
        simd::vec<T, W> b[Vectors];
        unroll<Vectors>([&](auto v) GRADUS_PART { b[v] = right(p, v); });
        unroll<Rows>([&](auto r) GRADUS_PART {
            auto const a = simd::broadcast<T, W>(left(r, p));
            unroll<Vectors>([&](auto v) GRADUS_PART { sum[r][v] = simd::fma<T, W>(a, b[v], sum[r][v]); });
        });
    };
    // Beyond some hundred instructions a loop over k is as fast, and the compiler much faster.
    if constexpr (is_static) {
        if constexpr (k() <= 64 && Rows * Vectors * k() <= 128) unroll<k()>(step);
        else
            for (std::int64_t p = 0; p < k(); ++p) step(p);
    } else {
        std::int64_t p = 0;
        for (int r = 0; r < Rows && p + 4 <= k; ++r) {  // C may be far away: it comes a row at a time
            unroll<Vectors>([&](auto v) GRADUS_PART { __builtin_prefetch(to + r * out.ldc + v * W, 1); });
            for (std::int64_t const end = p + 4; p < end; ++p) step(p);
        }
        for (; p < k; ++p) step(p);
    }
    auto const each_vector = [&](auto&& f) GRADUS_PART {
        unroll<Rows>([&](auto r) GRADUS_PART { unroll<Vectors>([&](auto v) GRADUS_PART { f(r, v); }); });
    };
    if constexpr (is_static) {
        each_vector([&](auto r, auto v) GRADUS_PART {
            T* const p = to + r * out.ldc + v * W;
            int const lanes = v + 1 < Vectors ? W : n - (Vectors - 1) * W;
            if constexpr (out.add()) sum[r][v] = sum[r][v] + simd::load_partial<T, W>(p, lanes, T{0});
            simd::store_partial<T, W>(p, sum[r][v], lanes);
        });
    } else if (n == Vectors * W) {
        if (out.add) {
            auto const sign = simd::broadcast<T, W>(out.sign);
            each_vector([&](auto r, auto v)
                            GRADUS_PART { sum[r][v] = simd::fma<T, W>(sign, sum[r][v], simd::load<T, W>(to + r * out.ldc + v * W)); });
        }
        each_vector([&](auto r, auto v) GRADUS_PART { simd::store<T, W>(to + r * out.ldc + v * W, sum[r][v]); });
    } else {
        alignas(64) T tile[Rows * Vectors * W];
        each_vector([&](auto r, auto v) GRADUS_PART { simd::store<T, W>(tile + (r * Vectors + v) * W, sum[r][v]); });
        write_tile<T, W>(tile, Rows, Vectors, {to, out.ldc, out.add, out.sign}, n);
    }
}

/// Rows of A where they lie.
template <class T, int Rows>
struct rows_of {
    T const* line[Rows];
    std::int64_t step;
    GRADUS_PART rows_of(T const* a, matrix_layout l) : step(l.column_stride) {
        unroll<Rows>([&](auto r) GRADUS_PART { line[r] = a + r * l.row_stride; });
    }
    GRADUS_PART T operator()(auto r, auto p) const { return line[r][p * step]; }
};
/// A panel of B whose rows are `stride` apart.
template <class T, int W>
struct panel_of {
    T const* first;
    std::int64_t stride;
    GRADUS_PART simd::vec<T, W> operator()(auto p, auto v) const { return simd::load<T, W>(first + p * stride + v * W); }
};
/// The same, which also packs what it reads, while there is arithmetic to do.
template <class T, int W, int Vectors>
struct packing_panel_of {
    T const* first;
    std::int64_t stride;
    T* panel;
    GRADUS_PART simd::vec<T, W> operator()(auto p, auto v) const {
        T const* const from = first + p * stride + v * W;
        __builtin_prefetch(from + 12 * stride);
        auto const x = simd::load<T, W>(from);
        simd::store<T, W>(panel + p * (Vectors * W) + v * W, x);
        return x;
    }
};

}  // namespace detail

}  // namespace gradus::inline GRADUS_ARCH::kernel
