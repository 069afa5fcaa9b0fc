// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include <gradus/kernel/simd.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

// Largest error of a vector function in ulp: the distance to the true value in spacings of T there. Floats are held
// against the C library's double functions, doubles against its long double ones.
namespace accuracy {

namespace simd = gradus::simd;

template <class T>
using reference_t = std::conditional_t<sizeof(T) == 4, double, long double>;
template <class T>
using word_t = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Infinite where one is NaN, infinite or a signed zero and the other is not.
template <class T>
double ulps(T got, reference_t<T> expected) {
    using R = reference_t<T>;
    using limits = std::numeric_limits<T>;
    if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got) ? 0 : HUGE_VAL;
    if (std::isinf(expected)) return static_cast<R>(got) == expected ? 0 : HUGE_VAL;
    if (expected == 0) return got == 0 && std::signbit(got) == std::signbit(expected) ? 0 : HUGE_VAL;
    R const beyond = std::ldexp(R(1), limits::max_exponent);  // where infinity would be, were it a number
    if (std::isinf(got) && std::abs(expected) < static_cast<R>(limits::max())) return HUGE_VAL;
    R const y = std::isinf(got) ? std::copysign(beyond, static_cast<R>(got)) : static_cast<R>(got);
    int const exponent = std::max(std::ilogb(expected), limits::min_exponent - 1);
    return static_cast<double>(std::ldexp(std::abs(y - (std::abs(expected) > beyond ? std::copysign(beyond, expected) : expected)),
                                          limits::digits - 1 - exponent));
}

template <class T>
struct worst {
    double error = 0;
    T at = 0, got = 0;
};

/// The worst of f, W lanes at a time, over the bit patterns first, first + step, ...
template <class T, int W>
void scan(worst<T>& most, word_t<T> first, word_t<T> step, std::uint64_t count, auto f, auto reference) {
    T x[W], y[W];
    for (std::uint64_t i = 0; i < count; i += W) {
        for (int lane = 0; lane < W; ++lane) {
            word_t<T> const pattern = first + static_cast<word_t<T>>(i + static_cast<std::uint64_t>(lane)) * step;
            std::memcpy(&x[lane], &pattern, sizeof pattern);
        }
        simd::store<T, W>(y, f(simd::load<T, W>(x)));
        for (int lane = 0; lane < W; ++lane) {
            auto const expected = reference(static_cast<reference_t<T>>(x[lane]));
            if (y[lane] == static_cast<T>(expected) && y[lane] != 0) continue;  // the nearest number: half an ulp
            double const error = ulps<T>(y[lane], expected);
            if (error > most.error) most = {error, x[lane], y[lane]};
        }
    }
}

/// Zeros, denormals, infinities, NaN, and where functions change: overflow, saturation, reduction, cancellation.
template <class T>
std::vector<T> special_values() {
    using limits = std::numeric_limits<T>;
    std::vector<T> values{0,
                          limits::denorm_min(),
                          limits::min(),
                          limits::epsilon(),
                          limits::max(),
                          limits::infinity(),
                          limits::quiet_NaN(),
                          T(1e10),
                          T(1e22),
                          T(0x1p127)};
    for (double x : {0x1p-1022, 0x1p-126, 0.34657359, 0.5,   1.0,      1.03972077, 1.57079632679489661923, 3.14159265358979323846,
                     3.92,      5.92,     9.01,       19.06, 88.72284, 103.97208,  709.782712893384,       745.1332191019411,
                     8192.0,    65536.0,  0x1p21,     0x1p30})
        for (T y : {std::nextafter(T(x), T(0)), T(x), std::nextafter(T(x), limits::infinity())}) values.push_back(y);
    for (std::size_t i = 0, n = values.size(); i < n; ++i) values.push_back(-values[i]);
    return values;
}

inline bool exhaustive() { return std::getenv("GRADUS_EXHAUSTIVE") != nullptr; }

/// f, of vectors, against reference, of numbers, for every width. Bit patterns walk through all exponents: 2^20 floats and
/// 2^18 doubles, or with GRADUS_EXHAUSTIVE set all floats and 10^7 doubles, and then the worst is printed.
template <class T, int W = simd::native_width<T>>
void check(double limit, auto f, auto reference) {
    if constexpr (W > 1 && simd::has_width<T, W>) {
        worst<T> most;
        for (T x : special_values<T>()) {
            word_t<T> pattern;
            std::memcpy(&pattern, &x, sizeof x);
            scan<T, W>(most, pattern, 0, W, f, reference);
        }
        bool const all = exhaustive() && W == simd::native_width<T>;
        if (all && sizeof(T) == 4) {
            scan<T, W>(most, 0, 1, std::uint64_t{1} << 32, f, reference);
        } else {
            std::uint64_t const samples = all ? 10'000'000 : sizeof(T) == 4 ? 1 << 20 : 1 << 18;
            scan<T, W>(most, 12345, static_cast<word_t<T>>(-1) / static_cast<word_t<T>>(samples) | 1, samples, f, reference);
        }
        // All exponents are mostly numbers where functions are trivial: as many between 2^-10 and 2^6 again.
        if constexpr (sizeof(T) == 8) {
            std::uint64_t const samples = all ? 10'000'000 : 1 << 18;
            for (word_t<T> sign : {word_t<T>{0}, word_t<T>{1} << (8 * sizeof(T) - 1)})
                scan<T, W>(most, static_cast<word_t<T>>(sign + (word_t<T>{1013} << 52)), (word_t<T>{16} << 52) / samples | 1, samples, f,
                           reference);
        }
        if (all) MESSAGE(most.error << " ulp at " << most.at << " (" << most.got << ")");
        CAPTURE(W);
        CAPTURE(most.at);
        CAPTURE(most.got);
        CHECK(most.error <= limit);
        check<T, W / 2>(limit, f, reference);
    }
}

}  // namespace accuracy
