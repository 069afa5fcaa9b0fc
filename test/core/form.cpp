// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/form.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

namespace gr = gradus;
using gr::core::form;

namespace {

constexpr std::int64_t value(std::string_view text, std::int64_t n, std::int64_t m = 0) {
    return form::parse(text).at([=](gr::extent name) { return name == gr::extent("n") ? n : m; });
}
constexpr bool equal(std::string_view a, std::string_view b) {
    form const difference = form::parse(a) - form::parse(b);
    return difference.is_number() && difference.number() == 0;
}
constexpr bool exists(std::string_view text) { return form::parse(text).exists; }

}  // namespace

TEST_CASE("form: its value is that of the arithmetic, divisions rounded down") {
    static_assert(value("n - 2", 5) == 3);
    static_assert(value("2*n*m - (n - m)*3", 4, 7) == 65);
    static_assert(value(" ( n + 1 ) * n / 2 ", 6) == 21);
    static_assert(value("(n - 8)/3", 6) == -1);
    static_assert(value("(n/2)/3", 17) == 2);
    static_assert(value("-n + 10", 4) == 6);
    static_assert(value("n*n*n", INT64_C(1) << 40) == INT64_MAX);  // more than there is
}

TEST_CASE("form: equal values are equal forms") {
    static_assert(equal("(n + 1)*(n - 1)", "n*n - 1"));
    static_assert(equal("2*n/2", "n"));
    static_assert(equal("n*m", "m*n"));
    static_assert(equal("n - n", "0"));
    static_assert(!equal("n/2", "n"));
    static_assert(!equal("n", "m"));
    static_assert(form::parse("(4*n + 6)/2").to_extent() == gr::extent("2*n+3"));
    static_assert(form::parse("n + 3 - n").to_extent() == gr::extent(3));
    static_assert(form::parse("n + 0").to_extent() == gr::extent("n"));
}

TEST_CASE("form: what is no arithmetic, or leaves what a form can be, is none") {
    static_assert(!exists(""));
    static_assert(!exists("n +"));
    static_assert(!exists("(n"));
    static_assert(!exists("n n"));
    static_assert(!exists("n/0"));
    static_assert(!exists("n/m"));
    static_assert(!exists("n*n*n*n*n"));          // five factors
    static_assert(!exists("a+b+c+d+e+f+g+h+i"));  // nine terms
    static_assert(!exists("n/2 + m/2"));          // two divisors
    static_assert(exists("a+b+c+d+e+f+g+h"));
    static_assert(form::parse("0 - 1").to_extent() == gr::dyn);  // no extent is negative
}

TEST_CASE("form: each name, and products of shapes") {
    int names = 0;
    form::parse("n*n + m - 3").each_name([&](gr::extent e) { names += e == gr::extent("n") ? 1 : 10; });
    CHECK(names == 12);
    static_assert(gr::core::same_product(gr::shape{"n", 6}, gr::shape{2, "n", 3}));
    static_assert(!gr::core::same_product(gr::shape{"n", 6}, gr::shape{"n", 5}));
}
