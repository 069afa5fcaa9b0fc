// SPDX-License-Identifier: BSL-1.0
// Programs of single numbers: a reprojection error with its 2 x 15 Jacobian, the log density of eight schools with its gradient.
#include "reprojection.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#include <array>
#include <cmath>

namespace gr = gradus;
using namespace gr::literals;

namespace {

// ---- the error of a point in a picture, by rotation (angle and axis), translation, point and camera (focal lengths, centre, distortion)

constexpr auto rotation = gr::var<"rotation", double, 3>;
constexpr auto translation = gr::var<"translation", double, 3>;
constexpr auto point = gr::var<"point", double, 3>;
constexpr auto camera = gr::var<"camera", double, 6>;
constexpr auto seen = gr::var<"seen", double, 2>;

template <int I>
constexpr auto r = gr::select<0, I>(rotation);
template <int I>
constexpr auto p = gr::select<0, I>(point);
template <int I>
constexpr auto c = gr::select<0, I>(camera);
constexpr auto angle = gr::let([] { return gr::sqrt(r<0> * r<0> + r<1> * r<1> + r<2> * r<2>); });
constexpr auto cosine = gr::let([] { return gr::cos(angle); });
constexpr auto sine = gr::let([] { return gr::sin(angle); });
template <int I>
constexpr auto axis = gr::let([] { return r<I> / angle; });
constexpr auto along = gr::let([] { return (axis<0> * p<0> + axis<1> * p<1> + axis<2> * p<2>)*(1_c - cosine); });
template <int I>
constexpr auto turned = gr::let([] {
    constexpr int J = (I + 1) % 3, K = (I + 2) % 3;
    return p<I> * cosine + (axis<J> * p<K> - axis<K> * p<J>)*sine + axis<I> * along + gr::select<0, I>(translation);
});
constexpr auto u = gr::let([] { return turned<0> / turned<2>; });
constexpr auto v = gr::let([] { return turned<1> / turned<2>; });
constexpr auto square = gr::let([] { return u * u + v * v; });
constexpr auto distortion = gr::let([] { return 1_c + square * (c<4> + c<5> * square); });
constexpr auto error_u = c<0> * distortion * u + c<2> - gr::select<0, 0>(seen);
constexpr auto error_v = c<1> * distortion * v + c<3> - gr::select<0, 1>(seen);
template <class E>
constexpr auto row(E error) {
    return gr::concatenate<0>(gr::grad(error, rotation), gr::grad(error, translation), gr::grad(error, point), gr::grad(error, camera));
}
constexpr auto errors = gr::compile(gr::stack<0>(error_u, error_v));
constexpr auto jacobian = gr::compile(gr::stack<0>(row(error_u), row(error_v)));

struct numbers {
    double rotation[3], translation[3], point[3], camera[6], seen[2];
    observation all() const { return {rotation, translation, point, camera, seen}; }
};
__attribute__((noinline)) void errors_of(numbers const& o, double* e) { errors_by_hand(o.all(), e); }
__attribute__((noinline)) void jacobian_of(numbers const& o, double* all) { jacobian_by_hand(o.all(), all); }

// ---- eight schools: the mean, the logarithm of the spread, eight standardized effects

constexpr auto q = gr::var<"q", double, 10>;
constexpr auto y = gr::var<"y", double, 8>;
constexpr auto s = gr::var<"s", double, 8>;
constexpr auto mu = gr::select<0, 0>(q);
constexpr auto log_tau = gr::select<0, 1>(q);
constexpr auto raw = gr::slice<2, 10>(q);
constexpr auto tau = gr::exp(log_tau);
constexpr auto density = -0.5_c * gr::sum(gr::square((y - (mu + tau * raw)) / s)) - 0.5_c * gr::sum(gr::square(raw)) -
                         0.5_c * gr::square(mu / 5_c) - gr::log1p(gr::square(tau / 5_c)) + log_tau;
constexpr auto schools = gr::compile(density, gr::grad(density, q));

__attribute__((noinline)) double schools_by_hand(double const* at, double const* effects, double const* errors_of, double* g) {
    double const spread = std::exp(at[1]), t = spread * spread / 25;
    double l = at[1] - 0.5 * at[0] * at[0] / 25 - std::log1p(t), to_mean = 0, to_spread = 0;
    for (int i = 0; i < 8; ++i) {
        double const inverse = 1 / errors_of[i], z = (effects[i] - at[0] - spread * at[2 + i]) * inverse, d = z * inverse;
        l -= 0.5 * z * z + 0.5 * at[2 + i] * at[2 + i];
        to_mean += d;
        to_spread += d * at[2 + i];
        g[2 + i] = d * spread - at[2 + i];
    }
    g[0] = to_mean - at[0] / 25;
    g[1] = to_spread * spread - 2 * t / (1 + t) + 1;
    return l;
}

}  // namespace

int main() {
    numbers const o{{0.1, -0.2, 0.3}, {0.5, 0.25, 4}, {1, 2, 3}, {500, 510, 320, 240, 0.01, 0.001}, {400, 500}};
    {
        std::array<double, 2> e[2]{};
        std::vector<timing::contestant> all{timing::enter(
                                                "gradus",
                                                [&] {
                                                    errors(gr::out(e[0]), rotation = o.rotation, translation = o.translation,
                                                           point = o.point, camera = o.camera, seen = o.seen);
                                                },
                                                e[0]),
                                            timing::enter("by hand", [&] { errors_of(o, e[1].data()); }, e[1])};
        timing::race("reprojection 2 double", all, 1e-13);
    }
    {
        std::array<double, 30> j[2]{};
        std::vector<timing::contestant> all{timing::enter(
                                                "gradus",
                                                [&] {
                                                    jacobian(gr::out(j[0]), rotation = o.rotation, translation = o.translation,
                                                             point = o.point, camera = o.camera, seen = o.seen);
                                                },
                                                j[0]),
                                            timing::enter("by hand", [&] { jacobian_of(o, j[1].data()); }, j[1])};
        timing::race("reprojection 2x15 double", all, 1e-13);
    }
    {
        double const effects[8] = {28, 8, -3, 7, -1, 1, 18, 12}, deviations[8] = {15, 10, 16, 11, 9, 11, 10, 18};
        gr::random random(1);
        auto Q = gr::array<double, 10>::normal(random, 0.0, 0.3);
        double l[2]{};
        std::array<double, 10> g[2]{};
        std::vector<timing::contestant> all{
            timing::enter(
                "gradus", [&] { schools(gr::out(l[0], g[0]), q = Q, y = effects, s = deviations); }, l[0], g[0]),
            timing::enter("by hand", [&] { l[1] = schools_by_hand(Q.data(), effects, deviations, g[1].data()); }, l[1], g[1])};
        timing::race("eight schools double", all, 1e-12);
    }
}
