// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/dtype.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <type_traits>

namespace {

namespace gr = gradus;
using gr::bfloat16;
using gr::float16;

template <class T>
T of(int pattern) {
    return T::from_bits(static_cast<std::uint16_t>(pattern));
}
/// What a pattern means, from the definition of its format.
template <class T>
double meaning(int pattern) {
    constexpr int fraction_bits = std::numeric_limits<T>::digits - 1, exponents = 1 << (15 - fraction_bits), bias = exponents / 2 - 1;
    int const fraction = pattern & ((1 << fraction_bits) - 1), exponent = pattern >> fraction_bits & (exponents - 1);
    double size = std::ldexp(fraction + (exponent ? 1 << fraction_bits : 0), (exponent ? exponent : 1) - bias - fraction_bits);
    if (exponent == exponents - 1) size = fraction ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    return pattern & 0x8000 ? -size : size;
}
template <class T>
void check_all_patterns() {
    constexpr int quiet = 1 << (std::numeric_limits<T>::digits - 2);
    int wrong = 0;
    for (int p = 0; p < 0x10000; ++p) {
        double const expected = meaning<T>(p);
        float const x = of<T>(p);
        bool const is_nan = expected != expected;
        wrong += is_nan ? x == x : static_cast<double>(x) != expected || std::signbit(x) != (p >= 0x8000);
        wrong += T(x).bits != (is_nan ? p | quiet : p);  // a NaN that signals becomes quiet, its other bits stay
    }
    CHECK(wrong == 0);
}
/// Between all neighbours: the middle goes to the even one, what is next to the middle to the nearer one.
template <class T>
void check_all_ties() {
    int const infinite = std::numeric_limits<T>::infinity().bits;
    int wrong = 0;
    for (int sign : {0, 0x8000})
        for (int p = 0; p < infinite; ++p) {
            double const low = meaning<T>(p | sign),
                         above = p + 1 == infinite ? 2 * low - meaning<T>((p - 1) | sign) : meaning<T>((p + 1) | sign);
            auto const middle = static_cast<float>((low + above) / 2);
            if (static_cast<double>(middle) != (low + above) / 2) continue;  // beyond the smallest float
            wrong += T(middle).bits != ((p + (p & 1)) | sign);
            wrong += T(std::nextafter(middle, static_cast<float>(low))).bits != (p | sign);
            wrong += T(std::nextafter(middle, static_cast<float>(above))).bits != ((p + 1) | sign);
        }
    CHECK(wrong == 0);
}
template <class T>
void check_struct() {
    static_assert(sizeof(T) == 2 && alignof(T) == 2 && std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>);
    static_assert(gr::element<T> && gr::floating_element<T> && gr::half_element<T>);
    static_assert(std::convertible_to<T, float> && std::convertible_to<T, double> && !std::convertible_to<float, T> &&
                  !std::convertible_to<double, T> && std::constructible_from<T, float> && std::constructible_from<T, double> &&
                  std::constructible_from<T, int>);
    static_assert(static_cast<float>(T(1.5F)) == 1.5F && T(3) == T(3.0) && T(1) < T(2) && -T(2) == T(-2) && T{} == T(0));
    T x(1);
    x += 2;
    x *= 3;
    x -= T(1);
    x /= 4;
    CHECK(static_cast<float>(x) == 2);
    CHECK(static_cast<float>(T(std::numeric_limits<float>::infinity())) == std::numeric_limits<float>::infinity());
    CHECK(static_cast<float>(T(-1e39)) == -std::numeric_limits<float>::infinity());
    float const nan = T(std::numeric_limits<float>::quiet_NaN());
    CHECK(nan != nan);
    // a NaN of which only low bits are set stays one
    float const low_bits = T(__builtin_bit_cast(float, 0x7f800001U));
    CHECK(low_bits != low_bits);

    using limits = std::numeric_limits<T>;
    static_assert(limits::is_specialized && limits::is_signed && !limits::is_integer && limits::has_infinity && limits::has_quiet_NaN);
    CHECK(std::ldexp(1.0, limits::min_exponent - 1) == limits::min());
    CHECK(std::ldexp(1.0 - std::ldexp(1.0, -limits::digits), limits::max_exponent) == limits::max());
    CHECK(limits::lowest() == -limits::max());
    CHECK(std::ldexp(1.0, 1 - limits::digits) == limits::epsilon());
    CHECK(std::ldexp(1.0, limits::min_exponent - limits::digits) == limits::denorm_min());
    CHECK(std::pow(10.0, limits::max_exponent10) <= limits::max());
    CHECK(std::pow(10.0, limits::max_exponent10 + 1) > limits::max());
    CHECK(std::pow(10.0, limits::min_exponent10) >= limits::min());
    CHECK(std::pow(10.0, limits::min_exponent10 - 1) < limits::min());
    CHECK(limits::digits10 == static_cast<int>((limits::digits - 1) * 0.30103));
    CHECK(limits::max_digits10 == static_cast<int>(std::ceil(1 + limits::digits * 0.30103)));
    CHECK(static_cast<float>(limits::infinity()) == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(static_cast<float>(limits::quiet_NaN())));
    CHECK(std::isnan(static_cast<float>(limits::signaling_NaN())));
}

}  // namespace

TEST_CASE_TEMPLATE("half: all patterns mean what their format says and come back", T, bfloat16, float16) { check_all_patterns<T>(); }
TEST_CASE_TEMPLATE("half: all ties go to the even neighbour", T, bfloat16, float16) { check_all_ties<T>(); }
TEST_CASE_TEMPLATE("half: a type of two bytes with limits, which widens by itself and narrows where that is said", T, bfloat16, float16) {
    check_struct<T>();
}
TEST_CASE("half: dtypes of 16 bits are computed in float") {
    using gr::dtype;
    static_assert(gr::dtype_of<bfloat16> == dtype::bfloat16 && gr::dtype_of<float16> == dtype::float16);
    static_assert(std::is_same_v<gr::element_t<dtype::bfloat16>, bfloat16> && std::is_same_v<gr::element_t<dtype::float16>, float16>);
    static_assert(gr::size_of(dtype::bfloat16) == 2 && gr::size_of(dtype::float16) == 2);
    static_assert(gr::name_of(dtype::bfloat16) == "bfloat16" && gr::name_of(dtype::float16) == "float16");
    static_assert(gr::is_floating(dtype::bfloat16) && gr::is_half(dtype::float16) && !gr::is_half(dtype::float32));
    static_assert(std::is_same_v<gr::computed_t<dtype::bfloat16>, float> && std::is_same_v<gr::computed_t<dtype::float64>, double>);
    static_assert(gr::core::rounded_to(dtype::bfloat16, 257) == 256 && gr::core::rounded_to(dtype::float64, 257) == 257);
    int seen = 0;
    for (dtype t : {dtype::boolean, dtype::int32, dtype::int64, dtype::float32, dtype::float64, dtype::bfloat16, dtype::float16})
        gr::core::with_dtype(t, [&]<class T>(T) { seen += gr::dtype_of<T> == t && sizeof(T) == static_cast<std::size_t>(gr::size_of(t)); });
    CHECK(seen == 7);
}
