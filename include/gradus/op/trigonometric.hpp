// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/exponential.hpp>

#include <cmath>
#include <limits>

namespace gradus::inline GRADUS_ARCH::op {

/// sin(x), x in radians.
struct sin : unary<sin> {
    static constexpr auto name = "sin";
    static auto eval(auto x) {
        using std::sin;
        return sin(x);
    }
    static constexpr auto derivative(auto x, auto) {
        using std::cos;
        return cos(x);
    }
};

/// cos(x), x in radians.
struct cos : unary<cos> {
    static constexpr auto name = "cos";
    static auto eval(auto x) {
        using std::cos;
        return cos(x);
    }
    static constexpr auto derivative(auto x, auto) { return -apply<sin>(x); }
};

/// tan(x), x in radians.
struct tan : unary<tan> {
    static constexpr auto name = "tan";
    static auto eval(auto x) {
        using std::tan;
        return tan(x);
    }
    static constexpr auto derivative(auto, auto y) { return y * y + 1; }
};

/// 1 - x^2, which does not cancel near 1.
struct one_minus_square : unary<one_minus_square> {
    static constexpr auto name = "one_minus_square";
    static constexpr auto eval(auto x) { return (1 - x) * (1 + x); }
    static constexpr auto derivative(auto x, auto) { return -2 * x; }
};

/// 1 / (1 + x^2), which does not overflow.
struct inverse_one_plus_square : unary<inverse_one_plus_square> {
    static constexpr auto name = "inverse_one_plus_square";
    static auto eval(auto x) {
        using std::abs;
        auto const large = abs(x) > 1;
        auto const small = gradus::where(large, 1 / x, x), square = small * small;
        return gradus::where(large, square, 1) / (1 + square);
    }
    static constexpr auto derivative(auto x, auto y) { return -2 * ((x * y) * y); }
};

/// The angle in [-pi/2, pi/2] whose sine is x.
struct asin : unary<asin> {
    static constexpr auto name = "asin";
    using uses = op_list<one_minus_square>;
    static auto eval(auto x) {
        using std::asin;
        return asin(x);
    }
    static constexpr auto chain(auto g, auto x, auto) {
        using std::sqrt;
        return g / sqrt(apply<one_minus_square>(x));
    }
};

/// The angle in [0, pi] whose cosine is x.
struct acos : unary<acos> {
    static constexpr auto name = "acos";
    using uses = op_list<one_minus_square>;
    static auto eval(auto x) {
        using std::acos;
        return acos(x);
    }
    static constexpr auto chain(auto g, auto x, auto) {
        using std::sqrt;
        return -(g / sqrt(apply<one_minus_square>(x)));
    }
};

/// The angle in [-pi/2, pi/2] whose tangent is x.
struct atan : unary<atan> {
    static constexpr auto name = "atan";
    using uses = op_list<inverse_one_plus_square>;
    static auto eval(auto x) {
        using std::atan;
        return atan(x);
    }
    static constexpr auto derivative(auto x, auto) { return apply<inverse_one_plus_square>(x); }
};

struct hypot;

/// a / hypot(a, b), the sine of the angle of the point (b, a); 0 at the origin, its derivatives, too.
struct direction : binary<direction> {
    static constexpr auto name = "direction";
    using uses = op_list<hypot>;
    template <class X>
    static auto eval(X a, X b) {
        using std::abs;
        X const size = abs(a) + abs(b), up = gradus::where(size < 1e-30f, X(0x1p64f), X(1));  // denormal numbers have few digits
        X const y = apply<hypot>(up * a, up * b);
        return gradus::where(y == 0, 0, up * a / y);
    }
    static constexpr auto chain(auto g, auto a, auto b, auto y) {
        auto other = apply<direction>(b, a), size = apply<hypot>(a, b);
        auto per = gradus::where(size == 0, 0, g * other / size);
        return std::tuple{per * other, -(per * y)};
    }
};

/// b / (a^2 + b^2), the derivative of atan2 by a; 0 at the origin, its derivatives, too.
struct turn : binary<turn> {
    static constexpr auto name = "turn";
    using uses = op_list<hypot, direction>;
    static auto eval(auto a, auto b) {
        auto const size = apply<hypot>(a, b);
        return gradus::where(size == 0, 0, b / size / size);
    }
    static constexpr auto chain(auto g, auto a, auto b, auto y) {
        auto size = apply<hypot>(a, b);
        auto by_a = -2 * (g * y * apply<direction>(a, b) / size);
        auto p = apply<abs>(apply<direction>(a, b)), q = apply<abs>(apply<direction>(b, a));
        auto by_b = g * ((apply<abs>(a) - apply<abs>(b)) / size) * (p + q) / size / size;  // (a^2 - b^2) / size^4
        return std::tuple{gradus::where(size == 0, 0, by_a), gradus::where(size == 0, 0, by_b)};
    }
};

/// The angle of the point (b, a) in [-pi, pi]; both derivatives are 0 at the origin.
struct atan2 : binary<atan2> {
    static constexpr auto name = "atan2";
    using uses = op_list<turn>;
    static auto eval(auto a, auto b) {
        using std::abs, std::atan2, std::copysign;
        if constexpr (std::is_arithmetic_v<decltype(a)>) return atan2(a, b);
        else {  // xsimd 8.1 divides 0 by 0 and infinity by infinity; on a diagonal the signs say it all
            auto diagonal = abs(a) == abs(b);
            decltype(a) const one(1);
            return atan2(gradus::where(diagonal, gradus::where(a == 0, a, copysign(one, a)), a),
                         gradus::where(diagonal, copysign(one, b), b));
        }
    }
    static constexpr auto chain(auto g, auto a, auto b, auto) { return std::tuple{g * apply<turn>(a, b), -(g * apply<turn>(b, a))}; }
};

/// sqrt(a^2 + b^2) without overflow; both derivatives are 0 at the origin.
struct hypot : binary<hypot> {
    static constexpr auto name = "hypot";
    using uses = op_list<direction>;
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
    static constexpr auto partials(auto a, auto b, auto) { return std::tuple{apply<direction>(a, b), apply<direction>(b, a)}; }
};

/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
struct erf : unary<erf> {
    static constexpr auto name = "erf";
    static auto eval(auto x) {
        using std::erf;
        return erf(x);
    }
    static constexpr auto derivative(auto x, auto) { return 1.1283791670955126 * apply<gaussian<1>>(x); }
};

/// 1 - erf(x), accurate where that is near 0.
struct erfc : unary<erfc> {
    static constexpr auto name = "erfc";
    static auto eval(auto x) {
        using std::erfc;
        return erfc(x);
    }
    static constexpr auto derivative(auto x, auto) { return -1.1283791670955126 * apply<gaussian<1>>(x); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
