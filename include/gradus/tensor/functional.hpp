// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/tensor/autograd/pullback.hpp>

// Derivatives of functions of tensors, with the names of torch.autograd.functional (of a function at its inputs, options by
// name) and of torch.func (from a function to a function).

namespace gradus::inline GRADUS_ARCH::functional {

/// Options of the functions below, by name.
struct options {
    core::recording_option create_graph{};  ///< the result can be differentiated again, also with respect to the inputs
    bool strict = false;                    ///< an output that does not depend on an input is an error instead of a zero
};

}  // namespace gradus::inline GRADUS_ARCH::functional

namespace gradus::inline GRADUS_ARCH::core {

template <class... T>
list<tensor_ref> listed(std::tuple<T...> const& all) {
    list<tensor_ref> states;
    std::apply([&](auto const&... each) { (states.push_back(each.state()), ...); }, all);
    return states;
}
/// What was given as one tensor is returned as one, what was given as a tuple as a tuple.
template <class Given, class... T>
auto as_given(std::tuple<T...> all) {
    if constexpr (is_tuple<Given>) return all;
    else return std::get<0>(std::move(all));
}
/// Elements of a list with the types of a tuple.
template <class... T>
std::tuple<T...> typed(std::type_identity<std::tuple<T...>>, list<tensor_ref> const& all, int first = 0) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<T...>(T(all[first + static_cast<int>(I)])...);
    }(std::index_sequence_for<T...>{});
}

/// A function that was called: its inputs as variables, its outputs, and how both were given.
template <class Given, class Returned, class In, class Out>
struct evaluation {
    In in;
    Out out;
    list<tensor_ref> inputs, outputs;
    functional::options o;

    /// What the function returned, with its history if that was asked for.
    auto value() const {
        return as_given<Returned>(std::apply([&](auto const&... y) { return Out(o.create_graph.recorder ? y : y.detach()...); }, out));
    }
    auto like_inputs(list<tensor_ref> const& all) const { return as_given<Given>(typed(std::type_identity<In>{}, all)); }
    auto like_outputs(list<tensor_ref> const& all) const { return as_given<Returned>(typed(std::type_identity<Out>{}, all)); }
    pull_options pulling(bool retain = false) const { return {o.strict, retain, o.create_graph.recorder}; }

    /// Matrices of derivatives, in tuples over outputs of tuples over inputs.
    template <bool ByRows>
    auto matrices(list<tensor_ref> const& all) const {
        return [&]<std::size_t... J>(std::index_sequence<J...>) {
            return as_given<Returned>(
                std::make_tuple(row_of_matrices<ByRows, std::tuple_element_t<J, Out>>(all, static_cast<int>(J) * inputs.size(), in)...));
        }(std::make_index_sequence<std::tuple_size_v<Out>>{});
    }

private:
    template <bool ByRows, class Y, class X>
    struct matrix;
    template <bool ByRows, class T, extent... O, class U, extent... I>
    struct matrix<ByRows, tensor<T, O...>, tensor<U, I...>> {
        static_assert(sizeof...(O) + sizeof...(I) <= static_cast<std::size_t>(max_rank),
                      "gradus::functional: the output's axes and the input's are more than 6 together");
        using type = tensor<std::conditional_t<ByRows, U, T>, O..., I...>;
    };
    template <bool ByRows, class Y, class... X>
    static auto row_of_matrices(list<tensor_ref> const& all, int first, std::tuple<X...> const&) {
        return as_given<Given>(typed(std::type_identity<std::tuple<typename matrix<ByRows, Y, X>::type...>>{}, all, first));
    }
};
template <class F, class Inputs>
auto evaluated(F const& f, Inputs const& inputs, functional::options const& o) {
    set_grad_enabled on(true);
    auto const given = as_tuple(inputs);
    auto in = std::apply(
        [&]<class... X>(X const&... x) {
            static_assert((is_floating(X::type.type) && ...),
                          "gradus::functional: no derivative with respect to integers or booleans: let the function capture such a tensor");
            return std::tuple<X...>(X(variable_of(x.state(), o.create_graph.recorder))...);
        },
        given);
    auto const returned = std::apply(f, in);
    auto out = as_tuple(returned);
    list<tensor_ref> variables = listed(in), outputs = listed(out);
    return evaluation<Inputs, std::remove_cvref_t<decltype(returned)>, decltype(in), decltype(out)>{
        std::move(in), std::move(out), std::move(variables), std::move(outputs), o};
}

