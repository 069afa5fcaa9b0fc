// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH::op {

struct abs;
struct log;
struct softplus;
struct sigmoid;

/// Functions of one operand that can be computed from one exponential, as bits: what an operation `shares`.
enum exponential_form { softplus_form = 1, sigmoid_form = 2, sigmoid_slope_form = 4, tanh_form = 8, tanh_slope_form = 16 };

struct exp : unary<exp> {
    static constexpr auto name = "exp";
    static auto eval(auto x) {
        using std::exp;
        return exp(x);
    }
    static constexpr auto derivative(auto, auto y) { return y; }
};

struct log : unary<log> {
    static constexpr auto name = "log";
    static auto eval(auto x) {
        using std::log;
        return log(x);
    }
    static constexpr auto chain(auto g, auto x, auto) { return g / x; }
    /// Forms that overflow or cancel, as users write them, become the ones that do not: log(1 + exp x) is softplus x, log(sigmoid x) is
    /// -softplus(-x), and log(exp(u) / s) is u - log s, which makes log(softmax) a log_softmax.
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (int const e = exponential_in(x); e >= 0) return apply<softplus>(x.operand(e).operand(0));
        if (is<exp>(x)) return x.operand(0);
        if (is<sigmoid>(x)) return -apply<softplus>(-x.operand(0));
        bool const quotient = is<div>(x) && is<exp>(x.operand(0)) && x.operand(0).shape() == y.shape();
        return quotient ? x.operand(0).operand(0) - apply<log>(x.operand(1)) : y;
    }
};

/// log(1 + x), accurate near 0.
struct log1p : unary<log1p> {
    static constexpr auto name = "log1p";
    static auto eval(auto x) {
        using std::log1p;
        return log1p(x);
    }
    static constexpr auto chain(auto g, auto x, auto) { return g / (1 + x); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return is<exp>(x) ? apply<softplus>(x.operand(0)) : y; }
};

/// exp(x) - 1, accurate near 0.
struct expm1 : unary<expm1> {
    static constexpr auto name = "expm1";
    static auto eval(auto x) {
        using std::expm1;
        return expm1(x);
    }
    static constexpr auto derivative(auto x, auto) {
        using std::exp;
        return exp(x);
    }
};

struct sqrt : unary<sqrt> {
    static constexpr auto name = "sqrt";
    static auto eval(auto x) {
        using std::sqrt;
        return sqrt(x);
    }
    static constexpr auto chain(auto g, auto, auto y) { return g / (2 * y); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return x.is_constant(1) ? x : y; }
};

/// 1 / sqrt(x).
struct rsqrt : unary<rsqrt> {
    static constexpr auto name = "rsqrt";
    static auto eval(auto x) {
        using std::sqrt;
        return 1 / sqrt(x);
    }
    static constexpr auto derivative(auto, auto y) { return -0.5 * (y * y * y); }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return x.is_constant(1) ? x : y; }
};

struct tanh;

/// The derivative of tanh, 4 e / (1 + e)^2 with e = exp(-2 |x|): 1 - y^2 cancels where y is near 1.
struct tanh_slope : unary<tanh_slope> {
    static constexpr auto name = "tanh_slope";
    static constexpr int shares = tanh_slope_form;
    static auto eval(auto x) {
        using std::abs, std::exp;
        auto const e = exp(-2 * abs(x)), r = 1 / (1 + e);
        return 4 * e * (r * r);
    }
    static constexpr auto derivative(auto x, auto y) { return -2 * (y * apply<tanh>(x)); }
};

/// The same where y = tanh(x) is known: e (1 + |y|)^2. It divides nothing and has the exponential of tanh; transform/exponentials.hpp
/// puts it
/// in.
struct tanh_slope_beside : binary<tanh_slope_beside> {
    static constexpr auto name = "tanh_slope_beside";
    template <class X>
    static auto eval(X x, X y) {
        using std::abs, std::exp;
        if constexpr (std::is_arithmetic_v<X>) {
            X const top = 1 + abs(y);
            return exp(-2 * abs(x)) * (top * top);
        } else {
            return slope_of_tanh(x, y);
        }
    }
    static constexpr auto partials(auto x, auto y, auto slope) {
        using std::abs;
        return std::tuple{-2 * gradus::where(x < 0, -slope, slope), 2 * gradus::where(y < 0, -slope, slope) / (1 + abs(y))};
    }
};

