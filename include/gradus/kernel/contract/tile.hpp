// SPDX-License-Identifier: BSL-1.0
#pragma once

// The register tile of C = A * B.

#include <gradus/kernel/simd.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::kernel {

/// Distances in elements between neighbours of a column and of a row; a transpose swaps them.
struct matrix_layout {
    std::int64_t row_stride, column_stride;
};

/// A is m x k, B is k x n, C is m x n.
struct contract_extents {
    std::int64_t m, n, k;
};

namespace detail {

/// f with the constants 0 .. N-1: accumulators stay in registers, which an -O2 loop does not promise.
template <int N, class F>
[[gnu::always_inline]] inline void unroll(F f) {
    [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
        (f(std::integral_constant<int, I>{}), ...);
    }(std::make_integer_sequence<int, N>{});
}

/// The register tile, rows x columns of C, and the depth at which a packed panel of B fills half a 32 KiB cache.
template <class T>
struct tile {
    static constexpr int width = simd::native_width<T>;
    static constexpr int bytes = width * static_cast<int>(sizeof(T));
    static constexpr int rows = bytes == 64 ? 8 : bytes == 32 ? 6 : 4;
    static constexpr int vectors = 2;
    static constexpr int columns = vectors * width;
    static constexpr int depth = 16384 / (columns * static_cast<int>(sizeof(T)));
};

/// Where finished sums go: C, overwritten or added to. The kernels know nothing else of their output.
template <class T>
struct write_result {
    T* c;
    std::int64_t ldc;
    bool add;

    /// The first n lanes of sum belong to (row, column ...).
    template <int W>
    [[gnu::always_inline]] void put(simd::vec<T, W> sum, std::int64_t row, std::int64_t column, int n) const {
        T* const p = c + row * ldc + column;
        if (add) sum = sum + simd::load_partial<T, W>(p, n, T{0});
        simd::store_partial<T, W>(p, sum, n);
    }
};

/// One Rows x (Vectors * W) tile of C at (row, column), of which n columns exist: rank one updates of registers, one for
/// each of k. left(r, p) is element p of row r of A, right(p, v) is register v of row p of B.
template <class T, int W, int Rows, int Vectors, class Left, class Right, class Output>
[[gnu::always_inline]] inline void multiply_tile(Left left, Right right, auto k, std::int64_t row, std::int64_t column, int n, Output const& out) {
    simd::vec<T, W> sum[Rows][Vectors];
    unroll<Rows>([&](auto r) __attribute__((always_inline)) {
        unroll<Vectors>([&](auto v) __attribute__((always_inline)) { sum[r][v] = simd::broadcast<T, W>(T{0}); });
    });
    auto const step = [&](auto p) __attribute__((always_inline)) {
        simd::vec<T, W> b[Vectors];
        unroll<Vectors>([&](auto v) __attribute__((always_inline)) { b[v] = right(p, v); });
        unroll<Rows>([&](auto r) __attribute__((always_inline)) {
            auto const a = simd::broadcast<T, W>(left(r, p));
            unroll<Vectors>([&](auto v) __attribute__((always_inline)) { sum[r][v] = simd::fma<T, W>(a, b[v], sum[r][v]); });
        });
    };
    // Beyond some hundred instructions a loop over k is as fast, and the compiler much faster.
    if constexpr (requires { typename std::integral_constant<int, k()>; }) {
        if constexpr (Rows * Vectors * k() <= 64) unroll<k()>(step);
        else
            for (std::int64_t p = 0; p < k(); ++p) step(p);
    } else {
        for (std::int64_t p = 0; p < k; ++p) step(p);
    }
    auto const finish = [&](int count) __attribute__((always_inline)) {
        unroll<Rows>([&](auto r) __attribute__((always_inline)) {
            unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                out.template put<W>(sum[r][v], row + r, column + v * W, v + 1 < Vectors ? W : count - (Vectors - 1) * W);
            });
        });
    };
    if (n == Vectors * W) finish(Vectors * W);  // a constant, so that the stores are plain ones
    else finish(n);
}

/// Rows of A where they lie.
template <class T, int Rows>
struct rows_of {
    T const* line[Rows];
    std::int64_t step;
    [[gnu::always_inline]] rows_of(T const* a, matrix_layout l) : step(l.column_stride) {
        unroll<Rows>([&](auto r) __attribute__((always_inline)) { line[r] = a + r * l.row_stride; });
    }
    [[gnu::always_inline]] T operator()(auto r, auto p) const { return line[r][p * step]; }
};
/// A panel of B whose rows are `stride` apart.
template <class T, int W>
struct panel_of {
    T const* first;
    std::int64_t stride;
    [[gnu::always_inline]] simd::vec<T, W> operator()(auto p, auto v) const { return simd::load<T, W>(first + p * stride + v * W); }
};

} // namespace detail

} // namespace gradus::kernel

#pragma GCC diagnostic pop
