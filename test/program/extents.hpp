// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Programs of named extents. The same text on symbols of numbers is the reference: values and derivatives in both modes and of second
// order are equal but for roundings.
namespace {

namespace gr = gradus;
using namespace gr::literals;

template <gr::extent N, gr::extent M>
struct symbols {
    static constexpr auto x = gr::var<"x", double, N, M>;
    static constexpr auto t = gr::var<"t", double, N, M>;
    /// The value, its derivatives by x in both modes, and of second order.
    template <auto F>
    static constexpr auto program = [] {
        constexpr auto y = F(gr::sin(x));
        constexpr auto loss = gr::sum(gr::exp(y));
        return gr::compile(y, gr::grad(loss, x), gr::jvp(loss, x, t), gr::hvp(loss, x, t));
    }();
};
using named = symbols<"n", "m">;

template <class A, class B>
void require_close(A const& a, B const& b) {
    REQUIRE(a.size() == b.size());
    for (int i = 0; i < a.shape().rank(); ++i) CHECK(a.shape()[i].code == b.shape()[i].code);
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(a.size()); ++i) {
        CAPTURE(i);
        CHECK(std::abs(a.data()[i] - b.data()[i]) <= 1e-12 * (1 + std::abs(b.data()[i])));  // sums of at most 35 terms in another order
    }
}
template <auto F, int N = 7, int M = 5>
void same_as_static() {
    std::vector<double> x, t;
    for (int i = 0; i < N * M; ++i) {
        x.push_back(std::sin(3.0 * i));
        t.push_back(std::cos(2.0 * i));
    }
    using fixed = symbols<N, M>;
    double const(&X)[N][M] = reinterpret_cast<double const(&)[N][M]>(*x.data());
    double const(&D)[N][M] = reinterpret_cast<double const(&)[N][M]>(*t.data());
    auto const [y, g, j, h] = named::template program<F>(gr::dim<"n"> = N, gr::dim<"m"> = M, named::x = X, named::t = D);
    auto const [sy, sg, sj, sh] = fixed::template program<F>(fixed::x = X, fixed::t = D);
    require_close(y, sy);
    require_close(g, sg);
    CHECK(j == doctest::Approx(sj).epsilon(1e-12));
    require_close(h, sh);
}

}  // namespace
