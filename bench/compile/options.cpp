// SPDX-License-Identifier: BSL-1.0
// Elementwise: Black-Scholes with four sensitivities, one kernel of about sixty operations.
#include <gradus.hpp>

#include <vector>

namespace gr = gradus;
using namespace gr::literals;

constexpr auto S = gr::var<"S", float, "n">;
constexpr auto K = gr::var<"K", float, "n">;
constexpr auto V = gr::var<"V", float, "n">;
constexpr auto T = gr::var<"T", float, "n">;
constexpr auto cdf = [](auto d) { return 0.5_c * (1_c + gr::erf(d * 0.7071067811865476_c)); };
constexpr auto vol = V * gr::sqrt(T);
constexpr auto d1 = (gr::log(S / K) + (0.05_c + 0.5_c * gr::square(V)) * T) / vol;
constexpr auto total = gr::sum(S * cdf(d1) - K * gr::exp(-0.05_c * T) * cdf(d1 - vol));
constexpr auto greeks = gr::compile(total, gr::grad(total, S), gr::grad(total, K), gr::grad(total, V), gr::grad(total, T));

int main() {
    std::vector<float> s(100, 100.0f), k(100, 95.0f), v(100, 0.2f), t(100, 1.0f);
    auto [value, delta, dual, vega, theta] = greeks(S = s, K = k, V = v, T = t);
    return value + delta(0) + dual(0) + vega(0) + theta(0) < 0;
}
