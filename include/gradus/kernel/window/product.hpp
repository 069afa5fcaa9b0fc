// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/window/band.hpp>

#include <array>
#include <utility>

// Results of a convolution and the derivative of its input: rows of weights times the matrix that windows make of a band. The register tile
// reads vectors of neighbours where they lie in the band or, where rows of results are short, from a panel that is packed of them.
namespace gradus::inline GRADUS_ARCH::kernel::detail {

/// Two vectors of neighbouring results in some rows of C: where they read, and where they are written. Weights and what they meet are
/// found by tables.
template <class T>
struct window_tile {
    T const* weights;
    std::int64_t row_of_weights;
    std::int64_t const *weight_at, *source_at;
    T const* source[2];
    std::int64_t terms;
    T* to[2];
    std::int64_t row_of_results;
    int lanes[2];
    bool add;

    template <int Rows>
    GRADUS_SHARED void multiply(std::int64_t first) const {
        constexpr int W = window_width<T>;
        T const* line[Rows];
        unroll<Rows>([&](auto r) GRADUS_PART { line[r] = weights + (first + r) * row_of_weights; });
        T const *const left = source[0], *const right = source[1];
        simd::vec<T, W> sum[Rows][2];
        unroll<Rows>([&](auto r) GRADUS_PART { sum[r][0] = sum[r][1] = simd::broadcast<T, W>(T{0}); });
        for (std::int64_t p = 0; p < terms; ++p) {
            std::int64_t const from = source_at[p], w = weight_at[p];
            auto const x = simd::load<T, W>(left + from), y = simd::load<T, W>(right + from);
            unroll<Rows>([&](auto r) GRADUS_PART {
                auto const factor = simd::broadcast<T, W>(line[r][w]);
                sum[r][0] = simd::fma<T, W>(factor, x, sum[r][0]);
                sum[r][1] = simd::fma<T, W>(factor, y, sum[r][1]);
            });
        }
        unroll<2>([&](auto v) GRADUS_PART {
            int const n = lanes[v];
            unroll<Rows>([&](auto r) GRADUS_PART {
                T* const c = to[v] + (first + r) * row_of_results;
                if (n == W) return simd::store<T, W>(c, add ? simd::load<T, W>(c) + sum[r][v] : sum[r][v]);
                simd::store_partial<T, W>(c, add ? simd::load_partial<T, W>(c, n, T{0}) + sum[r][v] : sum[r][v], n);
            });
        });
    }
    void multiply_rows(std::int64_t rows) const {
        constexpr int most = interprets ? 1 : target::tile_rows(window_width<T> * static_cast<int>(sizeof(T)));
        std::int64_t row = 0;
        auto const all = [&]<int Rows>(std::integral_constant<int, Rows>) {
            for (; row + Rows <= rows; row += Rows) multiply<Rows>(row);
        };
        all(std::integral_constant<int, most>{});
        if constexpr (most > 4) all(std::integral_constant<int, 4>{});
        if constexpr (most > 2) all(std::integral_constant<int, 2>{});
        if constexpr (most > 1) all(std::integral_constant<int, 1>{});
    }
};

/// A convolution, or the derivative of its input, on some of its images.
template <class T>
class window_multiplication {
    static constexpr int W = window_width<T>, columns = 2 * W, depth = tile<T>::depth;

    op::window_extents const& e_;
    bool is_input_;  ///< the derivative of the input
    T const *source_, *weights_;
    T* result_;
    std::byte* scratch_;
    std::int64_t rows_, plane_, plane_1_, plane_2_;  ///< channels of the result in a group, elements of each, of its last axes

public:
    window_multiplication(op::window_extents const& e, bool is_input, T const* source, T const* weights, T* result, std::byte* scratch)
        : e_(e),
          is_input_(is_input),
          source_(source),
          weights_(weights),
          result_(result),
          scratch_(scratch),
          rows_(is_input ? e.in : e.out),
          plane_(e.size(is_input ? &op::window_axis::x : &op::window_axis::y)),
          plane_1_(is_input ? e.axis[1].x : e.axis[1].y),
          plane_2_(is_input ? e.axis[2].x : e.axis[2].y) {}

