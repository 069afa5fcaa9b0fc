// SPDX-License-Identifier: BSL-1.0
// European call options by the formula of Black and Scholes, with every sensitivity of every option.
//
// Only the price is written down. The sensitivities are its derivatives, and price and derivatives of any number of
// options are one loop over the inputs: nothing is stored in between. The table compares with the closed forms.
#include <gradus.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

constexpr auto spot = gr::var<"spot", float, "n">;      // price of the share today
constexpr auto strike = gr::var<"strike", float, "n">;  // price agreed on
constexpr auto sigma = gr::var<"sigma", float, "n">;    // volatility per square root of a year
constexpr auto expiry = gr::var<"expiry", float, "n">;  // years left
constexpr auto rate = gr::var<"rate", float>;           // interest per year, the same for all

constexpr auto normal_cdf = [](auto d) { return 0.5_c * (1_c + gr::erf(d * 0.70710678118654752_c)); };
constexpr auto spread = sigma * gr::sqrt(expiry);
constexpr auto d1 = (gr::log(spot / strike) + (rate + 0.5_c * gr::square(sigma)) * expiry) / spread;
constexpr auto price = spot * normal_cdf(d1) - strike * gr::exp(-rate * expiry) * normal_cdf(d1 - spread);

// Option i's price depends on the i-th inputs only, so the gradient of the sum holds every option's own derivative. The
// rate is shared: its derivative (rho) is that of the whole book. Theta is the derivative by the years left.
constexpr auto book = gr::sum(price);
constexpr auto value =
    gr::compile(price, gr::grad(book, spot), gr::grad(book, strike), gr::grad(book, sigma), gr::grad(book, expiry), gr::grad(book, rate));
static_assert(value.kernels() == 1, "one pass over memory");
static_assert(value.workspace_bytes(gr::dim<"n"> = 1'000'000) == 0, "nothing is stored in between");
static_assert(value.bytes_moved(gr::dim<"n"> = 1000) <= 4 * (9 * 1000 + 2),
              "four inputs read, five results written, a rate and its derivative");

// The closed forms, in double.
struct sensitivities {
    double price, delta, dual_delta, vega, theta, rho;
};
static sensitivities closed_form(double s, double k, double vol, double t, double r) {
    auto const cdf = [](double d) { return 0.5 * std::erfc(-d * std::sqrt(0.5)); };
    double const a = (std::log(s / k) + (r + vol * vol / 2) * t) / (vol * std::sqrt(t));
    double const b = a - vol * std::sqrt(t);
    double const density = std::exp(-a * a / 2) / std::sqrt(2 * 3.14159265358979323846);
    double const discounted = k * std::exp(-r * t);
    return {s * cdf(a) - discounted * cdf(b),
            cdf(a),
            -std::exp(-r * t) * cdf(b),
            s * density * std::sqrt(t),
            s * density * vol / (2 * std::sqrt(t)) + r * discounted * cdf(b),
            discounted * t * cdf(b)};
}

int main() {
    // A strip of calls on one share at 100: thirteen strikes, 40 to 160.
    float const interest = 0.03F;
    std::vector<float> s(13, 100.0F), k(13), vol(13), t(13, 0.75F);
    for (std::size_t i = 0; i < k.size(); ++i) {
        k[i] = 40.0F + 10.0F * static_cast<float>(i);
        vol[i] = 0.2F + 0.0005F * std::abs(k[i] - 100.0F);  // a smile
    }
    auto const [call, delta, dual_delta, vega, theta, rho] = value(spot = s, strike = k, sigma = vol, expiry = t, rate = interest);

    std::printf("strike  volatility    price    delta  dual delta     vega    theta   largest error\n");
    double worst = 0, book_rho = 0;
    for (std::size_t i = 0; i < k.size(); ++i) {
        auto const j = static_cast<std::int64_t>(i);
        sensitivities const exact = closed_form(static_cast<double>(s[i]), static_cast<double>(k[i]), static_cast<double>(vol[i]),
                                                static_cast<double>(t[i]), static_cast<double>(interest));
        double const found[] = {static_cast<double>(call(j)), static_cast<double>(delta(j)), static_cast<double>(dual_delta(j)),
                                static_cast<double>(vega(j)), static_cast<double>(theta(j))};
        double const expected[] = {exact.price, exact.delta, exact.dual_delta, exact.vega, exact.theta};
        double error = 0;
        for (int q = 0; q < 5; ++q) error = std::max(error, std::abs(found[q] - expected[q]) / (1 + std::abs(expected[q])));
        std::printf("%6.0f  %8.3f    %8.4f %8.4f  %8.4f   %8.4f %8.4f   %.1e\n", static_cast<double>(k[i]), static_cast<double>(vol[i]),
                    found[0], found[1], found[2], found[3], found[4], error);
        worst = std::max(worst, error);
        book_rho += exact.rho;
    }
    double const rho_error = std::abs(static_cast<double>(rho) - book_rho) / book_rho;
    std::printf("\nrho of all %zu: %.4f, closed form %.4f\n", k.size(), static_cast<double>(rho), book_rho);
    bool const right = worst < 2e-5 && rho_error < 1e-5;
    std::printf("largest error, relative to 1 + |closed form|: %.1e: %s\n", std::max(worst, rho_error), right ? "ok" : "WRONG");

    // How fast: results go to the caller's memory, best of twenty runs.
    for (std::size_t const n : {std::size_t{1'000}, std::size_t{1'000'000}}) {
        std::vector<float> shares(n, 100.0F), strikes(n), volatilities(n, 0.2F), years(n, 0.75F), result[5];
        for (std::size_t i = 0; i < n; ++i) strikes[i] = 80.0F + 40.0F * static_cast<float>(i) / static_cast<float>(n);
        for (auto& r : result) r.resize(n);
        float total_rho = 0;
        double best = std::numeric_limits<double>::infinity();
        for (int run = 0; run < 20; ++run) {
            int const calls = static_cast<int>(1'000'000 / n);
            auto const begin = std::chrono::steady_clock::now();
            for (int i = 0; i < calls; ++i)
                value(gr::out(result[0], result[1], result[2], result[3], result[4], total_rho), spot = shares, strike = strikes,
                      sigma = volatilities, expiry = years, rate = interest);
            std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - begin;
            best = std::min(best, seconds.count() / calls);
        }
        std::printf("%7zu options at once: %.1f million options per second, each with price and five sensitivities\n", n,
                    1e-6 * static_cast<double>(n) / best);
    }
    return right ? 0 : 1;
}
