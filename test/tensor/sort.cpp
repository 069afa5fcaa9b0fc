// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

#include <algorithm>

// Order along axes on run-time tensors: values against std::sort, derivatives against difference quotients.
namespace {

namespace gr = gradus;

}  // namespace

TEST_CASE("sort: values, indices, and where derivatives go") {
    gr::tensor<double, 2, 4> x{{3, -1, 2, 0.5}, {-2, 4, 1, 0}};
    x.requires_grad_();
    gr::tensor y = gr::sort(x);
    gr::tensor order = gr::argsort(x);
    for (int i = 0; i < 2; ++i) {
        double row[4];
        for (int j = 0; j < 4; ++j) row[j] = x(i, j);
        std::sort(row, row + 4);
        for (int j = 0; j < 4; ++j) {
            CHECK(y(i, j) == row[j]);
            CHECK(x(i, order(i, j)) == row[j]);
        }
    }
    auto parts = gr::topk<2>(x);
    gr::tensor best = std::get<0>(parts);
    gr::tensor where = std::get<1>(parts);
    CHECK(best(0, 0) == 3);
    CHECK(where(1, 1) == 2);
    gr::tensor cost = gr::sum(best * best);
    cost.backward();
    double const expected[2][4] = {{6, 0, 4, 0}, {0, 8, 2, 0}};
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) CHECK(x.grad()(i, j) == expected[i][j]);
}
TEST_CASE("sort: first and second derivatives of sorted, middle and running largest elements") {
    gr::tensor<double, 3, 4> x{{3, -1, 2, 0.5}, {-2, 4, 1, 0}, {0.25, 1.5, -3, 2.5}};
    x.requires_grad_();
    CHECK(gr::gradgradcheck([](auto const& t) { return gr::tensor(gr::square(gr::sort<0>(t)) * t); }, x));
    CHECK(gr::gradgradcheck([](auto const& t) { return gr::tensor(gr::exp(gr::median<1>(t))); }, x));
    CHECK(gr::gradgradcheck(
        [](auto const& t) { return gr::tensor(gr::square(std::get<0>(gr::cummax<1>(t))) * std::get<0>(gr::cummin<0>(t))); }, x));
}
