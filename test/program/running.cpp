// SPDX-License-Identifier: BSL-1.0
#include "extents.hpp"

#include <array>
#include <tuple>

// Running results along an axis as loops.

TEST_CASE("extents: running results of named axes, and scans by any function") {
    same_as_static<[](auto x) { return gr::cumsum<0>(x) * gr::cumprod<1>(x) + gr::logcumsumexp<0>(x); }>();
    // the states h_i = a_i h_(i-1) + b_i of a linear recurrence, from both ends
    same_as_static<[](auto x) {
        constexpr auto compose = [](auto f, auto g) {
            return std::tuple{std::get<0>(f) * std::get<0>(g), std::get<0>(g) * std::get<1>(f) + std::get<1>(g)};
        };
        auto const [factors, states] = gr::associative_scan(compose, std::tuple{x, gr::flip(x)});
        return states + factors * gr::associative_scan<1, gr::reverse>([](auto a, auto b) { return a + b * b; }, x);
    }>();
    constexpr auto x = gr::var<"x", double, 3, 2>;
    auto const [there, back, along] =
        gr::compile(gr::associative_scan([](auto a, auto b) { return a - b; }, x),
                    gr::associative_scan<gr::reverse>([](auto a, auto b) { return a - b; }, x),
                    gr::associative_scan<-1>([](auto a, auto b) { return a / b; }, x))(x = std::array<double, 6>{1, 2, 3, 5, 8, 13});
    double const by_hand[3][6] = {{1, 2, -2, -3, -10, -16}, {4, 6, 5, 8, 8, 13}, {1, 0.5, 3, 0.6, 8, 8.0 / 13}};
    for (int i = 0; i < 6; ++i) {
        CHECK(there.data()[i] == by_hand[0][i]);
        CHECK(back.data()[i] == by_hand[1][i]);
        CHECK(along.data()[i] == by_hand[2][i]);
    }
}
