// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/text.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <string>

namespace gr = gradus;
using gr::core::concat;

namespace {

std::string printed(double number) { return concat(number).str(); }

std::string expected(double number) {  // the exponent of %g has a plus sign and two digits
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", number);
    std::string s = buffer;
    auto e = s.find('e');
    if (e == s.npos) return s;
    return s.substr(0, e + 1) + std::to_string(std::stoi(s.substr(e + 1)));
}

}  // namespace

TEST_CASE("text: grows, compares and searches in the compiler as at run time") {
    constexpr auto body = [] {
        gr::text t;
        if (!t.empty() || t.size() != 0 || t.view() != "") return false;
        for (int i = 0; i < 100; ++i) t += 'a';
        t += "bc";
        gr::text copy = t;
        copy += '!';
        return t.size() == 102 && copy.size() == 103 && t.contains("abc") && !t.contains("abc!") && copy.contains("c!") &&
               !(t == copy.view());
    };
    static_assert(body());
    CHECK(body());
    CHECK(gr::text("tanh").str() == "tanh");
}

TEST_CASE("text: integers are printed to the last digit, the smallest one included") {
    constexpr auto body = [] {
        return concat(0) == "0" && concat(-1) == "-1" && concat(1234567) == "1234567" &&
               concat(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808" &&
               concat(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807";
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("text: doubles have six significant digits") {
    constexpr auto body = [] {
        return concat(0.0) == "0" && concat(0.5) == "0.5" && concat(-2.0) == "-2" && concat(1e-4) == "0.0001" &&
               concat(1.5e-5) == "1.5e-5" && concat(100000.0) == "100000" && concat(1e6) == "1e6" && concat(3.14159265) == "3.14159" &&
               concat(999999.7) == "1e6" && concat(0.1 + 0.2) == "0.3" && concat(12.5) == "12.5" && concat(5e-324) == "4.94066e-324";
    };
    static_assert(body());
    CHECK(body());
    CHECK(printed(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(printed(-std::numeric_limits<double>::infinity()) == "-inf");
    CHECK(printed(std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(printed(std::numeric_limits<double>::max()) == "1.79769e308");
}

TEST_CASE("text: doubles are printed as %g prints them, exact ties aside") {
    std::mt19937_64 bits(1);
    for (int i = 0; i < 20000; ++i) {
        double mantissa = (static_cast<double>(bits() >> 11) * 0x1p-53 - 0.5) * 1234.5;
        double number = mantissa * std::pow(10.0, static_cast<int>(bits() % 20) - 10);
        INFO(number);
        REQUIRE(printed(number) == expected(number));
    }
}

TEST_CASE("concat: joins texts, letters and numbers") {
    static_assert(concat("a", 'b', 3, std::int64_t{-4}, 0.5, gr::text("end")) == "ab3-40.5end");
    static_assert(concat().empty());
    CHECK(concat("a", 'b', 3, 0.5).view() == "ab30.5");
}