    void run(std::int64_t first, std::int64_t last) const {
        auto const role = is_input_ ? op::window_role::input : op::window_role::output;
        auto const phases = [&](int axis) { return is_input_ ? e_.axis[axis].stride : 1; };
        for (std::int64_t i = 0; i < phases(0); ++i)
            for (std::int64_t j = 0; j < phases(1); ++j)
                for (std::int64_t k = 0; k < phases(2); ++k) run_phase({e_, role, sizeof(T), i, j, k}, first, last);
    }

private:
    void run_phase(op::window_band const& b, std::int64_t first, std::int64_t last) const {
        auto const& [a0, a1, a2] = b.axis;
        std::int64_t const taps = e_.size(&op::window_axis::window), group = e_.out * e_.in * taps;
        std::int64_t const channel = is_input_ ? e_.in * taps : taps, from_plane = a0.extent * a1.extent * a2.extent;
        window_table const table(scratch_, b, e_, channel);
        T* const band = reinterpret_cast<T*>(scratch_ + table.bytes());
        for (std::int64_t n = first; n < last; ++n)
            for (std::int64_t g = 0; g < e_.groups; ++g)
                for (std::int64_t slab = 0; slab < a0.count; ++slab)
                    for (std::int64_t row = 0; row < a1.count; row += b.rows) {
                        std::int64_t const at = n * e_.groups + g;
                        fill_band(band, b, b.channels, source_ + at * b.channels * from_plane, slab, row);
                        T* const to = result_ + at * rows_ * plane_ + (a0.phase + slab * a0.result_step) * plane_1_ * plane_2_ +
                                      (a1.phase + row * a1.result_step) * plane_2_ + a2.phase;
                        run_block(b, table, band, weights_ + g * group, std::min(b.rows, a1.count - row), to);
                    }
    }
    /// Vectors that end with their row leave lanes empty, panels are packed: what costs less, in vectors that are loaded and stored.
    bool reads_in_place(std::int64_t width) const {
        std::int64_t const vectors = (width + W - 1) / W, lost = vectors * W - width;
        return rows_ * lost < 2 * (width + W);
    }
    void run_block(op::window_band const& b, window_table const& table, T const* band, T const* weights, std::int64_t rows, T* to) const {
        std::int64_t const width = b.axis[2].count, all = rows * width, vectors = (width + W - 1) / W;
        if (rows_ == 1 && b.axis[2].result_step == 1) return run_row(b, table, band, weights, rows, to);
        if (reads_in_place(width)) {
            for (std::int64_t v = 0; v < rows * vectors; v += 2) {
                block_of_results p(b, width, plane_2_);
                for (std::int64_t i = v; i < std::min(v + 2, rows * vectors); ++i)
                    p.add(i / vectors, i % vectors * W, std::min<std::int64_t>(W, width - i % vectors * W), static_cast<int>(i - v) * W);
                run_columns(p, table, band, weights, to, false);
            }
            return;
        }
        for (std::int64_t q = 0; q < all; q += columns) {
            block_of_results p(b, width, plane_2_);
            for (std::int64_t i = q, end = std::min(all, q + columns); i < end;) {
                std::int64_t const n = std::min(width - i % width, end - i);
                p.add(i / width, i % width, n, static_cast<int>(i - q));
                i += n;
            }
            run_columns(p, table, band, weights, to, true);
        }
    }
    /// One channel of results, as groups of one channel have: four vectors at a time, where they lie.
    GRADUS_SHARED void run_row(op::window_band const& b, window_table const& table, T const* band, T const* weights, std::int64_t rows,
                               T* to) const {
        std::int64_t const width = b.axis[2].count, vectors = (width + W - 1) / W, all = rows * vectors;
        auto const some = [&]<int Count>(std::int64_t first, std::integral_constant<int, Count>) GRADUS_PART {
            T const* from[Count];
            T* c[Count];
            int lanes[Count];
            for (int i = 0; i < Count; ++i) {
                std::int64_t const row = (first + i) / vectors, column = (first + i) % vectors * W;
                from[i] = band + row * b.axis[1].step * b.line + column;
                c[i] = to + row * plane_2_ + column;
                lanes[i] = static_cast<int>(std::min<std::int64_t>(W, width - column));
            }
            simd::vec<T, W> sum[Count];
            unroll<Count>([&](auto i) GRADUS_PART { sum[i] = simd::broadcast<T, W>(T{0}); });
            for (std::int64_t p = 0; p < table.count; ++p) {
                std::int64_t const at = table.band[p];
                auto const factor = simd::broadcast<T, W>(weights[table.weights[p]]);
                unroll<Count>([&](auto i) GRADUS_PART { sum[i] = simd::fma<T, W>(factor, simd::load<T, W>(from[i] + at), sum[i]); });
            }
            unroll<Count>([&](auto i) GRADUS_PART { simd::store_partial<T, W>(c[i], sum[i], lanes[i]); });
        };
        std::int64_t v = 0;
        for (; v + 4 <= all; v += 4) some(v, std::integral_constant<int, 4>{});
        for (; v < all; ++v) some(v, std::integral_constant<int, 1>{});
    }
    /// Results of some rows, side by side: parts of rows, with what they read and where they go.
    struct block_of_results {
        op::window_band const& b;
        std::int64_t width, row_of_results;
        int parts = 0, lane[columns];
        std::int64_t length[columns], from[columns], to[columns];

