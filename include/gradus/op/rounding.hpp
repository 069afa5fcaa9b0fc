// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/leaf.hpp>

#include <limits>

// Steps: their derivative is 0 everywhere, as in PyTorch, in the steps too. And what is made of steps.
namespace gradus::inline GRADUS_ARCH::op {

/// Base of what is constant between its steps.
template <class Op>
struct step_function : unary<Op> {
    static constexpr bool steps = true;
    static constexpr auto derivative(auto, auto) { return 0; }
};

/// The largest integer that is not above x.
struct floor : step_function<floor> {
    static constexpr auto name = "floor";
    static constexpr bool exact = true;
    static auto eval(auto x) {
        using std::floor;
        return floor(x);
    }
};

/// The smallest integer that is not below x.
struct ceil : step_function<ceil> {
    static constexpr auto name = "ceil";
    static constexpr bool exact = true;
    static auto eval(auto x) {
        using std::ceil;
        return ceil(x);
    }
};

/// The nearest integer, the even one of two.
struct round : step_function<round> {
    static constexpr auto name = "round";
    static constexpr bool exact = true;
    static auto eval(auto x) {
        using std::nearbyint;
        return nearbyint(x);
    }
};

/// The integer part.
struct trunc : step_function<trunc> {
    static constexpr auto name = "trunc";
    static constexpr bool exact = true;
    static auto eval(auto x) {
        using std::trunc;
        return trunc(x);
    }
};

/// a - b trunc(a / b): the remainder with the sign of a.
struct fmod : binary<fmod> {
    static constexpr auto name = "fmod";
    static constexpr bool steps = true;
    using uses = op_list<round>;
    template <class X>
    static auto eval(X a, X b) {
        if constexpr (std::is_arithmetic_v<X>) return std::fmod(a, b);
        else {  // one lane at a time: xsimd's a - b trunc(a / b) is off by as many ulp as the quotient has
            typename X::value_type x[X::size], y[X::size];
            a.store_unaligned(x);
            b.store_unaligned(y);
            for (std::size_t i = 0; i < X::size; ++i) x[i] = std::fmod(x[i], y[i]);
            return X::load_unaligned(x);
        }
    }
    // the quotient itself may round up to an integer
    static constexpr auto chain(auto g, auto a, auto b, auto y) { return std::tuple{g, -(g * apply<round>((a - y) / b))}; }
};

/// a - b floor(a / b): the remainder with the sign of b.
struct remainder : pointwise<remainder, 2> {
    static constexpr auto name = "remainder";
    using uses = op_list<fmod>;
    static constexpr auto expand(attributes const&, auto a, auto b) {
        auto r = apply<fmod>(a, b);
        auto beyond = gradus::where(r < 0, b, -b) > 0;  // r and b differ in sign
        return gradus::where(r == 0, r, gradus::where(beyond, r + b, r));
    }
};

/// |a| with the sign of b, that of a zero too.
struct copysign : binary<copysign> {
    static constexpr auto name = "copysign";
    static constexpr bool exact = true;
    static auto eval(auto a, auto b) {
        using std::copysign;
        return copysign(a, b);
    }
    static constexpr auto chain(auto g, auto a, auto, auto y) {
        return std::tuple{gradus::where(a == 0, 0, gradus::where(a == y, g, -g)), 0};
    }
};

/// -1, 0 or 1; 0 for NaN.
struct sign : pointwise<sign> {
    static constexpr auto name = "sign";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto expand(attributes const&, auto x) {
        return gradus::where(x > 0, x.number(1), gradus::where(x < 0, x.number(-1), x.number(0)));
    }
};

/// 0 below 0, v at 0, 1 above.
struct heaviside : pointwise<heaviside, 2> {
    static constexpr auto name = "heaviside";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto expand(attributes const&, auto x, auto v) {
        return gradus::where(x == 0, v, gradus::where(x > 0, x.number(1), x.number(0)));
    }
};

/// min(max(x, low), high); the derivative at the bounds is 1, of NaN 0.
struct clamp : pointwise<clamp, 3> {
    static constexpr auto name = "clamp";
    static constexpr auto accepted = accepts::numbers;
    static constexpr auto expand(attributes const&, auto x, auto low, auto high) {
        auto from_low = gradus::where(x < low, low, gradus::where(x == x, x, apply<stop_gradient>(x)));
        return gradus::where(from_low > high, high, from_low);
    }
};

/// x with finite numbers for NaN (0) and the infinities (the largest of their sign); the derivative there is 0.
struct nan_to_num : pointwise<nan_to_num> {
    static constexpr auto name = "nan_to_num";
    static constexpr auto expand(attributes const&, auto x) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        double const most =
            core::with_floating_dtype(x.type(), []<class T>(T) { return static_cast<double>(std::numeric_limits<T>::max()); });
        return gradus::where(x == x, gradus::where(x == infinity, most, gradus::where(x == -infinity, -most, x)), 0);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
