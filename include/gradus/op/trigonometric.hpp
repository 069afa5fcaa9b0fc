// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/elementwise.hpp>

#include <cmath>
#include <limits>

namespace gradus::op {

/// sin(x), x in radians.
struct sin : unary<sin> {
    static constexpr auto name = "sin";
    static auto eval(auto x) { using std::sin; return sin(x); }
    static constexpr auto derivative(auto x, auto) { using std::cos; return cos(x); }
};

/// cos(x), x in radians.
struct cos : unary<cos> {
    static constexpr auto name = "cos";
    static auto eval(auto x) { using std::cos; return cos(x); }
    static constexpr auto derivative(auto x, auto) { return -apply<sin>(x); }
};

/// tan(x), x in radians.
struct tan : unary<tan> {
    static constexpr auto name = "tan";
    static auto eval(auto x) { using std::tan; return tan(x); }
    static constexpr auto derivative(auto, auto y) { return y * y + 1; }
};

/// The angle in [-pi/2, pi/2] whose sine is x.
struct asin : unary<asin> {
    static constexpr auto name = "asin";
    static auto eval(auto x) { using std::asin; return asin(x); }
    static constexpr auto chain(auto g, auto x, auto) { using std::sqrt; return g / sqrt(1 - x * x); }
};

/// The angle in [0, pi] whose cosine is x.
struct acos : unary<acos> {
    static constexpr auto name = "acos";
    static auto eval(auto x) { using std::acos; return acos(x); }
    static constexpr auto chain(auto g, auto x, auto) { using std::sqrt; return -(g / sqrt(1 - x * x)); }
};

/// The angle in [-pi/2, pi/2] whose tangent is x.
struct atan : unary<atan> {
    static constexpr auto name = "atan";
    static auto eval(auto x) { using std::atan; return atan(x); }
    static constexpr auto chain(auto g, auto x, auto) { return g / (x * x + 1); }
};

/// The angle of the point (b, a) in [-pi, pi]; both derivatives are 0 at the origin.
struct atan2 : binary<atan2> {
    static constexpr auto name = "atan2";
    static auto eval(auto a, auto b) {
        using std::abs, std::atan2, std::copysign;
        if constexpr (std::is_arithmetic_v<decltype(a)>) return atan2(a, b);
        else {  // xsimd 8.1 divides 0 by 0 and infinity by infinity; on a diagonal the signs say it all
            auto diagonal = abs(a) == abs(b);
            decltype(a) const one(1);
            return atan2(gradus::where(diagonal, gradus::where(a == 0, a, copysign(one, a)), a), gradus::where(diagonal, copysign(one, b), b));
        }
    }
    static constexpr auto chain(auto g, auto a, auto b, auto) {
        auto square = a * a + b * b;
        auto per = gradus::where(square == 0, 0, g / square);
        return std::tuple{per * b, -(per * a)};
    }
};

/// sqrt(a^2 + b^2) without overflow; both derivatives are 0 at the origin.
struct hypot : binary<hypot> {
    static constexpr auto name = "hypot";
    static auto eval(auto a, auto b) {
        using std::abs, std::hypot, std::sqrt;
        if constexpr (std::is_arithmetic_v<decltype(a)>) return hypot(a, b);
        else {  // xsimd 8.1 squares them as they are
            constexpr double infinity = std::numeric_limits<double>::infinity();
            auto p = abs(a), q = abs(b), most = gradus::where(p > q, p, q), ratio = gradus::where(p > q, q, p) / most;
            auto y = gradus::where(most == 0, most, most * sqrt(ratio * ratio + 1));
            return gradus::where(p == infinity, p, gradus::where(q == infinity, q, y));
        }
    }
    static constexpr auto chain(auto g, auto a, auto b, auto y) {
        auto per = gradus::where(y == 0, 0, g / y);
        return std::tuple{per * a, per * b};
    }
};

/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
struct erf : unary<erf> {
    static constexpr auto name = "erf";
    static auto eval(auto x) { using std::erf; return erf(x); }
    static constexpr auto derivative(auto x, auto) { using std::exp; return 1.1283791670955126 * exp(-(x * x)); }
};

/// 1 - erf(x), accurate where that is near 0.
struct erfc : unary<erfc> {
    static constexpr auto name = "erfc";
    static auto eval(auto x) { using std::erfc; return erfc(x); }
    static constexpr auto derivative(auto x, auto) { using std::exp; return -1.1283791670955126 * exp(-(x * x)); }
};

}  // namespace gradus::op
