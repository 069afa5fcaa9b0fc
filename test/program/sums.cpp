// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

// Sums and means, through compiled kernels.
using namespace compare;

TEST_CASE_TEMPLATE("compiled kernels: sum and mean, over any axes", T, float, double) {
    reductions<T>::all(sum_of{});
    reductions<T>::all(mean_of{});
}

namespace {

constexpr auto x = gr::var<"x", float, "rows", "columns">;
constexpr auto u = gr::var<"u", float, "rows">;
constexpr auto w = gr::var<"w", float, "columns">;
constexpr auto cube = gr::var<"cube", float, "rows", "columns", 8>;
constexpr auto squares = gr::sum(gr::square(gr::matmul(x, w) - u));
constexpr auto of_matrix = gr::compile(gr::sum(x), gr::mean(x), gr::sum<0>(x), gr::sum<1>(x), gr::matmul(u, x), gr::matmul(x, w));
constexpr auto in_walk = gr::compile(gr::grad(squares, w));
constexpr auto of_cube = gr::compile(gr::sum<1>(cube), gr::sum<0, 2>(cube), gr::sum<0, 1>(cube));

/// The largest relative distance of equal values from what they should be.
double distance(auto const& values, double expected) {
    double most = 0;
    for (std::int64_t i = 0; i < values.size(); ++i) most = std::max(most, std::abs(values.data()[i] / expected - 1));
    return most;
}

}  // namespace

// 0.3f has ones in its last places, so that a plain sum of 400,000 loses some of each addition in the same direction: 1e-3 and more.
// At most 128 terms are added plainly: 128 / 4 halves of the last place on average, 2e-6.
TEST_CASE("sums of many equal numbers keep their digits, whatever axes they are over") {
    double const third = double{0.3f};
    for (auto [a, b] : {std::pair{400'000L, 3L}, {3L, 400'000L}, {2000L, 601L}}) {
        gr::array<float, gr::dyn, gr::dyn> X(a, b);
        gr::array<float, gr::dyn> U(a), W(b);
        X.fill(0.3f), U.fill(1), W.fill(1);
        auto const rows = static_cast<double>(a), columns = static_cast<double>(b);
        auto [all, mean, down, along, product_down, product_along] = of_matrix(x = X, u = U, w = W);
        CHECK(std::abs(all / (rows * columns * third) - 1) < 2e-6);
        CHECK(std::abs(mean / third - 1) < 2e-6);
        CHECK(distance(down, rows * third) < 2e-6);
        CHECK(distance(along, columns * third) < 2e-6);
        CHECK(distance(product_down, rows * third) < 2e-6);
        CHECK(distance(product_along, columns * third) < 2e-6);
        W.fill(0);
        auto [slope] = in_walk(x = X, u = U, w = W);
        CHECK(distance(slope, -2 * rows * third) < 2e-6);
    }
    for (auto [a, b] : {std::pair{2L, 100'000L}, {100'000L, 2L}}) {
        gr::array<float, gr::dyn, gr::dyn, 8> C(a, b);
        C.fill(0.3f);
        auto [middle, around, before] = of_cube(cube = C);
        CHECK(distance(middle, static_cast<double>(b) * third) < 2e-6);
        CHECK(distance(around, 8 * static_cast<double>(a) * third) < 2e-6);
        CHECK(distance(before, static_cast<double>(a * b) * third) < 2e-6);
    }
}

TEST_CASE("sums of many numbers with an infinity are infinite, NaN only where both are there") {
    gr::array<float, gr::dyn, gr::dyn> X(20'000, 3);
    gr::array<float, gr::dyn> U(20'000), W(3);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    X.fill(1), U.fill(1), W.fill(1);
    X(11'000, 1) = infinity, X(100, 2) = infinity, X(15'000, 2) = -infinity;
    auto [all, mean, down, along, product_down, product_along] = of_matrix(x = X, u = U, w = W);
    CHECK(std::isnan(all));
    CHECK(std::isnan(mean));
    CHECK(down(0) == 20'000);
    CHECK(down(1) == infinity);
    CHECK(std::isnan(down(2)));
    CHECK(along(11'000) == infinity);
    CHECK(product_down(0) == 20'000);
    CHECK(product_down(1) == infinity);
    CHECK(std::isnan(product_down(2)));
    CHECK(product_along(100) == infinity);
}
