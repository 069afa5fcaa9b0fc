// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include <gradus/exec.hpp>
#include <gradus/expr.hpp>
#include <gradus/program.hpp>

#include <atomic>
#include <stdexcept>
#include <vector>

/// A pool lends its threads to a program: the results have the bits of one thread, and nobody is left out.
void check_same_bits(auto const& pool) {
    namespace gr = gradus;
    static constexpr auto x = gr::var<"x", float, "n", 96>;
    static constexpr auto w = gr::var<"w", float, 96, 300>;
    static constexpr auto program = gr::compile(gr::tanh(gr::matmul(x, w)), gr::sum<0>(x));
    std::size_t const n = 250;
    std::vector<float> X(n * 96), W(96 * 300), one(n * 300), other(n * 300), sums(96), other_sums(96);
    for (std::size_t i = 0; i < X.size(); ++i) X[i] = static_cast<float>(i * 37 % 1009) / 500 - 1;
    for (std::size_t i = 0; i < W.size(); ++i) W[i] = static_cast<float>(i * 11 % 1013) / 900 - 0.5f;
    program(gr::out(one, sums), x = X, w = W);
    for (int threads : {1, 2, 3, 5}) {
        CAPTURE(threads);
        std::fill(other.begin(), other.end(), 0.0f);
        program(gr::out(other, other_sums), x = X, w = W, gr::parallel(threads, pool));
        CHECK(one == other);
        CHECK(sums == other_sums);
    }
    std::atomic<int> calls[7]{};
    pool(7, [&](int i) { ++calls[i]; });
    for (auto const& c : calls) CHECK(c == 1);
    pool(0, [&](int) { FAIL("there is nothing to do"); });
    CHECK_THROWS_WITH_AS(pool(4, [](int i) { if (i == 2) throw std::runtime_error("the third task"); }), "the third task",
                         std::runtime_error);
}
