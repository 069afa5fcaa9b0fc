// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/unifier.hpp>

#include <doctest/doctest.h>

#include <string>

namespace gr = gradus;
using gr::extent;
using gr::core::unifier;

namespace {

constexpr extent unknown(int number) { return extent::unknown(number); }
std::string printed(extent e) { return gr::core::concat(e).str(); }

}  // namespace

TEST_CASE("unifier: what is not joined stays as it is") {
    constexpr bool body = [] {
        unifier u;
        return u.find(5) == extent(5) && u.find(extent("batch")) == extent("batch") && u.find(unknown(3)) == unknown(3) && u.count() == 0;
    }();
    static_assert(body);
}
TEST_CASE("unifier: joined unknowns are one, over any number of steps and in any order") {
    constexpr auto body = [] {
        unifier u;
        bool good = u.join(unknown(7), unknown(2)) && u.join(unknown(0), unknown(1)) && u.join(unknown(1), unknown(7));
        good = good && u.find(unknown(0)) == u.find(unknown(2)) && u.find(unknown(7)) == u.find(unknown(1));
        good = good && !(u.find(unknown(3)) == u.find(unknown(2)));
        return good && u.join(unknown(2), unknown(0)) && u.join(unknown(4), unknown(4)) && u.find(unknown(4)) == unknown(4);  // nothing new
    };
    static_assert(body());
    CHECK(body());
}
TEST_CASE("unifier: a number or a name settles all that are joined with it") {
    unifier u;
    CHECK(u.join(unknown(0), unknown(1)));
    CHECK(u.join(5, unknown(1)));
    CHECK(u.join(unknown(2), unknown(0)));
    CHECK(u.find(unknown(2)) == extent(5));
    CHECK(u.join(unknown(3), extent("batch")));
    CHECK(u.find(unknown(3)) == extent("batch"));
    CHECK(u.join(5, 5));
}
TEST_CASE("unifier: two numbers, two names, or one of each are refused, and nothing changes") {
    unifier u;
    u.join(unknown(0), 5);
    u.join(unknown(1), extent("batch"));
    CHECK_FALSE(u.join(unknown(0), 6));
    CHECK_FALSE(u.join(unknown(0), unknown(1)));
    CHECK_FALSE(u.join(3, 4));
    CHECK_FALSE(u.join(extent("rows"), unknown(1)));
    CHECK(u.find(unknown(0)) == extent(5));
    CHECK(u.find(unknown(1)) == extent("batch"));
}
TEST_CASE("unifier: names are given in the order of asking, one for a class") {
    unifier u;
    u.join(unknown(4), unknown(1));
    u.join(unknown(2), 8);
    CHECK(printed(u.name(unknown(4))) == "d00");
    CHECK(printed(u.name(unknown(9))) == "d01");
    CHECK(printed(u.name(unknown(1))) == "d00");
    CHECK(u.name(unknown(2)) == extent(8));
    CHECK(u.count() == 2);
    CHECK(u.find(unknown(9)).is_named());
    for (int i = 0; i < 9; ++i) u.name(unknown(20 + i));
    CHECK(printed(u.find(unknown(28))) == "d10");
}
