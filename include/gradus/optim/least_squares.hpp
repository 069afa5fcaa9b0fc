// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/optim/trust_region.hpp>
#include <gradus/program/sparse_jacobian.hpp>

// Nonlinear least squares over a residual that is an expression: its Jacobian by the parameters is found sparse by the compiler.
// (Not part of gradus.hpp: Eigen is no dependency.)
namespace gradus::inline GRADUS_ARCH::optim {

/// Residuals and the symbols that they are made small by: `constexpr auto problem = gr::optim::least_squares(residual, cameras, points);`.
template <class R, class... X>
struct least_squares_problem {
    template <int K>
    using parameter = std::tuple_element_t<static_cast<std::size_t>(K), std::tuple<X...>>;
    template <int K>
    using derivative = core::compressed_derivative<R, parameter<K>, K>;
    template <int... K>
    static auto source_of(std::integer_sequence<int, K...>) -> expressions<R, decltype(derivative<K>::expression())...>;
    using numbers = std::make_integer_sequence<int, static_cast<int>(sizeof...(X))>;
    using source = typename decltype(core::named<decltype(source_of(numbers{}))>())::type;
};

}  // namespace gradus::inline GRADUS_ARCH::optim

namespace gradus::inline GRADUS_ARCH::core {

template <class S, class A>
constexpr bool binds_parameter() {
    if constexpr (is_binding<A>) return std::is_same_v<typename A::symbol, S>;
    else return false;
}
template <class S, class A>
constexpr bool binds_constant() {
    if constexpr (binds_parameter<S, A>()) return std::is_const_v<std::remove_reference_t<typename A::data_type>>;
    else return false;
}
template <class S, class... A>
constexpr bool is_bound_parameter() {
    return (binds_parameter<S, A>() || ...);
}
template <class S, class... A>
constexpr bool is_bound_constant() {
    return (binds_constant<S, A>() || ...);
}
template <class... X, class... A>
constexpr text parameters_complaint(std::tuple<X...>*, std::tuple<A...>*) {
    std::string_view const names[] = {X::name()...};
    bool const bound[] = {is_bound_parameter<X, A...>()...}, constant[] = {is_bound_constant<X, A...>()...};
    for (std::size_t k = 0; k < sizeof...(X); ++k) {
        if (!bound[k]) return concat("gradus::optim: parameter \"", names[k], "\" is not bound: write ", names[k], " = data");
        if (constant[k])
            return concat("gradus::optim: parameter \"", names[k], "\" is bound to what is const: its memory takes the solution");
    }
    return {};
}
template <class P, class... A>
constexpr text least_squares_complaint() {
    return []<class R, class... X>(optim::least_squares_problem<R, X...>*) {
        return parameters_complaint(static_cast<std::tuple<X...>*>(nullptr), static_cast<std::tuple<A...>*>(nullptr));
    }(static_cast<P*>(nullptr));
}

/// A problem with its arguments: what the solvers ask for.
template <class Problem, class... A>
class bound_least_squares;
template <class R, class... X, class... A>
class bound_least_squares<optim::least_squares_problem<R, X...>, A...> : public optim::residual_function {
    using problem = optim::least_squares_problem<R, X...>;
    using source = typename problem::source;
    using T = element_t<R::type.type>;
    static constexpr int count = static_cast<int>(sizeof...(X));

public:
    explicit bound_least_squares(A&... arguments) : arguments_(arguments...) {
        each_parameter([&](auto k) { this->template add<decltype(k)::value>(); });
        rows = blocks_[0].rows;
        residual_.resize(static_cast<std::size_t>(rows));
        join();
    }
    void read(double* x) const {
        for (std::size_t k = 0; k < blocks_.size(); ++k)
            for (int i = 0; i < blocks_[k].cols; ++i) *x++ = static_cast<double>(memory_[k][i]);
    }
    void write(double const* x) const {
        for (std::size_t k = 0; k < blocks_.size(); ++k)
            for (int i = 0; i < blocks_[k].cols; ++i) memory_[k][i] = static_cast<T>(*x++);
    }
    void evaluate(double const* x, double* residuals, double* values) override {
        write(x);
        run(std::make_integer_sequence<int, count>{});
        for (std::size_t i = 0; i < residual_.size(); ++i) residuals[i] = static_cast<double>(residual_[i]);
        for (std::size_t k = 0; k < from_.size(); ++k) values[k] = static_cast<double>(*from_[k]);
    }

private:
    static void each_parameter(auto f) {
        [&]<int... K>(std::integer_sequence<int, K...>) { (f(std::integral_constant<int, K>{}), ...); }(typename problem::numbers{});
    }
    template <int K>
    void add() {
        using S = typename problem::template parameter<K>;
        using D = typename problem::template derivative<K>;
        std::apply([&](auto&... a) { (find<K, S>(a), ...); }, arguments_);
        blocks_[K] = std::apply([&](auto&... a) { return structure_of<D, R, S>(a...); }, arguments_);
        auto const size = D::form == compressed_as::rows ? blocks_[K].cols : blocks_[K].rows;
        directions_[K].resize(static_cast<std::size_t>(size) * static_cast<std::size_t>(D::directions()));
        cols += blocks_[K].cols;
    }
    template <int K, class S>
    void find(auto& a) {
        if constexpr (binds_parameter<S, std::remove_cvref_t<decltype(a)>>()) memory_[K] = data_pointer(a.data);
    }
    /// One matrix of the parameters' blocks side by side.
    void join() {
        outer.push_back(0);
        for (int row = 0; row < rows; ++row) {
            int before = 0;
            for (std::size_t k = 0; k < blocks_.size(); before += blocks_[k++].cols)
                for (int e = blocks_[k].outer[row]; e < blocks_[k].outer[row + 1]; ++e) {
                    inner.push_back(before + blocks_[k].inner[e]);
                    from_.push_back(directions_[k].data() + blocks_[k].source[e]);
                }
            outer.push_back(static_cast<int>(inner.size()));
        }
    }
    template <int... K>
    void run(std::integer_sequence<int, K...>) {
        auto seeds = std::tuple_cat(seeds_binding<typename problem::template derivative<K>>()...);
        std::apply([&](auto&... given) { program<source>{}(out(residual_, directions_[K]...), workspace_, given...); },
                   std::tuple_cat(tied(seeds), arguments_));
    }
    template <class... S>
    static auto tied(std::tuple<S...>& t) {
        return std::apply([](auto&... s) { return std::tie(s...); }, t);
    }

