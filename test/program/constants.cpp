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
