// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/op/contraction.hpp>

#include <algorithm>
#include <numeric>

// The view that convolutions read: windows over the last axes of [..., N, C, ...], with overlapping strides and zeros around.
namespace gradus::inline GRADUS_ARCH::op {

/// Which of the three tensors of a convolution an operation makes of the two others: the result y, the input x, or the weights w.
enum class window_role { output, input, weight };

/// One axis of a convolution: y[j] reads x[stride j + dilation k - padding] for every k of the window.
struct window_axis {
    std::int64_t x = 1, window = 1, y = 1, stride = 1, padding = 0, dilation = 1;
};

/// A convolution in numbers: x is [images, groups in, ...], y is [images, groups out, ...], w is [groups out, in, ...].
struct window_extents {
    std::int64_t images = 1, groups = 1, in = 1, out = 1;
    window_axis axis[3];  ///< the innermost is the last; those that are not there have one element

    /// The number of axes of a window: n[4], or all behind the first two where that is 0. What stands before the first two are instances.
    static constexpr int axes(attributes const& attr, shape const& s) { return attr.n[4] ? static_cast<int>(attr.n[4]) : s.rank() - 2; }

    constexpr window_extents(attributes const& attr, shape const& x, shape const& w, shape const& y) {
        int const count = axes(attr, x);
        auto extent_of = [&](shape const& s, int i) { return s[s.rank() - count + i].code; };
        images = extent_of(x, -2);
        groups = attr.n[3];
        in = extent_of(w, -1);
        out = extent_of(w, -2) / groups;
        for (int i = 0; i < count; ++i)
            axis[3 - count + i] = {extent_of(x, i), extent_of(w, i), extent_of(y, i), attr.n[0], attr.n[1], attr.n[2]};
    }
    constexpr std::int64_t size(std::int64_t window_axis::* of) const { return axis[0].*of * axis[1].*of * axis[2].*of; }
    constexpr std::int64_t x_size() const { return images * groups * in * size(&window_axis::x); }
    constexpr std::int64_t y_size() const { return images * groups * out * size(&window_axis::y); }
    constexpr std::int64_t w_size() const { return groups * out * in * size(&window_axis::window); }
};

/// How results read a source along one axis: result j takes elements step j + delta(tap), zeros where there are none. The results of an
/// input's derivative whose index is `phase` modulo the stride read every second, every third, ... position of the window.
struct window_reading {
    std::int64_t count, step = 1, extent;
    std::int64_t first = 0, every = 1, taps = 0;  ///< which positions of the window
    std::int64_t delta_first = 0, delta_step = 0;
    std::int64_t result_step = 1, phase = 0;  ///< result j stands at phase + result_step j

    constexpr window_reading(window_axis const& a, window_role role, std::int64_t which) : count(a.y), extent(a.x), phase(which) {
        if (role != window_role::input) {
            step = a.stride;
            taps = a.window;
            delta_first = -a.padding;
            delta_step = a.dilation;
            return;
        }
        extent = a.y;
        result_step = a.stride;
        count = a.x > phase ? (a.x - phase + a.stride - 1) / a.stride : 0;
        every = a.stride / std::gcd(a.stride, a.dilation);
        while (first < a.window && first < a.stride && (phase + a.padding - a.dilation * first) % a.stride != 0) ++first;
        bool const some = first < a.window && (phase + a.padding - a.dilation * first) % a.stride == 0;
        taps = some ? (a.window - first + every - 1) / every : 0;
        delta_first = (phase + a.padding - a.dilation * first) / a.stride;
        delta_step = -a.dilation * every / a.stride;
    }
    constexpr std::int64_t delta(std::int64_t tap) const { return delta_first + tap * delta_step; }
    constexpr std::int64_t low() const { return taps ? std::min(delta(0), delta(taps - 1)) : 0; }
    /// Elements that `results` neighbours read, from the lowest to the highest.
    constexpr std::int64_t span(std::int64_t results) const {
        std::int64_t const taken = taps ? std::max(delta(0), delta(taps - 1)) - low() + 1 : 1;
        return results > 0 ? (results - 1) * step + taken : 0;
    }
};

/// A band: what a block of rows of results reads of some channels of a group, with the zeros around, side by side. Innermost rows are
/// sorted by their index modulo the step, so that neighbours read neighbours.
struct window_band {
    window_reading axis[3];
    std::int64_t channels, places, line;        ///< places: elements of a line with the same index modulo the step
    std::int64_t rows, positions, at_once = 1;  ///< rows and elements of a block of results, and how many of these, of several images
    std::int64_t size;

