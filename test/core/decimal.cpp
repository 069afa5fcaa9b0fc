// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/decimal.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace gr = gradus;

namespace {

constexpr double parsed(std::string_view spelling) { return gr::core::parse_decimal(spelling.data(), static_cast<int>(spelling.size())); }

bool as_strtod(std::string const& spelling) {
    std::string plain = spelling;
    std::erase(plain, '\'');
    return std::bit_cast<std::uint64_t>(parsed(spelling)) == std::bit_cast<std::uint64_t>(std::strtod(plain.c_str(), nullptr));
}

std::string digits(std::mt19937_64& pick, int count) {
    std::string s;
    while (count-- > 0) s += static_cast<char>('0' + pick() % 10);
    return s;
}

std::string spelled(char const* format, double number, int precision) {
    char buffer[1200];
    std::snprintf(buffer, sizeof buffer, format, precision, number);
    return buffer;
}

}  // namespace

TEST_CASE("decimal: literals have the value the compiler gives them") {
    constexpr auto body = [] {
        return parsed("0") == 0 && parsed("0.0") == 0 && parsed("000") == 0 && parsed("42") == 42 && parsed("0.5") == 0.5 &&
               parsed(".25") == 0.25 && parsed("3.") == 3 && parsed("1e-4") == 1e-4 && parsed("0.1") == 0.1 &&
               parsed("1'000'000.000'1") == 1000000.0001 && parsed("3.14159265358979323846") == 3.14159265358979323846 &&
               parsed("0.7071067811865476") == 0.7071067811865476 && parsed("1E+3") == 1000 && parsed("6.02214076e23") == 6.02214076e23 &&
               parsed("0e999999999999") == 0;
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("decimal: the ends of the range are exact") {
    constexpr auto body = [] {
        return parsed("1.7976931348623157e308") == std::numeric_limits<double>::max() && parsed("1e308") == 1e308 &&
               parsed("2.2250738585072014e-308") == std::numeric_limits<double>::min();
    };
    constexpr auto denormal = [] {
        return parsed("4.9406564584124654e-324") == std::numeric_limits<double>::denorm_min() && parsed("2e-324") == 0 &&
               parsed("1e-400") == 0 && parsed("1e99999999999999") == std::numeric_limits<double>::infinity() &&
               parsed("1e-99999999999999") == 0;
    };
    static_assert(body());
    static_assert(denormal());
    CHECK(body());
    CHECK(denormal());
}

TEST_CASE("decimal: ties go to even") {
    CHECK(parsed("9007199254740993") == 9007199254740992.0);
    CHECK(parsed("9007199254740995") == 9007199254740996.0);
    CHECK(parsed("9007199254740993.00000000000000000001") == 9007199254740994.0);
    CHECK(as_strtod("1.00000000000000011102230246251565404236316680908203125"));  // 1 + 2^-53
    CHECK(as_strtod("1.00000000000000033306690738754696212708950042724609375"));  // 1 + 3 * 2^-53
    CHECK(as_strtod("1.00000000000000011102230246251565404236316680908203126"));
    CHECK(as_strtod("2.4703282292062327208e-324"));  // just above half of the smallest denormal
    CHECK(as_strtod("2.4703282292062327207e-324"));
    CHECK(as_strtod("7.4109846876186981626e-324"));
    CHECK(as_strtod("1.797693134862315807e308"));  // just below the tie between the largest number and infinity
    CHECK(as_strtod("1.797693134862315808e308"));
    CHECK(as_strtod("2.2250738585072011e-308"));  // the number that hung PHP and Java
    CHECK(as_strtod("2.2250738585072012e-308"));
}

TEST_CASE("decimal: agrees with strtod on random spellings") {
    std::mt19937_64 pick(3);
    for (int i = 0; i < 20000; ++i) {
        std::string s = digits(pick, static_cast<int>(pick() % 21));
        if (s.size() > 4 && pick() % 3 == 0) s.insert(s.size() - 3, "'");
        if (pick() % 2) s += '.' + digits(pick, 1 + static_cast<int>(pick() % 20));
        if (s.empty()) s = "0";
        if (pick() % 2) s += (pick() % 2 ? "e" : "E") + std::to_string(static_cast<int>(pick() % 720) - 360);
        INFO(s);
        REQUIRE(as_strtod(s));
    }
}

TEST_CASE("decimal: agrees with strtod on printed doubles of every exponent") {
    std::mt19937_64 pick(4);
    for (int i = 0; i < 20000; ++i) {
        double number = std::abs(std::bit_cast<double>(pick()));
        if (i % 10 == 0) number = std::bit_cast<double>(pick() >> (12 + pick() % 50));  // denormals
        if (!(number <= std::numeric_limits<double>::max())) continue;
        int precision = static_cast<int>(pick() % 40);
        std::string s = spelled("%.*e", number, precision);
        INFO(s);
        REQUIRE(as_strtod(s));
        if (precision >= 16) REQUIRE(parsed(s) == number);
    }
}

TEST_CASE("decimal: agrees with strtod on exact ties between neighbours, and beside them") {
    std::mt19937_64 pick(5);
    for (int i = 0; i < 3000; ++i) {
        std::uint64_t mantissa = (pick() >> 11) | (std::uint64_t{1} << 52);
        int scale = static_cast<int>(pick() % 200) - 140;
        double low = std::ldexp(static_cast<double>(mantissa), scale), half = std::ldexp(1.0, scale - 1);
        // low + half has at most 54 bits: printed exactly through a long double
        char buffer[600];
        std::snprintf(buffer, sizeof buffer, "%.200Lf", static_cast<long double>(low) + static_cast<long double>(half));
        std::string tie = buffer;
        INFO(tie);
        REQUIRE(as_strtod(tie));
        REQUIRE(as_strtod(tie + "1"));
        REQUIRE(parsed(tie) == (mantissa % 2 ? low + 2 * half : low));
    }
}

TEST_CASE("decimal: hundreds of digits are no problem") {
    std::mt19937_64 pick(6);
    for (int i = 0; i < 300; ++i) {
        REQUIRE(as_strtod("0." + digits(pick, 400)));
        REQUIRE(as_strtod(digits(pick, 300)));
        REQUIRE(as_strtod("0." + std::string(300, '0') + digits(pick, 60)));
    }
}

TEST_CASE("decimal: other than decimal digits are refused") {
    CHECK_THROWS_AS(parsed("0x1F"), std::invalid_argument);
    CHECK_THROWS_AS(parsed("0b11"), std::invalid_argument);
}
