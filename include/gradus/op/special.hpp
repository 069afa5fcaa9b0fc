// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/arithmetic.hpp>
#include <gradus/op/trigonometric.hpp>

#include <math.h>
#include <cmath>
#include <concepts>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace gradus::inline GRADUS_ARCH::op {

/// A number of X's own element type: a double constant among floats would be converted, which compilers warn of.
template <class X>
constexpr X number_like(double value) {
    if constexpr (std::is_arithmetic_v<X>) return static_cast<X>(value);
    else return X(static_cast<typename X::value_type>(value));
}

/// Derivative N of digamma, digamma itself for N = 0: of positive numbers and of negative ones by reflection. The argument is shifted up
/// ten times, where ten terms of the asymptotic series (Abramowitz and Stegun 6.3.18, 6.4.11) leave less than 1e-17.
template <int N>
struct polygamma : unary<polygamma<N>> {
    static constexpr int highest = 4;
    static constexpr char const* name = N == 0   ? "digamma"
                                        : N == 1 ? "trigamma"
                                        : N == 2 ? "polygamma_2"
                                        : N == 3 ? "polygamma_3"
                                                 : "polygamma_4";
    using uses = std::conditional_t<(N < highest), op_list<polygamma<(N < highest ? N + 1 : N)>>, op_list<>>;

    template <class X>
    static auto eval(X x) {
        using std::abs, std::sin, std::trunc;
        X const turn = number_like<X>(3.1415926535897932);
        X const direct = shifted(gradus::where(x < 0, 1 - x, x));
        X const angle = turn * (x - trunc(x)), c = sin(turn * (number_like<X>(0.5) - abs(x - trunc(x))));  // cos(angle), exact at its roots
        if constexpr (N == 0)
            return gradus::where(
                x < 0, gradus::where(angle == 0, number_like<X>(std::numeric_limits<double>::quiet_NaN()), direct - turn * c / sin(angle)),
                direct);
        else if constexpr (N == 1) {
            X const ratio = turn / sin(angle);
            return gradus::where(x < 0, ratio * ratio - direct, direct);
        } else {  // derivative N of pi cot(pi x), but for its sign
            X const per_sine = turn / sin(angle), square = per_sine * per_sine;
            if constexpr (N == 2) return gradus::where(x < 0, direct - 2 * c * square * per_sine, direct);
            else if constexpr (N == 3) return gradus::where(x < 0, 2 * (1 + 2 * c * c) * square * square - direct, direct);
            else return gradus::where(x < 0, direct - 8 * c * (2 + c * c) * square * square * per_sine, direct);
        }
    }
    static constexpr auto derivative(auto x, auto) {
        if constexpr (N < highest) return apply<polygamma<N + 1>>(x);
        else return core::refuse<"gradus: no derivative of polygamma_4", std::logic_error>(), x;
    }

private:
    static constexpr double bernoulli[] = {1.0 / 6,       -1.0 / 30, 1.0 / 42,      -1.0 / 30,     5.0 / 66,
                                           -691.0 / 2730, 7.0 / 6,   -3617.0 / 510, 43867.0 / 798, -174611.0 / 330};

    template <class X>
    static X shifted(X x) {
        using std::log;
        auto term = [](X z) {  // of the recurrence: the derivative of 1 / z, up to its sign
            X y = 1 / z;
            for (int i = 0; i < N; ++i) y = y / z * number_like<X>(i + 1);
            return y;
        };
        X sum = term(x);
        for (int k = 1; k < 10; ++k) sum = sum + term(x + number_like<X>(k));
        X const z = x + number_like<X>(10), w = 1 / (z * z);
        // Sigma B_2k (2k + N - 1)! / (2k)! z^-(2k), from the smallest term
        X series = number_like<X>(0);
        for (int k = 10; k >= 1; --k) {
            double factor = bernoulli[k - 1];
            if (N == 0) factor /= 2 * k;
            for (int i = 1; i < N; ++i) factor *= 2 * k + i;
            series = (series + number_like<X>(factor)) * w;
        }
        if constexpr (N == 0)
            return gradus::where(x == std::numeric_limits<double>::infinity(), x, log(z) - number_like<X>(0.5) / z - series - sum);
        else {
            double before = 1;  // (N - 1)!
            for (int i = 2; i < N; ++i) before *= i;
            X power = 1 / z;
            for (int i = 1; i < N; ++i) power = power / z;
            X const tail = power * (number_like<X>(before) + number_like<X>(0.5 * before * N) / z + series);
            if constexpr (N % 2 == 1) return sum + tail;
            else return -(sum + tail);
        }
    }
};
using digamma = polygamma<0>;

