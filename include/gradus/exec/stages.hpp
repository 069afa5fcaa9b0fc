// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/exec/plan.hpp>

// What a source goes through: the graph as it is written, differentiated, simplified, ready to run, planned.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A graph that obeys its operations' rules; stops the compiler if it does not.
constexpr graph checked(graph g) {
    if (!check(g).empty())
        core::refuse<"gradus: a pass made a graph that breaks its operations' rules; please report this", std::logic_error>();
    return g;
}
template <class Source>
inline constexpr auto written_graph = freeze<[] { return Source::lower(); }, 64>();
template <class Source>
inline constexpr auto differentiated_graph =
    freeze<[] { return pass::differentiation(written_graph<Source>.thaw()); }, 3 * written_graph<Source>.node_count + 64>();

/// What a source has to go through; later stages leave the earlier ones out.
enum class written_as {
    expressions,  ///< grad and jvp are nodes
    operations,   ///< there is no grad and no jvp; with `is_differentiated_later`, stop_gradient stays
    simple        ///< nor anything to simplify
};
template <class Source>
inline constexpr written_as source_form = [] {
    if constexpr (requires { Source::form; }) return Source::form;
    else return written_as::expressions;
}();
template <class Source>
constexpr graph simplified_source() {
    if constexpr (source_form<Source> == written_as::simple) return Source::lower();
    else if constexpr (source_form<Source> == written_as::operations)
        return checked(
            (requires { requires Source::is_differentiated_later; } ? pass::simplify_differentiable : pass::simplify)(Source::lower()));
    else return pass::simplify(differentiated_graph<Source>.thaw());
}
template <class Source>
inline constexpr auto simplified_graph = freeze<[] { return simplified_source<Source>(); },
                                                [] {
                                                    if constexpr (source_form<Source> == written_as::expressions)
                                                        return differentiated_graph<Source>.node_count + 16;
                                                    else return 48;
                                                }()>();
/// Long graphs take an evaluation for the expansion, one for what is shared, and one for the rest.
template <class Source>
inline constexpr auto expanded_graph =
    freeze<[] { return pass::expand(simplified_graph<Source>.thaw()); }, simplified_graph<Source>.node_count + 32>();
template <class Source>
inline constexpr auto shared_graph =
    freeze<[] { return pass::share(expanded_graph<Source>.thaw()); }, expanded_graph<Source>.node_count + 16>();
/// Sources that are small enough (`in_one_step`) are compiled in one evaluation.
template <class Source>
inline constexpr auto optimized_graph = [] {
    if constexpr (requires { requires Source::in_one_step; })
        return freeze<[] { return checked(pass::prepare(simplified_source<Source>())); }, 48>();
    else if constexpr (simplified_graph<Source>.node_count > target::nodes_of_long_evaluation)
        return freeze<[] { return pass::materialize(shared_graph<Source>.thaw()); }, shared_graph<Source>.node_count + 16>();
    else return freeze<[] { return pass::prepare(simplified_graph<Source>.thaw()); }, simplified_graph<Source>.node_count + 32>();
}();

}  // namespace core

namespace core {
template <class Source>
constexpr auto plan_of() {
    constexpr auto const& g = optimized_graph<Source>;
    return make_plan<g.capacity, std::conditional_t<(g.body_count > 0), control_memory<Source>, no_control>>(g.thaw());
}
}  // namespace core

/// The stages of compilation of one program: `Source::lower()` says what to compile. Each is a constant of its own, so that
/// no evaluation comes near the limit that clang sets (2^20 steps). Every graph is checked against the operations' rules.
template <class Source>
struct stages {
    /// as written: grad and jvp are nodes
    static constexpr auto const& written = core::written_graph<Source>;
    /// derivatives expanded
    static constexpr auto const& differentiated = core::differentiated_graph<Source>;
    static constexpr auto const& simplified = core::simplified_graph<Source>;
    /// ready to run
    static constexpr auto const& optimized = core::optimized_graph<Source>;
    static constexpr auto plan = core::plan_of<Source>();

    static_assert(check(differentiated.thaw()).empty(),
                  "gradus: differentiation made a graph that breaks its operations' rules; please report this");
    static_assert(check(simplified.thaw()).empty(),
                  "gradus: simplification made a graph that breaks its operations' rules; please report this");
    static_assert(check(optimized.thaw()).empty(), "gradus: a pass made a graph that breaks its operations' rules; please report this");
};
/// Compilers evaluate all members of a class that they meet: what leaves stages out has none of them.
template <class Source>
    requires(core::source_form<Source> != core::written_as::expressions)
struct stages<Source> {
    static constexpr auto const& optimized = core::optimized_graph<Source>;
    static constexpr auto plan = core::plan_of<Source>();
};

namespace core {
/// Is a source one whose program is left to run time where that can be?
template <class Source>
inline constexpr bool is_left_to_run_time = interprets || (interprets_statements && requires { requires Source::is_statement; });
/// The named dimensions of a program, in its order.
template <class Source>
inline constexpr dimension_table dimensions_of_program = [] {
    if constexpr (is_left_to_run_time<Source>) {  // without planning it
        dimension_table dimensions;
        collect_dimensions(dimensions, optimized_graph<Source>.thaw());
        return dimensions;
    } else return stages<Source>::plan.dimensions;
}();
}  // namespace core

