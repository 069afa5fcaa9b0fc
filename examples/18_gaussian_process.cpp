// SPDX-License-Identifier: BSL-1.0
// Regression by a Gaussian process: a curve through noisy points, with error bars.
//
// A point's value is that of a random curve, whose values k(a, b) = s^2 exp(-(a - b)^2 / (2 l^2)) vary together, plus noise. How long the
// curve's waves are, how high, and how noisy the points, are found where the points are likeliest: the logarithm of their likelihood and
// its derivatives by log l, log s and log noise are one program, whose number of points is known when it is called. A second program draws
// the curve. Rasmussen, Williams, "Gaussian Processes for Machine Learning" (2006), chapters 2 and 5. Everything is compared with plain
// loops.
#include <gradus.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", double, "points">;
constexpr auto y = gr::var<"y", double, "points">;
constexpr auto at = gr::var<"at", double, "places">;
constexpr auto h = gr::var<"h", double, 3>;  // logarithms of length, height and noise

constexpr auto kernel = [](auto a, auto b) {
    auto const distance = (gr::unsqueeze<1>(a) - gr::unsqueeze<0>(b)) / gr::exp(gr::select<0, 0>(h));
    return gr::exp(2_c * gr::select<0, 1>(h) - 0.5_c * gr::square(distance));
};
constexpr auto lower = gr::let([] { return gr::cholesky(kernel(x, x) + gr::exp(2_c * gr::select<0, 2>(h)) * gr::eye<double, "points">); });
constexpr auto white = gr::let([] { return gr::solve_triangular(lower, y); });
constexpr auto log_two_pi = 1.8378770664093453_c;
constexpr auto likelihood = -0.5_c * (gr::sum(gr::square(white)) + gr::size<"points"> * log_two_pi) - gr::sum(gr::log(gr::diagonal(lower)));
constexpr auto evidence = gr::compile(likelihood, gr::grad(likelihood, h));

constexpr auto seen = gr::let([] { return gr::solve_triangular(lower, kernel(x, at)); });
constexpr auto curve = gr::compile(gr::matmul(white, seen), gr::exp(2_c * gr::select<0, 1>(h)) - gr::sum<0>(gr::square(seen)));

// ---- The same in plain loops.

struct by_hand {
    std::size_t n;
    std::vector<double> l, w;  // the factor, row by row, and white
    double value;

    by_hand(std::vector<double> const& px, std::vector<double> const& py, double const* ph) : n(px.size()), l(n * n), w(py), value(0) {
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                double rest = covariance(px[i], px[j], ph) + (i == j ? std::exp(2 * ph[2]) : 0);
                for (std::size_t k = 0; k < j; ++k) rest -= l[i * n + k] * l[j * n + k];
                l[i * n + j] = i == j ? std::sqrt(rest) : rest / l[j * n + j];
            }
        solve(w);
        for (std::size_t i = 0; i < n; ++i) value -= 0.5 * (w[i] * w[i] + 1.8378770664093453) + std::log(l[i * n + i]);
    }
    static double covariance(double a, double b, double const* ph) {
        double const d = (a - b) / std::exp(ph[0]);
        return std::exp(2 * ph[1] - 0.5 * d * d);
    }
    void solve(std::vector<double>& b) const {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < i; ++k) b[i] -= l[i * n + k] * b[k];
            b[i] /= l[i * n + i];
        }
    }
};

double truth(double t) { return std::sin(t) + 0.5 * std::sin(2.3 * t + 1); }

