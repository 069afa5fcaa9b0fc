// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

#include <cmath>

namespace gradus::op {

struct neg : unary<neg> {
    static constexpr auto name = "neg";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return -x; }
    static constexpr auto derivative(auto, auto) { return -1; }
};

/// |x|; the derivative at 0 is 0.
struct abs : unary<abs> {
    static constexpr auto name = "abs";
    static constexpr auto accepted = accepts::numbers;
    static auto eval(auto x) { using std::abs; return abs(x); }
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
    static auto eval(auto a, auto b) { using std::pow; return pow(a, b); }
    static constexpr auto chain(auto g, auto a, auto b, auto y) {
        using std::log;
        return std::tuple{gradus::where(b == 0, 0, g * b * apply<pow>(a, b - 1)),
                          gradus::where(a == 0, gradus::where(b >= 0, 0, g * (y * log(a))), g * (y * log(a)))};
    }
};

/// The larger operand, NaN if either is. Equal operands share the derivative, half each.
struct maximum : binary<maximum> {
    static constexpr auto name = "maximum";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return gradus::where(a > b, a, gradus::where(a == a, b, a)); }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto tie = gradus::where(a == b, g * 0.5, 0);
        return std::tuple{gradus::where(a > b, g, tie), gradus::where(a < b, g, tie)};
    }
};

/// The smaller operand, NaN if either is. Equal operands share the derivative, half each.
struct minimum : binary<minimum> {
    static constexpr auto name = "minimum";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return gradus::where(a < b, a, gradus::where(a == a, b, a)); }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto tie = gradus::where(a == b, g * 0.5, 0);
        return std::tuple{gradus::where(a < b, g, tie), gradus::where(a > b, g, tie)};
    }
};

}  // namespace gradus::op