/// A source of programs: expressions and updates.
template <class... E>
struct expressions {
    using parts = expressions;
    static constexpr graph lower() { return core::lower<E...>(); }
};

namespace core {

/// Bytes of scratch memory, -1 where they depend on a named dimension.
template <class Source>
constexpr std::int64_t static_workspace() {
    constexpr auto const& plan = stages<Source>::plan;
    for (int s = 0; s < plan.section_count; ++s)
        if (plan.sections[s].powers) return -1;
    for (int p = 0; p < plan.product_count; ++p)
        if (!plan.products[p].is_static()) return -1;
    for (int w = 0; w < plan.whole_count; ++w)
        if (!plan.wholes[w].is_static()) return -1;
    for (int s = 0; s < plan.sum_count; ++s)
        if (!plan.sums[s].elements.is_static()) return -1;
    if constexpr (!std::remove_cvref_t<decltype(plan)>::control::is_static) return -1;
    else return plan.workspace_bytes(nullptr);
}

/// Names a derivative by a value that a branch captures: the branch computes it again, where no derivative reaches it.
constexpr text captured_complaint(graph const& g) {
    for (int i = 0; i < g.size(); ++i) {
        if (!is_derivative(g[i].op->marks) || g[g[i].in[1]].is_symbol()) continue;
        for (int c = 0; c < g.size(); ++c)
            if (is_control(g[c]) && rules_of(g[c]).recomputes(g, g[c], g[i].in[1]))
                return concat("gradus::", g[i].op->name, "(f, x): a branch of gr::cond captures x, a ", g[g[i].in[1]].op->name, " of type ",
                              g[g[i].in[1]].result(), ": hand it to gr::cond as an operand, gr::cond(p, a, b, x)");
    }
    return {};
}
constexpr bool has_underivable(auto const& g) {
    for (int i = 0; i < g.size(); ++i)
        if (!g[i].op->reverse || !g[i].op->forward) return true;
    return false;
}
/// Names an operation without a derivative that a grad or jvp asks for.
constexpr text underivable_complaint(graph const& g) {
    for (int i = 0; i < g.size(); ++i) {
        if (!is_derivative(g[i].op->marks)) continue;
        list<char> from(g.size(), 0);
        from[g[i].in[1]] = 1;
        if (text missing = derivative_complaint(g, std::move(from), g[i].in[0], g[i].op->marks == marker_kind::gradient); !missing.empty())
            return missing;
    }
    return {};
}
/// Does a vmap stand beside an operation that has no batching rule, or one of a user's?
constexpr bool asks_for_unknown_instances(auto const& g) {
    bool maps = false, unknown = false;
    for (int i = 0; i < g.size(); ++i) {
        maps = maps || g[i].op->marks == marker_kind::instances;
        unknown = unknown ||
                  (g[i].op->kind != op_kind::leaf && g[i].op->kind != op_kind::marker && (!has_batching(g, g[i]) || g[i].op->unlisted));
    }
    return maps && unknown;
}
/// Names what no derivative goes through, and what no vmap does, before they are made.
template <class Source>
constexpr text derivatives_complaint() {
    constexpr auto const& written = written_graph<Source>;
    if (written.body_count > 0)
        if (text captured = captured_complaint(written.thaw()); !captured.empty()) return captured;
    if (has_underivable(written))
        if (text missing = underivable_complaint(written.thaw()); !missing.empty()) return missing;
    text missing;
    if (asks_for_unknown_instances(written)) static_cast<void>(without_markers(written.thaw(), &missing));
    return missing;
}
/// Names a symbol that stands for two types in one graph, or is updated twice; empty where there is none.
template <class Source>
constexpr text symbols_complaint() {
    constexpr auto const& g = stages<Source>::differentiated;
    auto two_types = [](symbol_entry const& s, tensor_type const& other) {
        return concat("gradus::compile: symbol \"", s.name, "\" has two types: ", s.type, " and ", other);
    };
    for (int i = 0; i < g.size(); ++i) {
        if (!g[i].is_symbol()) continue;
        symbol_entry const& s = g.symbols[g[i].symbol()];
        if (!(s.type == g[i].result())) return two_types(s, g[i].result());
    }
    for (int o = 0; o < g.output_count; ++o) {
        int symbol = g.outputs[o].updates;
        if (symbol < 0) continue;
        if (!(g.symbols[symbol].type == g[g.outputs[o].node].result())) return two_types(g.symbols[symbol], g[g.outputs[o].node].result());
        for (int other = 0; other < o; ++other)
            if (g.outputs[other].updates == symbol)
                return concat("gradus::compile: symbol \"", g.symbols[symbol].name, "\" is updated twice");
    }
    return {};
}

}  // namespace core

}  // namespace gradus::inline GRADUS_ARCH
