// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/program/compile.hpp>
#include <gradus/tensor/tape/run_backward.hpp>
#include <gradus/transform/backward.hpp>

#include <cstring>
#include <source_location>

// A graph as one node of the tape: its forward program, its backward program, and what has to be kept from the one for the
// other, all of it found by the compiler.

namespace gradus::inline GRADUS_ARCH::core {

/// Numbers for the named dimensions of a source, in the order in which its symbols name them.
template <class Source>
inline constexpr dimension_table dimensions_of = [] {
    dimension_table table;
    for (symbol_entry const& s : simplified_graph<Source>.thaw().symbols)
        for (int axis = 0; axis < s.type.shape.rank(); ++axis) table.enter(s.type.shape[axis]);
    return table;
}();

/// The dimensions that a program of the same symbols wants, in its order.
template <class Source, class Program>
struct program_dimensions {
    static constexpr int count = dimensions_of_program<Program>.count;
    static constexpr std::array<int, static_cast<std::size_t>(count) + 1> places = [] {
        std::array<int, static_cast<std::size_t>(count) + 1> table{};
        for (int i = 0; i < count; ++i)
            for (int k = 0; k < dimensions_of<Source>.count; ++k)
                if (dimensions_of_program<Program>.names[i] == dimensions_of<Source>.names[k]) table[static_cast<std::size_t>(i)] = k;
        return table;
    }();
    std::int64_t sizes[static_cast<std::size_t>(count) + 1]{};
    explicit program_dimensions(std::int64_t const* given) {
        for (int i = 0; i < count; ++i) sizes[i] = given[places[static_cast<std::size_t>(i)]];
        dimensions_of_program<Program>.complete(sizes);
    }
};

/// Names an operation without a derivative between a statement's operands and its results.
template <class Source>
constexpr text statement_complaint() {
    constexpr auto const& f = simplified_graph<Source>;
    if (!has_underivable(f)) return {};
    list<char> symbols(f.size(), 0);
    for (int i = 0; i < f.size(); ++i)
        if (f[i].is_symbol()) symbols[i] = f[i].symbol() >= 64 || !(Source::constants >> f[i].symbol() & 1);
    for (int o = 0; o < f.output_count; ++o)
        if (text missing = derivative_complaint(f.thaw(), symbols, f.outputs[o].node, true); !missing.empty()) return missing;
    return {};
}

/// Backward passes of so few symbols and results share one function.
inline constexpr int few_symbols = 8, few_results = 4;

/// A statement's programs. How they run (interprets_statements) is part of their names: units with and without optimization have
/// programs of their own and link.
template <class Source, bool Interpreted = interprets_statements>
struct recorded {
    static constexpr auto const& f = simplified_graph<Source>;
    static constexpr int symbols = f.symbol_count, results = f.output_count;

    struct backward {
        using parts = typename Source::parts;
        static constexpr bool is_statement = true;
        static constexpr written_as form = written_as::operations;
        static constexpr bool in_one_step = f.node_count <= target::nodes_of_one_step;
        static constexpr graph lower() {
            report<&statement_complaint<Source>>();
            return pass::backward(f.thaw(), true, Source::constants);
        }
    };
    static constexpr auto const& derivative = optimized_graph<backward>;
    static constexpr int saved = derivative.symbol_count - symbols - 3 * results;

    /// Per symbol: see transform/backward.hpp.
    static constexpr auto gradient = [] {
        std::array<int, symbols + 1> table{};
        for (int k = 0; k < symbols; ++k) table[static_cast<std::size_t>(k)] = derivative.symbols[k].of;
        return table;
    }();
    static constexpr bool differentiable = [] {
        for (int k = 0; k < symbols; ++k)
            if (gradient[static_cast<std::size_t>(k)] >= 0) return true;
        return false;
    }();
    /// Per symbol of the backward graph: the derivatives that read it.
    static constexpr auto reads = [] {
        std::array<std::uint64_t, derivative.symbol_count + 1> bits{};
        for (int i = 0; i < derivative.node_count; ++i)
            if (derivative[i].is_symbol())
                bits[static_cast<std::size_t>(derivative[i].symbol())] |= results_behind<backward>[static_cast<std::size_t>(i)];
        return bits;
    }();
    /// Simplification for a program drops stop_gradient; the graph that is differentiated has it still.
    static constexpr bool stops_gradient = [] {
        for (int i = 0; i < f.node_count; ++i)
            if (f[i].op->differs_in_derivative) return true;
        return false;
    }();
    /// The forward program returns its results, then what is saved.
    struct saving {
        using parts = typename Source::parts;
        static constexpr bool is_statement = true;
        static constexpr written_as form = stops_gradient ? written_as::operations : written_as::simple;
        static constexpr bool in_one_step = f.node_count <= target::nodes_of_one_step;
        static constexpr graph lower() {
            graph g = f.thaw();
            for (int k = 0; k < saved; ++k) g.outputs.push_back({derivative.symbols[symbols + 2 * results + k].of, -1});
            return g;
        }
    };
    using forward = std::conditional_t<saved == 0 && !stops_gradient, Source, saving>;

    static constexpr auto described = [] {
        if constexpr (std::is_same_v<forward, Source>) return labelled(f);
        else return labelled(written_graph<forward>);
    }();
    static graph describe() { return described.thaw(); }

