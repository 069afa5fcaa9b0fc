// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/var.hpp>
#include <gradus/op/list.hpp>

// The vocabulary: one line per operation. Those with axes are in expr/structure.hpp.
namespace gradus::inline GRADUS_ARCH {

constexpr auto neg(auto x) { return apply<op::neg>(std::move(x)); }
constexpr auto abs(auto x) { return apply<op::abs>(std::move(x)); }
constexpr auto square(auto x) { return apply<op::square>(std::move(x)); }
constexpr auto exp(auto x) { return apply<op::exp>(std::move(x)); }
constexpr auto log(auto x) { return apply<op::log>(std::move(x)); }
constexpr auto log1p(auto x) { return apply<op::log1p>(std::move(x)); }
constexpr auto expm1(auto x) { return apply<op::expm1>(std::move(x)); }
constexpr auto sqrt(auto x) { return apply<op::sqrt>(std::move(x)); }
constexpr auto rsqrt(auto x) { return apply<op::rsqrt>(std::move(x)); }
constexpr auto sin(auto x) { return apply<op::sin>(std::move(x)); }
constexpr auto cos(auto x) { return apply<op::cos>(std::move(x)); }
constexpr auto tanh(auto x) { return apply<op::tanh>(std::move(x)); }
constexpr auto sigmoid(auto x) { return apply<op::sigmoid>(std::move(x)); }
constexpr auto relu(auto x) { return apply<op::relu>(std::move(x)); }
constexpr auto softplus(auto x) { return apply<op::softplus>(std::move(x)); }
constexpr auto erf(auto x) { return apply<op::erf>(std::move(x)); }
constexpr auto stop_gradient(auto x) { return apply<op::stop_gradient>(std::move(x)); }

constexpr auto add(auto a, auto b) { return apply<op::add>(std::move(a), std::move(b)); }
constexpr auto sub(auto a, auto b) { return apply<op::sub>(std::move(a), std::move(b)); }
constexpr auto mul(auto a, auto b) { return apply<op::mul>(std::move(a), std::move(b)); }
constexpr auto div(auto a, auto b) { return apply<op::div>(std::move(a), std::move(b)); }
constexpr auto pow(auto a, auto b) { return apply<op::pow>(std::move(a), std::move(b)); }
constexpr auto maximum(auto a, auto b) { return apply<op::maximum>(std::move(a), std::move(b)); }
constexpr auto minimum(auto a, auto b) { return apply<op::minimum>(std::move(a), std::move(b)); }

constexpr auto tan(auto x) { return apply<op::tan>(std::move(x)); }
constexpr auto asin(auto x) { return apply<op::asin>(std::move(x)); }
constexpr auto acos(auto x) { return apply<op::acos>(std::move(x)); }
constexpr auto atan(auto x) { return apply<op::atan>(std::move(x)); }
constexpr auto sinh(auto x) { return apply<op::sinh>(std::move(x)); }
constexpr auto cosh(auto x) { return apply<op::cosh>(std::move(x)); }
constexpr auto asinh(auto x) { return apply<op::asinh>(std::move(x)); }
constexpr auto acosh(auto x) { return apply<op::acosh>(std::move(x)); }
constexpr auto atanh(auto x) { return apply<op::atanh>(std::move(x)); }
constexpr auto erfc(auto x) { return apply<op::erfc>(std::move(x)); }
constexpr auto exp2(auto x) { return apply<op::exp2>(std::move(x)); }
constexpr auto log2(auto x) { return apply<op::log2>(std::move(x)); }
constexpr auto log10(auto x) { return apply<op::log10>(std::move(x)); }
constexpr auto cbrt(auto x) { return apply<op::cbrt>(std::move(x)); }
constexpr auto lgamma(auto x) { return apply<op::lgamma>(std::move(x)); }
constexpr auto digamma(auto x) { return apply<op::digamma>(std::move(x)); }
template <int N>
constexpr auto polygamma(auto x) {
    return apply<op::polygamma<N>>(std::move(x));
}
constexpr auto erfinv(auto x) { return apply<op::erfinv>(std::move(x)); }
constexpr auto erfcx(auto x) { return apply<op::erfcx>(std::move(x)); }
constexpr auto ndtr(auto x) { return apply<op::ndtr>(std::move(x)); }
constexpr auto log_ndtr(auto x) { return apply<op::log_ndtr>(std::move(x)); }
constexpr auto logit(auto x) { return apply<op::logit>(std::move(x)); }
constexpr auto floor(auto x) { return apply<op::floor>(std::move(x)); }
constexpr auto ceil(auto x) { return apply<op::ceil>(std::move(x)); }
constexpr auto round(auto x) { return apply<op::round>(std::move(x)); }
constexpr auto trunc(auto x) { return apply<op::trunc>(std::move(x)); }
constexpr auto sign(auto x) { return apply<op::sign>(std::move(x)); }
constexpr auto reciprocal(auto x) { return apply<op::reciprocal>(std::move(x)); }
constexpr auto logsigmoid(auto x) { return apply<op::logsigmoid>(std::move(x)); }
constexpr auto silu(auto x) { return apply<op::silu>(std::move(x)); }
constexpr auto gelu(auto x) { return apply<op::gelu>(std::move(x)); }
constexpr auto gelu_tanh(auto x) { return apply<op::gelu_tanh>(std::move(x)); }
constexpr auto selu(auto x) { return apply<op::selu>(std::move(x)); }
constexpr auto hardtanh(auto x) { return apply<op::hardtanh>(std::move(x)); }
constexpr auto mish(auto x) { return apply<op::mish>(std::move(x)); }
constexpr auto nan_to_num(auto x) { return apply<op::nan_to_num>(std::move(x)); }
constexpr auto logical_not(auto x) { return apply<op::logical_not>(std::move(x)); }
constexpr auto isnan(auto x) { return apply<op::isnan>(std::move(x)); }
constexpr auto isinf(auto x) { return apply<op::isinf>(std::move(x)); }
constexpr auto isfinite(auto x) { return apply<op::isfinite>(std::move(x)); }

constexpr auto atan2(auto a, auto b) { return apply<op::atan2>(std::move(a), std::move(b)); }
constexpr auto hypot(auto a, auto b) { return apply<op::hypot>(std::move(a), std::move(b)); }
constexpr auto logaddexp(auto a, auto b) { return apply<op::logaddexp>(std::move(a), std::move(b)); }
constexpr auto xlogy(auto a, auto b) { return apply<op::xlogy>(std::move(a), std::move(b)); }
constexpr auto xlog1py(auto a, auto b) { return apply<op::xlog1py>(std::move(a), std::move(b)); }
constexpr auto fmod(auto a, auto b) { return apply<op::fmod>(std::move(a), std::move(b)); }
constexpr auto remainder(auto a, auto b) { return apply<op::remainder>(std::move(a), std::move(b)); }
constexpr auto copysign(auto a, auto b) { return apply<op::copysign>(std::move(a), std::move(b)); }
constexpr auto heaviside(auto x, auto v) { return apply<op::heaviside>(std::move(x), std::move(v)); }
constexpr auto elu(auto x, auto alpha) { return apply<op::elu>(std::move(x), std::move(alpha)); }
constexpr auto leaky_relu(auto x, auto slope) { return apply<op::leaky_relu>(std::move(x), std::move(slope)); }
constexpr auto logical_and(auto a, auto b) { return apply<op::logical_and>(std::move(a), std::move(b)); }
constexpr auto logical_or(auto a, auto b) { return apply<op::logical_or>(std::move(a), std::move(b)); }
constexpr auto logical_xor(auto a, auto b) { return apply<op::logical_xor>(std::move(a), std::move(b)); }
constexpr auto elu(auto x) { return elu(std::move(x), constant<1>); }
constexpr auto leaky_relu(auto x) { return leaky_relu(std::move(x), constant<0.01>); }
constexpr auto clamp(auto x, auto low, auto high) { return apply<op::clamp>(std::move(x), std::move(low), std::move(high)); }
constexpr auto lerp(auto a, auto b, auto w) { return apply<op::lerp>(std::move(a), std::move(b), std::move(w)); }
constexpr auto fma(auto a, auto b, auto c) { return apply<op::fma>(std::move(a), std::move(b), std::move(c)); }
constexpr auto addcmul(auto x, auto a, auto b) { return apply<op::addcmul>(std::move(x), std::move(a), std::move(b)); }

constexpr auto matmul(auto a, auto b) { return apply<op::matmul>(std::move(a), std::move(b)); }
constexpr auto mse_loss(auto prediction, auto target) { return apply<op::mse_loss>(std::move(prediction), std::move(target)); }
constexpr auto binary_cross_entropy_with_logits(auto logits, auto target) {
    return apply<op::binary_cross_entropy_with_logits>(std::move(logits), std::move(target));
}

namespace core {
constexpr parameters label_parameters(labels const& given) { return {op::cross_entropy::told(given), {}}; }
}  // namespace core
/// mean of logsumexp(x) - x[label] over rows; rows whose label is -100 do not count.
constexpr auto cross_entropy(general_operand auto logits, general_operand auto label) {
    return apply<op::cross_entropy>(std::move(logits), std::move(label));
}
/// The same with another label to ignore or label smoothing, and with a weight per class.
template <labels L>
constexpr auto cross_entropy(general_operand auto logits, general_operand auto label) {
    return apply<with<op::cross_entropy, core::label_parameters(L)>>(std::move(logits), std::move(label));
}
template <labels L = labels{}>
constexpr auto cross_entropy(general_operand auto logits, general_operand auto label, general_operand auto weight) {
    return apply<with<op::weighted_cross_entropy, core::label_parameters(L)>>(std::move(logits), std::move(label), std::move(weight));
}

/// The derivative of a scalar expression with respect to a symbol or a subexpression: an expression of its shape.
constexpr auto grad(expression auto loss, expression auto of) { return apply<op::grad>(std::move(loss), std::move(of)); }
/// The derivative of `f` along `direction` of `of`, forward mode: an expression of f's shape.
constexpr auto jvp(expression auto f, expression auto of, expression auto direction) {
    return apply<op::jvp>(std::move(f), std::move(of), std::move(direction));
}

/// One operand of an operator is an expression, the other an expression or a number (which tensors take and symbols refuse).
template <class A, class B>
concept operands = (operand<A> && (operand<B> || std::is_arithmetic_v<B>)) || (std::is_arithmetic_v<A> && operand<B>);

constexpr auto operator-(operand auto x) { return apply<op::neg>(std::move(x)); }
constexpr auto operator+(operand auto x) { return x; }
template <class A, class B>
    requires operands<A, B>
constexpr auto operator+(A a, B b) {
    return apply<op::add>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator-(A a, B b) {
    return apply<op::sub>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator*(A a, B b) {
    return apply<op::mul>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator/(A a, B b) {
    return apply<op::div>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator<(A a, B b) {
    return apply<op::less>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator<=(A a, B b) {
    return apply<op::less_equal>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator>(A a, B b) {
    return apply<op::greater>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator>=(A a, B b) {
    return apply<op::greater_equal>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator==(A a, B b) {
    return apply<op::equal>(std::move(a), std::move(b));
}
template <class A, class B>
    requires operands<A, B>
constexpr auto operator!=(A a, B b) {
    return apply<op::not_equal>(std::move(a), std::move(b));
}

}  // namespace gradus::inline GRADUS_ARCH
