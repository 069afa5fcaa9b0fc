// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/custom.hpp>
#include <gradus/expr/linear_algebra.hpp>
#include <gradus/expr/reductions.hpp>

#include <limits>

// Values that an equation defines, found by iteration. Their derivative is that of the equation, not of the steps: with f(x, a) = 0,
// dx = -(df/dx)^-1 df/da da (implicit function theorem). It costs one system of equations, in both modes, and holds to any order.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// F on x and on what it is handed beside it.
template <class F, class X, class... A>
using called_at = std::invoke_result_t<F const&, X, A...>;

/// The largest absolute value of the elements.
template <class E>
constexpr auto largest_magnitude(E x) {
    if constexpr (E::type.shape.rank() == 0) return abs(x);
    else return amax(abs(x));
}
/// (dy/dx)^-1 r, y of x's shape; `jacobian` is dy/dx.
template <class J, class R>
constexpr auto solved_for(J jacobian, R r) {
    if constexpr (R::type.shape.rank() == 0) return r / jacobian;
    else if constexpr (R::type.shape.rank() == 1) return solve(jacobian, r);
    else {
        constexpr extent n = R::type.shape.static_size();
        return shaped<R::type.shape>(solve(shaped<shape{n, n}>(jacobian), shaped<shape{n}>(r)));
    }
}

/// What has to vanish: f(x), or x - body(x).
template <op::loop_end Kind, class F, class... A>
struct residual_of {
    static constexpr std::uint64_t hash = mix(mix(closure_hash<F>(), static_cast<std::uint64_t>(Kind)), mixed<std::tuple<A...>>(1));
    template <class X>
    constexpr auto operator()(X x) const {
        if constexpr (Kind == op::loop_end::root) return called_at<F, X, A...>{};
        else return x - called_at<F, X, A...>{};
    }
};

template <class Tolerance>
struct above_tolerance {
    static constexpr std::uint64_t hash = mix(hash_of("above"), Tolerance::hash);
    /// True where it is NaN.
    constexpr auto operator()(auto state) const { return logical_not(std::get<0>(state) <= Tolerance{}); }
};
/// x becomes body(x), the size of the change stands before it.
template <class F, class... A>
struct fixed_point_step {
    static constexpr std::uint64_t hash = mix(hash_of("fixed_point"), residual_of<op::loop_end::fixed_point, F, A...>::hash);
    constexpr auto operator()(auto state) const {
        auto const x = std::get<1>(state);
        auto const next = called_at<F, std::remove_const_t<decltype(x)>, A...>{};
        return std::tuple{largest_magnitude(next - x), next};
    }
};
/// Newton's step: the residual's size, x, f(x).
template <class F, class... A>
struct newton_step {
    static constexpr std::uint64_t hash = mix(hash_of("newton"), residual_of<op::loop_end::root, F, A...>::hash);
    constexpr auto operator()(auto state) const {
        auto const x = std::get<1>(state);
        auto const at_x = called_at<F, std::remove_const_t<decltype(x)>, A...>{};
        auto const next = x - solved_for(jacobian(at_x, x), std::get<2>(state));
        auto const at_next = called_at<F, std::remove_const_t<decltype(next)>, A...>{};
        return std::tuple{largest_magnitude(at_next), next, at_next};
    }
};

/// The solution, found step by step.
template <op::loop_end Kind, std::int64_t Steps, class F>
struct solver {
    static constexpr std::uint64_t hash =
        mix(mix(hash_of("solver"), closure_hash<F>()), static_cast<std::uint64_t>(Steps) * 4 + static_cast<std::uint64_t>(Kind));
    template <class Init, class Tolerance, class... A>
    constexpr auto operator()(Init init, Tolerance, A...) const {
        using condition = above_tolerance<Tolerance>;
        if constexpr (Kind == op::loop_end::fixed_point) {
            auto const start = std::tuple{cast<element_t<Init::type.type>>(constant<std::numeric_limits<double>::infinity()>), init};
            return std::get<1>(loop_until<Steps, Kind, condition, fixed_point_step<F, A...>>(start));
        } else {
            auto const at_init = called_at<F, Init, A...>{};
            auto const start = std::tuple{largest_magnitude(at_init), init, at_init};
            return std::get<1>(loop_until<Steps, Kind, condition, newton_step<F, A...>>(start));
        }
    }
};
/// The equation at the solution: lowering makes its tangents of it.
template <op::loop_end Kind, class F>
struct implicit_rule {
    static constexpr std::uint64_t hash = mix(mix(hash_of("implicit"), closure_hash<F>()), static_cast<std::uint64_t>(Kind));
    static constexpr op::derivative_rule kind = op::derivative_rule::tangents;
    template <class Call>
    using symbols = std::tuple<>;
    template <class X, class Init, class Tolerance, class... A>
    static auto equation(std::tuple<X>*, std::tuple<Init, Tolerance, A...>*) {
        auto const residual = residual_of<Kind, F, A...>{}(X{});
        return std::tuple{residual, jacobian(residual, X{})};
    }
    template <class Call>
    using parts = decltype(equation(static_cast<typename Call::outputs*>(nullptr), static_cast<typename Call::symbols*>(nullptr)));
};

