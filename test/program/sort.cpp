// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Order along axes in compiled programs: against the interpreter, which counts, and by hand where elements are equal or NaN.
namespace {

namespace gr = gradus;

constexpr auto x = gr::var<"x", double, 3, 7>;
constexpr auto rows = gr::var<"rows", float, "n", 5>;
constexpr auto whole = gr::var<"whole", std::int64_t, 3, 4>;
constexpr auto ties = gr::var<"ties", double, 2, 6>;
constexpr auto top = gr::topk<3, 1>(x);
constexpr auto lows = gr::topk<2, 0, false>(x);
constexpr auto highest = gr::cummax<1>(x);
constexpr auto lowest = gr::cummin<0>(x);

template <class... F>
void check_all(F...) {
    compare::check<gr::expressions<F...>>(true);
}

}  // namespace

TEST_CASE("compiled kernels: sort, topk, median") {
    check_all(gr::sort(x), gr::argsort<0, true>(x), std::get<0>(top), std::get<1>(top), std::get<1>(lows), gr::median(x),
              gr::grad(gr::sum(gr::square(gr::sort(x)) * x) + gr::sum(gr::square(std::get<0>(top))), x));
    check_all(gr::argsort(rows), gr::argsort<1, true>(rows * rows), gr::sort<0>(whole));
}
TEST_CASE("compiled kernels: running maxima and minima") {
    check_all(std::get<0>(highest), std::get<1>(highest), gr::grad(gr::sum(gr::square(std::get<0>(highest))), x));
    check_all(std::get<0>(lowest), std::get<1>(lowest));
}
TEST_CASE("sort: equal elements keep their order, NaN is largest") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    constexpr auto maxima = gr::cummax(ties);
    constexpr auto minima = gr::cummin(ties);
    constexpr auto program = gr::compile(gr::argsort(ties), gr::argsort<1, true>(ties), gr::median<1>(ties), std::get<1>(maxima),
                                         std::get<1>(minima), gr::grad(gr::sum(std::get<0>(maxima)), ties));
    double const given[2][6] = {{2, 1, 2, 0, 1, 2}, {nan, -inf, 3, nan, inf, -0.0}};
    auto const [up, down, middle, at_most, at_least, slope] = program(ties = given);
    // PyTorch's rules: sort(stable=True), median's lower middle and its NaN, cummax's last of equal elements
    std::int64_t const expected_up[2][6] = {{3, 1, 4, 0, 2, 5}, {1, 5, 2, 4, 0, 3}},
                       expected_down[2][6] = {{0, 2, 5, 1, 4, 3}, {0, 3, 4, 2, 5, 1}};
    std::int64_t const expected_most[2][6] = {{0, 0, 2, 2, 2, 5}, {0, 0, 0, 3, 3, 3}},
                       expected_least[2][6] = {{0, 1, 1, 3, 3, 3}, {0, 0, 0, 3, 3, 3}};
    double const expected_slope[6] = {2, 0, 3, 0, 0, 1};
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 6; ++j) {
            CAPTURE(i);
            CAPTURE(j);
            CHECK(up(i, j) == expected_up[i][j]);
            CHECK(down(i, j) == expected_down[i][j]);
            CHECK(at_most(i, j) == expected_most[i][j]);
            CHECK(at_least(i, j) == expected_least[i][j]);
            if (i == 0) CHECK(slope(i, j) == expected_slope[j]);
        }
    CHECK(middle(0) == 1);
    CHECK(std::isnan(middle(1)));
}