/// log |gamma(x)|, one lane at a time: xsimd 8.1's is wrong in float (lgamma(0.8) = 1.24). The functions that
/// return the sign write no global variable.
struct lgamma : unary<lgamma> {
    static constexpr auto name = "lgamma";
    using uses = op_list<digamma>;
#ifdef _WIN32  // where there is no such variable
    static auto eval(std::floating_point auto x) { return std::lgamma(x); }
#else
    static auto eval(float x) {
        int sign;
        return ::lgammaf_r(x, &sign);
    }
    static auto eval(double x) {
        int sign;
        return ::lgamma_r(x, &sign);
    }
#endif
    template <class X>
    static auto eval(X x) {
        typename X::value_type lanes[X::size];
        x.store_unaligned(lanes);
        for (auto& lane : lanes) lane = eval(lane);
        return X::load_unaligned(lanes);
    }
    static constexpr auto derivative(auto x, auto) { return apply<digamma>(x); }
};

struct erfinv;
struct erfcx;

/// The derivative of y = erfinv(x): sqrt(pi) / 2 erfcx(|y|) / (1 - |x|), which is sqrt(pi) / 2 exp(y^2) but does not multiply the error of
/// y. All of its own derivative, 2 y times its square, stands at x.
struct erfinv_slope : binary<erfinv_slope> {
    static constexpr auto name = "erfinv_slope";
    using uses = op_list<erfcx>;
    static auto eval(auto x, auto y) {
        using std::abs;
        auto const inside = number_like<decltype(x)>(0.88622692545275801) * apply<erfcx>(abs(y)) / (1 - abs(x));
        return gradus::where(abs(x) == 1, number_like<decltype(x)>(std::numeric_limits<double>::infinity()), inside);
    }
    static constexpr auto partials(auto, auto y, auto slope) { return std::tuple{2 * (y * slope * slope), 0}; }
};

/// The y with erf(y) = x: rational approximations, then two steps of Halley.
struct erfinv : unary<erfinv> {
    static constexpr auto name = "erfinv";
    using uses = op_list<erfinv_slope>;
    template <class X>
    static auto eval(X x) {
        using std::abs, std::copysign, std::erf, std::erfc, std::exp, std::log, std::sqrt;
        auto polynomial = [](X z, auto... c) {  // lowest power first
            double const all[] = {c...};
            X y = number_like<X>(all[sizeof...(c) - 1]);
            for (int i = static_cast<int>(sizeof...(c)) - 2; i >= 0; --i) y = y * z + number_like<X>(all[i]);
            return y;
        };
        X const size = abs(x), square = x * x, far = sqrt(-log((1 - size) * number_like<X>(0.5)));
        X const near = x * polynomial(square, 0.886226899, -1.645349621, 0.914624893, -0.140543331) /
                       polynomial(square, 1.0, -2.118377725, 1.442710462, -0.329097515, 0.012229801);
        X const tail = copysign(
            polynomial(far, -1.970840454, -1.624906493, 3.429567803, 1.641345311) / polynomial(far, 1.0, 3.543889200, 1.637067800), x);
        X y = gradus::where(size <= number_like<X>(0.7), near, tail);
        auto const large = size > number_like<X>(0.7);
        for (int step = 0; step < 2; ++step) {  // from 1 where x is near 1: 1 - size is exact
            X const left = (1 - size) - erfc(abs(y)), beyond = gradus::where(large, gradus::where(x < 0, -left, left), erf(y) - x);
            X const newton = beyond / (number_like<X>(1.1283791670955126) * exp(-(y * y)));
            y = y - newton / (1 + y * newton);
        }
        X const edge = copysign(number_like<X>(std::numeric_limits<double>::infinity()), x);
        return gradus::where(size == 1, edge, gradus::where(size < 1, y, number_like<X>(std::numeric_limits<double>::quiet_NaN())));
    }
    static constexpr auto derivative(auto x, auto y) { return apply<erfinv_slope>(x, y); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
