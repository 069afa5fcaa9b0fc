// SPDX-License-Identifier: BSL-1.0
#pragma once

// C = A * B: one register tile, blocked for the cache, for any strides of A and B. Nothing here allocates, and the
// order of every sum depends on the extents alone.

#include <gradus/kernel/contract/blocking.hpp>
#include <gradus/kernel/contract/pack.hpp>
#include <gradus/kernel/contract/panels.hpp>
#include <gradus/kernel/contract/tile.hpp>
#include <gradus/kernel/contract/vector.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace gradus::inline GRADUS_ARCH::kernel {

/// Told of every block of rows of C that is finished, in order; blocks are the same for any number of threads.
struct rows_finished {
    void (*call)(void*, std::int64_t first, std::int64_t count) = nullptr;
    void* to = nullptr;
    void operator()(std::int64_t first, std::int64_t count) const {
        if (call) call(to, first, count);
    }
};

/// How a product is computed: with memory to pack into (contract_scratch elements on a cache line; null is slower), and by
/// one of several threads, each of which computes some of the blocks of rows.
template <class T>
struct contract_work {
    T* scratch = nullptr;
    rows_finished finished{};
    int thread = 0, threads = 1;
};

namespace detail {

/// Rows of A where they lie or, when `strip` is not 0, in the strips of pack_strips.
template <class T>
struct left_matrix {
    T const* a;
    matrix_layout layout;
    std::int64_t strip;

    T const* from(std::int64_t row) const {
        return strip ? a + row / tile<T>::rows * strip + row % tile<T>::rows : a + row * layout.row_stride;
    }
};

/// A panel of B: where it lies, and where it is packed on the way; null where it has been, or need not be.
template <class T>
struct right_panel {
    T const* b;
    std::int64_t stride;
    T* to = nullptr;
};

/// All rows of C below one panel of B. Tiles of fewer than three rows wait for their own sums: where the rows that are left
/// are such, they share with the tile before them.
template <class T, int Vectors>
GRADUS_SHARED void multiply_panel(left_matrix<T> left, right_panel<T> b, std::int64_t m, std::int64_t k, std::int64_t column, int columns,
                                  write_result<T> out) {
    constexpr int W = simd::native_width<T>, most = tile<T>::rows;
    std::int64_t row = 0;
    if constexpr (Vectors == tile<T>::vectors)
        if (b.to) {
            multiply_tile<T, W, most, Vectors>(rows_of<T, most>(left.from(0), left.layout),
                                               packing_panel_of<T, W, Vectors>{b.b, b.stride, b.to}, k, 0, column, columns, out);
            row = most;
            b = {b.to, Vectors * W};
        }
    panel_of<T, W> const right{b.b, b.stride};
    auto const rows = [&]<int Rows>(std::int64_t end, std::integral_constant<int, Rows>) GRADUS_PART {
        for (; row + Rows <= end; row += Rows)
            multiply_tile<T, W, Rows, Vectors>(rows_of<T, Rows>(left.from(row), left.layout), right, k, row, column, columns, out);
    };
    std::int64_t rest = m % most;
    if (!left.strip && m > most && (rest == 1 || rest == 2 || rest == 5)) rest += most;
    std::int64_t const threes = (4 - rest % 4) % 4;
    rows(m - rest, std::integral_constant<int, most>{});
    rows(rest < 3 * threes ? m : m - 3 * threes, std::integral_constant<int, 4>{});
    rows(m, std::integral_constant<int, 3>{});
    rows(m, std::integral_constant<int, 1>{});
}

/// Under each block of A, panels of B as wide as the tile: packed, or where they lie when that is as good.
template <class T>
GRADUS_SHARED void multiply_blocked(T const* a, matrix_layout la, T const* b, matrix_layout lb, write_result<T> out, contract_extents e,
                                    contract_work<T> const& work) {
    using t = tile<T>;
    alignas(64) T own[t::depth * t::columns];
    blocking<T> const part(la, lb, e);
    T* const strips = work.scratch && part.strips ? work.scratch : nullptr;
    T* const panels = work.scratch && part.panels ? work.scratch + part.strips : nullptr;
    std::int64_t const height = part.panels && !panels ? e.m : part.height, blocks = (e.m + height - 1) / height;
    std::int64_t const begin = blocks * work.thread / work.threads * height,
                       end = std::min(e.m, blocks * (work.thread + 1) / work.threads * height);
    for (std::int64_t first = 0; first < e.n; first += part.width) {
        std::int64_t const last = std::min(e.n, first + part.width);
        for (std::int64_t p = 0; p < e.k; p += part.depth) {
            std::int64_t const k = std::min(part.depth, e.k - p);
            for (std::int64_t i = begin; i < end; i += height) {
                std::int64_t const m = std::min(height, end - i);
                left_matrix<T> left{a + i * la.row_stride + p * la.column_stride, la, 0};
                write_result<T> const to{out.c + i * out.ldc, out.ldc, out.add || p > 0, out.sign};
                if (strips) {
                    pack_strips(left.a, la, m, k, strips);
                    left = {strips, {1, t::rows}, strip_size<T>(k)};
                }
                for (std::int64_t j = first; j < last; j += t::columns) {
                    T const* const from = b + p * lb.row_stride + j * lb.column_stride;
                    int const columns = static_cast<int>(std::min<std::int64_t>(t::columns, last - j));
                    bool const narrow = columns <= t::width, whole = columns == t::columns && lb.column_stride == 1;
                    T* const to_pack = panels ? panels + (j - first) * k : own;
                    right_panel<T> right{to_pack, narrow ? t::width : t::columns};
                    if (whole && !part.pack_b) right = {from, lb.row_stride};
                    else if (i > begin && panels) {
                    }  // it is packed
                    else if (whole && m >= t::rows)
                        right = {from, lb.row_stride, to_pack};
                    else if (narrow) pack_panel<T, 1>(from, lb, k, columns, to_pack);
                    else pack_panel<T, 2>(from, lb, k, columns, to_pack);
                    if (narrow) multiply_panel<T, 1>(left, right, m, k, j, columns, to);
                    else multiply_panel<T, 2>(left, right, m, k, j, columns, to);
                }
                if (p + k == e.k && last == e.n) work.finished(i, m);
            }
        }
    }
}

/// The narrowest register that holds n elements, or the widest there is.
template <class T, int N, int W = 1>
constexpr int width_for() {
    if constexpr (W >= simd::native_width<T> || (W >= N && simd::has_width<T, W>)) {
        return W;
    } else {
        return width_for<T, N, 2 * W>();
    }
}

}  // namespace detail

