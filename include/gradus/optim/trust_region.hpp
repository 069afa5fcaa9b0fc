// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/core/error.hpp>
#include <gradus/core/text.hpp>
#include <gradus/tensor/eigen_sparse.hpp>

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <Eigen/SparseCholesky>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

// Levenberg and Marquardt's method and Gauss and Newton's on residuals and sparse Jacobians, in double. Options, defaults and rules are
// those of Ceres Solver. (Not part of gradus.hpp: Eigen is no dependency.)
namespace gradus::inline GRADUS_ARCH::optim {

/// How the equations of a step are solved: by orthogonal factors of the Jacobian, or by Cholesky factors of J^T J.
enum class linear_solver { dense_qr, dense_normal_cholesky, sparse_normal_cholesky };
/// How a solver ended: within a tolerance; after all iterations; where no step helps any more.
enum class termination { convergence, no_convergence, failure };

/// Ceres's options by their names, with its defaults.
struct least_squares_options {
    int max_num_iterations = 50;
    double function_tolerance = 1e-6;   ///< ends where the cost changes by less, relatively
    double gradient_tolerance = 1e-10;  ///< ends where no element of the gradient is larger
    double parameter_tolerance = 1e-8;  ///< ends where a step is shorter, relative to the parameters
    double initial_trust_region_radius = 1e4;
    double max_trust_region_radius = 1e16;
    double min_trust_region_radius = 1e-32;
    double min_relative_decrease = 1e-3;  ///< of the cost, in parts of what the linear model promises, for a step to be taken
    linear_solver linear_solver_type = linear_solver::sparse_normal_cholesky;
};

/// One iteration, as reports show it.
struct least_squares_iteration {
    int iteration = 0;
    bool step_is_successful = false;
    double cost = 0, cost_change = 0, gradient_max_norm = 0, step_norm = 0, trust_region_radius = 0;
};

/// What a solver did. A cost is half the sum of the squares of the residuals.
struct least_squares_summary {
    double initial_cost = 0, final_cost = 0;
    int num_iterations = 0, num_successful_steps = 0;
    int num_residuals = 0, num_parameters = 0, num_nonzeros = 0;
    termination termination_type = termination::no_convergence;
    std::string message;  ///< why it ended, a sentence
    std::vector<least_squares_iteration> iterations;

    bool is_solution_usable() const { return termination_type != termination::failure; }
    std::string brief_report() const {
        constexpr char const* names[] = {"CONVERGENCE", "NO_CONVERGENCE", "FAILURE"};
        char line[200];
        std::snprintf(line, sizeof line, "gradus: iterations: %d, initial cost: %e, final cost: %e, termination: %s", num_iterations,
                      initial_cost, final_cost, names[static_cast<int>(termination_type)]);
        return line;
    }
    /// The same, with a line for every iteration.
    std::string full_report() const {
        char line[200];
        std::snprintf(line, sizeof line, "%d residuals, %d parameters, %d nonzeros in the Jacobian\n", num_residuals, num_parameters,
                      num_nonzeros);
        std::string all = line;
        all += "iter         cost  cost_change   |gradient|       |step|       radius\n";
        for (least_squares_iteration const& i : iterations) {
            std::snprintf(line, sizeof line, "%4d %12.6e %12.2e %12.2e %12.2e %12.2e\n", i.iteration, i.cost, i.cost_change,
                          i.gradient_max_norm, i.step_norm, i.trust_region_radius);
            all += line;
        }
        return all + brief_report() + "\n" + message + "\n";
    }
};

/// Residuals and the values of their Jacobian, whose rows are compressed, at x.
struct residual_function {
    int rows = 0, cols = 0;
    std::vector<int> outer, inner;

    virtual ~residual_function() = default;
    virtual void evaluate(double const* x, double* residuals, double* values) = 0;
};

namespace detail {

/// A point with what is known there.
struct evaluated_point {
    Eigen::VectorXd x, residuals;
    std::vector<double> values;
    double cost = 0;

    bool is_finite() const {
        return std::isfinite(cost) && std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    }
};

class trust_region {
public:
    trust_region(residual_function& f, least_squares_options const& options, bool damped)
        : f_(f), options_(options), damped_(damped), radius_(options.initial_trust_region_radius) {}

