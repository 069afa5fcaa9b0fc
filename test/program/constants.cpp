// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

// Constants with a shape: expressions beside symbols, tensors where they are called.
namespace gr = gradus;
using namespace gr::literals;

TEST_CASE("constants: eye, zeros, ones, full and arange are expressions") {
    constexpr auto x = gr::var<"x", double, "n", "n">;
    constexpr auto b = gr::var<"b", float, 3>;
    constexpr auto loss = gr::sum(gr::matmul(x + gr::eye<double, "n">, x));
    constexpr auto program =
        gr::compile(gr::eye<double, "n"> * 2_c + x, gr::eye<float, 2, 3> + b, gr::zeros<float, 2, 3> + b, gr::ones<std::int32_t, 2>,
                    gr::full<float, 3>(0.5_c) * b, gr::arange<float, 3> - b, gr::arange<std::int64_t, 4>, gr::grad(loss, x));
    double const X[2][2] = {{1, 2}, {3, 4}};
    float const B[3] = {1, 2, 3};
    auto const [shifted, wide, same, ones, halves, counted, numbers, slope] = program(x = X, b = B);
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            CHECK(shifted(i, j) == X[i][j] + (i == j ? 2 : 0));
            // the sum of (x + 1) x by x[i][j]: the sum of row j of x, and of column i of x + 1
            CHECK(slope(i, j) == X[j][0] + X[j][1] + X[0][i] + X[1][i] + 1);
        }
    for (int j = 0; j < 3; ++j) {
        CHECK(wide(0, j) == B[j] + (j == 0 ? 1.0f : 0.0f));
        CHECK(wide(1, j) == B[j] + (j == 1 ? 1.0f : 0.0f));
        CHECK(same(1, j) == B[j]);
        CHECK(halves(j) == B[j] / 2);
        CHECK(counted(j) == static_cast<float>(j) - B[j]);
        CHECK(numbers(j + 1) == j + 1);
    }
    CHECK((ones(0) == 1 && ones(1) == 1));
    static_assert(gr::zeros<double, "n", 3>.type == gr::tensor_type{gr::dtype::float64, {"n", 3}});
}
TEST_CASE("constants: called they are tensors, and they meet tensors") {
    auto t = gr::full<float, gr::dyn>(3, 0.5f);
    gr::tensor<float, gr::dyn> const sum = t + gr::ones<float, 3>;
    CHECK(sum.data()[2] == 1.5f);
    auto const square = gr::eye<double, 2>();
    gr::tensor<double, 2, 2> const product = gr::matmul(square, gr::eye<double, 2> * 3.0_c + square);
    CHECK(product.data()[0] == 4);
    CHECK(product.data()[1] == 0);
    CHECK(gr::zeros<double, gr::dyn, 2>(4).size() == 8);
    CHECK(gr::arange<float, 4>().data()[3] == 3);
}
TEST_CASE("constants: numbers take the dtype of what they meet") {
    constexpr auto x = gr::var<"x", float, 2>;
    constexpr auto s = gr::var<"s", float>;
    constexpr auto m = gr::constant<std::array{std::array{1.0, 2.0, 3.0}, std::array{-1.0, 0.5, 0.25}}>;
    constexpr auto v = gr::constant<std::array{3, -4}>;
    constexpr auto y = gr::sum(gr::square(x * v));
    constexpr auto program = gr::compile(x + v, gr::matmul(x, m), gr::stack<0>(0_c, s, 1_c), gr::concatenate<0>(v, x), gr::grad(y, x),
                                         gr::jvp(s * s, s, 1_c), gr::vjp(s * s, s, 2_c), gr::jvp(y, x, v));
    float const X[2] = {0.5f, 2};
    auto const [sum, product, stacked, joined, slope, tangent, cotangent, along] = program(x = X, s = 3.0f);
    static_assert(std::is_same_v<decltype(sum), gr::array<float, 2> const>);
    CHECK((sum(0) == 3.5f && sum(1) == -2));
    CHECK((product(0) == -1.5f && product(1) == 2 && product(2) == 2));
    CHECK((stacked(0) == 0 && stacked(1) == 3 && stacked(2) == 1));
    CHECK((joined(0) == 3 && joined(1) == -4 && joined(2) == 0.5f && joined(3) == 2));
    CHECK((slope(0) == 9 && slope(1) == 64));
    CHECK((tangent == 6 && cotangent == 12 && along == 27 - 256));
    auto t = gr::tensor<double, 2>{1, 2};
    gr::tensor<double, 2> const shifted = t + v;
    CHECK(shifted.data()[1] == -2);
}
TEST_CASE("constants: like an expression, an extent as a number, numbers at equal distances") {
    constexpr auto x = gr::var<"x", float, "n", 2>;
    constexpr auto a = gr::var<"a", double>;
    constexpr auto program = gr::compile(gr::zeros_like(x) + gr::ones_like(x) + gr::full_like(x, 0.5_c), gr::sum(x) / gr::size<"n">,
                                         gr::iota<float, "n"> * gr::size<"n">, gr::linspace<double, 5>(0_c, a),
                                         gr::linspace<double, "n">(a, -1_c), gr::linspace<double, 1>(a, 7_c),
                                         a * (gr::size<"n"> - 1_c) * 2_c, gr::grad(gr::sum(gr::linspace<double, 5>(0_c, a)), a));
    float const X[3][2] = {{1, 2}, {3, 4}, {5, 6}};
    auto const [filled, mean, counted, spaced, down, one, scaled, slope] = program(x = X, a = 1.0);
    for (float f : filled) CHECK(f == 1.5f);
    CHECK(mean == 7);
    CHECK(counted(2) == 6);
    for (int i = 0; i < 5; ++i) CHECK(spaced(i) == 0.25 * i);
    CHECK((down(0) == 1 && down(1) == 0 && down(2) == -1));
    CHECK(one(0) == 1);
    CHECK(scaled == 4);
    CHECK(slope == 2.5);
    auto const t = gr::linspace<float, gr::dyn>(0, 1, 11);
    CHECK((t.size() == 11 && t.data()[0] == 0 && t.data()[10] == 1 && t.data()[5] == 0.5f));
    CHECK(gr::linspace<double, 3>(-1.0, 1.0).data()[1] == 0);
}
