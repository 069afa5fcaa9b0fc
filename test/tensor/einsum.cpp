// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

// Letters that an operand repeats: diagonals, in programs and on tensors. test/law/einsum.cpp draws many more equations.
namespace gr = gradus;

namespace {

constexpr auto x = gr::var<"x", double, 3, 3>;
constexpr auto y = gr::var<"y", double, 3, 3, 2>;
constexpr auto square = gr::var<"square", float, "n", "n">;
constexpr auto trace = gr::einsum<"ii->">(x);
constexpr auto product = gr::sum(gr::einsum<"ij,jj->i">(x, x));

}  // namespace

TEST_CASE("programs: a letter that stands twice in an operand and in nothing else") {
    constexpr auto p = gr::compile(trace, gr::grad(trace, x), gr::einsum<"iij->j">(y), gr::grad(product, x), gr::einsum<"ii">(x),
                                   gr::einsum<"ij,jk">(x, x));
    gr::array<double, 3, 3> X;
    gr::array<double, 3, 3, 2> Y;
    for (int i = 0; i < 9; ++i) X.data()[i] = i + 1;
    for (int i = 0; i < 18; ++i) Y.data()[i] = i;
    auto [sum, by, along, by_product, implicit, matrices] = p(x = X, y = Y);
    CHECK(sum == 15);
    CHECK(implicit == 15);
    CHECK(along(0) == 24);
    CHECK(along(1) == 27);
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
            CHECK(by(i, j) == (i == j));
            double const column = 12 + 3 * j;  // of sum_ij x_ij x_jj: x_jj, and on the diagonal the sum of its column
            CHECK(by_product(i, j) == X(j, j) + (i == j ? column : 0));
            CHECK(matrices(i, j) == X(i, 0) * X(0, j) + X(i, 1) * X(1, j) + X(i, 2) * X(2, j));
        }
}
TEST_CASE("programs: of named dimensions") {
    constexpr auto all = gr::einsum<"ii->">(square);
    constexpr auto p = gr::compile(all, gr::grad(all, square));
    float const X[] = {1, 2, 3, 4};
    auto [sum, by] = p(square = std::span(X), gr::dim<"n"> = 2);
    CHECK(sum == 5);
    for (int i = 0; i < 4; ++i) CHECK(by.data()[i] == (i % 3 == 0));
}
TEST_CASE("tensors: values, derivatives, and those of derivatives") {
    auto a = gr::tensor<float, 2, 2>{1, 2, 3, 4};
    a.requires_grad_();
    gr::tensor diagonal = gr::einsum<"ii->i">(a);
    CHECK(diagonal(0) == 1);
    CHECK(diagonal(1) == 4);
    gr::tensor s = gr::sum(gr::einsum<"ij,jj->i">(a, a));  // sum_ij a_ij a_jj
    auto g = gr::autograd::grad(s, a, {.create_graph = true});
    float const first[] = {1 + 4, 4, 1, 4 + 6}, second[] = {3, 1, 1, 2};
    gr::tensor along = gr::sum(g * gr::tensor<float, 2, 2>{1, 0, 1, 1});  // 3 a_00 + a_01 + a_10 + 2 a_11
    along.backward();
    for (int i = 0; i < 4; ++i) CHECK(g.data()[i] == first[i]);
    for (int i = 0; i < 4; ++i) CHECK(a.grad().data()[i] == second[i]);
}