    least_squares_summary run(double* x) {
        evaluated_point now = at(Eigen::Map<Eigen::VectorXd const>(x, f_.cols));
        require_finite(now);
        summary_.initial_cost = now.cost;
        summary_.num_residuals = f_.rows;
        summary_.num_parameters = f_.cols;
        summary_.num_nonzeros = static_cast<int>(f_.inner.size());
        scale_ = Eigen::VectorXd::Zero(f_.cols);
        each(now, [&](int, int col, double v) { scale_(col) += v * v; });
        scale_ = (1 + scale_.array().sqrt()).inverse();
        Eigen::VectorXd gradient = gradient_at(now);
        note(0, now.cost, 0, gradient, 0, true);
        if (norm(gradient) <= options_.gradient_tolerance) end(termination::convergence, "gradient_tolerance", norm(gradient));
        for (int i = 1; !ended_ && i <= options_.max_num_iterations; ++i) iterate(i, now, gradient);
        if (!ended_) {
            summary_.message = core::concat("gradus::optim: no convergence after ", options_.max_num_iterations,
                                            " iterations: the largest element of the gradient is ", norm(gradient))
                                   .str();
        }
        summary_.final_cost = now.cost;
        Eigen::Map<Eigen::VectorXd>(x, f_.cols) = now.x;
        return std::move(summary_);
    }

private:
    evaluated_point at(Eigen::VectorXd x) {
        evaluated_point p{std::move(x), Eigen::VectorXd(f_.rows), std::vector<double>(f_.inner.size()), 0};
        f_.evaluate(p.x.data(), p.residuals.data(), p.values.data());
        p.cost = p.residuals.squaredNorm() / 2;
        return p;
    }
    void require_finite(evaluated_point const& p) const {
        for (int i = 0; i < f_.rows; ++i)
            if (!std::isfinite(p.residuals(i)))
                throw error(core::concat("gradus::optim: residual ", i, " is not finite at the start: ", p.residuals(i)).str());
        each(p, [&](int row, int col, double v) {
            if (!std::isfinite(v))
                throw error(core::concat("gradus::optim: the derivative of residual ", row, " by parameter ", col,
                                         " is not finite at the start: ", v)
                                .str());
        });
    }
    void each(evaluated_point const& p, auto f) const {
        for (int row = 0; row < f_.rows; ++row)
            for (int k = f_.outer[at_index(row)]; k < f_.outer[at_index(row + 1)]; ++k)
                f(row, f_.inner[at_index(k)], p.values[at_index(k)]);
    }
    static std::size_t at_index(int i) { return static_cast<std::size_t>(i); }
    Eigen::VectorXd gradient_at(evaluated_point const& p) const {
        Eigen::VectorXd g = Eigen::VectorXd::Zero(f_.cols);
        each(p, [&](int row, int col, double v) { g(col) += v * p.residuals(row); });
        return g;
    }
    static double norm(Eigen::VectorXd const& g) { return g.size() ? g.lpNorm<Eigen::Infinity>() : 0; }

    void iterate(int i, evaluated_point& now, Eigen::VectorXd& gradient) {
        double promised = 0;
        Eigen::VectorXd const step = step_from(now, promised);
        double const length = step.norm();
        summary_.num_iterations = i;
        if (!step.allFinite() || !(promised > 0)) return reject(i, now, gradient, length, "the equations of a step have no solution");
        if (length <= options_.parameter_tolerance * (now.x.norm() + options_.parameter_tolerance))
            return end(termination::convergence, "parameter_tolerance", length);
        evaluated_point next = at(now.x + step);
        double const change = now.cost - next.cost, ratio = change / promised;
        bool const taken = next.is_finite() && (damped_ ? ratio > options_.min_relative_decrease : change >= 0);
        bool const small = std::abs(change) <= options_.function_tolerance * now.cost;
        if (!taken && !(next.is_finite() && small)) return reject(i, now, gradient, length, "a full step makes the cost no smaller");
        if (taken) {
            now = std::move(next);
            gradient = gradient_at(now);
            ++summary_.num_successful_steps;
            double const over = 2 * ratio - 1;
            radius_ = std::min(options_.max_trust_region_radius, radius_ / std::max(1.0 / 3, 1 - over * over * over));
            decrease_ = 2;
        }
        note(i, now.cost, change, gradient, length, taken);
        if (norm(gradient) <= options_.gradient_tolerance) end(termination::convergence, "gradient_tolerance", norm(gradient));
        else if (small) end(termination::convergence, "function_tolerance", std::abs(change));
    }
    void reject(int i, evaluated_point const& now, Eigen::VectorXd const& gradient, double length, char const* why) {
        note(i, now.cost, 0, gradient, length, false);
        radius_ /= decrease_;
        decrease_ *= 2;
        if (damped_ && radius_ >= options_.min_trust_region_radius) return;
        ended_ = true;
        summary_.termination_type = termination::failure;
        summary_.message =
            core::concat("gradus::optim: no step from iteration ", i, ": ", damped_ ? "the trust region is as small as it may be" : why)
                .str();
    }
    void end(termination type, char const* tolerance, double reached) {
        ended_ = true;
        summary_.termination_type = type;
        summary_.message = core::concat("gradus::optim: converged by ", tolerance, ", at ", reached).str();
    }
    void note(int i, double cost, double change, Eigen::VectorXd const& gradient, double length, bool successful) {
        summary_.iterations.push_back({i, successful, cost, change, norm(gradient), length, radius_});
    }

