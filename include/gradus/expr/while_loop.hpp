// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/cond.hpp>
#include <gradus/expr/scan.hpp>

// Loops that end by a condition: scans whose first carry says whether the next step does anything.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// What comes first, and then the parts of a structure.
template <class First, class Structure>
constexpr auto before_parts(First first, Structure rest) {
    if constexpr (is_several<Structure>) return std::tuple_cat(std::tuple{first}, rest);
    else return std::tuple{first, rest};
}
template <class Condition, class Body, class Init>
struct while_running {
    static constexpr std::uint64_t hash = mix(mix(hash_of("while"), closure_hash<Condition>()), closure_hash<Body>());
    template <class Go, class... Parts>
    constexpr auto operator()(Go, Parts...) const {
        using next = std::invoke_result_t<Body const&, structured_as<Init, std::tuple<Parts...>>>;
        return before_parts(std::invoke_result_t<Condition const&, next>{}, next{});
    }
};
struct while_finished {
    static constexpr std::uint64_t hash = hash_of("while_finished");
    constexpr auto operator()(auto go, auto... parts) const { return std::tuple{go, parts...}; }
};
template <class Condition, class Body, class Init>
struct while_step {
    using running = while_running<Condition, Body, Init>;
    static constexpr std::uint64_t hash = mix(running::hash, 1);
    constexpr auto operator()(auto carry) const {
        return std::apply([](auto go, auto... parts) { return gradus::cond(go, running{}, while_finished{}, go, parts...); }, carry);
    }
};

template <class Condition, class Body, class Init>
constexpr text while_complaint() {
    if constexpr (!std::is_invocable_v<Condition const&, Init> || !std::is_invocable_v<Body const&, Init>)
        return concat("gradus::while_loop(condition, body, init): condition and body are functions of one value like init");
    else {
        using go = std::invoke_result_t<Condition const&, Init>;
        using next = std::invoke_result_t<Body const&, Init>;
        if constexpr (!expression<go>) return concat("gradus::while_loop(condition, body, init): the condition returns no expression");
        else if constexpr (!expressions_in<next>)
            return concat(
                "gradus::while_loop(condition, body, init): the body returns no expression: return the next value, one like init");
        else {
            if (go::type.type != dtype::boolean || go::type.shape.rank() != 0)
                return concat("gradus::while_loop(condition, body, init): the condition is no bool: it is ", go::type);
            if (types_of<Init>.count != types_of<next>.count || is_several<Init> != is_several<next>)
                return concat("gradus::while_loop(condition, body, init): init has ", types_of<Init>.count, " values, the body returns ",
                              types_of<next>.count);
            for (int k = 0; k < types_of<Init>.count; ++k) {
                if (types_of<Init>.at[k].type == dtype::number)
                    return concat("gradus::while_loop(condition, body, init): init[", k,
                                  "] is a number without a type. Give it one: gr::cast<float>(0.0_c)");
                if (!(types_of<Init>.at[k] == types_of<next>.at[k]))
                    return concat("gradus::while_loop(condition, body, init): the value changes: init is ", types_of<Init>.at[k],
                                  ", the body returns ", types_of<next>.at[k]);
            }
            return {};
        }
    }
}
template <std::int64_t Steps, op::loop_end End, class Condition, class Body, class Init>
constexpr auto loop_until(Init init) {
    auto const carry = before_parts(std::invoke_result_t<Condition const&, Init>{}, init);
    auto const all = scan_plain<while_step<Condition, Body, Init>, scan_options{Steps, false, -1, End},
                                std::remove_const_t<decltype(carry)>, std::tuple<>>();
    return std::apply([](auto, auto... parts) { return structured_as<Init, std::tuple<decltype(parts)...>>{}; }, all);
}

}  // namespace core

/// Repeats `body` while `condition` holds, as jax.lax.while_loop: `gr::while_loop([](auto x) { return x > 1_c; }, body, init)`.
///
/// Both take a value like init, an expression or a tuple; the condition returns a bool of rank 0. Forward mode goes through any such
/// loop. Reverse mode keeps what every step starts with, and so needs a bound: `gr::while_loop<1000>(condition, body, init)`, which is an
/// error (gr::error) where the condition holds after so many steps.
template <std::int64_t Steps = op::unbounded, class Condition, class Body, class Init>
    requires core::expressions_in<Init>
constexpr auto while_loop(Condition, Body, Init init) {
    static_assert(Steps > 0, "gradus::while_loop: a bound is one step or more");
    core::report<&core::while_complaint<Condition, Body, Init>>();
    if constexpr (!core::is_empty<&core::while_complaint<Condition, Body, Init>>) return init;
    else return core::loop_until<Steps, op::loop_end::condition, Condition, Body>(init);
}

}  // namespace gradus::inline GRADUS_ARCH