    std::tuple<A&...> arguments_;
    std::array<sparse_structure, sizeof...(X)> blocks_;
    std::array<T*, sizeof...(X)> memory_{};
    std::array<std::vector<T>, sizeof...(X)> directions_;
    std::vector<T> residual_;
    std::vector<T const*> from_;
    workspace workspace_;
};

template <class Problem, class... A>
optim::least_squares_summary minimize(optim::least_squares_options const& options, bool damped, A&... arguments) {
    report<&least_squares_complaint<Problem, std::remove_cvref_t<A>...>>();
    if constexpr (!is_empty<&least_squares_complaint<Problem, std::remove_cvref_t<A>...>>) return {};
    else {
        bound_least_squares<Problem, A...> function(arguments...);
        std::vector<double> start(static_cast<std::size_t>(function.cols)), x = start;
        function.read(start.data());
        x = start;
        try {
            auto summary = optim::minimize(function, x.data(), options, damped);
            function.write(x.data());
            return summary;
        } catch (...) {  // a failed call changes nothing
            function.write(start.data());
            throw;
        }
    }
}
template <class R, class... X>
constexpr text residual_complaint() {
    if (!is_floating(R::type.type)) return concat("gradus::optim::least_squares(r, x...): residuals are integers: r is ", R::type);
    text wrong;
    auto const of = [&]<class S>(S*) {
        if (!wrong.empty()) return;
        if constexpr (!requires { S::label; })
            wrong = concat("gradus::optim::least_squares(r, x...): a parameter is no symbol: x is ", S::type);
        else wrong = compression_complaint<R, S, false>();
    };
    (of(static_cast<X*>(nullptr)), ...);
    return wrong;
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::optim {

/// Half the sum of the squares of `residual`, to be made small by the values of symbols.
template <expression R, expression... X>
    requires(sizeof...(X) > 0)
constexpr auto least_squares(R, X...) {
    core::report<&core::residual_complaint<R, X...>>();
    return least_squares_problem<R, X...>{};
}

/// Levenberg and Marquardt's method with Ceres's rules for the trust region (Ceres Solver, "Solving Non-linear Least Squares"):
/// `auto summary = gr::optim::levenberg_marquardt(problem, options, q = Q, target = T)`. The parameters' memory, `Q`, has the start and
/// takes the solution. Throws gr::error where residuals or derivatives at the start are not finite; nothing has been written then.
template <class R, class... X, class... A>
least_squares_summary levenberg_marquardt(least_squares_problem<R, X...>, least_squares_options const& options, A&&... arguments) {
    return core::minimize<least_squares_problem<R, X...>>(options, true, arguments...);
}
/// Gauss and Newton's method: full steps, without a trust region. It ends without convergence where a step makes the cost no smaller.
template <class R, class... X, class... A>
least_squares_summary gauss_newton(least_squares_problem<R, X...>, least_squares_options const& options, A&&... arguments) {
    return core::minimize<least_squares_problem<R, X...>>(options, false, arguments...);
}

}  // namespace gradus::inline GRADUS_ARCH::optim

#pragma GCC diagnostic pop
