// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/optim/least_squares.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

// Problems with known solutions: of Powell and Rosenbrock, a line by two gathered tables; the errors; Eigen's matrix without a copy.
namespace {

namespace gr = gradus;
using namespace gr::literals;
using gr::optim::linear_solver;
using gr::optim::termination;

constexpr auto x = gr::var<"x", double, 4>;
template <int I>
constexpr auto at = gr::select<0, I>(x);
// Powell's singular function, as Ceres's tutorial has it: the minimum is at 0, where the Jacobian is singular
constexpr auto powell = gr::stack<0>(at<0> + 10_c * at<1>, gr::sqrt(5_c) * (at<2> - at<3>), gr::square(at<1> - 2_c * at<2>),
                                     gr::sqrt(10_c) * gr::square(at<0> - at<3>));
constexpr auto problem = gr::optim::least_squares(powell, x);

constexpr auto levels = gr::var<"levels", double, "levels">;
constexpr auto of_level = gr::var<"of_level", std::int64_t, "n">;

}  // namespace

TEST_CASE("levenberg_marquardt: Powell's function by every linear solver, as Ceres's tutorial solves it") {
    for (auto solver : {linear_solver::dense_qr, linear_solver::dense_normal_cholesky, linear_solver::sparse_normal_cholesky}) {
        std::vector<double> X{3, -1, 0, 1};
        gr::optim::least_squares_options options;
        options.max_num_iterations = 100;
        options.linear_solver_type = solver;
        auto const summary = gr::optim::levenberg_marquardt(problem, options, x = X);
        CHECK(summary.termination_type == termination::convergence);
        CHECK(std::abs(summary.initial_cost - 107.5) <= 1e-12);  // (7^2 + 5 + 1 + 10 * 2^4) / 2 by hand
        CHECK(summary.num_iterations <= 20);                     // Ceres takes 14
        for (double v : X) CHECK(std::abs(v) <= 1e-2);           // the error halves in a step: gradient 1e-10 is reached at about 1e-4
        CHECK(summary.final_cost <= 1e-9);
        CHECK(summary.num_nonzeros == 8);
    }
}
TEST_CASE("gauss_newton: Rosenbrock's function in two steps") {
    constexpr auto u = gr::var<"u", double, 2>;
    constexpr auto a = gr::select<0, 0>(u);
    constexpr auto r = gr::stack<0>(10_c * (gr::select<0, 1>(u) - a * a), 1_c - a);
    double U[2] = {-1.2, 1};
    gr::optim::least_squares_options options;
    auto const full = gr::optim::gauss_newton(gr::optim::least_squares(r, u), options, u = U);
    CHECK(full.termination_type == termination::failure);  // its first step makes the cost larger, by a factor of 100
    CHECK(full.message.find("a full step makes the cost no smaller") != std::string::npos);
    CHECK(U[0] == -1.2);
    auto const damped = gr::optim::levenberg_marquardt(gr::optim::least_squares(r, u), options, u = U);
    CHECK(damped.termination_type == termination::convergence);
    CHECK(std::abs(U[0] - 1) + std::abs(U[1] - 1) <= 1e-6);  // quadratic: the last step is far below function_tolerance
}
TEST_CASE("levenberg_marquardt: a problem that ends early says so, one that cannot begin changes nothing") {
    std::vector<double> X{3, -1, 0, 1};
    gr::optim::least_squares_options options;
    options.max_num_iterations = 2;
    auto const summary = gr::optim::levenberg_marquardt(problem, options, x = X);
    CHECK(summary.termination_type == termination::no_convergence);
    CHECK(summary.message.starts_with("gradus::optim: no convergence after 2 iterations: the largest element of the gradient is "));
    CHECK(summary.brief_report().starts_with("gradus: iterations: 2, initial cost: 1.075000e+02, final cost: "));
    CHECK(summary.full_report().starts_with("4 residuals, 4 parameters, 8 nonzeros in the Jacobian\niter         cost"));
    CHECK(summary.iterations.size() == 3);
    std::vector<double> nan{3, std::numeric_limits<double>::quiet_NaN(), 0, 1};
    CHECK_THROWS_WITH_AS(gr::optim::levenberg_marquardt(problem, options, x = nan),
                         "gradus::optim: residual 0 is not finite at the start: nan", gr::error);
    CHECK(nan[0] == 3);
}
TEST_CASE("as_eigen: of a sparse matrix is a map of its memory") {
    double const X[4] = {3, -1, 0, 1};
    auto const j = gr::sparse_jacobian(powell, x)(x = X);
    auto const e = gr::as_eigen(j);
    CHECK(e.valuePtr() == j.values().data());
    CHECK(e.rows() == 4);
    CHECK(e.nonZeros() == 8);
    Eigen::Vector4d const product = e * Eigen::Vector4d(1, 2, 3, 4);
    CHECK(product(0) == 21);
    CHECK(j.to_dense()(0, 1) == 10);
}
TEST_CASE("levenberg_marquardt: two parameters, one of them gathered; the least squares of a line are the closed form") {
    constexpr auto t = gr::var<"t", double, "n">;
    constexpr auto y = gr::var<"y", double, "n">;
    constexpr auto slope = gr::var<"slope", double>;
    constexpr auto lines = gr::optim::least_squares(gr::index_select<0>(levels, of_level) + slope * t - y, levels, slope);
    std::vector<double> const T{0, 1, 2, 0, 1, 2}, Y{1, 2.1, 2.9, -3, -2.1, -0.9};
    std::vector<std::int64_t> const W{0, 0, 0, 1, 1, 1};
    std::vector<double> L{0, 0};
    double S = 0;
    gr::optim::least_squares_options options;
    options.function_tolerance = 1e-14;
    auto const summary = gr::optim::levenberg_marquardt(lines, options, levels = L, slope = S, of_level = W, t = T, y = Y);
    CHECK(summary.termination_type == termination::convergence);
    CHECK(summary.num_nonzeros == 12);
    // the slope is the sum of (t - 1) y over that of (t - 1)^2, the levels are means of y less the slope; damping of 1e-4 shrinks twice
    double const s = (2.9 - 1 - 0.9 + 3) / 4;
    CHECK(std::abs(S - s) <= 1e-8);
    CHECK(std::abs(L[0] - (2 - s)) <= 1e-8);
    CHECK(std::abs(L[1] - (-2 - s)) <= 1e-8);
}
