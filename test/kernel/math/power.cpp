// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/power.hpp>

#include <cmath>
#include <random>

namespace {

namespace simd = gradus::simd;
using accuracy::reference_t, accuracy::word_t;

template <class T>
struct worst_pair {
    double error = 0;
    T base = 0, exponent = 0, got = 0;
};

/// The worst of `count` pairs that `draw` gives, W at a time.
template <class T, int W>
void scan(worst_pair<T>& most, std::size_t count, auto draw) {
    T x[W], y[W], z[W];
    for (std::size_t i = 0; i < count; i += W) {
        for (int lane = 0; lane < W; ++lane) draw(x[lane], y[lane]);
        simd::store<T, W>(z, pow(simd::load<T, W>(x), simd::load<T, W>(y)));
        for (int lane = 0; lane < W; ++lane) {
            auto const expected = std::pow(static_cast<reference_t<T>>(x[lane]), static_cast<reference_t<T>>(y[lane]));
            double const error = accuracy::ulps<T>(z[lane], expected);
            if (error > most.error) most = {error, x[lane], y[lane], z[lane]};
        }
    }
}

template <class T, int W = simd::native_width<T>>
void check(double limit) {
    if constexpr (W > 1 && simd::has_width<T, W>) {
        using limits = std::numeric_limits<T>;
        worst_pair<T> most;
        // every special base with every special exponent, zeros, ones, infinities, NaN, integers and halves of both signs among them
        std::vector<T> special = accuracy::special_values<T>();
        T const unit = 2 / limits::epsilon();  // from here on all numbers are even integers
        for (T r : {T(2), T(3), T(4), T(5), T(0.25), T(1.5), T(2.5), T(7), unit / 2 - 1, unit / 2 - T(0.5), unit - 1, unit, unit + 2,
                    limits::max() / 2, limits::max() / 3})
            special.push_back(r), special.push_back(-r);
        std::size_t place = 0;
        scan<T, W>(most, special.size() * special.size(), [&](T& x, T& y) {
            x = special[place / special.size() % special.size()];
            y = special[place++ % special.size()];
        });
        std::uint64_t state = 1;
        auto const bits = [&] {
            return state = state * 6364136223846793005u + 1442695040888963407u, static_cast<word_t<T>>(state >> (64 - 8 * sizeof(T)));
        };
        auto const unit_interval = [&] { return std::ldexp(static_cast<long double>(bits()), -8 * static_cast<int>(sizeof(T))); };
        bool const all = accuracy::exhaustive() && W == simd::native_width<T>;
        std::size_t const samples = all ? 10'000'000 : 1 << 16;
        // any bits are mostly 0, 1 or infinite: half as many
        scan<T, W>(most, samples / 2, [&](T& x, T& y) {
            word_t<T> const b = bits(), e = bits();
            std::memcpy(&x, &b, sizeof b), std::memcpy(&y, &e, sizeof e);
        });
        // results of all sizes, and a few beyond: bases of all sizes, and bases beside 1
        long double const range = limits::max_exponent + limits::digits + 2;
        for (int within : {limits::max_exponent, 8, 1, -3, -limits::digits / 2})
            scan<T, W>(most, samples, [&](T& x, T& y) {
                x = static_cast<T>(std::exp2((2 * unit_interval() - 1) * (within > 0 ? static_cast<long double>(within)
                                                                                     : std::exp2(static_cast<long double>(within)))));
                y = static_cast<T>((2 * unit_interval() - 1) * range / std::log2(static_cast<long double>(x)));
            });
        // negative bases, small integers, and halves of some
        scan<T, W>(most, samples, [&](T& x, T& y) {
            x = static_cast<T>(-std::exp2(8 * unit_interval() - 4));
            y = static_cast<T>(static_cast<int>(bits() % 128) - 64) / (bits() % 8 ? T(1) : T(2));
        });
        // vectors of small integers, whose powers are products: with results from the smallest to infinity
        for (int range_of_base : {4, 40, limits::max_exponent})
            scan<T, W>(most, samples / 4, [&](T& x, T& y) {
                x = static_cast<T>(std::exp2((2 * unit_interval() - 1) * range_of_base)) * (bits() % 2 ? T(1) : T(-1));
                y = static_cast<T>(static_cast<int>(bits() % 17) - 1);
            });
        if (all) MESSAGE(most.error << " ulp at " << most.base << " ^ " << most.exponent << " (" << most.got << ")");
        CAPTURE(W);
        CAPTURE(most.base);
        CAPTURE(most.exponent);
        CAPTURE(most.got);
        CHECK(most.error <= limit);
        check<T, W / 2>(limit);
    }
}

}  // namespace

TEST_CASE("pow: at most 2 ulp, special values as C's") {
    check<float>(2);
    check<double>(2);
}
TEST_CASE("pow: a lane does not depend on its neighbours, where log2(x) y is a whole number and a half, too") {
    constexpr int W = simd::native_width<float>;
    if constexpr (W > 1) {
        std::mt19937_64 random(3);
        int different = 0;
        for (int round = 0; round < 200000; ++round) {
            float x[W], y[W], alone[W], beside[W];
            for (int lane = 0; lane < W; ++lane) {
                x[lane] = std::exp2(static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-53 * 40 - 20));
                y[lane] = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-53 * 8 - 4);
            }
            x[0] = 0x1.519c94p+9f, y[0] = 0x1.41ba94p+3f;  // a half
            simd::store<float, W>(alone, pow(simd::load<float, W>(x), simd::load<float, W>(y)));
            x[W - 1] = 0;
            simd::store<float, W>(beside, pow(simd::load<float, W>(x), simd::load<float, W>(y)));
            for (int lane = 0; lane + 1 < W; ++lane) different += alone[lane] != beside[lane];
        }
        CHECK(different == 0);
    }
}
