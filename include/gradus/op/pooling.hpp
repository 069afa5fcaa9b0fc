// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/band.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/composite.hpp>

#include <limits>

// Pooling over the axes after the first two.

namespace gradus::inline GRADUS_ARCH::op {

/// Positions in a window of `extents`, as multi-indices.
struct window {
    int axes = 0;
    std::int64_t extent[max_rank]{}, at[max_rank]{};

    constexpr std::int64_t size() const {
        std::int64_t n = 1;
        for (int i = 0; i < axes; ++i) n *= extent[i];
        return n;
    }
    constexpr void go_to(std::int64_t position) {
        for (int i = axes - 1; i >= 0; --i) {
            at[i] = position % extent[i];
            position /= extent[i];
        }
    }
};

/// What pooling does along one axis: a window of `size` elements, `stride` apart, and `padding` around. In the attributes, n[0] has the
/// sizes of the axes from the third on, 21 bits each, n[4] their padding, n[1], n[2], n[3] their strides. n[5] is 1 where padding counts
/// as elements.
struct pooled_axis {
    std::int64_t size = 1, stride = 1, padding = 0;

    static constexpr std::int64_t most = (std::int64_t{1} << 21) - 1;
    /// Sizes that do not fit are 0, which the rule refuses; the code of a window grows with it.
    constexpr void pack(attributes& attr, int axis) const {
        bool const fits = size > 0 && size <= most && padding >= 0 && padding <= most;
        attr.n[0] |= (fits ? size : 0) << 21 * (axis - 2);
        attr.n[4] |= (fits ? padding : 0) << 21 * (axis - 2);
        attr.n[axis - 1] = stride;
    }
    static constexpr pooled_axis of(attributes const& attr, int axis) {
        return {attr.n[0] >> 21 * (axis - 2) & most, attr.n[axis - 1], attr.n[4] >> 21 * (axis - 2) & most};
    }
    /// How many windows there are; of a named dimension arithmetic on it.
    constexpr extent count(extent e) const {
        extent const room = e + 2 * padding - size;
        return e.is_static() && e.code + 2 * padding < size ? extent(0) : room / stride + 1;
    }
};

/// Base: one join of strided parts per position in a window.
template <class Op>
struct pooling : composite {
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr shape result(attributes const& attr, shape s) {
        for (int i = 2; i < s.rank(); ++i) s[i] = pooled_axis::of(attr, i).count(s[i]);
        return s;
    }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& x = c.operand[0];
        if (x.shape.rank() < 3 || x.shape.rank() > 5 || !is_floating(x.type)) return fail("needs floating-point [N, C, ...]: a is ", x);
        for (int i = 2; i < x.shape.rank(); ++i) {
            pooled_axis const p = pooled_axis::of(c.attr, i);
            if (p.size < 1 || p.stride < 1 || p.padding < 0 || 2 * p.padding > p.size)
                return fail("needs a positive window and stride, and padding of at most half of the window");
            extent const count = p.count(x.shape[i]);
            if (count == extent(0))
                return fail("the window is larger than axis ", i, ": a is ", x, " (", p.size, " > ", x.shape[i].code + 2 * p.padding, ")");
            if (count == dyn && x.shape[i].is_expressible())
                return fail("the number of windows along axis ", i, " is longer than a name: a is ", x);
        }
        return {x.type, result(c.attr, x.shape)};
    }
    static constexpr auto joined_windows(attributes const& attr, auto x) {
        shape const out = result(attr, x.shape());
        window w;
        for (int i = 2; i < out.rank(); ++i) {
            pooled_axis const p = pooled_axis::of(attr, i);
            w.extent[w.axes++] = p.size;
            attributes place;
            place.n[0] = i;
            place.n[1] = place.n[2] = p.padding;
            if (p.padding) x = constant_pad::expand(place, x, Op::padding);
        }
        auto part = [&] {
            auto y = x;
            for (int i = 2; i < out.rank(); ++i) y = part_of(y, i, w.at[i - 2], out[i], pooled_axis::of(attr, i).stride);
            return y;
        };
        decltype(x) y = part();
        for (std::int64_t position = 1; position < w.size(); ++position) {
            w.go_to(position);
            y = Op::join(y, part());
        }
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x) { return Op::finish(attr, x, joined_windows(attr, x)); }
};
/// The largest of two, NaN if there is one, the first of equal ones.
constexpr auto first_largest(auto y, auto x) { return gradus::where(x > y, x, gradus::where(x == x, y, x)); }
/// The largest of a window, NaN if there is one; the first of equal ones has the derivative, as in PyTorch.
struct max_pool : pooling<max_pool> {
    static constexpr auto name = "max_pool";
    static constexpr double padding = -std::numeric_limits<double>::infinity();
    static constexpr auto join(auto y, auto x) { return first_largest(y, x); }
    static constexpr auto finish(attributes const&, auto, auto y) { return y; }
};
/// The mean of a window.
struct avg_pool : pooling<avg_pool> {
    static constexpr auto name = "avg_pool";
    static constexpr double padding = 0;
    static constexpr auto join(auto y, auto x) { return y + x; }
    static constexpr auto finish(attributes const& attr, auto x, auto y) {
        std::int64_t all = 1;
        bool padded = false;
        shape one = x.shape();
        one[0] = one[1] = 1;
        for (int i = 2; i < one.rank(); ++i) {
            all *= pooled_axis::of(attr, i).size;
            padded = padded || pooled_axis::of(attr, i).padding > 0;
        }
        if (!padded || attr.n[5]) return y / static_cast<double>(all);
        return y / joined_windows(attr, x.number(1).broadcast_to(one));
    }
};