struct tanh : unary<tanh> {
    static constexpr auto name = "tanh";
    static constexpr int shares = tanh_form;
    static auto eval(auto x) {
        using std::tanh;
        return tanh(x);
    }
    static constexpr auto derivative(auto x, auto) { return apply<tanh_slope>(x); }
};

/// The derivative of sigmoid, e / (1 + e)^2 with e = exp(-|x|): y (1 - y) cancels where y is near 1.
struct sigmoid_slope : unary<sigmoid_slope> {
    static constexpr auto name = "sigmoid_slope";
    static constexpr int shares = sigmoid_slope_form;
    static auto eval(auto x) {
        using std::abs, std::exp;
        auto const e = exp(-abs(x)), r = 1 / (1 + e);
        return e * (r * r);
    }
    static constexpr auto derivative(auto x, auto y) { return -(y * apply<tanh>(0.5 * x)); }
};

/// 1 / (1 + exp(-x)), by an exponential that does not overflow.
struct sigmoid : unary<sigmoid> {
    static constexpr auto name = "sigmoid";
    static constexpr int shares = sigmoid_form;
    static auto eval(auto x) {
        using std::abs, std::exp;
        auto const e = exp(-abs(x));
        return gradus::where(x < 0, e, 1) / (1 + e);
    }
    static constexpr auto derivative(auto x, auto) { return apply<sigmoid_slope>(x); }
};

/// log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|)).
struct softplus : unary<softplus> {
    static constexpr auto name = "softplus";
    static constexpr int shares = softplus_form;
    static auto eval(auto x) {
        using std::abs, std::exp, std::log1p;
        return gradus::where(x > 0, x, 0) + log1p(exp(-abs(x)));
    }
    static constexpr auto derivative(auto x, auto) { return apply<sigmoid>(x); }
};

/// Which of these forms of one operand are written in terms of each other?
constexpr int shared_forms(int forms) {
    int const of_sigmoid = forms & (softplus_form | sigmoid_form | sigmoid_slope_form), of_tanh = forms & (tanh_form | tanh_slope_form);
    bool const several = (of_sigmoid & (of_sigmoid - 1)) != 0;
    return (several ? of_sigmoid : 0) | (of_tanh == (tanh_form | tanh_slope_form) ? tanh_slope_form : 0);
}
/// One form of x where all of `forms` are computed: by e = exp(-|x|), the derivative of tanh by tanh.
constexpr auto by_shared_exponential(auto x, int form, int forms) -> decltype(x) {
    if (form == tanh_slope_form) return apply<tanh_slope_beside>(x, apply<tanh>(x));
    auto const e = apply<exp>(-apply<abs>(x));
    if (form == softplus_form) {
        auto const rest = apply<log1p>(e);  // named: compilers evaluate operands in orders of their own
        return gradus::where(x > 0, x, x.number(0)) + rest;
    }
    auto const below = 1 + e;
    if (!(forms & sigmoid_slope_form)) return gradus::where(x > 0, x.number(1), e) / below;
    auto const inverse = 1 / below;
    if (form == sigmoid_slope_form) return e * apply<square>(inverse);
    return gradus::where(x > 0, x.number(1), e) * inverse;
}

/// exp(-x^2), of N = 2 exp(-x^2 / 2): what rounding the square loses, which the exponential multiplies by up to 745, is added.
template <int N>
struct gaussian : unary<gaussian<N>> {
    static constexpr auto name = N == 1 ? "gaussian" : "gaussian_2";
    template <class X>
    static auto eval(X x) {
        if constexpr (std::is_arithmetic_v<X>) {
            constexpr X factor = X(1) / N;
            X const square = x * x, lost = square < X(4096) ? std::fma(x, x, -square) : X(0);
            return std::exp(-factor * square) * (1 - factor * lost);
        } else return exp_of_square(x, std::integral_constant<int, N>{});
    }
    static constexpr auto derivative(auto x, auto y) {
        if constexpr (N == 1) return -2 * (x * y);
        else return -(x * y);
    }
};

/// max(x, 0); NaN stays NaN and passes the derivative on, the derivative at 0 is 0.
struct relu : unary<relu> {
    static constexpr auto name = "relu";
    static constexpr bool exact = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return gradus::where(x <= 0, 0, x); }
    static constexpr auto chain(auto g, auto, auto y) { return gradus::where(y <= 0, 0, g); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
