// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>

// Blocks of neural networks: normalizations with scale and shift, a layer, attention. `value` is epsilon.
namespace gradus::inline GRADUS_ARCH::op {

/// 1 / sqrt(mean x^2 + epsilon) over `axes`, a constant for derivatives. Squares that overflow are those of x times a small power of two;
/// squares that vanish count where epsilon is no larger than they are, and are then those of x times a large one. All sums are taken in one
/// pass over x, and numbers of ordinary size have plain squares.
constexpr auto inverse_size(auto x, std::int64_t axes, double epsilon) {
    struct scaling {
        double from, large, below, small, epsilon;
    };
    scaling const s = x.type() == dtype::float64 ? scaling{0x1p900, 0x1p-560, 0x1p-800, 0x1p600, 0x1p-900}
                                                 : scaling{0x1p100, 0x1p-80, 0x1p-60, 0x1p80, 0x1p-80};
    auto squares = apply<square>(x).sum(axes, true), sum = squares, added = x.number(epsilon), factor = x.number(1);
    auto rescale = [&](auto where_needed, double scale) {
        sum = gradus::where(where_needed, apply<square>(x * scale).sum(axes, true), sum);
        added = gradus::where(where_needed, x.number(epsilon * scale * scale), added);
        factor = gradus::where(where_needed, x.number(scale), factor);
    };
    if (epsilon < s.epsilon) rescale(squares < s.below, s.small);
    rescale(squares > s.from, s.large);
    return apply<stop_gradient>(apply<rsqrt>(sum / x.count(axes) + added) * factor);
}
/// x / sqrt(mean x^2 + epsilon) over `axes`. For y = x s with a constant s this is y / sqrt(mean y^2 + epsilon s^2), whose root is 1 where
/// s is the inverse size: the derivatives are those of numbers of ordinary size, s (g - y mean(g y)) the first.
constexpr auto normalized(auto x, std::int64_t axes, double epsilon) {
    auto s = inverse_size(x, axes, epsilon);
    auto square_mean = apply<square>(x * s).sum(axes, true) / x.count(axes);
    return x * (s * apply<rsqrt>(apply<straight_through>(square_mean.number(1), square_mean)));
}
/// (x - mean) / sqrt(variance + epsilon) over `axes`, the variance divided by n.
constexpr auto standardized(auto x, std::int64_t axes, double epsilon) {
    auto distance = x - x.sum(axes, true) / x.count(axes);
    return normalized(distance, axes, epsilon);
}
/// `per_channel`, shaped to broadcast along axis 1 of x.
constexpr auto along_channels(auto per_channel, auto x) {
    shape s = x.shape();
    for (int i = 0; i < s.rank(); ++i)
        if (i != 1) s[i] = 1;
    return per_channel.reshape(s);
}
/// x times its channel's scale plus its channel's shift.
constexpr auto by_channel(auto x, auto scale, auto shift) { return x * along_channels(scale, x) + along_channels(shift, x); }

/// Base: x with a scale and a shift of its dtype, the result like x.
template <class Op, int Arity = 3>
struct normalization : composite {
    static constexpr int arity = Arity;
    static constexpr op_kind kind = op_kind::reduction;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        common_dtype(c, 0, accepts::floating, fail);
        for (int i = 1; !fail.failed && i < c.count; ++i)
            if (!Op::fits(c, c.operand[i].shape))
                fail("scale and shift do not fit: a is ", c.operand[0], ", ", letter(i), " is ", c.operand[i]);
        return c.operand[0];
    }
    /// Trailing axes of x.
    static constexpr bool trailing(call const& c, shape const& s) {
        shape const& x = c.operand[0].shape;
        bool same = s.rank() <= x.rank();
        for (int i = 0; same && i < s.rank(); ++i) same = c.same(x[x.rank() - s.rank() + i], s[i]);
        return same;
    }
    /// One number per index along axis 1 of x.
    static constexpr bool per_channel(call const& c, shape const& s) {
        return c.operand[0].shape.rank() >= 2 && s.rank() == 1 && c.same(c.operand[0].shape[1], s[0]);
    }
    static constexpr std::int64_t axes_of(auto x, auto scale) {
        return ((std::int64_t{1} << scale.shape().rank()) - 1) << (x.shape().rank() - scale.shape().rank());
    }
};

/// Standardized over the trailing axes, those of scale and shift.
struct layer_norm : normalization<layer_norm> {
    static constexpr auto name = "layer_norm";
    static constexpr bool fits(call const& c, shape const& s) { return trailing(c, s); }
    static constexpr auto expand(attributes const& attr, auto x, auto scale, auto shift) {
        return standardized(x, axes_of(x, scale), attr.value) * scale + shift;
    }
};

/// x / sqrt(mean x^2 + epsilon) scale, over the axes of scale.
struct rms_norm : normalization<rms_norm, 2> {
    static constexpr auto name = "rms_norm";
    static constexpr bool fits(call const& c, shape const& s) { return trailing(c, s); }
    static constexpr auto expand(attributes const& attr, auto x, auto scale) {
        return normalized(x, axes_of(x, scale), attr.value) * scale;
    }
};

/// Standardized over all axes but 1 with the statistics of x: batch normalization while training.
struct batch_norm : normalization<batch_norm> {
    static constexpr auto name = "batch_norm";
    static constexpr bool fits(call const& c, shape const& s) { return per_channel(c, s); }
    static constexpr auto expand(attributes const& attr, auto x, auto scale, auto shift) {
        auto others = ((std::int64_t{1} << x.shape().rank()) - 1) & ~std::int64_t{2};
        return by_channel(standardized(x, others, attr.value), scale, shift);
    }
};