    /// Runs the forward program. `outputs` receives the results and, where `keep` has their bit among the derivatives, the
    /// saved values; the others live as long as the call.
    static void run(void* const* in, std::int64_t const* dimensions, std::uint64_t keep, tensor_ref* outputs) {
        program_dimensions<Source, forward> const d(dimensions);
        void* out[results + saved + 1];
        make_results(made_results<forward>.data(), results + saved, d.sizes, outputs, out);
        with_scratch<forward>(d.sizes, [&](std::byte* scratch) { run_program<forward>({in, out, scratch, d.sizes}); });
        for (int k = 0; k < saved; ++k)
            if (!(reads[static_cast<std::size_t>(symbols + 2 * results + k)] & keep)) outputs[results + k] = {};
    }

    /// Runs a forward program that saves nothing, its only result in memory of the caller's.
    static void run_into(void* const* in, std::int64_t const* dimensions, void* to) {
        static_assert(results == 1 && saved == 0);
        program_dimensions<Source, forward> const d(dimensions);
        void* out[] = {to};
        with_scratch<forward>(d.sizes, [&](std::byte* scratch) { run_program<forward>({in, out, scratch, d.sizes}); });
    }

    static void run_backward(tape_node& n, backward_call& call) {
        constexpr int symbol_places = derivative.symbol_count <= few_symbols ? few_symbols : derivative.symbol_count,
                      result_places = derivative.output_count <= few_results ? few_results : derivative.output_count;
        core::run_backward<symbol_places, result_places>(of_backward, n, call);
    }

    static op_info const* const* operations() { return Source::operations(); }
    static constexpr recorded_facts facts{
        {Source::name, &recorded::run_backward, &node_block<>::destroy, &recorded::describe, &recorded::operations},
        symbols,
        results,
        saved,
        gradient.data(),
        reads.data()};

private:
    static constexpr auto backward_symbols = [] {
        std::array<backward_symbol, static_cast<std::size_t>(derivative.symbol_count) + 1> table{};
        for (int i = 0; i < derivative.symbol_count; ++i) {
            symbol_entry const& s = derivative.symbols[i];
            table[static_cast<std::size_t>(i)] = {s.type, s.selects};
        }
        return table;
    }();
    static constexpr bool is_planned_later = is_interpreted<backward>;
    static constexpr program_demand known_demand() {
        if constexpr (is_planned_later) return {};
        else return demand_of<backward>.view();
    }
    static program_demand find_demand() {
        if constexpr (is_planned_later) return executable_of<backward>().demand();
        else return known_demand();
    }
    static constexpr bool stands_in = [] {
        if constexpr (is_planned_later) return true;
        else {
            for (int i = 0; i < derivative.symbol_count; ++i)
                if (demand_of<backward>.of_symbol[i] & ~reads[static_cast<std::size_t>(i)]) return true;
            return false;
        }
    }();
    static void run_kernels_of_backward(void* const* in, void* const* out, std::int64_t const* sizes, std::uint64_t wanted) {
        with_scratch<backward>(sizes, [&](std::byte* scratch) { run_wanted<backward>({in, out, scratch, sizes}, wanted); });
    }
    static constexpr backward_facts of_backward{&facts,
                                                backward_symbols.data(),
                                                derivative.symbol_count,
                                                made_results<backward>.data(),
                                                derivative.output_count,
                                                &dimensions_of<Source>,
                                                &dimensions_of_program<backward>,
                                                program_dimensions<Source, backward>::places.data(),
                                                known_demand(),
                                                is_planned_later ? &find_demand : nullptr,
                                                stands_in,
                                                &run_kernels_of_backward};
};

/// Enters a recorded call into the tape; `in` has an edge where a derivative goes on, `out` the results and saved values.
inline node_ref record(recorded_facts const& facts, array_view<edge> edges, saved_value* operands, tensor_ref const* out,
                       std::int64_t const* dimensions, int dimension_count, std::uint64_t keep, std::source_location where) {
    tape_node* n = node_block<>::make(facts.kind, static_cast<std::size_t>(facts.symbols), static_cast<std::size_t>(facts.all_symbols()),
                                      static_cast<std::size_t>(dimension_count));
    node_ref made(n);
    n->results = static_cast<std::uint16_t>(facts.results);
    n->file = where.file_name();
    n->line = where.line();
    for (int i = 0; i < dimension_count; ++i) n->dimensions[static_cast<std::size_t>(i)] = dimensions[i];
    for (int k = 0; k < facts.symbols; ++k) {
        auto at = static_cast<std::size_t>(k);
        if (edges[at]) n->connect(at, std::move(edges[at]));
        if (facts.reads[k] & keep || operands[k].is_number)
            n->saved[at] = std::move(operands[k]);  // a number costs nothing, and second derivatives may read it
    }
    for (int j = 0; j < facts.results; ++j) {
        if (!is_floating(out[j]->type)) continue;
        out[j]->node = made;
        out[j]->output = j;
        if (facts.reads[facts.result(j)] & keep) n->save(static_cast<std::size_t>(facts.result(j)), *out[j]);
    }
    for (int k = 0; k < facts.saved; ++k)
        if (out[facts.results + k]) n->save(static_cast<std::size_t>(facts.saved_value(k)), *out[facts.results + k]);
    return made;
}

}  // namespace gradus::inline GRADUS_ARCH::core