/// Rows in a block of C (the last one may have fewer).
template <class T>
std::int64_t block_of_rows(matrix_layout la, matrix_layout lb, contract_extents e) {
    return e.m > 1 && e.n > 1 && e.k > 0 ? detail::blocking<T>(la, lb, e).height : std::max<std::int64_t>(1, e.m);
}

/// C = A * B, or C += A * B when Accumulate; C is row-major, its rows ldc apart, and overlaps neither A nor B.
/// Sums of no terms (k = 0) are 0.
template <class T, bool Accumulate = false>
void contract(T const* a, matrix_layout la, T const* b, matrix_layout lb, T* c, std::int64_t ldc, contract_extents e,
              contract_work<T> const& work = {}) {
    if constexpr (!interprets)
        if (e.m > 1 && e.n > 1 && e.k > 0) return detail::multiply_blocked<T>(a, la, b, lb, {c, ldc, Accumulate}, e, work);
    if (work.thread > 0) return;  // the first one does what is little
    if constexpr (interprets) {
        contract_by_panels<T, Accumulate>(a, la, b, lb, c, ldc, e);
    } else if (e.k == 0) {
        for (std::int64_t i = 0; !Accumulate && i < e.m; ++i) std::fill_n(c + i * ldc, e.n, T{0});
    } else if (e.n == 1 && e.m > 0) {
        detail::multiply_vector(a, la, b, lb.row_stride, c, ldc, e.m, e.k, Accumulate);
    } else if (e.m == 1 && e.n > 0) {
        matrix_layout const transposed{lb.column_stride, lb.row_stride};
        detail::multiply_vector(b, transposed, a, la.column_stride, c, std::int64_t{1}, e.n, e.k, Accumulate);
    }
    work.finished(0, e.m);
}

/// What the compiler knows of operands: do the columns of A lie next to each other, element by element, and the rows of B?
struct contiguous {
    bool a_columns, b_rows;
};

