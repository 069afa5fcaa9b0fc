// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/operations.hpp>
#include <gradus/lower/control.hpp>

#include <array>

// The programs inside of a program: steps of scans, branches of conds. Each is compiled like any other, without what no result needs.

namespace gradus::inline GRADUS_ARCH::core {

// Operations in bodies are operations of the program around them.
template <class List, class... T>
struct collect_ops<List, std::tuple<T...>> : collect_all<List, T...> {};
template <class List, class A, class B>
struct collect_ops<List, std::pair<A, B>> : collect_all<List, A, B> {};
template <class List, class F, scan_options Options, class Init, class Xs, op::scan_part Part, int K>
struct collect_ops<List, control_expr<scan_call<F, Options, Init, Xs>, Part, K>>
    : collect_all<List, typename scan_call<F, Options, Init, Xs>::result, Init, Xs> {};
template <class List, class P, class A, class B, class... E, op::scan_part Part, int K>
struct collect_ops<List, control_expr<cond_call<P, A, B, E...>, Part, K>>
    : collect_all<List, typename cond_call<P, A, B, E...>::then_result, typename cond_call<P, A, B, E...>::else_result, P, E...> {};

template <class List, class F, class Rule, class... A, op::scan_part Part, int K>
struct collect_ops<List, control_expr<custom_call<F, Rule, A...>, Part, K>>
    : collect_all<List, typename custom_call<F, Rule, A...>::result, typename Rule::template parts<custom_call<F, Rule, A...>>, A...> {};

/// Where a body's operations are found: in the expressions of the program around it.
template <class Source>
struct inner_source {
    static constexpr written_as form = written_as::operations;
};
template <class Source>
    requires requires { typename Source::parts; }
struct inner_source<Source> {
    static constexpr written_as form = written_as::operations;
    using parts = typename Source::parts;
};

/// Where the body's outputs go, by their number: nodes of the program around it; -1 where nobody asks.
template <int Outputs>
struct control_layout {
    int last[Outputs]{}, states[Outputs]{}, stack[Outputs]{}, sum[Outputs]{};
    int result[Outputs]{};  ///< what number the step returns it under
    int total[Outputs]{};   ///< the symbol of a step that its sum grows in
};

/// The control node `Node` of a program: its operands, its layout.
template <class Source, int Node>
struct control_facts {
    static constexpr auto const& g = stages<Source>::optimized;
    static constexpr bool is_scan = is_loop(g[Node]);
    static constexpr int count = op::control::operand_count(g[Node].attr), carries = is_scan ? op::scan::carries(g[Node].attr) : 0;
    static constexpr bool reversed = is_scan && op::scan::is_reversed(g[Node].attr);
    static constexpr std::array<int, static_cast<std::size_t>(count)> operands = [] {
        std::array<int, static_cast<std::size_t>(count)> ids{};
        list<int> const found = control_operands(g, g[Node]);
        for (int k = 0; k < count; ++k) ids[static_cast<std::size_t>(k)] = found[k];
        return ids;
    }();
    static constexpr op::loop_end end = is_scan ? op::scan::end(g[Node].attr) : op::loop_end::steps;
    static constexpr monomial steps = [] {
        dimension_table dimensions = stages<Source>::plan.dimensions;
        return is_scan ? dimensions.of(steps_of(g, g[Node])) : monomial{};
    }();
    static constexpr int outputs = [] {
        graph const outer = g.thaw();
        return body_of(outer, outer[Node]).outputs.size();
    }();
    static constexpr auto layout = [] {
        control_layout<outputs> made;
        for (int o = 0; o < outputs; ++o) made.last[o] = made.states[o] = made.stack[o] = made.sum[o] = made.result[o] = made.total[o] = -1;
        for (int i = 0; i < g.size(); ++i) {
            if (!is_same_call(g[i], g[Node])) continue;
            op::scan_part const part = is_scan ? op::scan::part(g[i].attr) : op::scan_part::last;
            (part == op::scan_part::last    ? made.last
             : part == op::scan_part::stack ? made.stack
             : part == op::scan_part::sum   ? made.sum
                                            : made.states)[output_of(g[i])] = i;
        }
        graph const outer = g.thaw();
        graph const& body = body_of(outer, outer[Node]);
        list<char> wanted(outputs, 0);
        for (int o = 0; o < outputs; ++o) wanted[o] = made.last[o] >= 0 || made.states[o] >= 0 || made.stack[o] >= 0 || made.sum[o] >= 0;
        for (bool changed = true; changed;) {  // a carry is wanted where what is wanted reads it
            changed = false;
            graph asked = body;
            asked.outputs = {};
            for (int o = 0; o < outputs; ++o)
                if (wanted[o]) asked.outputs.push_back(body.outputs[o]);
            list<char> const needed = needed_nodes(asked);
            for (int i = 0; i < body.size(); ++i) {
                if (!needed[i] || !body[i].is_symbol() || body[i].symbol() >= carries || wanted[body[i].symbol()]) continue;
                wanted[body[i].symbol()] = 1;
                changed = true;
            }
        }
        int returned = 0, symbols = body.symbols.size();
        for (int o = 0; o < outputs; ++o)
            if (wanted[o] && (o < carries || made.sum[o] < 0 || made.stack[o] >= 0)) made.result[o] = returned++;
        for (int o = 0; o < outputs; ++o)
            if (made.sum[o] >= 0) made.total[o] = symbols++;
        return made;
    }();
    /// Does nobody ask what each step makes? Then a loop may end before its last step.
    static constexpr bool keeps_no_step = [] {
        bool keeps = false;
        for (int o = 0; o < outputs; ++o) keeps = keeps || layout.states[o] >= 0 || layout.stack[o] >= 0;
        return !keeps;
    }();
};

/// A step of a scan, or a branch of a cond: returns what the layout says, adds to sums in place.
template <class Source, int Node, int Which = 0>
struct body_source : inner_source<Source> {
    using facts = control_facts<Source, Node>;
    static constexpr graph lower() {
        graph const outer = facts::g.thaw();
        graph body = body_of(outer, outer[Node], Which);
        list<output_entry> outputs;
        for (int o = 0; o < facts::outputs; ++o)
            if (facts::layout.result[o] >= 0) outputs.push_back({body.outputs[o].node, -1});
        for (int o = 0; o < facts::outputs; ++o) {
            if (facts::layout.total[o] < 0) continue;
            value const term{body, body.outputs[o].node};
            body.symbols.push_back({"total", term.at().result()});
            outputs.push_back({(symbol_at(body, facts::layout.total[o]) + term).id(), facts::layout.total[o]});
        }
        body.outputs = outputs;
        return body;
    }
};

/// The dimensions of a body's program by their numbers in the program around it.
template <class Source, class Body>
inline constexpr std::array<int, max_dimensions> inner_numbers = [] {
    std::array<int, max_dimensions> found{};
    dimension_table outer = stages<Source>::plan.dimensions;
    for (int i = 0; i < stages<Body>::plan.dimensions.count; ++i)
        if (extent const e = stages<Body>::plan.dimensions.names[i]; !e.is_form()) found[static_cast<std::size_t>(i)] = outer.index(e);
    return found;
}();
struct inner_dimensions {
    std::int64_t of[max_dimensions]{};
    constexpr inner_dimensions(std::array<int, max_dimensions> const& numbers, dimension_table const& inner, std::int64_t const* outer) {
        for (int i = 0; i < inner.count; ++i) of[i] = outer[numbers[static_cast<std::size_t>(i)]];
        inner.complete(of);
    }
};
template <class Source, class Body>
constexpr std::int64_t inner_workspace(std::int64_t const* dimensions) {
    return whole_lines(
        stages<Body>::plan.workspace_bytes(inner_dimensions(inner_numbers<Source, Body>, stages<Body>::plan.dimensions, dimensions).of));
}

/// Bytes of a value.
template <class Source, int Id>
constexpr std::int64_t bytes_of(std::int64_t const* dimensions) {
    constexpr monomial bytes = [] {
        dimension_table table = stages<Source>::plan.dimensions;
        return table.size(stages<Source>::optimized[Id].shape) * monomial{size_of(stages<Source>::optimized[Id].type), 0};
    }();
    return bytes.at(dimensions);
}

constexpr bool has_static_bodies(graph const& g) {
    for (int b = 0; b < g.bodies.size(); ++b) {
        if (!has_static_bodies(g.bodies[b])) return false;
        for (node const& n : g.bodies[b].nodes)
            if (!n.shape.is_static()) return false;
    }
    return true;
}

/// Scratch memory that the scans and conds of a program share, which run one after the other. A scan needs two places for every
/// carry, which it reads from one and writes to the other, and what its step needs.
template <class Source>
struct control_memory {
    static constexpr auto const& g = stages<Source>::optimized;
    static constexpr int count = [] {
        int n = 0;
        for (int i = 0; i < g.size(); ++i) n += is_control(g[i]) && first_of_call(g, i) == i;
        return n;
    }();
    static constexpr std::array<int, static_cast<std::size_t>(count)> nodes = [] {
        std::array<int, static_cast<std::size_t>(count)> found{};
        std::size_t n = 0;
        for (int i = 0; i < g.size(); ++i)
            if (is_control(g[i]) && first_of_call(g, i) == i) found[n++] = i;
        return found;
    }();

