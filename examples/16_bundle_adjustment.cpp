// SPDX-License-Identifier: BSL-1.0
// Bundle adjustment: where cameras stood and where points are, from where the points were seen.
//
// An observation is a camera's picture of a point, two residuals that depend on 9 numbers of that camera and on 3 of that point. Written
// for all observations at once, with rows gathered by index, that is one expression; the compiler finds that its Jacobian has one block per
// observation, and that 9 + 3 directions give all of it, whatever there is in cameras, points and observations. Levenberg and Marquardt's
// method with sparse Cholesky factors does the rest. The Jacobian is compared with differences of a projection in plain C++.
#include <gradus.hpp>
#include <gradus/optim/least_squares.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

// ---- A camera is a rotation (axis times angle), a translation, a focal length and two numbers for its lens, as in "Bundle Adjustment in
// the Large" (Agarwal, Snavely, Seitz, Szeliski, 2010).
constexpr auto cameras = gr::var<"cameras", double, "cameras", 9>;
constexpr auto points = gr::var<"points", double, "points", 3>;
constexpr auto camera_of = gr::var<"camera_of", std::int64_t, "seen">;
constexpr auto point_of = gr::var<"point_of", std::int64_t, "seen">;
constexpr auto seen = gr::var<"seen", double, "seen", 2>;

template <int I>
constexpr auto c = gr::let([] { return gr::select<1, I>(gr::embedding(cameras, camera_of)); });
template <int I>
constexpr auto p = gr::let([] { return gr::select<1, I>(gr::embedding(points, point_of)); });
constexpr auto angle = gr::let([] { return gr::sqrt(gr::square(c<0>) + gr::square(c<1>) + gr::square(c<2>)); });
template <int I>
constexpr auto axis = c<I> / angle;
// Rodrigues's formula
constexpr auto along = gr::let([] { return (axis<0> * p<0> + axis<1> * p<1> + axis<2> * p<2>)*(1_c - gr::cos(angle)); });
template <int I>
constexpr auto turned = gr::let([] {
    constexpr int j = (I + 1) % 3, k = (I + 2) % 3;
    return p<I> * gr::cos(angle) + (axis<j> * p<k> - axis<k> * p<j>)*gr::sin(angle) + axis<I> * along + c<3 + I>;
});
constexpr auto u = gr::let([] { return -turned<0> / turned<2>; });
constexpr auto v = gr::let([] { return -turned<1> / turned<2>; });
constexpr auto r2 = gr::let([] { return gr::square(u) + gr::square(v); });
constexpr auto scale = gr::let([] { return c<6> * (1_c + r2 * (c<7> + c<8> * r2)); });
constexpr auto residual = gr::stack<1>(scale * u, scale* v) - seen;

constexpr auto problem = gr::optim::least_squares(residual, cameras, points);
static_assert(gr::sparsity(residual, cameras).colors() == 9 && gr::sparsity(residual, points).colors() == 3);

/// The same in plain C++.
void project(double const* cam, double const* x, double* out) {
    double const t = std::sqrt(cam[0] * cam[0] + cam[1] * cam[1] + cam[2] * cam[2]), co = std::cos(t), si = std::sin(t);
    double const k[3] = {cam[0] / t, cam[1] / t, cam[2] / t}, d = (k[0] * x[0] + k[1] * x[1] + k[2] * x[2]) * (1 - co);
    double y[3];
    for (int i = 0; i < 3; ++i) {
        int const a = (i + 1) % 3, b = (i + 2) % 3;
        y[i] = x[i] * co + (k[a] * x[b] - k[b] * x[a]) * si + k[i] * d + cam[3 + i];
    }
    double const pu = -y[0] / y[2], pv = -y[1] / y[2], r = pu * pu + pv * pv, f = cam[6] * (1 + r * (cam[7] + cam[8] * r));
    out[0] = f * pu, out[1] = f * pv;
}

