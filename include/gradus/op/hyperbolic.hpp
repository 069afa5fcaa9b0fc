// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/trigonometric.hpp>

#include <cmath>

namespace gradus::inline GRADUS_ARCH::op {

struct cosh;

/// (exp(x) - exp(-x)) / 2, accurate near 0.
struct sinh : unary<sinh> {
    static constexpr auto name = "sinh";
    using uses = op_list<cosh>;
    static auto eval(auto x) {
        using std::sinh;
        return sinh(x);
    }
    static constexpr auto derivative(auto x, auto) { return apply<cosh>(x); }
};

/// (exp(x) + exp(-x)) / 2.
struct cosh : unary<cosh> {
    static constexpr auto name = "cosh";
    using uses = op_list<sinh>;
    static auto eval(auto x) {
        using std::cosh;
        return cosh(x);
    }
    static constexpr auto derivative(auto x, auto) { return apply<sinh>(x); }
};

/// log(x + sqrt(x^2 + 1)).
struct asinh : unary<asinh> {
    static constexpr auto name = "asinh";
    using uses = op_list<hypot>;
    static auto eval(auto x) {
        using std::asinh;
        return asinh(x);
    }
    static constexpr auto chain(auto g, auto x, auto) { return g / apply<hypot>(x, 1); }
};

/// log(x + sqrt(x^2 - 1)), x >= 1.
struct acosh : unary<acosh> {
    static constexpr auto name = "acosh";
    static auto eval(auto x) {
        using std::acosh;
        return acosh(x);
    }
    static constexpr auto chain(auto g, auto x, auto) {
        using std::sqrt;
        auto size = apply<abs>(x);
        return g / (sqrt(size - 1) * sqrt(size + 1));
    }
};

/// log((1 + x) / (1 - x)) / 2, -1 <= x <= 1.
struct atanh : unary<atanh> {
    static constexpr auto name = "atanh";
    using uses = op_list<one_minus_square>;
    static auto eval(auto x) {
        using std::atanh;
        return atanh(x);
    }
    static constexpr auto chain(auto g, auto x, auto) { return g / apply<one_minus_square>(x); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
