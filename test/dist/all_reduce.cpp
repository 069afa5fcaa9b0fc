// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

namespace gr = gradus;
namespace dist = gr::dist;
using ranks::sum_of_ranks;
using ranks::world;

TEST_CASE("all_reduce: its derivative is the sum over ranks of what comes in, to any order") {
    int const n = world().size(), r = world().rank();
    auto const x = gr::full<double, 2>(1.0 + r).requires_grad_();
    double const s = n + sum_of_ranks();
    // the loss of rank r is (r + 1) * s^3 with s the sum of all x; d/dx of all losses: sum of (r + 1) * 3 s^2
    gr::tensor sum = dist::all_reduce(world(), x);
    CHECK(sum(1) == s);
    CHECK(sum.grad_fn().name() == "all_reducedBackward");
    gr::tensor loss = gr::sum(sum * sum * sum) * static_cast<double>(r + 1);
    gr::tensor const slope = gr::autograd::grad(loss, x, {.create_graph = true});
    CHECK(slope(0) == doctest::Approx(3 * s * s * s));
    gr::tensor again = gr::sum(slope);
    gr::tensor const curvature = gr::autograd::grad(again, x);
    CHECK(curvature(1) == doctest::Approx(n * 6 * s * s));  // again is on every rank: n times
    // an expression, and the mean
    gr::tensor mean = dist::all_reduce(world(), x * 2.0, {.op = dist::reduction::mean});
    CHECK(mean(0) == doctest::Approx(2 * s / n));
    gr::tensor(gr::sum(mean)).backward();
    CHECK(x.grad()(0) == 2);
    CHECK(messages::of<gr::error>([&] {
              static_cast<void>(dist::all_reduce(world(), x, {.op = dist::reduction::max}));
          }).find("no derivative") != std::string::npos);
}