/// contract for extents the compiler knows, with a B that stays near: tiles as equal as possible, operands where they lie (a
/// transposed B packed), unrolled while that is little, with registers no wider than a row of C.
template <class T, bool Accumulate, int M, int N, int K, contiguous Are>
GRADUS_PART inline void contract_static(T const* a, matrix_layout la, T const* b, matrix_layout lb, T* c, std::int64_t ldc) {
    constexpr int W = detail::width_for<T, N>();
    constexpr int all = (N + W - 1) / W, vectors = all <= 3 ? all : 2;
    detail::write_result<T, std::bool_constant<Accumulate>> const out{c, ldc, {}};
    if constexpr (K == 0 || ((M == 1 || N == 1) && M * N * K >= 256)) {  // a vector has more sums at a time there
        contract<T, Accumulate>(a, la, b, lb, c, ldc, {M, N, K});
    } else {
        if constexpr (N == 1 && M > 1 && Are.a_columns) {  // a column of C is a row of its transpose, and that has vectors
            matrix_layout const left{lb.column_stride, lb.row_stride}, right{la.column_stride, la.row_stride};
            if (ldc == 1) return contract_static<T, Accumulate, 1, M, K, {.a_columns = false, .b_rows = true}>(b, left, a, right, c, M);
        }
        auto const columns = [&]<int Vectors>(int j, std::integral_constant<int, Vectors>, auto n) GRADUS_PART {
            // Accumulators of a tile fill the registers; the rows are shared out among as few tiles as that allows.
            constexpr int most = std::max(1, 2 * detail::tile<T>::rows / Vectors);
            constexpr int tiles = (M + most - 1) / most, fewer = M / tiles, longer = M % tiles;
            auto const rows = [&]<int Rows>(int i, std::integral_constant<int, Rows>, auto const& right) GRADUS_PART {
                T const* const first = a + i * la.row_stride;
                auto const left = [&](int r, auto p) GRADUS_PART { return first[r * la.row_stride + p * la.column_stride]; };
                detail::multiply_tile<T, W, Rows, Vectors>(left, right, std::integral_constant<int, K>{}, i, j, n, out);
            };
            auto const all_rows = [&](auto const& right) GRADUS_PART {
                if constexpr (longer > 0)
                    for (int i = 0; i < longer * (fewer + 1); i += fewer + 1) rows(i, std::integral_constant<int, fewer + 1>{}, right);
                for (int i = longer * (fewer + 1); i < M; i += fewer) rows(i, std::integral_constant<int, fewer>{}, right);
            };
            T const* const from = b + j * lb.column_stride;
            if constexpr (Are.b_rows) {
                all_rows([&](auto p, auto v) GRADUS_PART {
                    return simd::load_partial<T, W>(from + p * lb.row_stride + v * W, std::min(W, n() - v * W), T{0});
                });
            } else if constexpr (W == simd::native_width<T> && tiles > 1) {
                alignas(64) T panel[(K + W) * Vectors * W];
                detail::pack_panel<T, Vectors>(from, lb, K, n(), panel);
                all_rows(detail::panel_of<T, W>{panel, Vectors * W});
            } else {
                all_rows([&](auto p, auto v) GRADUS_PART {
                    return simd::load_strided<T, W>(from + p * lb.row_stride + v * W * lb.column_stride, lb.column_stride,
                                                    std::min(W, n() - v * W), T{0});
                });
            }
        };
        constexpr int full = N / (vectors * W), rest = N - full * vectors * W;
        for (int j = 0; j < full * vectors * W; j += vectors * W)
            columns(j, std::integral_constant<int, vectors>{}, std::integral_constant<int, vectors * W>{});
        if constexpr (rest > 0)
            columns(full * vectors * W, std::integral_constant<int, (rest + W - 1) / W>{}, std::integral_constant<int, rest>{});
    }
}

/// The same as a function that all products of these extents and strides share, whatever program they are in.
template <class T, int M, int N, int K, contiguous Are, matrix_layout A, matrix_layout B>
GRADUS_SHARED void contract_shared(T const* a, T const* b, T* c) {
    contract_static<T, false, M, N, K, Are>(a, A, b, B, c, N);
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
