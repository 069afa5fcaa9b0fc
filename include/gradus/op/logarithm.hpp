// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/exponential.hpp>

#include <limits>

namespace gradus::inline GRADUS_ARCH::op {

/// 2^x.
struct exp2 : unary<exp2> {
    static constexpr auto name = "exp2";
    static auto eval(auto x) {
        using std::exp2;
        return exp2(x);
    }
    static constexpr auto derivative(auto, auto y) { return 0.69314718055994531 * y; }
};

/// A logarithm f of x, whose value at 2^54 is `shift`: vectors of xsimd 8.1 know no denormal numbers.
template <class X>
auto denormal_too(X x, double shift, auto f) {
    if constexpr (std::is_arithmetic_v<X>) return f(x);
    else {
        using T = typename X::value_type;
        auto const small = x < std::numeric_limits<T>::min();
        auto const y = f(gradus::where(small, x * X(T(0x1p54)), x));
        return gradus::where(small, y - X(static_cast<T>(shift)), y);
    }
}

/// The logarithm to base 2.
struct log2 : unary<log2> {
    static constexpr auto name = "log2";
    static auto eval(auto x) {
        using std::log2;
        return denormal_too(x, 54, [](auto z) { return log2(z); });
    }
    static constexpr auto chain(auto g, auto x, auto) { return 1.4426950408889634 * g / x; }
};

/// The logarithm to base 10.
struct log10 : unary<log10> {
    static constexpr auto name = "log10";
    static auto eval(auto x) {
        using std::log10;
        return denormal_too(x, 54 * 0.30102999566398120, [](auto z) { return log10(z); });
    }
    static constexpr auto chain(auto g, auto x, auto) { return 0.43429448190325183 * g / x; }
};

/// The cube root, of negative numbers too.
struct cbrt : unary<cbrt> {
    static constexpr auto name = "cbrt";
    template <class X>
    static auto eval(X x) {
        using std::abs, std::cbrt;
        if constexpr (std::is_arithmetic_v<X>) return cbrt(x);
        else {  // xsimd 8.1 is wrong for denormal numbers
            using T = typename X::value_type;
            auto const small = abs(x) < std::numeric_limits<T>::min();
            auto const y = cbrt(gradus::where(small, x * X(T(0x1p54)), x));
            return gradus::where(small, y * X(T(0x1p-18)), y);
        }
    }
    static constexpr auto chain(auto g, auto, auto y) { return g / (3 * (y * y)); }
};

/// log(x / (1 - x)), the inverse of sigmoid; NaN outside of [0, 1]. Near its root, 1/2, as log1p of the quotient minus 1, whose
/// numerator is exact.
struct logit : unary<logit> {
    static constexpr auto name = "logit";
    static auto eval(auto x) {
        using std::abs, std::log, std::log1p;
        auto const excess = x + x - 1;
        return gradus::where(abs(excess + excess) < 1, log1p(excess / (1 - x)), log(x / (1 - x)));
    }
    static constexpr auto chain(auto g, auto x, auto y) { return gradus::where(y == y, g / x + g / (1 - x), y); }
};

/// log(exp(a) + exp(b)) without overflow: max(a, b) + log1p(exp(-|a - b|)).
struct logaddexp : binary<logaddexp> {
    static constexpr auto name = "logaddexp";
    static auto eval(auto a, auto b) {
        using std::abs, std::exp, std::log1p;
        auto distance = gradus::where(a == b, 0, abs(a - b));  // inf - inf is NaN
        return gradus::where(a > b, a, b) + log1p(exp(-distance));
    }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto distance = gradus::where(a == b, gradus::where(apply<abs>(a) < std::numeric_limits<double>::infinity(), a - b, 0), a - b);
        return std::tuple{g * apply<sigmoid>(distance), g * apply<sigmoid>(-distance)};
    }
};

/// a log(b); 0 where a is 0, unless b is NaN.
struct xlogy : binary<xlogy> {
    static constexpr auto name = "xlogy";
    static auto eval(auto a, auto b) {
        using std::log;
        return gradus::where(a == 0, gradus::where(b == b, 0, b), a * log(b));
    }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        using std::log;
        return std::tuple{gradus::where(a == 0, gradus::where(b <= 0, 0, g * log(b)), g * log(b)), g * a / b};
    }
};

/// a log(1 + b); 0 where a is 0, unless b is NaN.
struct xlog1py : pointwise<xlog1py, 2> {
    static constexpr auto name = "xlog1py";
    static constexpr auto expand(attributes const&, auto a, auto b) {
        using std::log1p;
        return gradus::where(a == 0, gradus::where(b <= -1, 0, a * log1p(b)), a * log1p(b));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
