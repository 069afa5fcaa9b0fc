// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"
#include "compare.hpp"

#include <algorithm>
#include <initializer_list>
#include <vector>

// Systems of equations, order, gathers and windows with named extents, first and second derivatives, against the interpreter.
namespace {

namespace gr = gradus;
using namespace gr::literals;

template <class... F>
void check_sizes(std::initializer_list<std::int64_t> sizes, F...) {
    auto const program = compare::made(gr::expressions<F...>::lower());
    CAPTURE(gr::print(program.optimized).str());
    for (std::int64_t size : sizes) {
        CAPTURE(size);
        compare::running(program, size, 41).check(compare::inputs::positive);
    }
}
/// The derivative of y's squares by x, and that of this derivative along `along`.
template <class Y, class X, class A>
constexpr auto slope(Y y, X x, A along) {
    auto const first = gr::grad(gr::sum(gr::square(y)), x);
    return first + gr::grad(gr::sum(first * along), x);
}
constexpr auto s = gr::var<"s", double, "n", "n">;
constexpr auto t = gr::var<"t", double, "n", "n">;
constexpr auto v = gr::var<"v", double, "n">;
constexpr auto table = gr::var<"table", double, "n", 4>;
constexpr auto label = gr::var<"label", std::int32_t, "n", "n">;
constexpr auto anywhere = gr::var<"anywhere", std::int64_t, 3, 4>;
constexpr auto image = gr::var<"image", double, 2, 1, "n", "n">;

}  // namespace

TEST_CASE("extents: systems of equations and determinants") {
    constexpr auto matrix = 2_c * gr::eye<double, "n"> + 0.02_c * s;  // well conditioned, so that compare's tolerance holds
    check_sizes({0, 1, 2, 19}, gr::solve(matrix, v), gr::inv(matrix), gr::det(matrix), gr::logdet(matrix),
                slope(gr::solve(matrix, v), s, t), slope(gr::logdet(matrix), s, t), slope(gr::det(0.5_c * matrix), s, t),
                slope(gr::cholesky(matrix), s, t));
}
TEST_CASE("extents: sorted, largest and middle elements") {
    check_sizes({0, 1, 2, 19, 70}, gr::sort(v), gr::argsort<0, true>(v), gr::sort<0>(s) * gr::sort<1>(s), slope(gr::sort<0>(s) * s, s, t));
    check_sizes({2, 19}, std::get<0>(gr::topk<2>(v)), std::get<1>(gr::topk<2, 0>(s)), slope(std::get<0>(gr::topk<2, 0, false>(s)), s, t));
    check_sizes({1, 2, 19}, gr::median(v), gr::median<0>(s), gr::median(s), slope(gr::median<1>(s) * v, s, t));
}
TEST_CASE("extents: gather and scatter_add, indices out of range among them") {
    auto const within = gr::gather<1>(s, label) * s;
    auto const added = gr::scatter_add<0>(s, label, gr::square(s));
    check_sizes({0, 1, 2, 3, 19}, gr::gather<0>(table, anywhere), within, added, slope(within, s, t), slope(added, s, t));
    check_sizes({1, 3, 19}, gr::grad(gr::sum(gr::square(gr::gather<0>(table, anywhere))), table));
}
TEST_CASE("extents: pooling") {
    constexpr gr::pool windows{.size = {3, 2}, .stride = 2, .padding = {1, 0}, .count_include_pad = false};
    auto const y = gr::max_pool2d<windows>(image) * gr::avg_pool2d<windows>(image);
    check_sizes({2, 3, 8, 19}, y, slope(y, image, image));
    check_sizes({5, 12}, gr::avg_pool2d<2>(gr::max_pool2d<3, 1>(image)));
}
TEST_CASE("extents: running maxima and their indices") {
    constexpr auto u = gr::var<"u", double, "n">;
    constexpr auto highest = gr::cummax(u);
    constexpr auto lowest = gr::cummin(u);
    constexpr auto program = gr::compile(std::get<0>(highest), std::get<1>(highest), std::get<1>(lowest),
                                         gr::grad(gr::sum(gr::square(std::get<0>(highest))), u));
    for (std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{19}}) {
        std::vector<double> given;
        for (std::size_t i = 0; i < n; ++i) given.push_back(static_cast<double>(i * 7 % 5));
        auto const [values, most, least, slopes] = program(u = given);
        std::size_t high = 0, low = 0;
        std::vector<double> expected(n);
        for (std::size_t i = 0; i < n; ++i) {
            if (given[i] >= given[high]) high = i;  // of equal ones the last
            if (given[i] <= given[low]) low = i;
            expected[high] += 2 * given[high];
            CHECK(values.data()[i] == given[high]);
            CHECK(most.data()[i] == static_cast<std::int64_t>(high));
            CHECK(least.data()[i] == static_cast<std::int64_t>(low));
        }
        CHECK(std::equal(expected.begin(), expected.end(), slopes.data()));
    }
}
TEST_CASE("extents: what there is too little of is refused") {
    constexpr auto u = gr::var<"u", double, "n">;
    constexpr auto best = gr::compile(std::get<0>(gr::topk<2>(u)));
    constexpr auto middle = gr::compile(gr::median(u));
    std::vector<double> const none, one{3}, four{2, -1, 5, 0.5};
    CHECK(std::get<0>(middle(u = four)) == 0.5);
    CHECK(messages::of<gr::shape_error>([&] { best(u = one); }) ==
          "gradus::slice(a): the range leaves axis 0: a is int64[n], the last index is 1, the extent 1");
    CHECK(messages::of<gr::shape_error>([&] { middle(u = none); }) ==
          "gradus::slice(a): the range leaves axis 0: a is int64[n], the last index is -1, the extent 0");
}
