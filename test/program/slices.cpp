// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;

static constexpr auto t = gr::var<"t", double, 5>;
static constexpr auto p = gr::var<"p", double, 2>;
static constexpr auto product = gr::slice<0, 1>(p) * gr::slice<1, 2>(p) * t;
static constexpr auto slope = gr::grad(gr::sum(product), p);
static constexpr auto row = gr::compile(gr::grad(gr::sum(gr::slice<0, 1>(slope)), p));

TEST_CASE("slices: a row of the Hessian of p0 p1 sum(t) is 0, sum(t)") {
    // The gradient pads single elements whose operand is a copied constant; and one-lane loops read values that do not vary.
    double times[5] = {1, 2, 3, 4, 5}, point[2] = {2, 3};
    auto [h] = row(t = times, p = point);
    CHECK(h(0) == 0);
    CHECK(h(1) == 15);
}