template <fixed_string Name, op::loop_end Kind, class F, class Init, class... A>
constexpr text implicit_complaint() {
    constexpr std::string_view call = Name.view();
    if constexpr (!std::is_invocable_v<F const&, Init, A...>)
        return concat("gradus::", call, ": the function cannot be called with ", 1 + int{sizeof...(A)}, " of these arguments");
    else {
        using y = called_at<F, Init, A...>;
        if constexpr (!expression<y>) return concat("gradus::", call, ": the function returns no expression");
        else {
            if (!is_floating(Init::type.type)) return concat("gradus::", call, ": init has no floating-point type: it is ", Init::type);
            if (!(y::type == Init::type)) return concat("gradus::", call, ": the function returns ", y::type, ", init is ", Init::type);
            if (Init::type.shape.rank() > 1 && !Init::type.shape.is_static())
                return concat("gradus::", call, ": a value of several axes needs their extents: init is ", Init::type);
            return {};
        }
    }
}
template <fixed_string Name, op::loop_end Kind, std::int64_t Steps, class F>
struct implicit_function {
    static constexpr std::uint64_t hash = solver<Kind, Steps, F>::hash;
    static constexpr int axis(int, int) { return not_mapped; }
    template <class Init, class Tolerance, class... A>
    static constexpr text complaint() {
        return implicit_complaint<Name, Kind, F, Init, A...>();
    }
    template <expression Init, expression Tolerance, expression... A>
    constexpr auto operator()(Init init, Tolerance tolerance, A... a) const {
        if constexpr (Init::type.type == dtype::number && !is_typeless<Init, A...>)  // a number has the function's dtype
            return (*this)(cast<element_t<called_at<F, Init, A...>::type.type>>(init), tolerance, a...);
        else return solution(init, tolerance, a...);
    }

private:
    template <class Init, class... A>
    static constexpr bool is_typeless = [] {
        if constexpr (!std::is_invocable_v<F const&, Init, A...>) return true;
        else if constexpr (!expression<called_at<F, Init, A...>>) return true;
        else return called_at<F, Init, A...>::type.type == dtype::number;
    }();
    template <class Init, class Tolerance, class... A>
    static constexpr auto solution(Init init, Tolerance tolerance, A...) {
        report<&complaint<Init, Tolerance, A...>>();
        if constexpr (!is_empty<&complaint<Init, Tolerance, A...>>) return init;
        else {
            using typed = decltype(cast<element_t<Init::type.type>>(tolerance));
            using call = custom_call<solver<Kind, Steps, F>, implicit_rule<Kind, F>, Init, typed, A...>;
            return results_like<call, op::scan_part::last, typename call::result>{};
        }
    }
};

}  // namespace core

/// The x with x = body(x), by repeating it from `init` until no element changes by more than `tolerance`, as jaxopt's FixedPointIteration:
/// `gr::fixed_point([=](auto x) { return gr::cos(a * x); }, x0, 1e-12_c)`. What else the body is called with follows the tolerance.
/// gr::error where `Steps` steps do not suffice.
template <std::int64_t Steps = 1000, core::function_of_expressions F, operand Init, class Tolerance, operand... A>
constexpr auto fixed_point(F, Init init, Tolerance tolerance, A... a) {
    using solution = core::implicit_function<"fixed_point(body, init, tolerance)", op::loop_end::fixed_point, Steps, F>;
    return core::applied_anywhere(solution{}, std::move(init), std::move(tolerance), std::move(a)...);
}
/// The x with f(x) = 0, by Newton's method from `init` until no element of f(x) is larger than `tolerance`:
/// `gr::root([=](auto x) { return x * x - a; }, x0, 1e-12_c)`. f has the shape of x; what else it is called with follows the tolerance.
/// gr::error where `Steps` steps do not suffice.
template <std::int64_t Steps = 50, core::function_of_expressions F, operand Init, class Tolerance, operand... A>
constexpr auto root(F, Init init, Tolerance tolerance, A... a) {
    using solution = core::implicit_function<"root(f, init, tolerance)", op::loop_end::root, Steps, F>;
    return core::applied_anywhere(solution{}, std::move(init), std::move(tolerance), std::move(a)...);
}

}  // namespace gradus::inline GRADUS_ARCH