int main() {
    constexpr std::size_t n_cameras = 8, n_points = 150, each = 5, n = n_points * each;
    gr::random source(5);
    std::vector<double> C(n_cameras * 9), P(n_points * 3), S(n * 2);
    std::vector<std::int64_t> I, J;
    for (std::size_t i = 0; i < n_cameras; ++i) {
        for (std::size_t j = 0; j < 6; ++j) C[i * 9 + j] = 0.2 * source.normal() + (j == 5 ? -10 : 0);
        C[i * 9 + 6] = 500, C[i * 9 + 7] = 0.01 * source.normal(), C[i * 9 + 8] = 0.001 * source.normal();
    }
    for (double& e : P) e = source.normal();
    for (std::size_t i = 0; i < n; ++i) {  // every point is seen by five cameras, with an error of half a pixel
        J.push_back(static_cast<std::int64_t>(i / each));
        I.push_back(static_cast<std::int64_t>((i / each + i % each) % n_cameras));
        project(&C[static_cast<std::size_t>(I[i]) * 9], &P[static_cast<std::size_t>(J[i]) * 3], &S[i * 2]);
        S[i * 2] += 0.5 * source.normal(), S[i * 2 + 1] += 0.5 * source.normal();
    }
    for (std::size_t i = 0; i < C.size(); ++i) C[i] += i % 9 < 6 ? 0.05 * source.normal() : i % 9 == 6 ? 5 * source.normal() : 0;
    for (double& e : P) e += 0.1 * source.normal();

    // The block of every observation by its camera, beside differences.
    auto const by_camera = gr::sparse_jacobian(residual, cameras)(cameras = C, points = P, camera_of = I, point_of = J, seen = S);
    double off = 0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < 9; ++j) {
            std::size_t const at = static_cast<std::size_t>(I[i]) * 9;
            double camera[9], above[2], below[2], h = 1e-6 * std::max(1.0, std::abs(C[at + j]));
            std::copy_n(&C[at], 9, camera);
            camera[j] += h, project(camera, &P[static_cast<std::size_t>(J[i]) * 3], above);
            camera[j] -= 2 * h, project(camera, &P[static_cast<std::size_t>(J[i]) * 3], below);
            for (std::size_t k = 0; k < 2; ++k) {
                double const value = by_camera(static_cast<std::int64_t>(2 * i + k), static_cast<std::int64_t>(at + j));
                off = std::max(off, std::abs(value - (above[k] - below[k]) / (2 * h)) / std::max(1.0, std::abs(value)));
            }
        }
    std::printf("Jacobian by cameras: %lld by %lld, %lld elements, differences agree to %.0e\n", static_cast<long long>(by_camera.rows()),
                static_cast<long long>(by_camera.cols()), static_cast<long long>(by_camera.nonzeros()), off);

    gr::optim::least_squares_options options;
    options.max_num_iterations = 100;
    auto const summary = gr::optim::levenberg_marquardt(problem, options, cameras = C, points = P, camera_of = I, point_of = J, seen = S);
    std::printf("%s\n", summary.brief_report().c_str());

    // What is left, computed in plain C++, is the error of the observations: 2 n - 9 cameras - 3 points + 7 degrees of freedom, as a
    // similarity of the whole scene changes nothing.
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        double out[2];
        project(&C[static_cast<std::size_t>(I[i]) * 9], &P[static_cast<std::size_t>(J[i]) * 3], out);
        for (std::size_t k = 0; k < 2; ++k) sum += (out[k] - S[i * 2 + k]) * (out[k] - S[i * 2 + k]);
    }
    double const pixels = std::sqrt(sum / (2 * n - 9 * n_cameras - 3 * n_points + 7));
    std::printf("the error of an observation is estimated as %.2f pixels, it is 0.50; costs agree to %.0e\n", pixels,
                std::abs(sum / 2 - summary.final_cost) / summary.final_cost);
    return off < 1e-6 && std::abs(pixels - 0.5) < 0.03 && std::abs(sum / 2 - summary.final_cost) < 1e-9 * sum ? 0 : 1;
}
