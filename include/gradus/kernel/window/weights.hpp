// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/contract/vector.hpp>
#include <gradus/kernel/window/band.hpp>

// The derivative of weights: a sum over all results of all images, of products with what windows read. Both sides of it lie along rows of
// results, so that each lane of a vector adds up for itself.
namespace gradus::inline GRADUS_ARCH::kernel::detail {

template <class T>
class window_gradient {
    static constexpr int W = window_width<T>, at_once = 4, most_parts = op::window_band::most_at_once;
    static constexpr int columns = W * sizeof(T) == 64 ? op::window_band::most_columns : 2;  ///< sums fill the registers

    op::window_extents const& e_;
    T const *x_, *y_;
    T* result_;
    op::window_band b_;
    window_table table_;
    std::int64_t plane_, band_, pitch_, row_;  ///< elements of a channel of results, of a band, of a row of windows, of the result's
    T *bands_, *panel_;
    int parts_ = 0;
    T const* part_[most_parts]{};  ///< results that the sums go over, in the first channel of the group
    std::int64_t length_ = 0;

public:
    window_gradient(op::window_extents const& e, T const* x, T const* y, T* result, std::byte* scratch)
        : e_(e),
          x_(x),
          y_(y),
          result_(result),
          b_(e, op::window_role::weight, sizeof(T), 0, 0, 0),
          table_(scratch, b_, e, e.size(&op::window_axis::window)),
          plane_(e.size(&op::window_axis::y)),
          band_(b_.with_room(b_.size)),
          pitch_(b_.with_room(b_.at_once * b_.positions)),
          row_(e.in * b_.taps()),
          bands_(reinterpret_cast<T*>(scratch + table_.bytes())),
          panel_(bands_ + b_.at_once * band_) {}

    /// Blocks of rows of the result, of all groups.
    static std::int64_t blocks_of_group(op::window_extents const& e) { return (e.out + at_once - 1) / at_once; }
    static std::int64_t blocks(op::window_extents const& e) { return e.groups * blocks_of_group(e); }

