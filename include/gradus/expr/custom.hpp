// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/transforms.hpp>
#include <gradus/expr/while_loop.hpp>

// Functions whose derivative the user states, and those that are defined by an equation.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// F on what it is called with, beside a rule for its derivative. `Rule::parts` are the rule's results.
template <class F, class Rule, class... A>
struct custom_call {
    using rule = Rule;
    using operands = std::tuple<A...>;
    static constexpr std::uint64_t id = mixed<operands>(mix(closure_hash<F>(), Rule::hash));
    using symbols = typename placeholders<id, "operand", false, operands>::type;
    template <class... S>
    static auto called(std::tuple<S...>*) -> std::invoke_result_t<F const&, S...>;
    using result = decltype(called(static_cast<symbols*>(nullptr)));
    using outputs = typename placeholders<id, "output", false, parts_of<result>>::type;

    static constexpr tensor_type type_of(op::scan_part, int k) { return types_of<result>.at[k]; }
    static constexpr std::uint64_t hash = mixed<result>(mix(id, hash_of("custom")));
    static constexpr int weight = 1 + weight_of_parts<operands>;
};

/// The tangent of f's results by those of its arguments: F(primals, tangents) returns a pair of both.
template <class F>
struct jvp_rule {
    static constexpr std::uint64_t hash = mix(hash_of("jvp_rule"), closure_hash<F>());
    static constexpr op::derivative_rule kind = op::derivative_rule::tangents;
    template <class Call>
    using symbols = typename placeholders<Call::id, "tangent", false, typename Call::operands>::type;
    template <class Call>
    using returned = std::invoke_result_t<F const&, typename Call::symbols, symbols<Call>>;
    template <class Call>
    using parts = parts_of<std::tuple_element_t<1, parts_of<returned<Call>>>>;
};
/// The derivatives of f's arguments by that of its results: Backward(residuals, cotangent), Forward(arguments) returns a pair of f's
/// results and the residuals.
template <class Forward, class Backward>
struct vjp_rule {
    static constexpr std::uint64_t hash = mix(mix(hash_of("vjp_rule"), closure_hash<Forward>()), closure_hash<Backward>());
    static constexpr op::derivative_rule kind = op::derivative_rule::cotangents;
    template <class Call>
    using symbols = typename placeholders<Call::id, "cotangent", false, parts_of<typename Call::result>>::type;
    template <class... S>
    static auto forward(std::tuple<S...>*) -> std::invoke_result_t<Forward const&, S...>;
    template <class Call>
    using residuals = std::tuple_element_t<1, parts_of<decltype(forward(static_cast<typename Call::symbols*>(nullptr)))>>;
    template <class Call>
    using parts = parts_of<std::invoke_result_t<Backward const&, residuals<Call>, structured_as<typename Call::result, symbols<Call>>>>;
};

/// A function object on expressions, or on tensors and numbers: then an expression on tensors.
template <class F, class... A>
constexpr auto applied_anywhere(F f, A... arguments) {
    if constexpr ((run_time_operand<A> || ...)) return map_tensors(f, std::move(arguments)...);
    else return f(as_expression(arguments)...);
}

template <class Call>
constexpr text custom_complaint() {
    using parts = typename Call::rule::template parts<Call>;
    constexpr bool forward = Call::rule::kind == op::derivative_rule::tangents;
    constexpr std::string_view name = forward ? "custom_jvp(f, rule)" : "custom_vjp(f, forward, backward)";
    if constexpr (!expressions_in<typename Call::result> || !expressions_in<parts>)
        return concat("gradus::", name, ": f and the rule return expressions of their arguments, or tuples of them");
    else {
        constexpr auto const& expected = types_of<std::conditional_t<forward, parts_of<typename Call::result>, typename Call::operands>>;
        if (types_of<parts>.count != expected.count)
            return concat("gradus::", name, ": the rule returns ", types_of<parts>.count, " derivatives of ", expected.count,
                          forward ? " results" : " arguments");
        for (int k = 0; k < expected.count; ++k)
            if (is_floating(expected.at[k].type) && !(types_of<parts>.at[k] == expected.at[k]))
                return concat("gradus::", name, ": derivative ", k, " is ", types_of<parts>.at[k], ", not like ", expected.at[k]);
        return {};
    }
}
template <class Call>
constexpr auto custom_results() {
    report<&custom_complaint<Call>>();
    if constexpr (!is_empty<&custom_complaint<Call>>) return typename Call::result{};
    else return results_like<Call, op::scan_part::last, typename Call::result>{};
}
/// A function with a rule, on expressions and on tensors.
template <class F, class Rule>
struct with_rule : on_tensors_too<with_rule<F, Rule>> {
    static constexpr std::uint64_t hash = mix(mix(hash_of("with_rule"), closure_hash<F>()), Rule::hash);
    using on_tensors_too<with_rule>::operator();
    template <expression... A>
        requires(sizeof...(A) > 0)
    constexpr auto operator()(A...) const {
        return custom_results<custom_call<F, Rule, A...>>();
    }
};

}  // namespace core

/// f with a derivative of your own, as jax.custom_jvp: `rule(primals, tangents)`, tuples like f's arguments, returns std::pair{y, tangent
/// of y}, which is linear in the tangents. Reverse mode follows from it. On expressions and on tensors.
template <core::function_of_expressions F, class Rule>
constexpr auto custom_jvp(F, Rule) {
    return core::with_rule<F, core::jvp_rule<Rule>>{};
}
/// f with a derivative of your own, as jax.custom_vjp: `forward(x...)` returns std::pair{f(x...), residuals}, `backward(residuals,
/// cotangent)` the derivatives of <cotangent, f> with respect to the arguments: one, or a tuple. Forward mode follows from it.
template <core::function_of_expressions F, class Forward, class Backward>
constexpr auto custom_vjp(F, Forward, Backward) {
    return core::with_rule<F, core::vjp_rule<Forward, Backward>>{};
}

}  // namespace gradus::inline GRADUS_ARCH
