// SPDX-License-Identifier: BSL-1.0
// Programs whose arrays are irregular: minima, short axes.
#include "timing.hpp"

#include <gradus.hpp>

#include <cmath>
#include <limits>

namespace gr = gradus;

namespace {

// ---- k-means by Newton's method: value, gradient and diagonal of the Hessian of the sum over points of the squared distance to the
// nearest centre

template <int D>
struct kmeans {
    static constexpr auto x = gr::var<"x", double, "n", D>;
    static constexpr auto c = gr::var<"c", double, "k", D>;
    static constexpr auto ones = gr::var<"ones", double, "k", D>;
    static constexpr auto loss = gr::sum(gr::amin<1>(gr::sum<2>(gr::square(gr::unsqueeze<1>(x) - c))));
    static constexpr auto step = gr::compile(loss, gr::grad(loss, c), gr::hvp(loss, c, ones));

    __attribute__((noinline)) static double by_hand(double const* points, double const* centres, std::size_t n, std::size_t k, double* g,
                                                    double* h) {
        std::fill_n(g, k * D, 0.0);
        std::fill_n(h, k * D, 0.0);
        double total = 0;
        for (std::size_t i = 0; i < n; ++i) {
            double const* p = points + i * D;
            double least = std::numeric_limits<double>::infinity();
            std::size_t nearest = 0;
            for (std::size_t j = 0; j < k; ++j) {
                double distance = 0;
                for (std::size_t a = 0; a < D; ++a) distance += (p[a] - centres[j * D + a]) * (p[a] - centres[j * D + a]);
                if (distance < least) least = distance, nearest = j;
            }
            total += least;
            for (std::size_t a = 0; a < D; ++a) {
                g[nearest * D + a] += 2 * (centres[nearest * D + a] - p[a]);
                h[nearest * D + a] += 2;
            }
        }
        return total;
    }
    static void race(std::size_t k) {
        std::size_t const n = 2000;
        gr::random random(7);
        std::vector<double> X(n * D), C(k * D), one(k * D, 1.0), g[2]{C, C}, h[2]{C, C};
        double l[2]{};
        for (auto* all : {&X, &C})
            for (double& e : *all) e = random.normal();
        std::vector<timing::contestant> all{
            timing::enter(
                "gradus", [&] { step(gr::out(l[0], g[0], h[0]), x = X, c = C, ones = one); }, l[0], g[0], h[0]),
            timing::enter("by hand", [&] { l[1] = by_hand(X.data(), C.data(), n, k, g[1].data(), h[1].data()); }, l[1], g[1], h[1])};
        timing::race(("k-means of " + std::to_string(k) + ", d = " + std::to_string(D) + " double").c_str(), all, 1e-12, 51);
    }
};

}  // namespace

int main() {
    for (std::size_t k : {10u, 100u, 1000u}) kmeans<8>::race(k);
    for (std::size_t k : {10u, 100u, 1000u}) kmeans<16>::race(k);
}
