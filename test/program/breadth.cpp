// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

// The operations that kernels find in the expression, many to a program: values and gradients.
namespace {

namespace gr = gradus;

/// Values in T; in double the gradient of the sum of <f, c> too. Second derivatives are made of the same operations, and the
/// interpreter has them in golden/ and law/.
template <class T, class... F>
constexpr auto results(F... f) {
    if constexpr (std::is_same_v<T, float>) return gr::expressions<F...>{};
    else {
        constexpr auto x = gr::var<"x", T, "n", 5>;
        constexpr auto c = gr::var<"c", T, "n", 5>;
        return gr::expressions<F..., decltype(gr::grad((gr::sum(f * c) + ...), x))>{};
    }
}
template <class... F>
void check(gr::expressions<F...>) {
    compare::check_values<gr::expressions<F...>>();
}

template <class T>
void check_all() {
    constexpr auto x = gr::var<"x", T, "n", 5>;
    constexpr auto y = gr::var<"y", T, 5>;
    constexpr auto inside = x * gr::constant<0.6>;  // |x| <= 1 where asin and atanh are defined
    check(results<T>(gr::tan(x), gr::asin(inside), gr::acos(inside), gr::atan(x), gr::atan2(x, y), gr::hypot(x, y), gr::erfc(x)));
    check(results<T>(gr::sinh(x), gr::cosh(x), gr::asinh(x), gr::acosh(gr::abs(x) + gr::constant<1>), gr::atanh(inside)));
    check(results<T>(gr::exp2(x), gr::log2(x), gr::log10(x), gr::cbrt(x), gr::logit(gr::abs(inside)), gr::logaddexp(x, y), gr::xlogy(x, y),
                     gr::xlog1py(x, y)));
    check(results<T>(gr::floor(x), gr::ceil(x), gr::round(x), gr::trunc(x), gr::fmod(x, y), gr::remainder(x, y), gr::copysign(x, y),
                     gr::sign(x), gr::heaviside(x, y), gr::clamp(x, gr::constant<-0.5>, y), gr::nan_to_num(gr::log(x))));
    check(results<T>(gr::silu(x), gr::gelu(x), gr::gelu_tanh(x), gr::elu(x), gr::selu(x), gr::leaky_relu(x), gr::hardtanh(x), gr::mish(x),
                     gr::logsigmoid(x), gr::reciprocal(x), gr::lerp(x, y, x), gr::fma(x, y, x), gr::addcmul(x, y, x)));
    check(results<T>(gr::lgamma(gr::abs(x)), gr::digamma(gr::abs(x)), gr::polygamma<1>(gr::abs(x)), gr::erfinv(inside), gr::log_ndtr(x)));
    constexpr auto p = x > y;
    constexpr auto q = x < gr::constant<0>;
    compare::check_values<gr::expressions<decltype(gr::logical_and(p, q)), decltype(gr::logical_or(p, x)), decltype(gr::logical_xor(p, q)),
                                          decltype(gr::logical_not(x)), decltype(gr::isnan(gr::log(x))), decltype(gr::isinf(x / y)),
                                          decltype(gr::isfinite(gr::log(x)))>>();
}

}  // namespace

TEST_CASE("compiled kernels: operations found in the expression, in double") { check_all<double>(); }
TEST_CASE("compiled kernels: operations found in the expression, in float") { check_all<float>(); }