/// Standardized over n[0] groups of neighbours along axis 1 and all axes after it.
struct group_norm : normalization<group_norm> {
    static constexpr auto name = "group_norm";
    static constexpr bool fits(call const& c, shape const& s) {
        shape const& x = c.operand[0].shape;
        return x.rank() < max_rank && per_channel(c, s) && x[1].is_static() && c.attr.n[0] > 0 && x[1].code % c.attr.n[0] == 0;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto scale, auto shift) {
        shape grouped{x.shape()[0], attr.n[0], x.shape()[1].code / attr.n[0]};
        for (int i = 2; i < x.shape().rank(); ++i) grouped.push_back(x.shape()[i]);
        auto axes = ((std::int64_t{1} << grouped.rank()) - 1) & ~std::int64_t{3};
        return by_channel(standardized(x.reshape(grouped), axes, attr.value).reshape(x.shape()), scale, shift);
    }
};

/// x w^T + b: w has a row per output.
struct linear_layer : composite {
    static constexpr auto name = "linear";
    static constexpr int arity = 3;
    static constexpr op_kind kind = op_kind::contraction;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &x = c.operand[0], &w = c.operand[1], &b = c.operand[2];
        if (common_dtype(c, 0, accepts::floating, fail); fail.failed) return {};
        bool fits = x.shape.rank() >= 1 && w.shape.rank() == 2 && b.shape.rank() == 1;
        if (!fits || !c.same(x.shape[x.shape.rank() - 1], w.shape[1]) || !c.same(w.shape[0], b.shape[0]))
            return fail("needs [..., in], [out, in] and [out]: a is ", x, ", b is ", w, ", c is ", b);
        tensor_type y = x;
        y.shape[x.shape.rank() - 1] = w.shape[0];
        return y;
    }
    static constexpr auto expand(attributes const&, auto x, auto w, auto b) { return x.matmul(w.transposed()) + b; }
};

/// softmax(q k^T / sqrt(d)) with a mask: where it is false nothing is seen, numbers are added. NaN for what sees nothing.
struct attention_weights : composite {
    static constexpr auto name = "attention_weights";
    static constexpr int arity = 3;
    static constexpr op_kind kind = op_kind::contraction;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &q = c.operand[0], &k = c.operand[1], &mask = c.operand[2];
        int const r = q.shape.rank();
        bool fits = is_floating(q.type) && q.type == k.type && r >= 2 && k.shape.rank() == r && c.same(q.shape[r - 1], k.shape[r - 1]) &&
                    (mask.type == dtype::boolean || mask.type == q.type);
        for (int i = 0; fits && i < r - 2; ++i) fits = c.same(q.shape[i], k.shape[i]);
        if (!fits)
            return fail("needs [..., queries, d], [..., keys, d] and a mask of bools or of their type: a is ", q, ", b is ", k, ", c is ",
                        mask);
        tensor_type y = q;
        y.shape[r - 1] = k.shape[r - 2];
        call const both{{}, {}, {y, mask}, 2, c.unknowns};
        complaint apart;
        shape const masked = broadcast(both, apart);
        if (apart.failed || !c.same(masked, y.shape))
            return fail("the mask does not broadcast to [..., queries, keys], ", y, ": c is ", mask);
        return y;
    }
    static constexpr auto scores(auto q, auto k) {
        return q.matmul(k.transposed()) * apply<rsqrt>(q.count(std::int64_t{1} << (q.shape().rank() - 1)));
    }
    static constexpr auto expand(attributes const&, auto q, auto k, auto mask) {
        auto all = scores(q, k);
        auto seen = mask.type() == dtype::boolean ? gradus::where(mask, all, -std::numeric_limits<double>::infinity()) : all + mask;
        return softmax::expand(reduction_attributes(std::int64_t{1} << (q.shape().rank() - 1), false), seen);
    }
};

/// softmax(q k^T / sqrt(d)) v; with n[0] = 1 a position sees itself and what is before it.
struct scaled_dot_product_attention : composite {
    static constexpr auto name = "scaled_dot_product_attention";
    static constexpr int arity = 3;
    static constexpr op_kind kind = op_kind::contraction;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &q = c.operand[0], &k = c.operand[1], &v = c.operand[2];
        if (common_dtype(c, 0, accepts::floating, fail); fail.failed) return {};
        int r = q.shape.rank();
        bool fits = r >= 2 && k.shape.rank() == r && v.shape.rank() == r && c.same(q.shape[r - 1], k.shape[r - 1]) &&
                    c.same(k.shape[r - 2], v.shape[r - 2]);
        for (int i = 0; fits && i < r - 2; ++i) fits = c.same(q.shape[i], k.shape[i]) && c.same(q.shape[i], v.shape[i]);
        if (!fits) return fail("needs [..., queries, d], [..., keys, d] and [..., keys, e]: a is ", q, ", b is ", k, ", c is ", v);
        tensor_type y = q;
        y.shape[r - 1] = v.shape[r - 1];
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto q, auto k, auto v) {
        int const last = q.shape().rank() - 1;
        auto scores = attention_weights::scores(q, k);
        if (attr.n[0])
            scores = gradus::where(scores.index(last) <= scores.index(last - 1), scores, -std::numeric_limits<double>::infinity());
        return softmax::expand(reduction_attributes(std::int64_t{1} << last, false), scores).matmul(v);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
