// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>  // declares ::random

#include <gradus/program/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

namespace gr = gradus;

TEST_CASE("random: is the same sequence everywhere") {
    constexpr auto body = [] {
        gr::random random(42);
        return random.next() == 0x989b3f130a063869u && random.next() == 0x290db4bf2570ded7u && gr::random(0).next() == 0xe220a8397b1dcdafu;
    };
    static_assert(body());
    CHECK(body());
    gr::random random(7);
    CHECK(std::bit_cast<std::uint64_t>(random.uniform()) == 0x3fe0c77123e98157u);
}

TEST_CASE("random: a copy continues with the same numbers, another seed with others") {
    gr::random a(1);
    a.next();
    gr::random b = a;
    CHECK(a == b);
    CHECK(a.next() == b.next());
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        gr::random each(seed * 0x9e3779b97f4a7c15u);  // would be one stream, shifted, if the seed were the state
        for (int i = 0; i < 10; ++i) seen.insert(each.next());
    }
    CHECK(seen.size() == 10000);
}

TEST_CASE("random: uniform is in [0, 1) with the moments of a uniform distribution, every bit fair") {
    gr::random random(5);
    double sum = 0, squares = 0;
    constexpr int count = 200000;
    std::array<int, 64> ones{};
    for (int i = 0; i < count; ++i) {
        double u = random.uniform();
        REQUIRE(u >= 0);
        REQUIRE(u < 1);
        sum += u;
        squares += u * u;
        auto bits = random.next();
        for (int k = 0; k < 64; ++k) ones[static_cast<std::size_t>(k)] += static_cast<int>(bits >> k & 1);
    }
    CHECK(sum / count == doctest::Approx(0.5).epsilon(0.005));
    CHECK(squares / count == doctest::Approx(1.0 / 3).epsilon(0.005));
    for (int n : ones) CHECK(std::abs(n - count / 2) < 1200);  // 5 standard deviations are 1118
}

TEST_CASE("random: normal has mean 0, variance 1, skewness 0 and kurtosis 3, and is always finite") {
    gr::random random(6);
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
    constexpr int count = 400000;
    for (int i = 0; i < count; ++i) {
        double z = random.normal();
        REQUIRE(std::isfinite(z));
        m1 += z;
        m2 += z * z;
        m3 += z * z * z;
        m4 += z * z * z * z;
    }
    CHECK(std::abs(m1 / count) < 0.008);
    CHECK(m2 / count == doctest::Approx(1).epsilon(0.012));
    CHECK(std::abs(m3 / count) < 0.03);
    CHECK(m4 / count == doctest::Approx(3).epsilon(0.03));
}

TEST_CASE("random: serves the algorithms of the standard library") {
    static_assert(std::uniform_random_bit_generator<gr::random>);
    std::array<int, 100> order;
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), gr::random(1));
    CHECK(!std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    CHECK(order[99] == 99);
}