    constexpr window_band(window_extents const& e, window_role role, std::int64_t bytes, std::int64_t p0, std::int64_t p1, std::int64_t p2)
        : axis{{e.axis[0], role, p0}, {e.axis[1], role, p1}, {e.axis[2], role, p2}},
          channels(role == window_role::input ? e.out : e.in),
          places((axis[2].span(axis[2].count) + axis[2].step - 1) / axis[2].step),
          line(places * axis[2].step) {
        std::int64_t const width = std::max<std::int64_t>(1, axis[2].count), whole = std::max<std::int64_t>(1, axis[1].count);
        std::int64_t const slab = std::max<std::int64_t>(1, axis[0].span(1) * line), room = core::target::window_band / bytes / slab;
        if (role == window_role::weight) {  // sums stay in registers over many results, channels need not be together
            rows = std::clamp<std::int64_t>(core::target::window_positions / width, 1, whole);
            if (rows == whole) at_once = std::clamp<std::int64_t>(core::target::window_positions / (rows * width), 1, most_at_once);
            channels = std::clamp<std::int64_t>(room / (axis[1].span(rows) * at_once), std::min<std::int64_t>(1, e.in), e.in);
        } else {
            std::int64_t const fits = room / std::max<std::int64_t>(1, channels) - axis[1].span(1);
            rows = std::clamp<std::int64_t>(fits < 0 ? 1 : fits / axis[1].step + 1, 1, whole);
        }
        positions = rows * width;
        size = channels * axis[0].span(1) * axis[1].span(rows) * line;
    }
    /// Elements up to the end of a cache line, with room for a vector that begins at the last one.
    static constexpr std::int64_t with_room(std::int64_t elements) { return (elements + 79) / 16 * 16; }
    static constexpr std::int64_t most_at_once = 16;
    static constexpr std::int64_t most_columns = 6;  ///< positions of a window that the weights' derivative works on at a time
    constexpr std::int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
};

/// Bytes that a thread needs: bands, a table of what a row of results reads, and rows of windows that a sum over results reads at a time,
/// with room for vectors that begin at the last element. For an input's derivative a bound over all phases.
constexpr std::int64_t window_scratch(window_extents const& e, window_role role, std::int64_t bytes) {
    std::int64_t one[3]{}, all[3]{}, taps = 1;
    for (int i = 0; i < 3; ++i) {
        std::int64_t most = 0;
        for (std::int64_t p = 0; p < (role == window_role::input ? e.axis[i].stride : 1); ++p) {
            window_reading const r(e.axis[i], role, p);
            one[i] = std::max(one[i], r.span(1));
            all[i] = std::max(all[i], r.span(r.count) + r.step - 1);
            most = std::max(most, r.taps);
        }
        taps *= most;
    }
    std::int64_t const channels = role == window_role::input ? e.out : e.in, row = channels * one[0] * all[2], table = 16 * channels * taps;
    std::int64_t elements = std::min(std::max(core::target::window_band / bytes, row * one[1]), row * all[1]) + 64;
    if (role == window_role::weight) {
        window_band const band(e, role, bytes, 0, 0, 0);
        elements = band.at_once * band.with_room(band.size) + band.most_columns * band.with_room(band.at_once * band.positions);
    }
    return bytes * elements + table + core::target::cache_line;
}

}  // namespace gradus::inline GRADUS_ARCH::op
