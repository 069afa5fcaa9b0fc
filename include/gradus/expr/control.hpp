// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/body.hpp>
#include <gradus/expr/structure.hpp>
#include <gradus/op/control_flow.hpp>

// Loops and choices whose bodies are functions on expressions, with the meaning of JAX's lax.scan and lax.cond.

namespace gradus::inline GRADUS_ARCH {

/// `gr::scan<gr::memory_budget<4096>>`: bytes that the carries kept for the derivative may take.
struct memory_budget_t {
    std::int64_t bytes;
};
template <std::int64_t Bytes>
inline constexpr memory_budget_t memory_budget{Bytes};
/// `gr::scan<gr::reverse>`: from the last row to the first.
struct reverse_t {};
inline constexpr reverse_t reverse{};

namespace core {

struct scan_options {
    std::int64_t steps = -1;  ///< where there are no rows
    bool reversed = false;
    std::int64_t budget = -1;  ///< bytes
    op::loop_end end = op::loop_end::steps;
};
constexpr void collect(scan_options& o, std::integral auto steps) { o.steps = static_cast<std::int64_t>(steps); }
constexpr void collect(scan_options& o, reverse_t) { o.reversed = true; }
constexpr void collect(scan_options& o, memory_budget_t b) { o.budget = b.bytes; }
template <auto... Options>
inline constexpr scan_options scan_options_of = [] {
    scan_options o;
    (collect(o, Options), ...);
    return o;
}();

template <std::uint64_t Id, fixed_string Role, bool Rows, class Parts,
          class Numbers = std::make_integer_sequence<int, static_cast<int>(std::tuple_size_v<Parts>)>>
struct placeholders;
template <std::uint64_t Id, fixed_string Role, bool Rows, class... E, int... K>
struct placeholders<Id, Role, Rows, std::tuple<E...>, std::integer_sequence<int, K...>> {
    using type = std::tuple<placeholder<Id, Role, K, Rows ? row_of(E::type) : E::type>...>;
};

/// Result K of a loop or a choice.
template <class Call, op::scan_part Part, int K>
struct control_expr : expression_facts<control_expr<Call, Part, K>> {
    static constexpr bool is_control = true;
    static constexpr tensor_type type = Call::type_of(Part, K);
    static constexpr std::uint64_t hash = mix(Call::hash, static_cast<std::uint64_t>(K) * 4 + static_cast<std::uint64_t>(Part));
    static constexpr int weight = Call::weight;
};
template <class Call, op::scan_part Part, class Numbers>
struct control_results;
template <class Call, op::scan_part Part, int... K>
struct control_results<Call, Part, std::integer_sequence<int, K...>> {
    using type = std::tuple<control_expr<Call, Part, K>...>;
};
template <class Call, op::scan_part Part, class Like>
using results_like = structured_as<Like, typename control_results<Call, Part, std::make_integer_sequence<int, part_count<Like>>>::type>;

/// Does a body return a pair of the next carry and what the step gives out, not the carry alone?
template <class Result, class Init>
inline constexpr bool gives_out = [] {
    if constexpr (part_count<Result> != 2 || !is_several<Result>) return false;
    else return is_several<std::tuple_element_t<0, parts_of<Result>>> == is_several<Init>;
}();

/// gr::scan of a body on a first carry and rows (std::tuple<> where there are none).
template <class F, scan_options Options, class Init, class Xs>
struct scan_call {
    static constexpr scan_options options = Options;
    using body_type = F;
    using init = Init;
    using xs = Xs;
    static constexpr int carries = part_count<Init>;
    static constexpr bool has_xs = !std::is_same_v<Xs, std::tuple<>>;
    static constexpr std::uint64_t id = mixed<Xs>(mixed<Init>(closure_hash<F>()));
    using carry_parts = typename placeholders<id, "carry", false, parts_of<Init>>::type;
    using row_parts = typename placeholders<id, "x", true, parts_of<Xs>>::type;

    static auto called() {
        if constexpr (has_xs)
            return std::type_identity<std::invoke_result_t<F const&, structured_as<Init, carry_parts>, structured_as<Xs, row_parts>>>{};
        else return std::type_identity<std::invoke_result_t<F const&, structured_as<Init, carry_parts>>>{};
    }
    using result = typename decltype(called())::type;
    static constexpr bool has_ys = gives_out<result, Init>;
    static auto split() {
        if constexpr (has_ys) return std::type_identity<parts_of<result>>{};
        else return std::type_identity<std::tuple<result, std::tuple<>>>{};
    }
    using next = std::tuple_element_t<0, typename decltype(split())::type>;
    using ys = std::tuple_element_t<1, typename decltype(split())::type>;

