// SPDX-License-Identifier: BSL-1.0
// Factorizations, substitutions and what is made of them: a Gaussian process with the gradient of its marginal likelihood.
#include "timing.hpp"

#include <gradus.hpp>

#include <cmath>
#ifdef GRADUS_BENCH_EIGEN
#include <Eigen/Dense>
#endif

namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr int n = 400, points = 200, batch = 1024, small = 4;

constexpr auto a = gr::var<"a", double, n, n>;
constexpr auto b = gr::var<"b", double, n>;
constexpr auto c = gr::var<"c", double, n, n>;
constexpr auto factor = gr::compile(gr::cholesky(a));
constexpr auto factor_slope = gr::compile(gr::grad(gr::sum(c * gr::cholesky(a)), a));
constexpr auto solution = gr::compile(gr::solve(a, b));
constexpr auto substitution = gr::compile(gr::solve_triangular(a, c));

constexpr auto many = gr::var<"many", double, batch, small, small>;
constexpr auto sides = gr::var<"sides", double, batch, small, 1>;
constexpr auto small_factors = gr::compile(gr::cholesky(many));
constexpr auto small_solutions = gr::compile(gr::solve(many, sides));

// the logarithm of the marginal likelihood by the logarithms of length, signal and noise; the number of points is known at run time
constexpr auto x = gr::var<"x", double, "points">;
constexpr auto y = gr::var<"y", double, "points">;
constexpr auto h = gr::var<"h", double, 3>;
constexpr auto covariance = gr::let([] {
    auto const distance = (gr::unsqueeze<1>(x) - gr::unsqueeze<0>(x)) / gr::exp(gr::select<0, 0>(h));
    return gr::exp(2_c * gr::select<0, 1>(h) - 0.5_c * gr::square(distance)) + gr::exp(2_c * gr::select<0, 2>(h)) * gr::eye<double, "points">;
});
constexpr auto lower = gr::let([] { return gr::cholesky(covariance); });
constexpr auto likelihood = -0.5_c * gr::sum(gr::square(gr::solve_triangular(lower, y))) - gr::sum(gr::log(gr::diagonal(lower)));
constexpr auto process = gr::compile(likelihood, gr::grad(likelihood, h));

#ifdef GRADUS_BENCH_EIGEN
using rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using columns = Eigen::MatrixXd;
template <class M>
auto view(gr::array<double, n, n> const& m) {
    return Eigen::Map<M const>(m.data(), n, n);
}
double process_by_eigen(double const* px, double const* py, double const* ph, double* g) {
    double const length = std::exp(ph[0]), signal = std::exp(2 * ph[1]), noise = std::exp(2 * ph[2]);
    Eigen::Map<Eigen::VectorXd const> px_(px, points), py_(py, points);
    columns k(points, points), r(points, points);
    for (int j = 0; j < points; ++j) {
        r.col(j) = ((px_.array() - px_(j)) / length).square();
        k.col(j) = signal * (-0.5 * r.col(j).array()).exp();
    }
    columns noisy = k;
    noisy.diagonal().array() += noise;
    Eigen::LLT<columns> const l(noisy);
    Eigen::VectorXd const alpha = l.solve(py_);
    columns const w = 0.5 * (alpha * alpha.transpose() - l.solve(columns::Identity(points, points)));
    g[0] = (w.array() * k.array() * r.array()).sum();
    g[1] = 2 * (w.array() * k.array()).sum();
    g[2] = 2 * noise * w.trace();
    return -0.5 * py_.dot(alpha) - l.matrixLLT().diagonal().array().log().sum();
}
#endif

}  // namespace