inline constexpr auto always_recorded = []<class Asked>(Asked on) { return recording_option(on).recorder; };

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::functional {

// Below, `f` takes tensors and returns a tensor, an expression, or a tuple of them; `inputs` are a tensor or a tuple of them,
// and results are given as these are. Inputs need not require gradients, and theirs are never touched.

/// f's value, and the derivatives of <v, f> with respect to the inputs: reverse mode. `v` is like the output.
template <class F, class Inputs, class V>
auto vjp(F const& f, Inputs const& inputs, V const& v, options const& o = {}) {
    auto const e = core::evaluated(f, inputs, o);
    auto const found = core::pull(e.outputs, core::listed(core::as_tuple(v)), e.inputs, e.pulling());
    return std::pair(e.value(), e.like_inputs(found));
}
/// f's value, and its derivative along `v`, which is like the inputs: forward mode, by two passes backwards.
template <class F, class Inputs, class V>
auto jvp(F const& f, Inputs const& inputs, V const& v, options const& o = {}) {
    auto const e = core::evaluated(f, inputs, o);
    core::pushforward const forwards(e.outputs, e.inputs, core::always_recorded(true), o.strict);
    return std::pair(e.value(), e.like_outputs(forwards(core::listed(core::as_tuple(v)), e.pulling())));
}

/// All derivatives of all elements of the output, an output's extents before an input's: of a function from [4] to [3] a
/// [3, 4]. A backward pass per element of the output.
template <class F, class Inputs>
auto jacobian(F const& f, Inputs const& inputs, options const& o = {}) {
    auto const e = core::evaluated(f, inputs, o);
    set_grad_enabled const mode(o.create_graph.recorder != nullptr);
    return e.template matrices<true>(core::matrices_by_rows(e.outputs, e.inputs, e.pulling()));
}
/// The same by forward mode: a pass per element of the inputs.
template <class F, class Inputs>
auto jacobian_forward(F const& f, Inputs const& inputs, options const& o = {}) {
    auto const e = core::evaluated(f, inputs, o);
    set_grad_enabled const mode(o.create_graph.recorder != nullptr);
    return e.template matrices<false>(core::matrices_by_columns(e.outputs, e.inputs, e.pulling(), core::always_recorded(true)));
}

/// The second derivatives of a scalar function.
template <class F, class Inputs>
auto hessian(F const& f, Inputs const& inputs, options const& o = {}) {
    auto const gradient = [&](auto const&... x) {
        auto const e = core::evaluated(f, std::tuple(x...), options{true, false});
        return core::as_given<Inputs>(
            core::typed(std::type_identity<std::tuple<std::remove_cvref_t<decltype(x)>...>>{},
                        core::pull(e.outputs, core::list<core::tensor_ref>(e.outputs.size()), e.inputs, e.pulling())));
    };
    return jacobian(gradient, inputs, o);
}
/// A scalar function's value, and its Hessian times `v`, which is like the inputs.
template <class F, class Inputs, class V>
auto hvp(F const& f, Inputs const& inputs, V const& v, options const& o = {}) {
    auto const e = core::evaluated(f, inputs, o);
    auto const recorder = core::always_recorded(true);
    auto const gradient = core::pull(e.outputs, core::list<core::tensor_ref>(e.outputs.size()), e.inputs, {o.strict, true, recorder});
    core::pushforward const forwards(gradient, e.inputs, recorder, o.strict);
    return std::pair(e.value(), e.like_inputs(forwards(core::listed(core::as_tuple(v)), e.pulling())));
}
/// A scalar function's value, and `v` times its Hessian: the same where second derivatives are continuous, and cheaper.
template <class F, class Inputs, class V>
auto vhp(F const& f, Inputs const& inputs, V const& v, options const& o = {}) {
    auto const e = core::evaluated(f, inputs, o);
    auto const gradient =
        core::pull(e.outputs, core::list<core::tensor_ref>(e.outputs.size()), e.inputs, {o.strict, true, core::always_recorded(true)});
    return std::pair(e.value(), e.like_inputs(core::pull(gradient, core::listed(core::as_tuple(v)), e.inputs, e.pulling())));
}

}  // namespace gradus::inline GRADUS_ARCH::functional