    static constexpr extent steps() {
        if constexpr (has_xs) return type_of_part<Xs, 0>.shape[0];
        else return Options.steps;
    }
    static constexpr tensor_type type_of(op::scan_part part, int k) {
        return part == op::scan_part::last ? types_of<Init>.at[k] : stacked(types_of<ys>.at[k], steps());
    }
    static constexpr std::uint64_t hash =
        mixed<ys>(mixed<next>(mixed<Xs>(mixed<Init>(hash_of("scan") + 2 * static_cast<std::uint64_t>(Options.steps) + Options.reversed))));
    static constexpr int weight = 1 + weight_of_parts<Init> + weight_of_parts<Xs>;
};

/// What is wrong before the body is called, and with what it returns.
template <scan_options Options, class Init, class Xs>
constexpr text scan_operands_complaint() {
    constexpr auto const& init = types_of<Init>;
    constexpr auto const& xs = types_of<Xs>;
    for (int k = 0; k < init.count; ++k)
        if (init.at[k].type == dtype::number)
            return concat("gradus::scan(body, init, xs): the first carry is a number without a type: init[", k,
                          "]. Give it one: gr::cast<float>(0.0_c)");
    for (int k = 0; k < xs.count; ++k) {
        if (xs.at[k].shape.rank() == 0)
            return concat("gradus::scan(body, init, xs): xs has no axis to walk along: xs[", k, "] is ", xs.at[k]);
        if (!(xs.at[k].shape[0] == xs.at[0].shape[0]))
            return concat("gradus::scan(body, init, xs): numbers of rows differ: xs[0] is ", xs.at[0], ", xs[", k, "] is ", xs.at[k]);
    }
    if (xs.count == 0 && Options.steps < 0)
        return concat("gradus::scan(body, init): how many steps? Write gr::scan<100>(body, init), or hand in rows to walk along");
    if (xs.count > 0 && Options.steps >= 0 && !(xs.at[0].shape[0] == extent(Options.steps)))
        return concat("gradus::scan<", Options.steps, ">(body, init, xs): there are other rows than steps: xs is ", xs.at[0]);
    if (Options.budget >= 0 && xs.count > 0 && !xs.at[0].shape[0].is_static())
        return concat("gradus::scan<gr::memory_budget<", Options.budget,
                      ">>(body, init, xs): the steps are cut into segments by the compiler, which needs their number: xs is ", xs.at[0]);
    for (int k = 0; k < init.count; ++k)
        if (Options.budget >= 0 && !init.at[k].shape.is_static())
            return concat("gradus::scan<gr::memory_budget<", Options.budget,
                          ">>(body, init, xs): the compiler needs the size of the carry: init is ", init.at[k]);
    return {};
}
template <class Call>
constexpr text scan_body_complaint() {
    if constexpr (!expressions_in<typename Call::next> || !expressions_in<typename Call::ys>)
        return concat(
            "gradus::scan(body, init, xs): the body returns no expressions: return the next carry (an expression, or a tuple like init), "
            "or std::pair{carry, y}");
    else {
        constexpr auto const& init = types_of<typename Call::init>;
        constexpr auto const& next = types_of<typename Call::next>;
        constexpr auto const& ys = types_of<typename Call::ys>;
        if (init.count != next.count || is_several<typename Call::init> != is_several<typename Call::next>)
            return concat("gradus::scan(body, init, xs): the body returns another number of carries: init has ", init.count,
                          ", the body returns ", next.count);
        for (int k = 0; k < init.count; ++k)
            if (!(init.at[k] == next.at[k]))
                return concat("gradus::scan(body, init, xs): the carry changes: init",
                              is_several<typename Call::init> ? concat('[', k, ']') : text{}, " is ", init.at[k], ", the body returns ",
                              next.at[k]);
        for (int k = 0; k < ys.count; ++k)
            if (ys.at[k].type == dtype::number)
                return concat(
                    "gradus::scan(body, init, xs): the body gives out a number without a type. Give it one: gr::cast<float>(1.0_c)");
        return {};
    }
}

template <class F, scan_options Options, class Init, class Xs>
constexpr auto scan_plain() {
    report<&scan_operands_complaint<Options, Init, Xs>>();
    if constexpr (!is_empty<&scan_operands_complaint<Options, Init, Xs>>) return Init{};
    else {
        using call = scan_call<F, Options, Init, Xs>;
        report<&scan_body_complaint<call>>();
        if constexpr (!is_empty<&scan_body_complaint<call>>) return Init{};
        else if constexpr (call::has_ys)
            return std::pair<results_like<call, op::scan_part::last, Init>, results_like<call, op::scan_part::stack, typename call::ys>>{};
        else return results_like<call, op::scan_part::last, Init>{};
    }
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
