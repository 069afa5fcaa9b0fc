// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/control.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// gr::cond of two branches, on what they are called with.
template <class Predicate, class Then, class Else, class... A>
struct cond_call {
    using predicate = Predicate;
    using operands = std::tuple<A...>;
    static constexpr std::uint64_t id = mixed<operands>(mix(mix(closure_hash<Then>(), closure_hash<Else>()), Predicate::hash));
    using symbols = typename placeholders<id, "operand", false, std::tuple<Predicate, A...>>::type;
    template <class F, class P, class... Rest>
    static auto called(std::tuple<P, Rest...>*) -> std::invoke_result_t<F const&, Rest...>;
    using then_result = decltype(called<Then>(static_cast<symbols*>(nullptr)));
    using else_result = decltype(called<Else>(static_cast<symbols*>(nullptr)));

    static constexpr tensor_type type_of(op::scan_part, int k) { return types_of<then_result>.at[k]; }
    static constexpr std::uint64_t hash = mixed<else_result>(mixed<then_result>(mixed<operands>(mix(hash_of("cond"), Predicate::hash))));
    static constexpr int weight = 1 + Predicate::weight + weight_of_parts<operands>;
};
template <class Predicate>
constexpr text predicate_complaint() {
    if (Predicate::type.shape.rank() != 0)
        return concat("gradus::cond(predicate, a, b): the predicate is no scalar: predicate is ", Predicate::type,
                      ". Select elements with gr::where, or use gr::any or gr::all");
    return {};
}
template <class Call>
constexpr text branches_complaint() {
    if constexpr (!expressions_in<typename Call::then_result> || !expressions_in<typename Call::else_result>)
        return concat(
            "gradus::cond(predicate, a, b): a branch returns no expression: a and b are functions that return one, or a tuple of several");
    else {
        constexpr auto const& a = types_of<typename Call::then_result>;
        constexpr auto const& b = types_of<typename Call::else_result>;
        if (a.count != b.count)
            return concat("gradus::cond(predicate, a, b): the branches return different numbers of values: a returns ", a.count,
                          ", b returns ", b.count);
        for (int k = 0; k < a.count; ++k) {
            if (!(a.at[k] == b.at[k]))
                return concat("gradus::cond(predicate, a, b): the branches differ: a returns ", a.at[k], ", b returns ", b.at[k]);
            if (a.at[k].type == dtype::number)
                return concat(
                    "gradus::cond(predicate, a, b): the branches return a number without a type. Give it one: gr::cast<float>(0.0_c)");
        }
        return {};
    }
}

}  // namespace core

/// One of two branches, JAX's lax.cond: a() where the predicate (of rank 0: a boolean, or a number that is not 0) holds, b() elsewhere;
/// the other branch does not run, and no derivative of it. Branches are functions that return an expression or a tuple; what they
/// need they capture, or take as operands, which are computed before the choice.
template <expression P, class A, class B, expression... Operands>
constexpr auto cond(P, A, B, Operands...) {
    core::report<&core::predicate_complaint<P>>();
    using both = core::cond_call<P, A, B, Operands...>;
    core::report<&core::branches_complaint<both>>();
    if constexpr (!core::is_empty<&core::predicate_complaint<P>> || !core::is_empty<&core::branches_complaint<both>>)
        return typename both::then_result{};
    else return core::results_like<both, op::scan_part::last, typename both::then_result>{};
}

}  // namespace gradus::inline GRADUS_ARCH