namespace gradus::inline GRADUS_ARCH::core {

/// Calls `derive(function of the chosen arguments, those, options)`. The result is recorded where an argument is, so that
/// derivatives of functions nest.
template <int... Chosen>
auto derived_at(auto const& f, auto const& derive, auto const&... arguments) {
    auto const all = as_tuple(std::tuple(arguments...));
    bool const nested = std::apply([](auto const&... x) { return (x.requires_grad() || ...); }, all) && modes.records;
    auto const of_chosen = [&](auto const&... x) {
        auto replaced = all;
        ((std::get<static_cast<std::size_t>(Chosen)>(replaced) = x), ...);
        return std::apply(f, replaced);
    };
    functional::options const o{nested, false};
    if constexpr (sizeof...(Chosen) == 1) return derive(of_chosen, std::get<static_cast<std::size_t>(Chosen)>(all)..., o);
    else return derive(of_chosen, std::tuple(std::get<static_cast<std::size_t>(Chosen)>(all)...), o);
}
template <int... Chosen>
auto derived_at_chosen(auto const& f, auto const& derive, auto const&... arguments) {
    if constexpr (sizeof...(Chosen) == 0) return derived_at<0>(f, derive, arguments...);
    else return derived_at<Chosen...>(f, derive, arguments...);
}

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::functional {

// From functions to functions of the same arguments. The derivative is taken with respect to the first one, or to those whose
// numbers are given: `grad<0, 2>(f)`. They nest: `jacfwd(jacrev(f))`.

/// `grad_and_value(f)(x)` is the derivative of a scalar function, and its value.
template <int... Arguments, class F>
auto grad_and_value(F f) {
    return [f = std::move(f)](auto const&... x) {
        return core::derived_at_chosen<Arguments...>(
            f,
            [](auto const& of, auto const& at, options const& o) {
                auto const e = core::evaluated(of, at, o);
                auto const found = core::pull(e.outputs, core::list<core::tensor_ref>(e.outputs.size()), e.inputs, e.pulling());
                return std::pair(e.like_inputs(found), e.value());
            },
            x...);
    };
}
/// `grad(f)(x)` is the derivative of a scalar function.
template <int... Arguments, class F>
auto grad(F f) {
    return [both = grad_and_value<Arguments...>(std::move(f))](auto const&... x) { return both(x...).first; };
}
/// The Jacobian by reverse mode; see jacobian.
template <int... Arguments, class F>
auto jacrev(F f) {
    return [f = std::move(f)](auto const&... x) {
        return core::derived_at_chosen<Arguments...>(
            f, [](auto const& of, auto const& at, options const& o) { return jacobian(of, at, o); }, x...);
    };
}
/// The Jacobian by forward mode.
template <int... Arguments, class F>
auto jacfwd(F f) {
    return [f = std::move(f)](auto const&... x) {
        return core::derived_at_chosen<Arguments...>(
            f, [](auto const& of, auto const& at, options const& o) { return jacobian_forward(of, at, o); }, x...);
    };
}
/// The Hessian, forward over reverse.
template <int Argument = 0, class F>
auto hessian(F f) {
    return jacfwd<Argument>(jacrev<Argument>(std::move(f)));
}

}  // namespace gradus::inline GRADUS_ARCH::functional

#pragma GCC diagnostic pop
