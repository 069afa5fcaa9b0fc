// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/activation.hpp>
#include <gradus/op/arithmetic.hpp>
#include <gradus/op/band.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/composite.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/op/convolution.hpp>
#include <gradus/op/cross_entropy.hpp>
#include <gradus/op/cumulative.hpp>
#include <gradus/op/dropout.hpp>
#include <gradus/op/einsum.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/gather.hpp>
#include <gradus/op/hyperbolic.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/linear_algebra.hpp>
#include <gradus/op/logarithm.hpp>
#include <gradus/op/logical.hpp>
#include <gradus/op/loss.hpp>
#include <gradus/op/marker.hpp>
#include <gradus/op/normal.hpp>
#include <gradus/op/normalization.hpp>
#include <gradus/op/pooling.hpp>
#include <gradus/op/recurrent.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/rounding.hpp>
#include <gradus/op/shape.hpp>
#include <gradus/op/sort.hpp>
#include <gradus/op/special.hpp>
#include <gradus/op/statistics.hpp>
#include <gradus/op/trigonometric.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// The elementwise operations on numbers that most programs use, and what derivatives are made of.
using elementwise_list =
    op_list<neg, abs, square, add, sub, mul, div, pow, maximum, minimum, exp, log, log1p, expm1, sqrt, rsqrt, tanh, sigmoid, softplus, relu,
            sin, cos, erf, less, less_equal, greater, greater_equal, equal, not_equal, where, cast, copy, stop_gradient, tanh_slope,
            tanh_slope_beside, sigmoid_slope, gaussian<1>, mul_no_nan, mul_zeros, is_reached>;

/// The others: like those of users, they are found in the expression, so that programs without them do not pay for them.
using further_list =
    op_list<tan, asin, acos, atan, atan2, hypot, erfc, sinh, cosh, asinh, acosh, atanh, exp2, log2, log10, cbrt, logit, logaddexp, xlogy,
            floor, ceil, round, trunc, fmod, copysign, lgamma, digamma, polygamma<1>, polygamma<2>, erfinv, erfcx, log_ndtr, ndtr>;

/// What only derivatives of these use: found by `uses`.
using derivative_list = op_list<polygamma<3>, polygamma<4>, gaussian<2>, one_minus_square, inverse_one_plus_square, direction, turn,
                                erfc_integral<1>, erfc_integral<2>, mills_ratio<false>, mills_ratio<true>, erfinv_slope,
                                cross_entropy_slope, cross_entropy_term, logits_slope, logits_term>;

/// The operations on bools, which conditions of derivatives are made of.
using connective_list = op_list<both, either, negation>;

template <class... A, class... B>
constexpr op_list<A..., B...> joined_lists(op_list<A...>, op_list<B...>) {
    return {};
}
/// What the kernels of every program know.
using kernel_list = decltype(joined_lists(elementwise_list{}, connective_list{}));

/// The elementwise operations that are made of others.
using composite_list =
    op_list<logsigmoid, silu, gelu, gelu_tanh, elu, selu, leaky_relu, hardtanh, mish, reciprocal, lerp, fma, addcmul, xlog1py, remainder,
            sign, heaviside, clamp, nan_to_num, logical_and, logical_or, logical_xor, logical_not, isnan, isinf, isfinite>;

/// Reductions, scans, losses and blocks that are made of others.
using structure_list =
    op_list<mean, amin, argmin, prod, variance, stddev, norm, any, all, count_nonzero, logsumexp, softmax, log_softmax, cumsum, cumprod,
            logcumsumexp, tril, triu, diagonal, diag_embed, flip, roll, constant_pad, embedding, index_select, gather, scatter_add,
            mse_loss, l1_loss, huber_loss, smooth_l1_loss, kl_div, binary_cross_entropy, binary_cross_entropy_with_logits,
            hinge_embedding_loss, gaussian_nll_loss, nll_loss, cross_entropy, weighted_nll_loss, weighted_cross_entropy, layer_norm,
            rms_norm, batch_norm, group_norm, linear_layer, transposed_convolution, max_pool, avg_pool, adaptive_max_pool,
            adaptive_avg_pool, einsum, einsum_of_one, attention_weights, scaled_dot_product_attention, inv, det, slogdet, logdet, solve,
            solve_triangular, argsort, sort, topk_index, topk, median, cummax, cummax_index, cummin, cummin_index, dropout, lstm_memory,
            lstm_output, gru_state>;

}  // namespace gradus::inline GRADUS_ARCH::op
