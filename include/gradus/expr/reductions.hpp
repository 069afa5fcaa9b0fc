// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/scan.hpp>

// The vocabulary, continued: reductions, scans, losses, normalizations. Axes as in expr/structure.hpp.

namespace gradus::inline GRADUS_ARCH {

namespace core {
/// `Op` over the axes in A..., over all where none is given.
template <class Op, auto... A>
constexpr auto reduced(auto x) {
    return apply<with<Op, reduction_parameters<A...>(decltype(x)::type.shape.rank(), false)>>(std::move(x));
}
/// `Op` along one axis, the last by default.
template <class Op, auto... A>
constexpr auto along(auto x) {
    return apply<with<Op, reduction_parameters<A...>(decltype(x)::type.shape.rank(), true)>>(std::move(x));
}
/// The one axis of A..., the last by default.
template <int... A>
constexpr int running_axis(int rank) {
    return rank == 0 ? 0 : static_cast<int>(sizeof...(A) ? (0 + ... + axis_of(A, rank)) : rank - 1);
}
/// Is it a named dimension, along which running results are a loop?
template <int... A>
constexpr bool runs_in_loop(shape const& s) {
    int const axis = running_axis<A...>(s.rank());
    return sizeof...(A) < 2 && axis < s.rank() && s[axis].is_named();
}
/// Running results along one axis, the last by default.
template <class Op, class Combine, int... A>
constexpr auto running_results(auto x) {
    constexpr shape s = decltype(x)::type.shape;
    if constexpr (!runs_in_loop<A...>(s)) return along<Op, A...>(std::move(x));
    else return associative_scan<running_axis<A...>(s.rank())>([](auto a, auto b) { return apply<Combine>(a, b); }, x);
}
constexpr parameters with_value(double value, std::int64_t n = 0) {
    parameters p;
    p.attr.value = value;
    p.attr.n[0] = n;
    return p;
}
}  // namespace core

/// The smallest element over axes.
template <auto... Axes>
constexpr auto amin(operand auto x) {
    return core::reduced<op::amin, Axes...>(std::move(x));
}
/// The index of the first smallest element along one axis (of all elements where none is given), int64.
template <auto... Axes>
constexpr auto argmin(operand auto x) {
    return core::reduced<op::argmin, Axes...>(std::move(x));
}
/// The product over axes; of integers in 64 bits.
template <auto... Axes>
constexpr auto prod(operand auto x) {
    return core::reduced<op::prod, Axes...>(core::summand(std::move(x)));
}
/// sum (x - mean)^2 / (n - 1) over axes; `gr::variance<0, gr::correction<0>>(x)` divides by n.
template <auto... Axes>
constexpr auto variance(operand auto x) {
    return core::reduced<op::variance, correction<1>, Axes...>(std::move(x));
}
/// The square root of the variance.
template <auto... Axes>
constexpr auto stddev(operand auto x) {
    return core::reduced<op::stddev, correction<1>, Axes...>(std::move(x));
}
/// (sum |x|^p)^(1/p) over axes, p = 2; `gr::norm<1, gr::order<1>>(x)`.
template <auto... Axes>
constexpr auto norm(operand auto x) {
    return core::reduced<op::norm, order<2>, Axes...>(std::move(x));
}
/// Is an element true? Numbers are true where they are not 0.
template <auto... Axes>
constexpr auto any(operand auto x) {
    return core::reduced<op::any, Axes...>(std::move(x));
}
/// Are all elements true?
template <auto... Axes>
constexpr auto all(operand auto x) {
    return core::reduced<op::all, Axes...>(std::move(x));
}
/// The number of elements that are not 0, int64.
template <auto... Axes>
constexpr auto count_nonzero(operand auto x) {
    return core::reduced<op::count_nonzero, Axes...>(std::move(x));
}

/// x_0 + ... + x_i along one axis, the last by default; of integers in 64 bits.
template <int... Axis>
constexpr auto cumsum(operand auto x) {
    return core::running_results<op::cumsum, op::add, Axis...>(core::summand(std::move(x)));
}
/// x_0 ... x_i along one axis; of integers in 64 bits.
template <int... Axis>
constexpr auto cumprod(operand auto x) {
    return core::running_results<op::cumprod, op::mul, Axis...>(core::summand(std::move(x)));
}
/// log(exp(x_0) + ... + exp(x_i)) along one axis.
template <int... Axis>
constexpr auto logcumsumexp(operand auto x) {
    return core::running_results<op::logcumsumexp, op::logaddexp, Axis...>(std::move(x));
}

/// mean |a - b|.
constexpr auto l1_loss(general_operand auto prediction, general_operand auto target) {
    return apply<op::l1_loss>(std::move(prediction), std::move(target));
}
/// Quadratic up to Delta, linear from there.
template <double Delta = 1.0>
constexpr auto huber_loss(general_operand auto prediction, general_operand auto target) {
    return apply<with<op::huber_loss, core::with_value(Delta)>>(std::move(prediction), std::move(target));
}
/// Quadratic up to Beta, of slope 1 from there.
template <double Beta = 1.0>
constexpr auto smooth_l1_loss(general_operand auto prediction, general_operand auto target) {
    return apply<with<op::smooth_l1_loss, core::with_value(Beta)>>(std::move(prediction), std::move(target));
}
/// The divergence of exp(input) from target, summed over a row, averaged over the first axis.
constexpr auto kl_div(general_operand auto input, general_operand auto target) {
    return apply<op::kl_div>(std::move(input), std::move(target));
}
/// The cross entropy of probabilities.
constexpr auto binary_cross_entropy(general_operand auto probability, general_operand auto target) {
    return apply<op::binary_cross_entropy>(std::move(probability), std::move(target));
}
/// mean of x where the target is 1, of max(0, Margin - x) where it is -1.
template <double Margin = 1.0>
constexpr auto hinge_embedding_loss(general_operand auto x, general_operand auto target) {
    return apply<with<op::hinge_embedding_loss, core::with_value(Margin)>>(std::move(x), std::move(target));
}
/// mean of (log v + (a - b)^2 / v) / 2 with variances v, at least Epsilon.
template <double Epsilon = 1e-6>
constexpr auto gaussian_nll_loss(general_operand auto prediction, general_operand auto target, general_operand auto variance) {
    return apply<with<op::gaussian_nll_loss, core::with_value(Epsilon)>>(std::move(prediction), std::move(target), std::move(variance));
}
/// mean of -x[label] over rows; rows whose label is -100 do not count.
constexpr auto nll_loss(general_operand auto log_probabilities, general_operand auto label) {
    return apply<op::nll_loss>(std::move(log_probabilities), std::move(label));
}
/// The same with another label to ignore, and with a weight per class.
template <labels L>
constexpr auto nll_loss(general_operand auto log_probabilities, general_operand auto label) {
    return apply<with<op::nll_loss, core::label_parameters(L)>>(std::move(log_probabilities), std::move(label));
}
template <labels L = labels{}>
constexpr auto nll_loss(general_operand auto log_probabilities, general_operand auto label, general_operand auto weight) {
    return apply<with<op::weighted_nll_loss, core::label_parameters(L)>>(std::move(log_probabilities), std::move(label), std::move(weight));
}

/// Standardizes over the trailing axes, those of scale and shift.
template <double Epsilon = 1e-5>
constexpr auto layer_norm(general_operand auto x, general_operand auto scale, general_operand auto shift) {
    return apply<with<op::layer_norm, core::with_value(Epsilon)>>(std::move(x), std::move(scale), std::move(shift));
}
/// x / sqrt(mean x^2 + Epsilon) scale, over the axes of scale.
template <double Epsilon = 1e-6>
constexpr auto rms_norm(general_operand auto x, general_operand auto scale) {
    return apply<with<op::rms_norm, core::with_value(Epsilon)>>(std::move(x), std::move(scale));
}
/// Standardizes every channel (axis 1) with the statistics of x.
template <double Epsilon = 1e-5>
constexpr auto batch_norm(operand auto x, operand auto scale, operand auto shift) {
    return apply<with<op::batch_norm, core::with_value(Epsilon)>>(std::move(x), std::move(scale), std::move(shift));
}
/// The same with statistics from elsewhere, one mean and one variance per channel: batch normalization after training.
template <double Epsilon = 1e-5, operand X>
constexpr auto batch_norm(X x, operand auto scale, operand auto shift, operand auto mean, operand auto variance) {
    constexpr int rank = X::type.shape.rank();
    auto factor = core::as_channels<rank>(std::move(scale) * rsqrt(std::move(variance) + constant<Epsilon>));
    return (std::move(x) - core::as_channels<rank>(std::move(mean))) * std::move(factor) + core::as_channels<rank>(std::move(shift));
}
/// Standardizes Groups of channels (axis 1).
template <std::int64_t Groups, double Epsilon = 1e-5>
constexpr auto group_norm(general_operand auto x, general_operand auto scale, general_operand auto shift) {
    return apply<with<op::group_norm, core::with_value(Epsilon, Groups)>>(std::move(x), std::move(scale), std::move(shift));
}
/// x w^T + b: [..., in], [out, in], [out].
constexpr auto linear(general_operand auto x, general_operand auto w, general_operand auto b) {
    return apply<op::linear_layer>(std::move(x), std::move(w), std::move(b));
}
/// softmax(q k^T / sqrt(d)) v; Causal: a position sees itself and what is before it.
template <bool Causal = false>
constexpr auto scaled_dot_product_attention(operand auto q, operand auto k, operand auto v) {
    return apply<with<op::scaled_dot_product_attention, core::with_value(0, Causal)>>(std::move(q), std::move(k), std::move(v));
}
/// The same with a mask that broadcasts to [..., queries, keys]: a position sees what is true, or numbers are added to the products.
constexpr auto scaled_dot_product_attention(operand auto q, operand auto k, operand auto v, operand auto mask) {
    return matmul(apply<op::attention_weights>(std::move(q), std::move(k), std::move(mask)), std::move(v));
}

}  // namespace gradus::inline GRADUS_ARCH
