// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/shape.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace gr = gradus;
using gr::core::concat;

TEST_CASE("extent: names of 1 to 20 characters survive packing") {
    constexpr auto body = [] {
        return concat(gr::extent("n")) == "n" && concat(gr::extent("_")) == "_" && concat(gr::extent("batch")) == "batch" &&
               concat(gr::extent("0123456789")) == "0123456789" && concat(gr::extent("0123456789a")) == "0123456789a" &&
               concat(gr::extent("__________")) == "__________" && concat(gr::extent("99999999999999999999")) == "99999999999999999999" &&
               concat(gr::extent("Sequence_Length_2024")) == "Sequence_Length_2024";
    };
    static_assert(body());
    CHECK(body());

    std::mt19937 pick(2);
    std::string const letters = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    std::string previous = "previous";
    for (int i = 0; i < 5000; ++i) {
        std::string name;
        for (auto size = 1 + pick() % 20; name.size() < size;) name += letters[pick() % letters.size()];
        gr::extent e{std::string_view(name)};
        REQUIRE(e.is_named());
        REQUIRE(!e.is_static());
        REQUIRE(concat(e).str() == name);
        REQUIRE((e == gr::extent(std::string_view(previous))) == (name == previous));
        previous = name;
    }
}

TEST_CASE("extent: names that only differ in leading or trailing underscores are different") {
    static_assert(gr::extent("a") != gr::extent("_a") && gr::extent("a") != gr::extent("a_") && gr::extent("_") != gr::extent("__"));
    static_assert(gr::extent("abcdefghij") != gr::extent("abcdefghij_") && gr::extent("abcdefghij") != gr::extent("abcdefghija"));
    CHECK(gr::extent("a") != gr::extent("_a"));
}

TEST_CASE("extent: refuses names that are empty, too long or of other characters") {
    CHECK_THROWS_AS(gr::extent(""), std::length_error);
    CHECK_THROWS_AS(gr::extent("123456789012345678901"), std::length_error);
    CHECK_THROWS_AS(gr::extent("a b"), std::invalid_argument);
    CHECK_THROWS_AS(gr::extent("batch-"), std::invalid_argument);
}

TEST_CASE("extent: is a number, a name or dyn, never two of them") {
    static_assert(gr::extent(0).is_static() && gr::extent(5).is_static() && !gr::extent(5).is_named());
    static_assert(!gr::dyn.is_static() && !gr::dyn.is_named() && gr::dyn != gr::extent(0) && gr::dyn != gr::extent("dyn"));
    static_assert(gr::extent(7u) == gr::extent(7) && gr::extent(std::size_t{7}) == gr::extent(std::int64_t{7}));
    static_assert(concat(gr::dyn) == "dyn" && concat(gr::extent(1234567890123)) == "1234567890123");
    CHECK(gr::extent(64) != gr::extent("n64"));
}

TEST_CASE("extent: negative numbers are refused, they would be names") {
    CHECK_THROWS_AS(gr::extent(-2), std::invalid_argument);
    CHECK_THROWS_AS(gr::extent(std::int64_t{-3}), std::invalid_argument);
}

TEST_CASE("shape: prints, compares and grows") {
    constexpr auto body = [] {
        gr::shape s{"batch", 3, 28, 28};
        gr::shape t = s;
        t[0] = 64;
        gr::shape u{3};
        u.push_back(4);
        return concat(s) == "[batch,3,28,28]" && concat(gr::shape{}) == "[]" && concat(gr::shape{gr::dyn, 5}) == "[dyn,5]" && s != t &&
               s.rank() == 4 && s != gr::shape{"batch", 3, 28} && u == gr::shape{3, 4} && gr::shape{} == gr::shape{} &&
               gr::shape{1} != gr::shape{};
    };
    static_assert(body());
    CHECK(body());
    CHECK_THROWS_AS((gr::shape{1, 2, 3, 4, 5, 6, 7}), std::length_error);
}

TEST_CASE("shape: counts its static elements") {
    static_assert(gr::shape{}.static_size() == 1 && gr::shape{}.is_single() && gr::shape{}.is_static());
    static_assert(gr::shape{3, 4}.static_size() == 12 && gr::shape{3, 0}.static_size() == 0 && gr::shape{"n", 4}.static_size() == 4);
    static_assert(gr::shape{1, 1}.is_single() && !gr::shape{1, 2}.is_single() && !gr::shape{"n"}.is_single());
    static_assert(!gr::shape{"n", 4}.is_static() && !gr::shape{gr::dyn}.is_static());
    CHECK(gr::shape{2, 3, 4}.static_size() == 24);
}

TEST_CASE("tensor_type: prints dtype and shape, a scalar its dtype alone") {
    static_assert(concat(gr::tensor_type{gr::dtype::float32, {"batch", 128}}) == "float[batch,128]");
    static_assert(concat(gr::tensor_type{gr::dtype::int64, {}}) == "int64");
    static_assert(gr::tensor_type{gr::dtype::float32, {2}} != gr::tensor_type{gr::dtype::float64, {2}});
    CHECK(concat(gr::tensor_type{gr::dtype::boolean, {2}}).view() == "bool[2]");
}

TEST_CASE("same_size: static products are equal and every named dimension occurs as often") {
    constexpr auto body = [] {
        using gr::same_size;
        return same_size({3, 4}, {12}) && same_size({3, 4}, {2, 6, 1}) && !same_size({3, 4}, {13}) && same_size({}, {1, 1}) &&
               same_size({"n", 4}, {2, "n", 2}) && !same_size({"n", 4}, {"m", 4}) && !same_size({"n", 4}, {4}) &&
               !same_size({4}, {"n", 4}) && same_size({"n", "m"}, {"m", "n"}) && same_size({"n", "n", 2}, {2, "n", "n"}) &&
               !same_size({"n", "n"}, {"n"}) && !same_size({"n", "n", "m"}, {"n", "m", "m"});
    };
    static_assert(body());
    CHECK(body());
}
