// SPDX-License-Identifier: BSL-1.0
// Eight schools: how much coaching helps, by school and in general, as a hierarchical model that Hamiltonian Monte Carlo draws from.
//
// The model of Rubin (1981), in its non-centred form: theta_j = mu + tau eta_j, y_j ~ N(theta_j, sigma_j), eta_j ~ N(0, 1), mu ~ N(0, 5),
// tau ~ half-Cauchy(0, 5). The log density is one expression, and with its gradient one program. The sampler takes leapfrog steps whose
// size dual averaging finds (M. Hoffman, A. Gelman, The No-U-Turn Sampler, 2014, algorithm 5). Given tau, everything else is normal:
// integrals over tau alone give the posterior means without drawing, and the sampler is held against them.
#include <gradus.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

constexpr std::size_t schools = 8, unknowns = 2 + schools;
constexpr auto q = gr::var<"q", double, unknowns>;  // mu, log tau, eta
constexpr auto y = gr::var<"y", double, schools>;
constexpr auto sigma = gr::var<"sigma", double, schools>;

constexpr auto mu = gr::select<0, 0>(q);
constexpr auto log_tau = gr::select<0, 1>(q);
constexpr auto eta = gr::slice<2, gr::end>(q);
constexpr auto tau = gr::exp(log_tau);
constexpr auto log_density = -0.5_c * gr::sum(gr::square((y - (mu + tau * eta)) / sigma)) - 0.5_c * gr::sum(gr::square(eta)) -
                             0.5_c * gr::square(mu / 5_c) - gr::log1p(gr::square(tau / 5_c)) + log_tau;
constexpr auto posterior = gr::compile(log_density, gr::grad(log_density, q));

constexpr double effects[schools] = {28, 8, -3, 7, -1, 1, 18, 12}, deviations[schools] = {15, 10, 16, 11, 9, 11, 10, 18};

struct state {
    std::array<double, unknowns> at{}, slope{};
    double density = 0;
    void evaluate() { posterior(gr::out(density, slope), q = at, y = effects, sigma = deviations); }
};
using momentum = std::array<double, unknowns>;
double energy(state const& s, momentum const& p) {
    double sum = -s.density;
    for (double e : p) sum += 0.5 * e * e;
    return sum;
}
void leapfrog(state& s, momentum& p, double step) {
    for (std::size_t i = 0; i < unknowns; ++i) p[i] += 0.5 * step * s.slope[i], s.at[i] += step * p[i];
    s.evaluate();
    for (std::size_t i = 0; i < unknowns; ++i) p[i] += 0.5 * step * s.slope[i];
}

/// Finds the step size that accepts a proposal with probability 0.8.
class dual_averaging {
public:
    explicit dual_averaging(double first) : target_(std::log(10 * first)), log_step_(std::log(first)) {}
    void update(double accepted) {
        ++count_;
        mean_ += (0.8 - accepted - mean_) / (count_ + 10);
        log_step_ = target_ - std::sqrt(count_) / 0.05 * mean_;
        average_ += std::pow(count_, -0.75) * (log_step_ - average_);
    }
    double step() const { return std::exp(log_step_); }
    double average() const { return std::exp(average_); }

private:
    double target_, log_step_, average_ = 0, mean_ = 0, count_ = 0;
};

/// The mean of draws and its standard error, by means of 50 batches, which are nearly independent of each other.
std::pair<double, double> mean_of(std::vector<double> const& draws) {
    constexpr std::size_t batches = 50;
    std::size_t const each = draws.size() / batches;
    double mean = 0, squares = 0;
    for (std::size_t b = 0; b < batches; ++b) {
        double batch = 0;
        for (std::size_t i = 0; i < each; ++i) batch += draws[b * each + i] / static_cast<double>(each);
        mean += batch / batches, squares += batch * batch / batches;
    }
    return {mean, std::sqrt((squares - mean * mean) / (batches - 1))};
}

/// The posterior means of mu and tau by quadrature: given tau, y_j ~ N(mu, sigma_j^2 + tau^2), and mu is normal.
std::pair<double, double> exact_means() {
    double total = 0, of_mu = 0, of_tau = 0;
    for (double x = -12; x < 8; x += 1e-3) {  // x = log tau; the integrand is smooth and vanishes at both ends
        double const t = std::exp(x);
        double precision = 1 / 25.0, weighted = 0, log_p = x - std::log1p(t * t / 25);
        for (std::size_t j = 0; j < schools; ++j) {
            double const variance = deviations[j] * deviations[j] + t * t;
            precision += 1 / variance, weighted += effects[j] / variance;
            log_p -= 0.5 * std::log(variance) + 0.5 * effects[j] * effects[j] / variance;
        }
        double const center = weighted / precision, p = std::exp(log_p - 0.5 * std::log(precision) + 0.5 * center * weighted);
        total += p, of_mu += p * center, of_tau += p * t;
    }
    return {of_mu / total, of_tau / total};
}

int main() {
    constexpr int warmup = 1000, draws = 20000;
    gr::random random(1);
    state now;
    now.evaluate();
    dual_averaging adapt(0.5);
    std::vector<double> mus, taus;
    double accepted = 0;
    for (int i = 0; i < warmup + draws; ++i) {
        double const step = i < warmup ? adapt.step() : adapt.average(), length = 2 + 4 * random.uniform();
        momentum p;
        for (double& e : p) e = random.normal();
        double const before = energy(now, p);
        state next = now;
        for (int k = 0, steps = std::clamp(static_cast<int>(length / step), 1, 100); k < steps; ++k) leapfrog(next, p, step);
        double const difference = before - energy(next, p), probability = difference > 0             ? 1
                                                                          : difference == difference ? std::exp(difference)
                                                                                                     : 0;
        if (random.uniform() < probability) now = next;
        if (i < warmup) adapt.update(probability);
        else mus.push_back(now.at[0]), taus.push_back(std::exp(now.at[1])), accepted += probability / draws;
    }
    auto const [exact_mu, exact_tau] = exact_means();
    auto const [mean_mu, error_mu] = mean_of(mus);
    auto const [mean_tau, error_tau] = mean_of(taus);
    std::printf("step size %.2f, %.0f %% of the proposals are accepted\n", adapt.average(), 100 * accepted);
    std::printf("mu:  %.2f +- %.2f by sampling, %.3f by quadrature\n", mean_mu, error_mu, exact_mu);
    std::printf("tau: %.2f +- %.2f by sampling, %.3f by quadrature\n", mean_tau, error_tau, exact_tau);
    // Four standard errors: a right sampler is farther off once in 10,000 seeds. The published means are 4.4 and 3.6.
    bool const agree = std::abs(mean_mu - exact_mu) < 4 * error_mu && std::abs(mean_tau - exact_tau) < 4 * error_tau;
    bool const known = std::abs(exact_mu - 4.4) < 0.1 && std::abs(exact_tau - 3.6) < 0.1;
    return agree && known && error_mu < 0.1 && error_tau < 0.1 && std::abs(accepted - 0.8) < 0.15 ? 0 : 1;
}