int main() {
    gr::random random(1);
    auto const m = gr::array<double, n, n>::normal(random, 0.0, 1.0), g = gr::array<double, n, n>::normal(random, 0.0, 1.0);
    auto const v = gr::array<double, n>::normal(random, 0.0, 1.0);
    gr::array<double, n, n> positive, to[2];
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) positive(i, j) = (m(i, j) + m(j, i)) / 2 + (i == j ? n : 0);
    gr::workspace ws;
    {
        std::vector<timing::contestant> all{timing::enter("gradus", [&] { factor(gr::out(to[0]), ws, a = positive); }, to[0])};
#ifdef GRADUS_BENCH_EIGEN
        all.push_back(timing::enter(
            "Eigen",
            [&] {
                Eigen::Map<rows> l(to[1].data(), n, n);
                l = view<rows>(positive);
                Eigen::LLT<Eigen::Ref<rows>> const in_place(l);
                l.triangularView<Eigen::StrictlyUpper>().setZero();
            },
            to[1]));
#endif
        timing::race("cholesky 400 double", all, 1e-10);
    }
    {
        std::vector<timing::contestant> all{timing::enter("gradus", [&] { factor_slope(gr::out(to[0]), ws, a = positive, c = g); }, to[0])};
#ifdef GRADUS_BENCH_EIGEN
        all.push_back(timing::enter(
            "Eigen by the closed form",
            [&] {
                columns l = view<rows>(positive);
                Eigen::LLT<Eigen::Ref<columns>> const in_place(l);
                columns f = l.triangularView<Eigen::Lower>().transpose() * view<rows>(g);
                f.triangularView<Eigen::StrictlyUpper>().setZero();
                f.diagonal() *= 0.5;
                l.triangularView<Eigen::Lower>().transpose().solveInPlace(f);
                l.triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(f);
                Eigen::Map<rows>(to[1].data(), n, n) = 0.5 * (f + f.transpose());
            },
            to[1]));
#endif
        timing::race("cholesky 400 and its gradient double", all, 1e-9);
    }
    {
        gr::array<double, n> s[2];
        std::vector<timing::contestant> all{timing::enter("gradus", [&] { solution(gr::out(s[0]), ws, a = m, b = v); }, s[0])};
#ifdef GRADUS_BENCH_EIGEN
        all.push_back(timing::enter(
            "Eigen",
            [&] {
                columns const given = view<rows>(m);  // its order is the quicker one
                Eigen::Map<Eigen::VectorXd>(s[1].data(), n) = given.partialPivLu().solve(Eigen::Map<Eigen::VectorXd const>(v.data(), n));
            },
            s[1]));
#endif
        timing::race("solve 400 double", all, 1e-6);
    }
    {
        std::vector<timing::contestant> all{timing::enter("gradus", [&] { substitution(gr::out(to[0]), ws, a = positive, c = g); }, to[0])};
#ifdef GRADUS_BENCH_EIGEN
        all.push_back(timing::enter(
            "Eigen",
            [&] {
                Eigen::Map<rows> s(to[1].data(), n, n);
                s = view<rows>(g);
                view<rows>(positive).triangularView<Eigen::Lower>().solveInPlace(s);
            },
            to[1]));
#endif
        timing::race("solve_triangular 400x400 double", all, 1e-9);
    }
    {
        auto M = gr::array<double, batch, small, small>::normal(random, 0.0, 0.3);
        auto const S = gr::array<double, batch, small, 1>::normal(random, 0.0, 1.0);
        for (int i = 0; i < batch; ++i)
            for (int j = 0; j < small; ++j) M(i, j, j) += 3;
        gr::array<double, batch, small, small> l[2];
        gr::array<double, batch, small, 1> s[2];
        std::vector<timing::contestant> factors{timing::enter(
            "gradus", [&] { small_factors(gr::out(l[0]), ws, many = M); }, l[0])},
            solutions{timing::enter("gradus", [&] { small_solutions(gr::out(s[0]), ws, many = M, sides = S); }, s[0])};
#ifdef GRADUS_BENCH_EIGEN
        using matrix = Eigen::Matrix<double, small, small, Eigen::RowMajor>;
        using vector = Eigen::Matrix<double, small, 1>;
        factors.push_back(timing::enter(
            "Eigen of fixed size",
            [&] {
                for (int i = 0; i < batch; ++i) {
                    matrix const given = Eigen::Map<matrix const>(M.data() + i * small * small);
                    matrix const even = 0.5 * (given + given.transpose());
                    Eigen::Map<matrix>(l[1].data() + i * small * small) = Eigen::LLT<matrix>(even).matrixL();
                }
            },
            l[1]));
        solutions.push_back(timing::enter(
            "Eigen of fixed size",
            [&] {
                for (int i = 0; i < batch; ++i)
                    Eigen::Map<vector>(s[1].data() + i * small) = Eigen::Map<matrix const>(M.data() + i * small * small)
                                                                      .partialPivLu()
                                                                      .solve(Eigen::Map<vector const>(S.data() + i * small));
            },
            s[1]));
#endif
        timing::race("1024 cholesky 4x4 double", factors, 1e-12);
        timing::race("1024 solve 4x4 double", solutions, 1e-12);
    }
    {
        std::vector<double> px(points), py(points);
        for (int i = 0; i < points; ++i) {
            px[static_cast<std::size_t>(i)] = 5.0 * i / points;
            py[static_cast<std::size_t>(i)] = std::sin(15.0 * i / points) + 0.1 * v(i);
        }
        double const at[3] = {-0.3, 0.2, -1.5};
        double value[2]{};
        gr::array<double, 3> slopes[2]{};
        std::vector<timing::contestant> all{timing::enter(
            "gradus", [&] { process(gr::out(value[0], slopes[0]), ws, x = px, y = py, h = at); }, value[0], slopes[0])};
#ifdef GRADUS_BENCH_EIGEN
        all.push_back(
            timing::enter("Eigen", [&] { value[1] = process_by_eigen(px.data(), py.data(), at, slopes[1].data()); }, value[1], slopes[1]));
#endif
        timing::race("Gaussian process 200 double", all, 1e-8);
    }
}