    void run(std::int64_t first, std::int64_t last) {
        std::int64_t const of_group = blocks_of_group(e_);
        for (std::int64_t g = 0; g < e_.groups; ++g) {
            std::int64_t const begin = std::clamp<std::int64_t>(first - g * of_group, 0, of_group) * at_once,
                               end = std::min(std::clamp<std::int64_t>(last - g * of_group, 0, of_group) * at_once, e_.out);
            if (begin < end) run_group(g, begin, end);
        }
    }

private:
    void run_group(std::int64_t g, std::int64_t begin, std::int64_t end) {
        T* const to = result_ + g * e_.out * row_;
        std::fill_n(to + begin * row_, (end - begin) * row_, T{0});
        for (std::int64_t first = 0; first < e_.images; first += b_.at_once)
            for (std::int64_t slab = 0; slab < b_.axis[0].count; ++slab)
                for (std::int64_t row = 0; row < b_.axis[1].count; row += b_.rows)
                    for (std::int64_t channel = 0; channel < e_.in; channel += b_.channels) {
                        std::int64_t const channels = std::min(b_.channels, e_.in - channel), all = channels * b_.taps();
                        take_blocks(g, first, slab, row, channel, channels);
                        for (std::int64_t k = 0; k < all; k += columns) add_columns(to + channel * b_.taps(), k, all, begin, end);
                    }
    }
    /// Blocks of results of some images, and the bands that they read.
    void take_blocks(std::int64_t g, std::int64_t first, std::int64_t slab, std::int64_t row, std::int64_t channel, std::int64_t channels) {
        std::int64_t const inputs = e_.size(&op::window_axis::x);
        length_ = std::min(b_.rows, b_.axis[1].count - row) * b_.axis[2].count;
        parts_ = static_cast<int>(std::min(b_.at_once, e_.images - first));
        for (int i = 0; i < parts_; ++i) {
            std::int64_t const at = (first + i) * e_.groups + g;
            fill_band(bands_ + i * band_, b_, channels, x_ + (at * e_.in + channel) * inputs, slab, row);
            part_[i] = y_ + at * e_.out * plane_ + (slab * e_.axis[1].y + row) * b_.axis[2].count;
        }
    }
    void add_columns(T* to_group, std::int64_t k, std::int64_t all, std::int64_t begin, std::int64_t end) {
        std::int64_t const count = std::min<std::int64_t>(columns, all - k);
        for (std::int64_t q = 0; q < count; ++q) pack(table_.band[k + q], panel_ + q * pitch_);
        for (std::int64_t o = begin; o < end; o += at_once) {
            T* const to = to_group + o * row_ + k;
            std::int64_t const rows = std::min<std::int64_t>(at_once, end - o);
            if (rows == at_once) add_rows<at_once>(o, count, to);
            else
                for (std::int64_t r = 0; r < rows; ++r) add_rows<1>(o + r, count, to + r * row_);
        }
    }
    template <int Rows>
    void add_rows(std::int64_t o, std::int64_t count, T* to) {
        std::int64_t q = 0;
        auto const all = [&]<int Columns>(std::integral_constant<int, Columns>) {
            for (; q + Columns <= count; q += Columns) add_sums<Rows, Columns>(o, q, to + q);
        };
        all(std::integral_constant<int, columns>{});
        if constexpr (columns > 3) all(std::integral_constant<int, 3>{});
        all(std::integral_constant<int, 1>{});
    }
    /// What one position of the windows reads, for all results. Vectors are a little too long: the next overwrites what is too much.
    void pack(std::int64_t at, T* to) const {
        std::int64_t const width = b_.axis[2].count, line = b_.axis[1].step * b_.line;
        for (int i = 0; i < parts_; ++i) {
            T const* from = bands_ + i * band_ + at;
            T* row = to + i * b_.positions;
            for (T* const end = row + length_; row < end; row += width, from += line)
                for (std::int64_t j = 0; j < width; j += W) simd::store<T, W>(row + j, simd::load<T, W>(from + j));
        }
    }
    /// A load that g++ does not repeat for every use: here loads are what is scarce, not registers.
    GRADUS_PART static simd::vec<T, W> load_once(T const* p) {
        if constexpr (W == 1) return *p;
        else {
            using unaligned [[gnu::aligned(alignof(T)), gnu::may_alias]] = simd::detail::raw<T, W>;
            simd::detail::raw<T, W> const once = *reinterpret_cast<unaligned const volatile*>(p);
            return simd::detail::from_raw<T, W>(once);
        }
    }
    template <int Rows, int Columns>
    GRADUS_SHARED void add_sums(std::int64_t o, std::int64_t q, T* to) const {
        simd::vec<T, W> sum[Rows * Columns];
        unroll<Rows * Columns>([&](auto i) GRADUS_PART { sum[i] = simd::broadcast<T, W>(T{0}); });
        for (int part = 0; part < parts_; ++part) {
            T const *y = part_[part] + o * plane_, *x = panel_ + q * pitch_ + part * b_.positions;
            auto const step = [&](auto load) GRADUS_PART {
                simd::vec<T, W> left[Rows];
                unroll<Rows>([&](auto r) GRADUS_PART { left[r] = load(y + r * plane_); });
                unroll<Columns>([&](auto c) GRADUS_PART {
                    auto const right = load(x + c * pitch_);
                    unroll<Rows>([&](auto r) GRADUS_PART { sum[r * Columns + c] = simd::fma<T, W>(left[r], right, sum[r * Columns + c]); });
                });
            };
            std::int64_t i = 0;
            for (; i + W <= length_; i += W, y += W, x += W) step([](T const* p) GRADUS_PART { return load_once(p); });
            int const rest = static_cast<int>(length_ - i);
            if (rest > 0) step([rest](T const* p) GRADUS_PART { return simd::load_partial<T, W>(p, rest, T{0}); });
        }
        constexpr int blocks = (Rows * Columns + W - 1) / W;
        alignas(64) T total[blocks * W];
        if constexpr (W > 1)
            for_constants<blocks>([&](auto block) GRADUS_PART {
                simd::detail::raw<T, W> r[W]{};
                constexpr int first = block * W, n = std::min(W, Rows * Columns - first);
                unroll<n>([&](auto i) GRADUS_PART { r[i] = simd::detail::to_raw<T, W>(sum[first + i]); });
                simd::store<T, W>(total + first, simd::detail::from_raw<T, W>(simd::detail::fold_lanes<T, W>(
                                                     r, [](auto low, auto high) GRADUS_PART { return low + high; })));
            });
        else unroll<Rows * Columns>([&](auto i) GRADUS_PART { total[i] = sum[i]; });
        for (int r = 0; r < Rows; ++r)
            for (int c = 0; c < Columns; ++c) to[r * row_ + c] += total[r * Columns + c];
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel::detail
