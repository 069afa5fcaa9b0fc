// SPDX-License-Identifier: BSL-1.0
// One small function of many instances, beside a loop over them: reprojection errors and their Jacobians, gradients of each example.
#include "reprojection.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#include <cmath>

namespace gr = gradus;
using namespace gr::literals;

namespace {

// ---- errors of 31,843 points in pictures, as in the first problem of "Bundle Adjustment in the Large"

constexpr auto rotation = gr::var<"rotation", double, "observations", 3>;
constexpr auto translation = gr::var<"translation", double, "observations", 3>;
constexpr auto point = gr::var<"point", double, "observations", 3>;
constexpr auto camera = gr::var<"camera", double, "observations", 6>;
constexpr auto seen = gr::var<"seen", double, "observations", 2>;

template <int I>
constexpr auto at(auto v) {
    return gr::select<0, I>(v);
}
/// u and v of one observation.
constexpr auto error_of = [](auto r, auto t, auto p, auto c, auto s) {
    auto angle = gr::let([=] { return gr::sqrt(at<0>(r) * at<0>(r) + at<1>(r) * at<1>(r) + at<2>(r) * at<2>(r)); });
    auto cosine = gr::let([=] { return gr::cos(angle); });
    auto sine = gr::let([=] { return gr::sin(angle); });
    auto x = gr::let([=] { return at<0>(r) / angle; });
    auto y = gr::let([=] { return at<1>(r) / angle; });
    auto z = gr::let([=] { return at<2>(r) / angle; });
    auto along = gr::let([=] { return (x * at<0>(p) + y * at<1>(p) + z * at<2>(p)) * (1_c - cosine); });
    auto right = gr::let([=] { return at<0>(p) * cosine + (y * at<2>(p) - z * at<1>(p)) * sine + x * along + at<0>(t); });
    auto down = gr::let([=] { return at<1>(p) * cosine + (z * at<0>(p) - x * at<2>(p)) * sine + y * along + at<1>(t); });
    auto depth = gr::let([=] { return at<2>(p) * cosine + (x * at<1>(p) - y * at<0>(p)) * sine + z * along + at<2>(t); });
    auto u = gr::let([=] { return right / depth; });
    auto v = gr::let([=] { return down / depth; });
    auto square = gr::let([=] { return u * u + v * v; });
    auto distortion = gr::let([=] { return 1_c + square * (at<4>(c) + at<5>(c) * square); });
    return std::pair{at<0>(c) * distortion * u + at<2>(c) - at<0>(s), at<1>(c) * distortion * v + at<3>(c) - at<1>(s)};
};
constexpr auto errors = gr::compile(gr::vmap([](auto... of) {
    auto const [u, v] = error_of(of...);
    return gr::stack<0>(u, v);
})(rotation, translation, point, camera, seen));
constexpr auto jacobians = gr::compile(gr::vmap([](auto r, auto t, auto p, auto c, auto s) {
    auto const [u, v] = error_of(r, t, p, c, s);
    auto row = [=](auto error) { return gr::concatenate<0>(gr::grad(error, r), gr::grad(error, t), gr::grad(error, p), gr::grad(error, c)); };
    return gr::stack<0>(row(u), row(v));
})(rotation, translation, point, camera, seen));

void reprojection() {
    constexpr std::size_t n = 31843;
    std::vector<double> R(3 * n), T(3 * n), P(3 * n), C(6 * n), S(2 * n);
    gr::random random(1);
    for (auto* all : {&R, &T, &P, &C, &S})
        for (double& e : *all) e = random.normal();
    for (std::size_t i = 0; i < n; ++i) T[3 * i + 2] += 20, C[6 * i + 4] *= 0.01, C[6 * i + 5] *= 0.001;
    auto each = [&](auto f) {
        for (std::size_t i = 0; i < n; ++i) f(observation{&R[3 * i], &T[3 * i], &P[3 * i], &C[6 * i], &S[2 * i]}, i);
    };
    std::vector<double> e[2]{std::vector<double>(2 * n), std::vector<double>(2 * n)};
    std::vector<double> j[2]{std::vector<double>(30 * n), std::vector<double>(30 * n)};
    auto bound = [&](auto const& program, auto& to) {
        program(gr::out(to), rotation = R, translation = T, point = P, camera = C, seen = S);
    };
    std::vector<timing::contestant> all{
        timing::enter("gradus", [&] { bound(errors, e[0]); }, e[0]),
        timing::enter("by hand", [&] { each([&](observation const& o, std::size_t i) { errors_by_hand(o, &e[1][2 * i]); }); }, e[1])};
    timing::race("31843 reprojections 2 double", all, 1e-13);
    all = {timing::enter("gradus", [&] { bound(jacobians, j[0]); }, j[0]),
           timing::enter("by hand", [&] { each([&](observation const& o, std::size_t i) { jacobian_by_hand(o, &j[1][30 * i]); }); }, j[1])};
    timing::race("31843 reprojections 2x15 double", all, 1e-13);
}

// ---- the gradient of each example of a logistic regression, and its norm

constexpr auto x = gr::var<"x", double, "examples", 4>;
constexpr auto label = gr::var<"label", double, "examples">;
constexpr auto w = gr::var<"w", double, 4>;
constexpr auto pulls = gr::vmap([](auto example, auto y) {
    auto const z = gr::dot(example, w);
    auto const by_w = gr::grad(gr::softplus(z) - y * z, w);
    return std::pair{by_w, gr::norm(by_w)};
})(x, label);
constexpr auto per_example = gr::compile(pulls.first, pulls.second);

void examples() {
    constexpr std::size_t n = 10000;
    double const W[4] = {1, -2, 0.5, 0.25};
    std::vector<double> X(4 * n), Y(n);
    gr::random random(3);
    for (double& e : X) e = random.normal();
    for (std::size_t i = 0; i < n; ++i) Y[i] = i % 2 ? 1 : 0;
    std::vector<double> g[2]{std::vector<double>(4 * n), std::vector<double>(4 * n)}, norm[2]{std::vector<double>(n), std::vector<double>(n)};
    auto by_hand = [&] {
        for (std::size_t i = 0; i < n; ++i) {
            double z = 0, sum = 0;
            for (std::size_t k = 0; k < 4; ++k) z += W[k] * X[4 * i + k];
            double const slope = 1 / (1 + std::exp(-z)) - Y[i];
            for (std::size_t k = 0; k < 4; ++k) g[1][4 * i + k] = slope * X[4 * i + k], sum += g[1][4 * i + k] * g[1][4 * i + k];
            norm[1][i] = std::sqrt(sum);
        }
    };
    std::vector<timing::contestant> all{
        timing::enter("gradus", [&] { per_example(gr::out(g[0], norm[0]), x = X, label = Y, w = W); }, g[0], norm[0]),
        timing::enter("by hand", by_hand, g[1], norm[1])};
    timing::race("10000 gradients of 4 double", all, 1e-13);
}

}  // namespace

int main() {
    reprojection();
    examples();
}
