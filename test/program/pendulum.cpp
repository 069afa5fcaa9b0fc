// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

// Second order through a scan: a pendulum by the classical Runge-Kutta method, and the Hessian of its last state with respect to the first.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto first = gr::var<"first", double, 2>;  // angle, velocity
constexpr auto steps = gr::var<"steps", double, "steps">;
constexpr auto weights = gr::var<"weights", double, 2>;

constexpr auto motion = [](auto s) { return gr::stack<0>(gr::select<0, 1>(s), -gr::sin(gr::select<0, 0>(s))); };
constexpr auto last = gr::scan(
    [](auto s, auto h) {
        auto const k1 = gr::let([=] { return motion(s); });
        auto const k2 = gr::let([=] { return motion(s + 0.5_c * h * k1); });
        auto const k3 = gr::let([=] { return motion(s + 0.5_c * h * k2); });
        auto const k4 = gr::let([=] { return motion(s + h * k3); });
        return s + h / 6_c * (k1 + 2_c * k2 + 2_c * k3 + k4);
    },
    first, steps);
constexpr auto seen = gr::sum(weights * last);
constexpr auto program = gr::compile(last, gr::jacobian(last, first), gr::hessian(seen, first));

using state = std::array<double, 2>;
using dual = std::array<state, 3>;  // the state, and its derivatives with respect to both numbers of the first

/// The same steps for the state and the variational equation, written out.
dual by_hand(state start, int count, double h) {
    auto const slope = [](dual const& s) {
        dual d;
        d[0] = {s[0][1], -std::sin(s[0][0])};
        for (std::size_t k = 1; k < 3; ++k) d[k] = {s[k][1], -std::cos(s[0][0]) * s[k][0]};
        return d;
    };
    auto const moved = [](dual s, dual const& d, double by) {
        for (std::size_t k = 0; k < 3; ++k)
            for (std::size_t i = 0; i < 2; ++i) s[k][i] += by * d[k][i];
        return s;
    };
    dual s{start, state{1, 0}, state{0, 1}};
    for (int i = 0; i < count; ++i) {
        dual const k1 = slope(s), k2 = slope(moved(s, k1, h / 2)), k3 = slope(moved(s, k2, h / 2)), k4 = slope(moved(s, k3, h));
        s = moved(moved(moved(moved(s, k1, h / 6), k2, h / 3), k3, h / 3), k4, h / 6);
    }
    return s;
}

}  // namespace

TEST_CASE("a pendulum by Runge-Kutta: state, Jacobian and Hessian of the last state") {
    constexpr state start{1.2, -0.3}, w{0.7, -1.1};
    constexpr int count = 60;
    constexpr double h = 0.05;
    std::vector<double> const hs(count, h);
    auto const [state_there, jacobian, hessian] = program(first = start, weights = w, steps = hs);
    dual const expected = by_hand(start, count, h);
    for (int i = 0; i < 2; ++i) {
        auto const at = static_cast<std::size_t>(i);
        CHECK(state_there(i) == doctest::Approx(expected[0][at]).epsilon(1e-13));  // some hundred roundings
        for (int k = 0; k < 2; ++k) CHECK(jacobian(i, k) == doctest::Approx(expected[static_cast<std::size_t>(k) + 1][at]).epsilon(1e-12));
    }
    constexpr double d = 1e-5;  // differences of derivatives: an error of d^2, and roundings of 1e-16 / d
    for (std::size_t k = 0; k < 2; ++k) {
        state more = start, less = start;
        more[k] += d, less[k] -= d;
        dual const up = by_hand(more, count, h), down = by_hand(less, count, h);
        for (std::size_t j = 0; j < 2; ++j) {
            double const difference = (w[0] * (up[j + 1][0] - down[j + 1][0]) + w[1] * (up[j + 1][1] - down[j + 1][1])) / (2 * d);
            CHECK(std::abs(hessian(static_cast<int>(j), static_cast<int>(k)) - difference) < 1e-8);
        }
    }
    CHECK(hessian(0, 1) == doctest::Approx(hessian(1, 0)).epsilon(1e-12));
}
