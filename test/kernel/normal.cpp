// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/op/normal.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

// The normal distribution against numbers of mpmath 1.3 with 50 digits, one number and SIMD lanes.
namespace {

struct row {
    double x, erfcx, log_ndtr;
};
constexpr row rows[] = {{-10000.0, std::numeric_limits<double>::infinity(), -50000010.1292789152},
                        {-300.0, std::numeric_limits<double>::infinity(), -45006.6227321186634},
                        {-37.5, std::numeric_limits<double>::infinity(), -707.668989317507191},
                        {-12.0, 6.90932131343509265e+62, -75.4106730015687959},
                        {-5.25, 1867547484791.33451, -16.3918800100377932},
                        {-2.5, 1035.81484297262291, -5.0816482772786905},
                        {-1.5, 18.6538862562627339, -2.70594440082388981},
                        {-0.75, 3.00317166362745231, -1.48444822991965629},
                        {-0.4375, 1.7727093522136989, -1.10601646795413642},
                        {-0.125, 1.15827357209122069, -0.79792614275302409},
                        {0.0, 1.0, -0.693147180559945309},
                        {0.125, 0.87322184508215081, -0.598313068912424994},
                        {0.4375, 0.649193250053864739, -0.401783475702791649},
                        {0.75, 0.506937650293144806, -0.256994266838365237},
                        {1.5, 0.321585416454317502, -0.069143455612233983},
                        {2.5, 0.210806364061143581, -0.00622902548586000238},
                        {5.25, 0.105612735468891802, -7.6049608056658512e-8},
                        {8.0, 0.0699851662008809277, -6.22096057427178606e-16},
                        {12.0, 0.0468542210148937626, -1.776482112077679e-33},
                        {37.0, 0.0152428040513024583, -5.72557122252457682e-300},
                        {300.0, 0.00188062149737806449, 0.0}};

template <class T>
double ulps(double actual, double expected) {
    return std::abs(actual - expected) / std::abs(expected) / static_cast<double>(std::numeric_limits<T>::epsilon());
}
/// All lanes the same.
template <class T>
T in_lanes(T x, auto const& f) {
    constexpr int width = gradus::simd::native_width<T>;
    T all[width];
    for (T& each : all) each = x;
    gradus::simd::store<T, width>(all, f(gradus::simd::load<T, width>(all)));
    return all[width - 1];
}

}  // namespace

TEST_CASE_TEMPLATE("normal: erfcx and log_ndtr, in both tails", T, float, double) {
    for (row const& r : rows) {
        CAPTURE(r.x);
        auto const x = static_cast<T>(r.x);  // exact: every x has few bits
        auto const scaled = [](auto v) { return gradus::op::erfcx::eval(v); };
        auto const logarithm = [](auto v) { return gradus::op::log_ndtr::eval(v); };
        // erfcx: two quotients of polynomials and two exponentials, some 2 ulp each; below -9 a float overflows
        if (std::isfinite(r.erfcx) && (sizeof(T) == 8 || r.x > -9)) {
            CHECK(ulps<T>(static_cast<double>(scaled(x)), r.erfcx) <= 8);
            CHECK(ulps<T>(static_cast<double>(in_lanes(x, scaled)), r.erfcx) <= 8);
        }
        // log_ndtr: as above; a float is 0 where the number is no float
        double const allowed = 8;
        if (std::abs(r.log_ndtr) < static_cast<double>(std::numeric_limits<T>::min())) continue;
        CHECK(ulps<T>(static_cast<double>(logarithm(x)), r.log_ndtr) <= allowed);
        CHECK(ulps<T>(static_cast<double>(in_lanes(x, logarithm)), r.log_ndtr) <= allowed);
    }
}
TEST_CASE("normal: infinities and NaN") {
    constexpr double inf = std::numeric_limits<double>::infinity();
    CHECK(gradus::op::erfcx::eval(inf) == 0);
    CHECK(gradus::op::erfcx::eval(-inf) == inf);
    CHECK(std::isnan(gradus::op::erfcx::eval(std::nan(""))));
    CHECK(gradus::op::log_ndtr::eval(inf) == 0);
    CHECK(gradus::op::log_ndtr::eval(-inf) == -inf);
    CHECK(std::isnan(gradus::op::log_ndtr::eval(std::nan(""))));
}
