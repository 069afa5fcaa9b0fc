// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/contract/tile.hpp>
#include <gradus/op/window.hpp>

#include <algorithm>

// What windows read, side by side with the zeros around, so that neither a padding nor a stride is left to look at.
namespace gradus::inline GRADUS_ARCH::kernel::detail {

/// Lanes of the vectors here: numbers one by one where nothing is optimized.
template <class T>
inline constexpr int window_width = interprets && !optimizes ? 1 : simd::native_width<T>;

/// A line of a band: `step` parts of `places` elements.
struct window_band_line {
    std::int64_t places, step;
};
/// Elements low, low + 1, ..., sorted by their index modulo the step. Writes a vector too far, what comes next overwrites it.
template <class T>
void fill_line(T* to, T const* from, std::int64_t extent, std::int64_t low, window_band_line const& l) {
    constexpr int W = window_width<T>;
    if (!from) return void(std::fill_n(to, l.places * l.step, T{0}));
    if (l.step == 1) {
        std::int64_t const begin = std::clamp<std::int64_t>(-low, 0, l.places),
                           end = std::clamp<std::int64_t>(extent - low, begin, l.places);
        for (std::int64_t i = 0; i < begin; ++i) to[i] = T{0};
        from += low;
        std::int64_t i = begin;
        for (; i + W <= end; i += W) simd::store<T, W>(to + i, simd::load<T, W>(from + i));
        if (i < end) simd::store<T, W>(to + i, simd::load_partial<T, W>(from + i, static_cast<int>(end - i), T{0}));
        for (i = end; i < l.places; ++i) to[i] = T{0};
        return;
    }
    for (std::int64_t phase = 0; phase < l.step; ++phase)
        for (std::int64_t i = 0; i < l.places; ++i) {
            std::int64_t const at = low + phase + i * l.step;
            *to++ = at >= 0 && at < extent ? from[at] : T{0};
        }
}

/// The band that results in row `row` of slab `slab` and the rows behind read, of so many channels of one image.
template <class T>
void fill_band(T* to, op::window_band const& b, std::int64_t channels, T const* from, std::int64_t slab, std::int64_t row) {
    auto const& [a0, a1, a2] = b.axis;
    std::int64_t const slabs = a0.span(1), rows = a1.span(b.rows), low0 = a0.low() + a0.step * slab, low1 = a1.low() + a1.step * row;
    window_band_line const line{b.places, a2.step};
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t i = 0; i < slabs; ++i)
            for (std::int64_t j = 0; j < rows; ++j, to += b.line) {
                std::int64_t const s = low0 + i, r = low1 + j;
                bool const inside = s >= 0 && s < a0.extent && r >= 0 && r < a1.extent;
                fill_line<T>(to, inside ? from + ((c * a0.extent + s) * a1.extent + r) * a2.extent : nullptr, a2.extent, a2.low(), line);
            }
    std::fill_n(to, 64, T{0});
}

/// What a row of results reads, element after element: where it is in the band, and where the weights of the first result are.
struct window_table {
    std::int64_t *band, *weights, count;

    /// `channel`: how far apart the weights of two channels of the source are.
    window_table(std::byte* memory, op::window_band const& b, op::window_extents const& e, std::int64_t channel)
        : band(reinterpret_cast<std::int64_t*>(memory)), weights(band + b.channels * b.taps()), count(b.channels * b.taps()) {
        auto const& [a0, a1, a2] = b.axis;
        std::int64_t at = 0, rows = a1.span(b.rows);
        for (std::int64_t c = 0; c < b.channels; ++c)
            for (std::int64_t i = 0; i < a0.taps; ++i)
                for (std::int64_t j = 0; j < a1.taps; ++j)
                    for (std::int64_t k = 0; k < a2.taps; ++k, ++at) {
                        std::int64_t const slab = a0.delta(i) - a0.low(), row = a1.delta(j) - a1.low(), column = a2.delta(k) - a2.low();
                        band[at] = ((c * a0.span(1) + slab) * rows + row) * b.line + column % a2.step * b.places + column / a2.step;
                        weights[at] = c * channel +
                                      ((a0.first + i * a0.every) * e.axis[1].window + a1.first + j * a1.every) * e.axis[2].window +
                                      a2.first + k * a2.every;
                    }
    }
    std::int64_t bytes() const { return core::whole_lines(16 * count); }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel::detail