/// Base of pooling to n[0], n[1], ... results along the axes from the third on: result i of m is of elements floor(i n / m) up to
/// ceil((i + 1) n / m). One axis after the other, from the last.
template <class Op>
struct adaptive_pooling : composite {
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type y = c.operand[0];
        bool fits = y.shape.rank() >= 3 && is_floating(y.type);
        for (int i = 2; fits && i < y.shape.rank(); ++i) {
            fits = y.shape[i].is_static() && y.shape[i].code > 0 && c.attr.n[i - 2] > 0;
            y.shape[i] = c.attr.n[i - 2];
        }
        return fits ? y : fail("needs floating-point [N, C, ...] with static extents from the third axis on: a is ", c.operand[0]);
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        for (int axis = x.shape().rank() - 1; axis >= 2; --axis) x = along(x, axis, attr.n[axis - 2]);
        return x;
    }
    static constexpr auto along(auto x, int axis, std::int64_t count) {
        std::int64_t const n = x.shape()[axis].code;
        if (n % count == 0) return of_parts(x, axis, 0, n / count, count, n / count);
        decltype(x) y = 0.0;
        for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t const start = i * n / count, stop = ((i + 1) * n + count - 1) / count;
            auto one = of_parts(x, axis, start, stop - start, 1, 1);
            y = i ? joined(y, one, axis) : one;
        }
        return y;
    }
    /// `count` windows of `size` elements, the first from `start` on.
    static constexpr auto of_parts(auto x, int axis, std::int64_t start, std::int64_t size, std::int64_t count, std::int64_t stride) {
        auto y = part_of(x, axis, start, count, stride);
        for (std::int64_t k = 1; k < size; ++k) y = Op::join(y, part_of(x, axis, start + k, count, stride));
        return Op::finish(y, static_cast<double>(size));
    }
};
/// The largest of each of so many windows.
struct adaptive_max_pool : adaptive_pooling<adaptive_max_pool> {
    static constexpr auto name = "adaptive_max_pool";
    static constexpr auto join(auto y, auto x) { return first_largest(y, x); }
    static constexpr auto finish(auto y, double) { return y; }
};
/// The mean of each of so many windows.
struct adaptive_avg_pool : adaptive_pooling<adaptive_avg_pool> {
    static constexpr auto name = "adaptive_avg_pool";
    static constexpr auto join(auto y, auto x) { return y + x; }
    static constexpr auto finish(auto y, double n) { return n == 1 ? y : y / n; }
};

}  // namespace gradus::inline GRADUS_ARCH::op