    /// (J^T J + D^2) step = -J^T r in scaled parameters, and by how much that makes the cost of the linear model smaller.
    Eigen::VectorXd step_from(evaluated_point const& now, double& promised) {
        using sparse = Eigen::SparseMatrix<double, Eigen::RowMajor, int>;
        std::vector<double> values = now.values;
        for (std::size_t k = 0; k < values.size(); ++k) values[k] *= scale_(f_.inner[k]);
        Eigen::Map<sparse const> const j(f_.rows, f_.cols, static_cast<int>(values.size()), f_.outer.data(), f_.inner.data(),
                                         values.data());
        Eigen::VectorXd damping = Eigen::VectorXd::Zero(f_.cols);
        for (std::size_t k = 0; k < values.size(); ++k) damping(f_.inner[k]) += values[k] * values[k];
        damping = damped_ ? Eigen::VectorXd(damping.array().max(1e-6).min(1e32) / radius_) : Eigen::VectorXd::Zero(f_.cols);
        Eigen::VectorXd const s = solve(j, damping, now.residuals), change = j * s;
        promised = -change.dot(now.residuals + change / 2);
        return s.cwiseProduct(scale_);
    }
    template <class J>
    Eigen::VectorXd solve(J const& j, Eigen::VectorXd const& damping, Eigen::VectorXd const& residuals) {
        switch (options_.linear_solver_type) {
            case linear_solver::dense_qr: {
                Eigen::MatrixXd a = Eigen::MatrixXd::Zero(f_.rows + f_.cols, f_.cols);
                a.topRows(f_.rows) = j;
                a.bottomRows(f_.cols).diagonal() = damping.cwiseSqrt();
                Eigen::VectorXd b = Eigen::VectorXd::Zero(f_.rows + f_.cols);
                b.head(f_.rows) = -residuals;
                return a.colPivHouseholderQr().solve(b);
            }
            case linear_solver::dense_normal_cholesky: {
                Eigen::MatrixXd const dense = j;
                Eigen::MatrixXd a = dense.transpose() * dense;
                a.diagonal() += damping;
                return a.ldlt().solve(-(dense.transpose() * residuals));
            }
            case linear_solver::sparse_normal_cholesky: break;
        }
        Eigen::SparseMatrix<double> const diagonal(damping.asDiagonal()), product = j.transpose() * j, a = product + diagonal;
        if (!analyzed_) factor_.analyzePattern(a);
        analyzed_ = true;
        factor_.factorize(a);
        if (factor_.info() != Eigen::Success) return Eigen::VectorXd::Constant(f_.cols, std::nan(""));
        return factor_.solve(-(j.transpose() * residuals));
    }

    residual_function& f_;
    least_squares_options const& options_;
    bool damped_, ended_ = false, analyzed_ = false;
    double radius_, decrease_ = 2;
    Eigen::VectorXd scale_;
    Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> factor_;
    least_squares_summary summary_;
};

}  // namespace detail

/// Minimises half the sum of the squares of the residuals from `x`, which takes the solution; `damped` is Levenberg and Marquardt's method.
inline least_squares_summary minimize(residual_function& f, double* x, least_squares_options const& options, bool damped) {
    return detail::trust_region(f, options, damped).run(x);
}

}  // namespace gradus::inline GRADUS_ARCH::optim

#pragma GCC diagnostic pop