    template <int Node>
    static constexpr std::int64_t bytes_of_node(std::int64_t const* dimensions) {
        std::int64_t bytes = inner_workspace<Source, body_source<Source, Node>>(dimensions);
        if constexpr (control_facts<Source, Node>::is_scan) {
            [&]<int... K>(std::integer_sequence<int, K...>) {
                ((bytes += control_facts<Source, Node>::layout.result[K] < 0
                               ? 0
                               : 2 * whole_lines(core::bytes_of<Source, control_facts<Source, Node>::operands[K]>(dimensions))),
                 ...);
            }(std::make_integer_sequence<int, control_facts<Source, Node>::carries>{});
            return bytes;
        } else {
            std::int64_t const other = inner_workspace<Source, body_source<Source, Node, 1>>(dimensions);
            return bytes > other ? bytes : other;
        }
    }
    static constexpr std::int64_t bytes(std::int64_t const* dimensions) {
        std::int64_t most = 0;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((most = bytes_of_node<nodes[I]>(dimensions) > most ? bytes_of_node<nodes[I]>(dimensions) : most), ...);
        }(std::make_index_sequence<static_cast<std::size_t>(count)>{});
        return most;
    }
    /// Whether that depends on a named dimension: with none at hand it does not.
    static constexpr bool is_static = has_static_bodies(g.thaw());
};

}  // namespace gradus::inline GRADUS_ARCH::core
