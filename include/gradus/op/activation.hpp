// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/normal.hpp>

// Activations of neural networks, made of other operations. Numbers among their operands (slopes, scales) may be variables.
namespace gradus::inline GRADUS_ARCH::op {

/// log(sigmoid(x)) as -softplus(-x).
struct logsigmoid : pointwise<logsigmoid> {
    static constexpr auto name = "logsigmoid";
    static constexpr auto expand(attributes const&, auto x) { return -apply<softplus>(-x); }
};

/// x sigmoid(x).
struct silu : pointwise<silu> {
    static constexpr auto name = "silu";
    static constexpr auto expand(attributes const&, auto x) { return x * apply<sigmoid>(x); }
};

/// x times the normal distribution function of x.
struct gelu : pointwise<gelu> {
    static constexpr auto name = "gelu";
    using uses = op_list<ndtr>;
    static constexpr auto expand(attributes const&, auto x) { return x * apply<ndtr>(x); }
};

/// gelu with the distribution function approximated by tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
struct gelu_tanh : pointwise<gelu_tanh> {
    static constexpr auto name = "gelu_tanh";
    static constexpr auto expand(attributes const&, auto x) {
        auto near = gradus::where(x > 30, 30, gradus::where(x < -30, -30, x));  // the cube overflows; long before, the result is x or 0
        return x * apply<sigmoid>(1.5957691216057307 * (near + 0.044715 * (near * near * near)));
    }
};

/// x above 0, alpha (exp(x) - 1) elsewhere.
struct elu : pointwise<elu, 2> {
    static constexpr auto name = "elu";
    static constexpr auto expand(attributes const&, auto x, auto alpha) { return gradus::where(x <= 0, alpha * apply<expm1>(x), x); }
};

/// elu with the scales for which layers keep mean 0 and variance 1 (Klambauer et al. 2017).
struct selu : pointwise<selu> {
    static constexpr auto name = "selu";
    static constexpr auto expand(attributes const&, auto x) {
        constexpr double scale = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717;
        return gradus::where(x <= 0, scale * alpha * apply<expm1>(x), scale * x);
    }
};

/// x above 0, slope x elsewhere.
struct leaky_relu : pointwise<leaky_relu, 2> {
    static constexpr auto name = "leaky_relu";
    static constexpr auto expand(attributes const&, auto x, auto slope) { return gradus::where(x > 0, x, slope * x); }
};

/// x between -1 and 1, the nearest of these elsewhere; the derivative at the bounds is 0.
struct hardtanh : pointwise<hardtanh> {
    static constexpr auto name = "hardtanh";
    static constexpr auto expand(attributes const&, auto x) { return gradus::where(x <= -1, -1, gradus::where(x >= 1, 1, x)); }
};

/// x tanh(softplus(x)).
struct mish : pointwise<mish> {
    static constexpr auto name = "mish";
    static constexpr auto expand(attributes const&, auto x) { return x * apply<tanh>(apply<softplus>(x)); }
};

/// 1 / x.
struct reciprocal : pointwise<reciprocal> {
    static constexpr auto name = "reciprocal";
    static constexpr auto expand(attributes const&, auto x) { return 1 / x; }
};

/// a + w (b - a), exact at w = 0 and w = 1.
struct lerp : pointwise<lerp, 3> {
    static constexpr auto name = "lerp";
    static constexpr auto expand(attributes const&, auto a, auto b, auto w) {
        return gradus::where(w < 0.5, a + w * (b - a), b - (1 - w) * (b - a));
    }
};

/// a b + c.
struct fma : pointwise<fma, 3> {
    static constexpr auto name = "fma";
    static constexpr auto expand(attributes const&, auto a, auto b, auto c) { return a * b + c; }
};

/// x + a b.
struct addcmul : pointwise<addcmul, 3> {
    static constexpr auto name = "addcmul";
    static constexpr auto expand(attributes const&, auto x, auto a, auto b) { return x + a * b; }
};

}  // namespace gradus::inline GRADUS_ARCH::op
