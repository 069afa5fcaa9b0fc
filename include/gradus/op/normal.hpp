// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/exponential.hpp>
#include <gradus/op/special.hpp>

// The normal distribution function and its logarithm, by the scaled complementary error function.
namespace gradus::inline GRADUS_ARCH::op {

/// The polynomial of these coefficients, from the highest power on.
template <class X, int N>
X horner(X z, double const (&c)[N]) {
    X y = number_like<X>(c[0]);
    for (int i = 1; i < N; ++i) y = y * z + number_like<X>(c[i]);
    return y;
}
/// From 0 at x = 0 to 1 at infinity, where functions that decay slowly are polynomials: (x - 4) / (x + 4).
template <class X>
X compressed(X x) {
    return 1 - 8 / (x + 4);
}

template <int N>
struct erfc_integral;

/// exp(x^2) erfc(x), which neither overflows nor vanishes for positive x: rational approximations of W. J. Cody, "Rational
/// Chebyshev approximations for the error function" (1969), at most 3 ulp in double.
struct erfcx : unary<erfcx> {
    static constexpr auto name = "erfcx";
    using uses = op_list<erfc_integral<1>>;
    template <class X>
    static auto eval(X x) {
        using std::abs;
        X const size = abs(x);
        return gradus::where(x < 0, 2 * growth(size) - of_positive(size), of_positive(size));
    }
    /// exp(x^2), x >= 0: the square without rounding and a rest, for exp would multiply what rounding loses.
    template <class X>
    static X growth(X x) {
        using std::exp, std::trunc;
        X const near = trunc(x * number_like<X>(16)) * number_like<X>(0.0625);
        X const y = exp(near * near) * exp((x - near) * (x + near));
        return gradus::where(x < number_like<X>(30), y, gradus::where(x == x, number_like<X>(std::numeric_limits<double>::infinity()), x));
    }
    template <class X>
    static X of_positive(X x) {
        using std::exp;
        X const square = x * x, inverse = 1 / square;
        X const erf_over_x = quotient(
            square, {1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3},
            {1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3});
        X const middle =
            quotient(x,
                     {2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
                      8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3},
                     {1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
                      4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3});
        X const rest = inverse * quotient(inverse,
                                          {1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
                                           1.60837851487422766e-2, 6.58749161529837803e-4},
                                          {1, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1, 6.05183413124413191e-2,
                                           2.33520497626869185e-3});
        X const far = (number_like<X>(0.56418958354775628695) - rest) / x;
        return gradus::where(x <= number_like<X>(0.46875), exp(square) * (1 - x * erf_over_x),
                             gradus::where(x <= number_like<X>(4), middle, far));
    }
    static constexpr auto derivative(auto x, auto) { return -2 * apply<erfc_integral<1>>(x); }  // 2 x y - 2 / sqrt(pi) cancels

private:
    template <class X, int N>
    static X quotient(X z, double const (&above)[N], double const (&below)[N]) {
        return horner(z, above) / horner(z, below);
    }
};

/// exp(x^2) times integral N of erfc from x to infinity, N = 1 or 2: 1 / sqrt(pi) - x erfcx(x) and (erfcx(x) - 2 x times that) / 4, which
/// cancel; for x >= 0 (1 + 2 x)^(N + 1) times it is a polynomial of compressed(x), of a relative error of 1.3e-17.
template <int N>
struct erfc_integral : unary<erfc_integral<N>> {
    static constexpr auto name = N == 1 ? "erfc_integral" : "erfc_integral_2";
    using uses = std::conditional_t<N == 1, op_list<erfc_integral<2>>, op_list<erfc_integral<1>>>;
    template <class X>
    static auto eval(X x) {
        using std::abs;
        X const size = abs(x), below = 1 + 2 * size, grown = erfcx::growth(size);
        X y = of(compressed(size));
        for (int i = 0; i <= N; ++i) y = y / below;
        if constexpr (N == 1) return gradus::where(x < 0, 2 * size * grown + y, y);
        else return gradus::where(x < 0, grown * (number_like<X>(0.5) + size * size) - y, y);
    }
    static constexpr auto derivative(auto x, auto y) {
        if constexpr (N == 1) return -4 * apply<erfc_integral<2>>(x);
        else return 2 * (x * y) - apply<erfc_integral<1>>(x);
    }

private:
    template <class X>
    static X of(X t) {
        if constexpr (N == 1)
            return horner(
                t, {-1.5426008647843956e-9, -3.5665967328206873e-9, 1.9186430154775321e-8,  4.2305239504875678e-8,  -1.4742665875934668e-7,
                    -2.7587884942365972e-7, 1.0188945705710867e-6,  1.2183108758378249e-6,  -7.0625485292283114e-6, -1.3237836524297352e-6,
                    4.6232753103333108e-5,  -5.4940616353330902e-5, -0.0002177999903825437, 0.00081508162223211261, -0.00040395184319675668,
                    -0.0048051874316139616, 0.019341293213035838,   -0.041736658476039775,  0.055955700136340833,   -0.031538315346236944,
                    -0.05738465603637527,   0.19936247592426008,    -0.32580481377820888,   0.33442854377169331,    -0.15677345254426292,
                    -0.1743758650610801,    1.3115319968483689});
        else
            return horner(
                t, {4.8100983796102778e-9,  -7.67935617901688e-9,   -5.8741880635945696e-8, 9.5639600510599491e-8,   4.0085433680635037e-7,
                    -7.1463073993082232e-7, -2.1123915899941654e-6, 4.6952833513225013e-6,  9.2642053818761371e-6,   -3.0833978840686639e-5,
                    -2.6682287765076514e-5, 0.00019480711406269382, -8.1332428562841375e-5, -0.00098149061780410392, 0.0021412312518362704,
                    0.0012745431313113195,  -0.0152495213614236,    0.035563664155836094,   -0.035873400111282166,   -0.021688441057459394,
                    0.14128642210301878,    -0.24655401463661418,   0.20123986429000753,    0.073420644654355756,    -0.46814076713941625,
                    0.69507592574130318,    -0.49668893840180056,   -0.097089289571250115,  1.3605752088967978});
    }
};

template <bool Excess>
struct mills_ratio;

/// log of the normal distribution function: log(erfcx(-x / sqrt 2) / 2) - x^2 / 2 below 0, log1p of minus the other tail above.
struct log_ndtr : unary<log_ndtr> {
    static constexpr auto name = "log_ndtr";
    using uses = op_list<mills_ratio<false>>;
    template <class X>
    static auto eval(X x) {
        using std::abs, std::log, std::log1p;
        X const half_square = number_like<X>(0.5) * x * x,
                tail = number_like<X>(0.5) * erfcx::of_positive(abs(x) * number_like<X>(0.70710678118654752));
        return gradus::where(x < 0, log(tail) - half_square, log1p(-(tail * gaussian<2>::eval(x))));
    }
    static constexpr auto derivative(auto x, auto) { return apply<mills_ratio<false>>(x); }
};

/// The normal density over the distribution function, r; with `Excess` x + r, which cancels for negative x. There (1 - x) times it is
/// a polynomial of compressed(-x), of a relative error of 1.3e-17. The derivative of r is -r (x + r).
template <bool Excess>
struct mills_ratio : unary<mills_ratio<Excess>> {
    static constexpr auto name = Excess ? "mills_excess" : "mills_ratio";
    using uses = op_list<mills_ratio<!Excess>>;
    template <class X>
    static auto eval(X x) {
        using std::abs;
        X const size = abs(x), scaled = erfcx::of_positive(size * number_like<X>(0.70710678118654752)), density = gaussian<2>::eval(x);
        X const right = number_like<X>(0.39894228040143268) * density / (1 - number_like<X>(0.5) * scaled * density);
        if constexpr (Excess) return gradus::where(x < 0, of(compressed(size)) / (1 + size), x + right);
        else return gradus::where(x < 0, number_like<X>(0.79788456080286536) / scaled, right);
    }
    static constexpr auto derivative(auto x, auto y) {
        if constexpr (Excess) return 1 - apply<mills_ratio<false>>(x) * y;
        else return -(y * apply<mills_ratio<true>>(x));
    }

private:
    template <class X>
    static X of(X t) {
        return horner(
            t, {6.9100219813068022e-9,  1.6408782709952746e-9,   -7.3194899313321173e-8, 1.0280565972055142e-8,   3.9978383672116731e-7,
                -2.8046028027705547e-7, -1.5339209924039294e-6,  2.3331034918042366e-6,  4.5911334921464475e-6,   -1.2794784906688889e-5,
                -1.0273011792657902e-5, 5.5326977418264525e-5,   9.2121253116863478e-6,  -0.00020243886411859457, 6.8740614016779238e-5,
                0.00063900488227111966, -0.00056038341506849138, -0.001693714638995166,  0.0027520372390943735,   0.0032926607174017746,
                -0.01060553895943636,   -0.0011290861315951631,  0.03242420504450178,    -0.030769392021502346,   -0.061071084203172226,
                0.19293246887907473,    -0.1921037481908367,     -0.062056379981136373,  1.1280357224473554});
    }
};

/// The normal distribution function, erfc(-x / sqrt 2) / 2, with what rounding the quotient loses: erfc multiplies it by up to 1400.
struct ndtr : unary<ndtr> {
    static constexpr auto name = "ndtr";
    using uses = op_list<gaussian<2>>;
    template <class X>
    static auto eval(X x) {
        using std::erfc;
        X const factor = number_like<X>(-0.70710678118654752), z = x * factor, half = number_like<X>(0.5) * erfc(z);
        X const rest = lost(x, factor, z) + x * number_like<X>(single_of<X> ? -1.2102e-8 : 4.8336466567264567e-17);
        // erfc'(z) is -2 z erfc(z) or nearly so where it matters
        return half - gradus::where(z > 0, gradus::where(z < 40, 2 * half * z * rest, 0), 0);
    }
    static constexpr auto derivative(auto x, auto) { return 0.39894228040143268 * apply<gaussian<2>>(x); }

private:
    template <class X>
    static constexpr bool single_of = sizeof(decltype([] {
                                          if constexpr (std::is_arithmetic_v<X>) return X{};
                                          else return typename X::value_type{};
                                      }())) == 4;
    /// What rounding a b to `product` lost.
    template <class X>
    static X lost(X a, X b, X product) {
        if constexpr (std::is_arithmetic_v<X>) return std::fma(a, b, -product);
        else return lost_product(a, b, product);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
