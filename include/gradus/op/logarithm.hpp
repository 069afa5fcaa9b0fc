// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/exponential.hpp>

namespace gradus::op {

/// 2^x.
struct exp2 : unary<exp2> {
    static constexpr auto name = "exp2";
    static auto eval(auto x) { using std::exp2; return exp2(x); }
    static constexpr auto derivative(auto, auto y) { return 0.69314718055994531 * y; }
};

/// The logarithm to base 2.
struct log2 : unary<log2> {
    static constexpr auto name = "log2";
    static auto eval(auto x) { using std::log2; return log2(x); }
    static constexpr auto chain(auto g, auto x, auto) { return g / (0.69314718055994531 * x); }
};

/// The logarithm to base 10.
struct log10 : unary<log10> {
    static constexpr auto name = "log10";
    static auto eval(auto x) { using std::log10; return log10(x); }
    static constexpr auto chain(auto g, auto x, auto) { return g / (2.3025850929940457 * x); }
};

/// The cube root, of negative numbers too.
struct cbrt : unary<cbrt> {
    static constexpr auto name = "cbrt";
    static auto eval(auto x) { using std::cbrt; return cbrt(x); }
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
    static constexpr auto chain(auto g, auto x, auto y) { return gradus::where(y == y, g / (x * (1 - x)), y); }
};

/// log(exp(a) + exp(b)) without overflow: max(a, b) + log1p(exp(-|a - b|)).
struct logaddexp : binary<logaddexp> {
    static constexpr auto name = "logaddexp";
    static auto eval(auto a, auto b) {
        using std::abs, std::exp, std::log1p;
        auto distance = gradus::where(a == b, 0, abs(a - b));  // inf - inf is NaN
        return gradus::where(a > b, a, b) + log1p(exp(-distance));
    }
    static constexpr auto chain(auto g, auto a, auto b, auto) { return std::tuple{g * apply<sigmoid>(a - b), g * apply<sigmoid>(b - a)}; }
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

}  // namespace gradus::op
