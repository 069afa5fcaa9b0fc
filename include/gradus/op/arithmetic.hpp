// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

#include <cmath>
#include <limits>

namespace gradus::inline GRADUS_ARCH::op {

struct neg : unary<neg> {
    static constexpr auto name = "neg";
    static constexpr auto arithmetic = arithmetic_kind::neg;
    static constexpr bool exact = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return -x; }
    static constexpr auto derivative(auto, auto) { return -1; }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) {
        if (is<neg>(x)) return x.operand(0);
        return factor_in(x) >= 0 ? y.number(-factor_of(x)) * without_factor(x) : y;
    }
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
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return is<neg>(x) ? apply<op::abs>(x.operand(0)) : y; }
};

struct square : unary<square> {
    static constexpr auto name = "square";
    static constexpr auto arithmetic = arithmetic_kind::square;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto x) { return x * x; }
    static constexpr auto derivative(auto x, auto) { return 2 * x; }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return is<neg>(x) ? apply<square>(x.operand(0)) : y; }
};

struct add : binary<add> {
    static constexpr auto name = "add";
    static constexpr auto arithmetic = arithmetic_kind::add;
    static constexpr bool adds = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return a + b; }
    static constexpr auto partials(auto, auto, auto) { return std::tuple{1, 1}; }
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        if (b.is_constant(0)) return a;
        if (a.is_constant(0)) return b;
        if (is<neg>(b)) return a - b.operand(0);
        if (is<neg>(a)) return b - a.operand(0);
        if (auto const selected = sum_of_selections(y, a, b); !same(selected, y)) return selected;
        if (!is_ordered(a, b)) return b + a;
        return has_common_factor(a, b) ? y.number(factor_of(a)) * (without_factor(a) + without_factor(b)) : y;
    }
};

struct sub : binary<sub> {
    static constexpr auto name = "sub";
    static constexpr auto arithmetic = arithmetic_kind::sub;
    static constexpr bool adds = true;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return a - b; }
    static constexpr auto partials(auto, auto, auto) { return std::tuple{1, -1}; }
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        if (b.is_constant(0)) return a;
        if (a.is_constant(0)) return -b;
        if (is<neg>(b)) return a + b.operand(0);
        return has_common_factor(a, b) ? y.number(factor_of(a)) * (without_factor(a) - without_factor(b)) : y;
    }
};

struct mul : binary<mul> {
    static constexpr auto name = "mul";
    static constexpr auto arithmetic = arithmetic_kind::mul;
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto eval(auto a, auto b) { return a * b; }
    static constexpr auto partials(auto a, auto b, auto) { return std::tuple{b, a}; }
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        if (b.is_constant(1)) return a;
        if (a.is_constant(1)) return b;
        if (b.is_constant(-1)) return -a;
        if (a.is_constant(-1)) return -b;
        if (is<neg>(a)) return -(a.operand(0) * b);
        if (is<neg>(b)) return -(a * b.operand(0));
        if (same(a, b)) return apply<square>(a);
        if (cancels(a, b)) return a.operand(0) / b.operand(1);
        if (cancels(b, a)) return b.operand(0) / a.operand(1);
        if (!is_ordered(a, b)) return b * a;
        return factors_outwards(y, a, b);
    }
    /// Constant factors move outwards, where they meet and become one: the derivative of a chain of scalings has one product
    /// per element instead of one per link. Factors that could make the rest overflow or vanish stay where they are written.
    static constexpr auto factors_outwards(auto y, auto a, auto b) -> decltype(y) {
        if (factor_in(b) >= 0 && a.is_constant()) {
            double const inner = factor_of(b), outer = a.attr().value;
            return may_meet(inner, outer, y.type()) ? without_factor(b) * y.number(inner * outer) : y;
        }
        if (has_movable_factor(a)) return y.number(factor_of(a)) * (without_factor(a) * b);
        return has_movable_factor(b) ? y.number(factor_of(b)) * (a * without_factor(b)) : y;
    }
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
    /// Products in which 0 annihilates associate, so that the derivatives of a chain meet and can cancel: 1 / (a / b) times 1 / b = 1 / a.
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        if (a.is_constant(1)) return b;
        if (b.is_constant(1)) return a;
        bool const inside = is<mul_no_nan>(a);
        auto const last = inside ? a.operand(1) : a;
        if (!is<div>(b) || !b.operand(0).is_constant(1) || !is<div>(last)) return y;
        auto const above = last.operand(0), below = last.operand(1);
        if (!is<div>(below) || !same(below.operand(1), b.operand(1))) return y;
        if (inside && !(above.is_constant() && may_move(above.attr().value))) return y;  // x / a alone may be too large
        auto const quotient = above / below.operand(0);
        return inside ? apply<mul_no_nan>(a.operand(0), quotient) : quotient;
    }
};

struct div : binary<div> {
    static constexpr auto name = "div";
    static constexpr auto arithmetic = arithmetic_kind::div;
    static constexpr bool divides = true;
    static constexpr auto eval(auto a, auto b) { return a / b; }
    static constexpr auto chain(auto g, auto, auto b, auto y) {
        auto per_a = g / b;
        return std::tuple{per_a, -(per_a * y)};
    }
    /// 1 / (1 + exp(-x)) is sigmoid(x), which does not overflow.
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        if (int const e = a.is_constant(1) ? exponential_in(b) : -1; e >= 0 && is<neg>(b.operand(e).operand(0)))
            return apply<sigmoid>(b.operand(e).operand(0).operand(0));
        if (b.is_constant(1)) return a;
        if (is<neg>(a)) return -(a.operand(0) / b);
        // (x / (a / b)) / b = x / a
        if (is<div>(a) && is<div>(a.operand(1)) && same(a.operand(1).operand(1), b) && a.shape() == y.shape())
            return a.operand(0) / a.operand(1).operand(0);
        if (has_movable_factor(a)) return y.number(factor_of(a)) * (without_factor(a) / b);
        bool const exact = factor_in(b) >= 0 && is_power_of_two(factor_of(b));
        return exact ? y.number(1 / factor_of(b)) * (a / without_factor(b)) : y;
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
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        return b.is_constant(1) ? a : b.is_constant(2) ? apply<square>(a) : y;
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