/// Up the slope, with the step of Barzilai and Borwein (1988), which is halved where it leads down.
double climb(std::vector<double> const& px, std::vector<double> const& py, double (&ph)[3], gr::array<double, 3>& slope, int& steps) {
    gr::workspace ws;
    double value = 0, step = 1e-2;
    evidence(gr::out(value, slope), ws, x = px, y = py, h = ph);
    auto const steepest = [&] { return std::max({std::abs(slope(0)), std::abs(slope(1)), std::abs(slope(2))}); };
    for (steps = 0; steps < 500 && steepest() > 1e-6; ++steps) {
        double next[3], there = 0, moved = 0, turned = 0;
        gr::array<double, 3> after{};
        for (;; step /= 2) {
            for (int k = 0; k < 3; ++k) next[k] = ph[k] + std::clamp(step * slope(k), -0.5, 0.5);
            evidence(gr::out(there, after), ws, x = px, y = py, h = next);
            if (there >= value - 1e-9 * std::abs(value) || step < 1e-12) break;
        }
        for (int k = 0; k < 3; ++k) {
            moved += (next[k] - ph[k]) * (next[k] - ph[k]);
            turned += (next[k] - ph[k]) * (slope(k) - after(k));
            ph[k] = next[k];
        }
        step = turned > 0 ? moved / turned : 1e-2;
        value = there;
        slope = after;
    }
    return value;
}

int main() {
    bool right = true;
    for (int n : {25, 60}) {  // one program for both
        gr::random random(7);
        auto const noise = gr::array<double, 60>::normal(random, 0.0, 0.1);
        std::vector<double> px, py, places;
        for (int i = 0; i < n; ++i) {
            px.push_back(8.0 * i / n + 0.05 * std::sin(9.0 * i));
            py.push_back(truth(px.back()) + noise(i));
        }
        for (int j = 0; j < 41; ++j) places.push_back(0.5 + 7.0 * j / 41);
        double found[3] = {0, 0, -1};
        gr::array<double, 3> slope{};
        int steps = 0;
        double const value = climb(px, py, found, slope, steps);

        // where the search began and at its end: the value, and the slope by differences of plain loops
        double worst = 0;
        for (bool ends : {false, true}) {
            double const start[3] = {0, 0, -1};
            double const(&here)[3] = ends ? found : start;
            auto const [v, g] = evidence(x = px, y = py, h = here);
            worst = std::max(worst, std::abs(v - by_hand(px, py, here).value) / 100);  // differences leave 9 digits
            for (int k = 0; k < 3; ++k) {
                double up[3] = {here[0], here[1], here[2]}, down[3] = {here[0], here[1], here[2]};
                up[k] += 1e-5;
                down[k] -= 1e-5;
                worst = std::max(worst, std::abs(g(k) - (by_hand(px, py, up).value - by_hand(px, py, down).value) / 2e-5));
            }
        }

        auto const [mean, variance] = curve(x = px, y = py, at = places, h = found);
        by_hand const check(px, py, found);
        double apart = 0, error = 0, sigmas = 0;
        for (std::size_t j = 0; j < places.size(); ++j) {
            std::vector<double> k(px.size());
            for (std::size_t i = 0; i < px.size(); ++i) k[i] = by_hand::covariance(px[i], places[j], found);
            check.solve(k);
            double m = 0, v = std::exp(2 * found[1]);
            for (std::size_t i = 0; i < px.size(); ++i) m += k[i] * check.w[i], v -= k[i] * k[i];
            auto const place = static_cast<std::ptrdiff_t>(j);
            apart = std::max({apart, std::abs(mean(place) - m), std::abs(variance(place) - v)});
            error = std::max(error, std::abs(mean(place) - truth(places[j])));
            sigmas = std::max(sigmas, std::abs(mean(place) - truth(places[j])) / std::sqrt(v));
        }
        std::printf("%d points: length %.3f, height %.3f, noise %.3f, log likelihood %.4f after %d steps\n", n, std::exp(found[0]),
                    std::exp(found[1]), std::exp(found[2]), value, steps);
        std::printf("  the curve is off by %.3f at most, %.1f of its error bars\n", error, sigmas);
        // differences of values of about 100 leave 1e-9 / 2e-5 of a gradient, solves of a few dozen points some 1e-11
        right = right && worst < 1e-6 && apart < 1e-9 && error < 0.2 && sigmas < 4 && std::abs(std::exp(found[2]) - 0.1) < 0.05;
        if (!right) std::printf("  wrong: differences by hand %g, %g\n", worst, apart);
    }
    return right ? 0 : 1;
}
