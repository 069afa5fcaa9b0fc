// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/comparison.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/shape.hpp>

// Windows over the axes after the first two, whose extents are static: one matrix product, or one maximum, per position in
// the window. Attributes: n[0] stride, n[1] padding, n[2] dilation, n[3] groups.
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
/// Axes from the third on: start and step of a strided part, and its extents.
constexpr auto spatial_part(auto x, std::int64_t const* start, std::int64_t step, shape const& out) {
    for (int i = 2; i < x.shape().rank(); ++i) x = part_of(x, i, start[i - 2], out[i].code, step);
    return x;
}
/// x [N, C, ...] with the axes from the third on as one.
constexpr shape with_one_place(shape const& s) {
    std::int64_t places = 1;
    for (int i = 2; i < s.rank(); ++i) places *= s[i].code;
    return {s[0], s[1], places};
}
constexpr window window_of(shape const& weight) {
    window w;
    for (int i = 2; i < weight.rank(); ++i) w.extent[w.axes++] = weight[i].code;
    return w;
}
/// The matrix of the weights [A, B, ...] at one position of the window.
constexpr auto weights_at(auto weight, window const& w) {
    shape one = weight.shape(), matrix{one[0], one[1]};
    for (int i = 2; i < one.rank(); ++i) one[i] = 1;
    return spatial_part(weight, w.at, 1, one).reshape(matrix);
}
/// With zeros, or without what they were, around the axes from the third on.
constexpr auto spatial_pad(auto x, std::int64_t const* start, std::int64_t step, shape const& whole) {
    bool packed = true;
    attributes place;
    for (int i = 0; i < whole.rank(); ++i) {
        place.n[i] = i < 2 ? pack_range(0, 1) : pack_range(start[i - 2], step);
        packed = packed && (i < 2 || can_be_packed(start[i - 2], step));
    }
    if (packed) return x.pad(place, whole);
    for (int i = 2; i < whole.rank(); ++i) {
        shape wider = x.shape();
        wider[i] = whole[i];
        x = x.pad(range_along(whole.rank(), i, start[i - 2], step), wider);
    }
    return x;
}

/// The sum of term(weights, start) over the positions in the window: its matrix of weights, and where the dilated window has it.
constexpr auto sum_over_window(attributes const& attr, auto weight, auto term) {
    window w = window_of(weight.shape());
    decltype(weight) y = 0.0;
    for (std::int64_t position = 0; position < w.size(); ++position) {
        w.go_to(position);
        std::int64_t start[max_rank]{};
        for (int i = 0; i < w.axes; ++i) start[i] = attr.n[2] * w.at[i];
        auto more = term(weights_at(weight, w), start);
        y = position ? y + more : more;
    }
    return y;
}

template <class Op>
struct convolution_base : composite {
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::contraction;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &x = c.operand[0], &w = c.operand[1];
        if (common_dtype(c, 0, accepts::floating, fail); fail.failed) return {};
        int const rank = x.shape.rank();
        if (rank < 3 || w.shape.rank() != rank) return fail("needs [N, C, ...] and weights with as many axes: a is ", x, ", b is ", w);
        bool fits = w.shape.is_static();
        for (int i = 1; fits && i < rank; ++i) fits = x.shape[i].is_static();
        if (!fits) return fail("all extents but N are static: a is ", x, ", b is ", w);
        if (c.attr.n[0] < 1 || c.attr.n[1] < 0 || c.attr.n[2] < 1 || c.attr.n[3] < 1)
            return fail("needs a positive stride, dilation and number of groups, and padding of at least 0");
        if (!Op::channels_fit(c.attr, x.shape, w.shape))
            return fail("the weights are for other channels: a is ", x, ", b is ", w, ", in ", c.attr.n[3],
                        c.attr.n[3] == 1 ? " group" : " groups");
        shape const y = Op::result(c.attr, x.shape, w.shape);
        for (int i = 2; i < rank; ++i)
            if (y[i].code < 1) return fail("the window is larger than a: a is ", x, ", b is ", w);
        return {x.type, y};
    }
};

/// y[n, o, p] = sum over c, k of w[o, c, k] x[n, c, stride p + dilation k - padding]: conv1d, conv2d, conv3d.
struct convolution : convolution_base<convolution> {
    static constexpr auto name = "convolution";
    static constexpr bool channels_fit(attributes const& attr, shape const& x, shape const& w) {
        return x[1].code == w[1].code * attr.n[3] && w[0].code % attr.n[3] == 0;
    }
    static constexpr shape result(attributes const& attr, shape const& x, shape const& w) {
        shape y = x;
        y[1] = w[0];
        for (int i = 2; i < x.rank(); ++i) {
            std::int64_t const room = x[i].code + 2 * attr.n[1] - attr.n[2] * (w[i].code - 1) - 1;
            y[i] = room < 0 ? 0 : room / attr.n[0] + 1;
        }
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto weight) {
        shape const out = result(attr, x.shape(), weight.shape());
        if (attr.n[1] > 0) {
            std::int64_t start[max_rank]{};
            shape whole = x.shape();
            for (int i = 2; i < whole.rank(); ++i) start[i - 2] = attr.n[1], whole[i] = whole[i].code + 2 * attr.n[1];
            x = spatial_pad(x, start, 1, whole);
        }
        auto y = of_group(attr, x, weight, out, 0);
        for (std::int64_t group = 1; group < attr.n[3]; ++group) y = joined(y, of_group(attr, x, weight, out, group), 1);
        return y;
    }
    static constexpr auto of_group(attributes const& attr, auto x, auto weight, shape const& all, std::int64_t group) {
        std::int64_t const in = weight.shape()[1].code, outs = weight.shape()[0].code / attr.n[3];
        if (attr.n[3] > 1) {
            x = part_of(x, 1, group * in, in);
            weight = part_of(weight, 0, group * outs, outs);
        }
        shape out = all, part = all;
        out[1] = outs;
        part[1] = in;
        auto term = [&](auto weights, std::int64_t const* start) {
            return weights.matmul(spatial_part(x, start, attr.n[0], part).reshape(with_one_place(part)));
        };
        return sum_over_window(attr, weight, term).reshape(out);
    }
};

/// The transpose of convolution: y[n, o, stride p + dilation k - padding] += w[c, o, k] x[n, c, p].
struct transposed_convolution : convolution_base<transposed_convolution> {
    static constexpr auto name = "conv_transpose";
    static constexpr bool channels_fit(attributes const& attr, shape const& x, shape const& w) {
        return x[1].code == w[0].code && attr.n[3] == 1;
    }
    static constexpr shape result(attributes const& attr, shape const& x, shape const& w) {
        shape y = x;
        y[1] = w[1];
        for (int i = 2; i < x.rank(); ++i) y[i] = (x[i].code - 1) * attr.n[0] - 2 * attr.n[1] + attr.n[2] * (w[i].code - 1) + 1;
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto weight) {
        shape const out = result(attr, x.shape(), weight.shape());
        shape whole = out, part = x.shape();
        for (int i = 2; i < out.rank(); ++i) whole[i] = out[i].code + 2 * attr.n[1];
        part[1] = out[1];
        auto const flat = x.reshape(with_one_place(x.shape()));
        auto term = [&](auto weights, std::int64_t const* start) {
            return spatial_pad(weights.transposed().matmul(flat).reshape(part), start, attr.n[0], whole);
        };
        auto y = sum_over_window(attr, weight, term);
        if (attr.n[1] == 0) return y;
        std::int64_t start[max_rank]{};
        for (int i = 2; i < out.rank(); ++i) start[i - 2] = attr.n[1];
        return spatial_part(y, start, 1, out);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
