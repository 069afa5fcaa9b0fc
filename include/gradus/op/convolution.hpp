// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/composite.hpp>
#include <gradus/op/window.hpp>

// Convolutions: one contraction over windows, linear in the input and in the weights, so that both derivatives are contractions of the
// same kind, and theirs are these three again. Attributes: n[0] stride, n[1] padding, n[2] dilation, n[3] groups, n[4] axes of a window.
namespace gradus::inline GRADUS_ARCH::op {

struct convolution;
struct convolution_input_gradient;
struct convolution_weight_gradient;

/// The last axes of a shape: channels and a window's axes; instances stand before.
constexpr shape behind_instances(shape const& s, int axes) {
    shape base;
    for (int i = s.rank() - axes - 2; i < s.rank(); ++i) base.push_back(s[i]);
    return base;
}
constexpr shape instances_of(shape const& s, int axes) {
    shape lead;
    for (int i = 0; i < s.rank() - axes - 2; ++i) lead.push_back(s[i]);
    return lead;
}
constexpr shape with_instances(shape lead, shape const& base) {
    for (int i = 0; i < base.rank(); ++i) lead.push_back(base[i]);
    return lead;
}
/// Which instance of an operand belongs to instance `number` of the result: axes of 1 repeat.
constexpr std::int64_t instance_of(shape const& operand, shape const& result, int axes, std::int64_t number) {
    std::int64_t at = 0, step = 1;
    int const missing = result.rank() - operand.rank();
    for (int i = result.rank() - axes - 3; i >= missing; --i) {
        if (operand[i - missing].code != 1) at += number % result[i].code * step;
        step *= operand[i - missing].code;
        number /= result[i].code;
    }
    return at;
}
/// Extents of y along the window's axes; 0 where a window is larger than x.
constexpr shape convolved(attributes const& attr, shape const& x, shape const& w) {
    shape y = x;
    y[1] = w[0];
    for (int i = 2; i < x.rank(); ++i) {
        std::int64_t const room = x[i].code + 2 * attr.n[1] - attr.n[2] * (w[i].code - 1) - 1;
        y[i] = room < 0 ? 0 : room / attr.n[0] + 1;
    }
    return y;
}
/// The rules of a convolution and its transpose; x and w without instances.
template <class Op>
constexpr tensor_type infer_windows(call const& c, tensor_type const& x, tensor_type const& w, complaint& fail) {
    if (common_dtype(c, 0, accepts::floating, fail); fail.failed) return {};
    int const rank = x.shape.rank();
    if (rank < 3 || rank > 5 || w.shape.rank() != rank)
        return fail("needs [N, C, ...] and weights with as many axes: a is ", x, ", b is ", w);
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

/// Base of the three: operands are two of x, w, y, with axes of instances before, which broadcast.
template <class Op, window_role Role>
struct window_product {
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::contraction;
    /// ` stride=2 padding=1 dilation=2 groups=4`, what is not as without them.
    static constexpr void print(text& out, attributes const& attr, tensor_type const&) {
        constexpr std::string_view names[]{" stride=", " padding=", " dilation=", " groups="};
        for (int i = 0; i < 4; ++i)
            if (attr.n[i] != (i == 1 ? 0 : 1)) core::append(out, core::concat(names[i], attr.n[i]).view());
    }

    static constexpr shape lead_of(call const& c, int axes, complaint& fail) {
        call const lead{
            {},
            {},
            {{c.operand[0].type, instances_of(c.operand[0].shape, axes)}, {c.operand[1].type, instances_of(c.operand[1].shape, axes)}},
            2,
            c.unknowns};
        return broadcast(lead, fail);
    }
    /// The derivatives are told what they are the derivatives of.
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        int const axes = window_extents::axes(c.attr, c.operand[0].shape);
        if (c.operand[0].type != c.operand[1].type || c.operand[0].shape.rank() < axes + 2 || c.operand[1].shape.rank() < axes + 2 ||
            c.target.rank() < axes + 2)
            return fail("needs two of an input, weights and a result: a is ", c.operand[0], ", b is ", c.operand[1]);
        shape const a = behind_instances(c.operand[0].shape, axes), b = behind_instances(c.operand[1].shape, axes),
                    made = behind_instances(c.target, axes);
        shape const &x = Role == window_role::input ? made : a, &w = Role == window_role::input ? b : made,
                    &y = Role == window_role::input ? a : b;
        if (!(c.attr.n[0] > 0 && c.attr.n[2] > 0 && c.attr.n[3] > 0 && x[1].code == w[1].code * c.attr.n[3] &&
              w[0].code % c.attr.n[3] == 0 && c.same(convolved(c.attr, x, w), y)))
            return fail("is no derivative of a convolution: a is ", c.operand[0], ", b is ", c.operand[1], ", asked for is ", c.target);
        return {c.operand[0].type, with_instances(lead_of(c, axes, fail), made)};
    }

    /// The shapes of x, w and y.
    static constexpr void shapes(call const& c, shape const& result, shape (&of)[3]) {
        of[0] = Role == window_role::input ? result : c.operand[0].shape;
        of[1] = Role == window_role::weight ? result : c.operand[1].shape;
        of[2] = Role == window_role::output ? result : c.operand[Role == window_role::input ? 0 : 1].shape;
    }
    /// f(extents, a, b, result, number) for every instance; pointers to its elements.
    template <class T>
    static constexpr void each_instance(call const& c, T const* const* in, T* out, auto const& f) {
        int const axes = window_extents::axes(c.attr, c.operand[0].shape);
        shape of[3];
        shapes(c, c.target, of);
        window_extents const e(c.attr, of[0], of[1], of[2]);
        std::int64_t const sizes[]{e.x_size(), e.w_size(), e.y_size()}, count = instances_of(c.target, axes).static_size();
        constexpr int a = Role == window_role::input ? 2 : 0, b = Role == window_role::weight ? 2 : 1,
                      made = static_cast<int>(Role) == 0 ? 2 : static_cast<int>(Role) - 1;
        for (std::int64_t i = 0; i < count; ++i)
            f(e, in[0] + instance_of(c.operand[0].shape, c.target, axes, i) * sizes[a],
              in[1] + instance_of(c.operand[1].shape, c.target, axes, i) * sizes[b], out + i * sizes[made], i);
    }
    /// The textbook's sum: padding is zeros, also for weights that are infinite.
    static void whole(call const& c, double const* const* in, double* out) {
        each_instance(c, in, out, [](window_extents const& e, double const* a, double const* b, double* to, std::int64_t) {
            std::int64_t const taps = e.size(&window_axis::window), places = e.size(&window_axis::y), inputs = e.size(&window_axis::x);
            std::fill_n(to, Role == window_role::output ? e.y_size() : Role == window_role::input ? e.x_size() : e.w_size(), 0.0);
            for (std::int64_t n = 0; n < e.images; ++n)
                for (std::int64_t o = 0; o < e.groups * e.out; ++o)
                    for (std::int64_t i = 0; i < e.in; ++i)
                        for (std::int64_t k = 0; k < taps; ++k)
                            for (std::int64_t p = 0; p < places; ++p) {
                                std::int64_t const w_at = (o * e.in + i) * taps + k, y_at = (n * e.groups * e.out + o) * places + p;
                                std::int64_t at = 0, rest_k = k, rest_p = p, step = 1;
                                bool inside = true;
                                for (int axis = 2; axis >= 0; --axis) {
                                    window_axis const& s = e.axis[axis];
                                    std::int64_t const j = s.stride * (rest_p % s.y) + s.dilation * (rest_k % s.window) - s.padding;
                                    inside = inside && j >= 0 && j < s.x;
                                    at += j * step;
                                    step *= s.x;
                                    rest_k /= s.window;
                                    rest_p /= s.y;
                                }
                                std::int64_t const x_at = ((n * e.groups + o / e.out) * e.in + i) * inputs + at;
                                if constexpr (Role == window_role::output) to[y_at] += (inside ? a[x_at] : 0) * b[w_at];
                                else if constexpr (Role == window_role::weight) to[w_at] += (inside ? a[x_at] : 0) * b[y_at];
                                else if (inside) to[x_at] += a[y_at] * b[w_at];
                            }
        });
    }
    /// The kernel is in kernel/window_contract.hpp.
    template <class T>
        requires std::is_floating_point_v<T>
    static void kernel(call const& c, T const* const* in, T* out, kernel_work const& work);
    static constexpr std::int64_t scratch_bytes(dtype type, call const& c) {
        shape of[3];
        shapes(c, c.target, of);
        return window_scratch(window_extents(c.attr, of[0], of[1], of[2]), Role, size_of(type));
    }
    static constexpr operation_count operations(call const& c) {
        shape of[3];
        shapes(c, c.target, of);
        window_extents const e(c.attr, of[0], of[1], of[2]);
        return {with_instances(instances_of(c.target, window_extents::axes(c.attr, c.operand[0].shape)),
                               behind_instances(of[2], window_extents::axes(c.attr, c.operand[0].shape))),
                2 * e.in * e.size(&window_axis::window)};
    }

    /// One of the three on values: a result that has the instances of both operands, without those that `like` has not.
    template <class Other, class X>
    static constexpr X made(X y, X like, X a, X b) {
        int const axes = window_extents::axes(y.attr(), y.shape());
        if (y.attr().n[4] == 0) return X::template emit<Other>(y.owner(), y.attr(), like.shape(), {a, b});
        shape const target = with_instances(instances_of(y.shape(), axes), behind_instances(like.shape(), axes));
        return X::template emit<Other>(y.owner(), y.attr(), target, {a, b}).sum_to(like.shape());
    }
    template <int K>
    static constexpr auto directional(auto t, auto y, auto a, auto b) {
        using X = decltype(y);
        return X::template emit<Op>(y.owner(), y.attr(), y.shape(), {K == 0 ? t : a, K == 1 ? t : b});
    }
    static constexpr auto batch(batched_call const& c, auto a, auto b) {
        attributes attr = c.attr;
        attr.n[4] = window_extents::axes(c.attr, c.operand[0]);
        int const rank = c.result.rank();
        return batched_as<Op>(attr, in_front(c.instances, c.result), with_instance_rank(c, a, 0, rank), with_instance_rank(c, b, 1, rank));
    }
};

/// y[n, o, p] = sum over c, k of w[o, c, k] x[n, c, stride p + dilation k - padding]: conv1d, conv2d, conv3d.
struct convolution : window_product<convolution, window_role::output> {
    static constexpr auto name = "convolution";
    static constexpr bool channels_fit(attributes const& attr, shape const& x, shape const& w) {
        return x[1].code == w[1].code * attr.n[3] && w[0].code % attr.n[3] == 0;
    }
    static constexpr shape result(attributes const& attr, shape const& x, shape const& w) { return convolved(attr, x, w); }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type x = c.operand[0], w = c.operand[1];
        if (c.attr.n[4] == 0) return infer_windows<convolution>(c, x, w, fail);
        int const axes = static_cast<int>(c.attr.n[4]);
        if (x.shape.rank() < axes + 2 || w.shape.rank() < axes + 2) return fail("needs [N, C, ...] and weights: a is ", x, ", b is ", w);
        x.shape = behind_instances(x.shape, axes);
        w.shape = behind_instances(w.shape, axes);
        tensor_type const y = infer_windows<convolution>(c, x, w, fail);
        return fail.failed ? y : tensor_type{y.type, with_instances(lead_of(c, axes, fail), y.shape)};
    }
    static constexpr auto vjp(auto g, auto y, auto x, auto w) {
        return std::pair{made<convolution_input_gradient>(y, x, g, w), made<convolution_weight_gradient>(y, w, x, g)};
    }
    static constexpr auto of(attributes const& attr, auto x, auto w) {
        return decltype(x)::template emit<convolution>(x.owner(), attr, {}, {x, w});
    }
};
/// The transpose of a convolution: x of y and w.
struct convolution_input_gradient : window_product<convolution_input_gradient, window_role::input> {
    static constexpr auto name = "convolution_input_gradient";
    static constexpr auto vjp(auto g, auto x, auto y, auto w) {
        return std::pair{made<convolution>(x, y, g, w), made<convolution_weight_gradient>(x, w, g, y)};
    }
};
/// w of x and y.
struct convolution_weight_gradient : window_product<convolution_weight_gradient, window_role::weight> {
    static constexpr auto name = "convolution_weight_gradient";
    static constexpr auto vjp(auto g, auto w, auto x, auto y) {
        return std::pair{made<convolution_input_gradient>(w, x, y, g), made<convolution>(w, y, x, g)};
    }
};

/// y[n, o, stride p + dilation k - padding] += w[c, o, k] x[n, c, p].
struct transposed_convolution : composite {
    static constexpr auto name = "conv_transpose";
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::contraction;
    static constexpr bool channels_fit(attributes const& attr, shape const& x, shape const& w) {
        return x[1].code == w[0].code && attr.n[3] == 1;
    }
    static constexpr shape result(attributes const& attr, shape const& x, shape const& w) {
        shape y = x;
        y[1] = w[1];
        for (int i = 2; i < x.rank(); ++i) y[i] = (x[i].code - 1) * attr.n[0] - 2 * attr.n[1] + attr.n[2] * (w[i].code - 1) + 1;
        return y;
    }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        return infer_windows<transposed_convolution>(c, c.operand[0], c.operand[1], fail);
    }
    static constexpr auto expand(attributes const& attr, auto x, auto w) {
        shape const y = result(attr, x.shape(), w.shape());
        return decltype(x)::template emit<convolution_input_gradient>(x.owner(), attr, y, {x, w});
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
