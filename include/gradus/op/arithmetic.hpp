// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

#include <cmath>
#include <limits>

namespace gradus::inline GRADUS_ARCH::op {

struct neg : unary<neg> {
    static constexpr auto name = "neg";
    static constexpr bool exact = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return -x; }
    static constexpr auto derivative(auto, auto) { return -1; }
};

/// |x|; the derivative at 0 is 0.
struct abs : unary<abs> {
    static constexpr auto name = "abs";
    static constexpr bool exact = true;
    static constexpr auto accepted = accepts::numbers;
    static auto eval(auto x) {
        using std::abs;
        return abs(x);
    }
    static constexpr auto chain(auto g, auto x, auto) { return gradus::where(x > 0, g, gradus::where(x < 0, -g, 0)); }
};

struct square : unary<square> {
    static constexpr auto name = "square";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return x * x; }
    static constexpr auto derivative(auto x, auto) { return 2 * x; }
};

struct add : binary<add> {
    static constexpr auto name = "add";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return a + b; }
    static constexpr auto partials(auto, auto, auto) { return std::tuple{1, 1}; }
};

struct sub : binary<sub> {
    static constexpr auto name = "sub";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return a - b; }
    static constexpr auto partials(auto, auto, auto) { return std::tuple{1, -1}; }
};

struct mul : binary<mul> {
    static constexpr auto name = "mul";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return a * b; }
    static constexpr auto partials(auto a, auto b, auto) { return std::tuple{b, a}; }
};

/// a, with the derivative of b: what is known to have the value a need not be computed to be differentiated, to any order. Where
/// nothing is differentiated any more, it is a, so that no kernel has to know it.
struct straight_through : binary<straight_through> {
    static constexpr auto name = "straight_through";
    static constexpr bool differs_in_derivative = true;
    static constexpr auto eval(auto a, auto) { return a; }
    static constexpr auto partials(auto, auto, auto) { return std::tuple{0, 1}; }
};

/// a b, and 0 where either is 0: a factor that is not selected in the first derivative meets what is infinite in the second.
struct mul_zeros : binary<mul_zeros> {
    static constexpr auto name = "mul_zeros";
    static constexpr bool keeps_zeros = true;
    static constexpr auto eval(auto a, auto b) { return gradus::where(a == 0, 0, gradus::where(b == 0, 0, a * b)); }
    static constexpr auto chain(auto g, auto a, auto b, auto) { return std::tuple{apply<mul_zeros>(g, b), apply<mul_zeros>(g, a)}; }
    static constexpr auto jvp(auto ta, auto tb, auto, auto a, auto b) { return apply<mul_zeros>(ta, b) + apply<mul_zeros>(a, tb); }
};

/// a b, and 0 where a is 0, whatever b is: a derivative that only run time tells to be 0 stays 0 where a rule is infinite. Called
/// multiply_no_nan elsewhere (TensorFlow, with the operands exchanged).
struct mul_no_nan : binary<mul_no_nan> {
    static constexpr auto name = "mul_no_nan";
    static constexpr bool keeps_zeros = true;
    static constexpr auto eval(auto a, auto b) { return gradus::where(a == 0, 0, a * b); }
    static constexpr auto chain(auto g, auto a, auto b, auto) { return std::tuple{apply<mul_no_nan>(g, b), apply<mul_zeros>(g, a)}; }
    static constexpr auto jvp(auto ta, auto tb, auto, auto a, auto b) { return apply<mul_no_nan>(ta, b) + apply<mul_zeros>(a, tb); }
};

struct div : binary<div> {
    static constexpr auto name = "div";
    static constexpr auto eval(auto a, auto b) { return a / b; }
    static constexpr auto chain(auto g, auto, auto b, auto y) {
        auto per_a = g / b;
        return std::tuple{per_a, -(per_a * y)};
    }
};

/// a^b. At a = 0: d/da is 0 for b = 0, d/db is 0 for b >= 0, as in PyTorch.
struct pow : binary<pow> {
    static constexpr auto name = "pow";
    static auto eval(auto a, auto b) {
        using std::pow;
        return pow(a, b);
    }
    static constexpr auto chain(auto g, auto a, auto b, auto y) {
        using std::abs, std::log;
        auto factor = g * b, power = apply<pow>(a, b - 1), by_a = factor * power;
        auto proper =
            abs(power) < std::numeric_limits<double>::infinity();  // 0 times infinity or NaN is 0; what stays is a function of b at b = 0
        return std::tuple{gradus::where(proper, by_a, gradus::where(b == 0, 0, by_a)),
                          gradus::where(a == 0, gradus::where(b >= 0, 0, g * (y * log(a))), g * (y * log(a)))};
    }
};

/// The larger operand, NaN if either is. Equal operands share the derivative, half each.
struct maximum : binary<maximum> {
    static constexpr auto name = "maximum";
    static constexpr bool exact = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return gradus::where(a > b, a, gradus::where(a == a, b, a)); }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto shared = gradus::where(a == b, g * 0.5, g);
        return std::tuple{gradus::where(a < b, 0, shared), gradus::where(a > b, 0, shared)};
    }
};

/// The smaller operand, NaN if either is. Equal operands share the derivative, half each.
struct minimum : binary<minimum> {
    static constexpr auto name = "minimum";
    static constexpr bool exact = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return gradus::where(a < b, a, gradus::where(a == a, b, a)); }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto shared = gradus::where(a == b, g * 0.5, g);
        return std::tuple{gradus::where(a > b, 0, shared), gradus::where(a < b, 0, shared)};
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