        block_of_results(op::window_band const& band, std::int64_t width_, std::int64_t plane_2)
            : b(band), width(width_), row_of_results(band.axis[1].result_step * plane_2) {}
        void add(std::int64_t row, std::int64_t column, std::int64_t count, int at) {
            lane[parts] = at;
            length[parts] = count;
            from[parts] = row * b.axis[1].step * b.line + column;
            to[parts++] = row * row_of_results + column * b.axis[2].result_step;
        }
        bool is_scattered() const { return b.axis[2].result_step != 1; }
    };
    void run_columns(block_of_results const& p, window_table const& table, T const* band, T const* weights, T* to, bool packs) const {
        alignas(64) T panel[depth * columns + W];
        alignas(64) T own[tile<T>::rows * columns];
        std::int64_t const taps = e_.size(&op::window_axis::window);
        int const last = p.parts - 1, lanes = p.lane[last] + static_cast<int>(p.length[last]);
        std::int64_t const blocks = std::max<std::int64_t>(1, (table.count + depth - 1) / depth),
                           most = (table.count + blocks - 1) / blocks;
        std::int64_t first = 0;
        do {  // once without terms too: sums of nothing
            std::int64_t const terms = std::min(most, table.count - first);
            window_tile<T> tile{weights,
                                is_input_ ? taps : e_.in * taps,
                                table.weights + first,
                                table.band + first,
                                {},
                                terms,
                                {},
                                plane_,
                                {packs ? std::min(lanes, W) : static_cast<int>(p.length[0]), packs         ? std::max(lanes - W, 0)
                                                                                             : p.parts > 1 ? static_cast<int>(p.length[1])
                                                                                                           : 0},
                                first > 0};
            for (int v = 0; v < 2; ++v) {
                int const part = std::min(v, last);
                tile.source[v] = packs ? panel + v * W : band + p.from[part];
                tile.to[v] = to + (packs ? p.to[0] + v * W : p.to[part]);
            }
            if (packs) {
                pack(p, table.band + first, terms, band, panel);
                tile.source_at = panel_rows();
            }
            if (p.is_scattered()) scatter(p, tile, own, to);
            else tile.multiply_rows(rows_);
            first += terms;
        } while (first < table.count);
    }
    static std::int64_t const* panel_rows() {
        static constexpr auto rows = [] {
            std::array<std::int64_t, depth> r{};
            for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<std::int64_t>(i) * columns;
            return r;
        }();
        return rows.data();
    }
    /// Vector by vector, each a little too long: the next part, or row, overwrites what is too much.
    static void pack(block_of_results const& p, std::int64_t const* at, std::int64_t terms, T const* band, T* panel) {
        for (std::int64_t k = 0; k < terms; ++k) {
            T const* const from = band + at[k];
            T* const to = panel + k * columns;
            for (int i = 0; i < p.parts; ++i)
                for (std::int64_t j = 0; j < p.length[i]; j += W)
                    simd::store<T, W>(to + p.lane[i] + j, simd::load<T, W>(from + p.from[i] + j));
        }
    }
    /// Results that are some elements apart: a few rows at a time go through memory of their own.
    void scatter(block_of_results const& p, window_tile<T> tile, T* own, T* to) const {
        constexpr std::int64_t most = detail::tile<T>::rows;
        std::int64_t const step = p.b.axis[2].result_step;
        bool const add = std::exchange(tile.add, false);
        tile.row_of_results = columns;
        for (int v = 0; v < 2; ++v) tile.to[v] = own + v * W;
        for (std::int64_t row = 0; row < rows_; row += most) {
            std::int64_t const count = std::min(most, rows_ - row);
            tile.multiply_rows(count);
            tile.weights += count * tile.row_of_weights;
            for (std::int64_t r = 0; r < count; ++r)
                for (int i = 0; i < p.parts; ++i) {
                    T const* const from = own + r * columns + p.lane[i];
                    T* const c = to + (row + r) * plane_ + p.to[i];
                    for (std::int64_t j = 0; j < p.length[i]; ++j) c[j * step] = add ? c[j * step] + from[j] : from[j];
                }
        }
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel::detail
