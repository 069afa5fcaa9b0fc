// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "compare.hpp"

// Loops that end by a condition: values, both modes, instances, failures.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", double>;
// the roundings of some twenty steps, and what the loop's own tolerance of 1e-14 leaves
bool near(double p, double q) { return std::abs(p - q) <= 1e-12 * std::max(1.0, std::abs(q)); }
// sqrt(x) by Heron's rule, from x itself
constexpr auto unfinished = [](auto s) { return gr::abs(std::get<1>(s) * std::get<1>(s) - std::get<0>(s)) > 1e-14_c * std::get<0>(s); };
constexpr auto heron = [](auto s) { return std::tuple{std::get<0>(s), 0.5_c * (std::get<1>(s) + std::get<0>(s) / std::get<1>(s))}; };

}  // namespace

TEST_CASE("while_loop: as many steps as it takes, none included") {
    constexpr auto halved = gr::while_loop([](auto v) { return v > 1_c; }, [](auto v) { return v * 0.5_c; }, x);
    constexpr auto program = gr::compile(halved, gr::jvp(halved, x, 1_c));
    for (double at : {0.25, 1.0, 1.5, 100.0, 1e300}) {
        double expected = at, slope = 1;
        while (expected > 1) expected *= 0.5, slope *= 0.5;
        auto const [value, tangent] = program(x = at);
        CHECK(value == expected);
        CHECK(tangent == slope);
    }
}
TEST_CASE("while_loop: a tuple, forward mode without a bound, reverse mode with one, second order") {
    constexpr auto root = std::get<1>(gr::while_loop(unfinished, heron, std::tuple{x, x}));
    constexpr auto bounded = std::get<1>(gr::while_loop<20>(unfinished, heron, std::tuple{x, x}));
    constexpr auto program = gr::compile(root, gr::jvp(root, x, 1_c), bounded, gr::grad(bounded, x), gr::hessian(bounded, x));
    for (double at : {0.5, 1.0, 2.0, 9.0}) {
        auto const [r, tangent, same, slope, curvature] = program(x = at);
        CHECK(near(r, std::sqrt(at)));
        CHECK(r == same);
        CHECK(near(tangent, at == 1 ? 1.0 : 0.5 / r));  // from 1 no step is made
        CHECK(near(slope, at == 1 ? 1.0 : 0.5 / r));
        if (at != 1) CHECK(std::abs(curvature + 0.25 / (at * r)) < 1e-5);  // Newton's error of second order is that of the last step
    }
}
TEST_CASE("while_loop: a bound that does not suffice is an error, and nothing is written") {
    constexpr auto w = gr::var<"w", double>;
    constexpr auto slow = gr::while_loop<10>([](auto v) { return v > 1_c; }, [](auto v) { return v - 1_c; }, x);
    constexpr auto program = gr::compile(slow, gr::update(w, w + 1_c), gr::grad(slow, x));
    double weight = 3;
    CHECK(std::get<0>(program(x = 10.5, w = weight)) == 0.5);
    CHECK(weight == 4);
    std::string message;
    try {
        static_cast<void>(program(x = 12.0, w = weight));
    } catch (gr::error const& e) { message = e.what(); }
    CHECK(message == "gradus::while_loop<10>(condition, body, init): the condition still holds after 10 steps");
    CHECK(weight == 4);
}
TEST_CASE("while_loop under vmap: each instance ends by its own condition") {
    constexpr auto xs = gr::var<"xs", double, "n">;
    constexpr auto f = [](auto v) { return gr::while_loop([](auto u) { return u > 1_c; }, [](auto u) { return u * 0.5_c; }, v * 3_c); };
    constexpr auto program = gr::compile(gr::vmap(f)(xs), gr::vmap(gr::jacfwd(f))(xs));
    std::vector<double> const at{0.1, 1, 7, 1000};
    auto const [values, slopes] = program(xs = at);
    for (int i = 0; i < 4; ++i) {
        double v = 3 * at[static_cast<std::size_t>(i)], slope = 3;
        while (v > 1) v *= 0.5, slope *= 0.5;
        CHECK(values(i) == v);
        CHECK(slopes(i) == slope);
    }
}
