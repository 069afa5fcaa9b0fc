// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

#include <cmath>

namespace gradus::op {

struct exp : unary<exp> {
    static constexpr auto name = "exp";
    static auto eval(auto x) { using std::exp; return exp(x); }
    static constexpr auto derivative(auto, auto y) { return y; }
};

struct log : unary<log> {
    static constexpr auto name = "log";
    static auto eval(auto x) { using std::log; return log(x); }
    static constexpr auto chain(auto g, auto x, auto) { return g / x; }
};

/// log(1 + x), accurate near 0.
struct log1p : unary<log1p> {
    static constexpr auto name = "log1p";
    static auto eval(auto x) { using std::log1p; return log1p(x); }
    static constexpr auto chain(auto g, auto x, auto) { return g / (1 + x); }
};

/// exp(x) - 1, accurate near 0.
struct expm1 : unary<expm1> {
    static constexpr auto name = "expm1";
    static auto eval(auto x) { using std::expm1; return expm1(x); }
    static constexpr auto derivative(auto, auto y) { return y + 1; }
};

struct sqrt : unary<sqrt> {
    static constexpr auto name = "sqrt";
    static auto eval(auto x) { using std::sqrt; return sqrt(x); }
    static constexpr auto chain(auto g, auto, auto y) { return g / (2 * y); }
};

/// 1 / sqrt(x).
struct rsqrt : unary<rsqrt> {
    static constexpr auto name = "rsqrt";
    static auto eval(auto x) { using std::sqrt; return 1 / sqrt(x); }
    static constexpr auto derivative(auto, auto y) { return -0.5 * (y * y * y); }
};

struct tanh : unary<tanh> {
    static constexpr auto name = "tanh";
    static auto eval(auto x) { using std::tanh; return tanh(x); }
    static constexpr auto derivative(auto, auto y) { return 1 - y * y; }
};

/// 1 / (1 + exp(-x)).
struct sigmoid : unary<sigmoid> {
    static constexpr auto name = "sigmoid";
    static auto eval(auto x) { using std::exp; return 1 / (1 + exp(-x)); }
    static constexpr auto derivative(auto, auto y) { return y * (1 - y); }
};

/// log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|)).
struct softplus : unary<softplus> {
    static constexpr auto name = "softplus";
    static auto eval(auto x) {
        using std::abs, std::exp, std::log1p;
        return gradus::where(x > 0, x, 0) + log1p(exp(-abs(x)));
    }
    static constexpr auto derivative(auto x, auto) { return apply<sigmoid>(x); }
};

/// max(x, 0); NaN stays NaN and passes the derivative on, the derivative at 0 is 0.
struct relu : unary<relu> {
    static constexpr auto name = "relu";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return gradus::where(x <= 0, 0, x); }
    static constexpr auto chain(auto g, auto, auto y) { return gradus::where(y <= 0, 0, g); }
};

}  // namespace gradus::op
