// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/exponential.hpp>
#include <gradus/op/special.hpp>

// The normal distribution function and its logarithm, by the scaled complementary error function.
namespace gradus::op {

/// exp(x^2) erfc(x), which neither overflows nor vanishes for positive x: rational approximations of W. J. Cody, "Rational
/// Chebyshev approximations for the error function" (1969), at most 3 ulp in double.
struct erfcx : unary<erfcx> {
    static constexpr auto name = "erfcx";
    template <class X>
    static auto eval(X x) {
        using std::abs, std::exp, std::trunc;
        X const size = abs(x);
        // x^2 as a square without rounding and a rest, for exp would multiply what rounding loses
        X const near = trunc(x * number_like<X>(16)) * number_like<X>(0.0625);
        X const twice = number_like<X>(2) * exp(near * near) * exp((x - near) * (x + near));
        X const left = gradus::where(size < number_like<X>(30), twice - of_positive(size), number_like<X>(std::numeric_limits<double>::infinity()));
        return gradus::where(x < 0, left, of_positive(size));
    }
    template <class X>
    static X of_positive(X x) {
        using std::exp;
        X const square = x * x, inverse = 1 / square;
        X const erf_over_x = quotient(square, {1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3},
                                      {1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3});
        X const middle = quotient(x, {2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
                                      1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3},
                                  {1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
                                   3.43936767414372164e3, 1.23033935480374942e3});
        X const rest = inverse * quotient(inverse, {1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4},
                                          {1, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3});
        X const far = (number_like<X>(0.56418958354775628695) - rest) / x;
        return gradus::where(x <= number_like<X>(0.46875), exp(square) * (1 - x * erf_over_x), gradus::where(x <= number_like<X>(4), middle, far));
    }
    static constexpr auto derivative(auto x, auto y) { return 2 * (x * y) - 1.1283791670955126; }

private:
    /// Polynomials from the highest power on.
    template <class X, int N>
    static X quotient(X z, double const (&above)[N], double const (&below)[N]) {
        X a = number_like<X>(above[0]), b = number_like<X>(below[0]);
        for (int i = 1; i < N; ++i) {
            a = a * z + number_like<X>(above[i]);
            b = b * z + number_like<X>(below[i]);
        }
        return a / b;
    }
};

/// log of the normal distribution function: log(erfcx(-x / sqrt 2) / 2) - x^2 / 2 below 0, log1p of minus the other tail above.
struct log_ndtr : unary<log_ndtr> {
    static constexpr auto name = "log_ndtr";
    using uses = op_list<erfcx>;
    template <class X>
    static auto eval(X x) {
        using std::abs, std::exp, std::log, std::log1p;
        X const half_square = number_like<X>(0.5) * (x * x), tail = number_like<X>(0.5) * erfcx::of_positive(abs(x) * number_like<X>(0.70710678118654752));
        return gradus::where(x < 0, log(tail) - half_square, log1p(-(tail * exp(-half_square))));
    }
    /// The density over the distribution function.
    static constexpr auto derivative(auto x, auto) { return 0.79788456080286536 / apply<erfcx>(-0.70710678118654752 * x); }
};

/// The normal distribution function, erfc(-x / sqrt 2) / 2.
struct ndtr : pointwise<ndtr> {
    static constexpr auto name = "ndtr";
    using uses = op_list<erfc>;
    static constexpr auto expand(attributes const&, auto x) { return 0.5 * apply<erfc>(-0.70710678118654752 * x); }
};

}  // namespace gradus::op
