// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/program/compile.hpp>
#include <gradus/tensor/tape/unselected.hpp>
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
    for (symbol_entry const& s : simplified_graph<Source>.thaw().symbols) table.size(s.type.shape);
    return table;
}();

/// The dimensions that a program of the same symbols wants, in its order.
template <class Source, class Program>
struct program_dimensions {
    static constexpr int count = stages<Program>::plan.dimensions.count;
    static constexpr std::array<int, static_cast<std::size_t>(count) + 1> places = [] {
        std::array<int, static_cast<std::size_t>(count) + 1> table{};
        for (int i = 0; i < count; ++i)
            for (int k = 0; k < dimensions_of<Source>.count; ++k)
                if (stages<Program>::plan.dimensions.names[i] == dimensions_of<Source>.names[k]) table[static_cast<std::size_t>(i)] = k;
        return table;
    }();
    std::int64_t sizes[static_cast<std::size_t>(count) + 1]{};
    explicit program_dimensions(std::int64_t const* given) {
        for (int i = 0; i < count; ++i) sizes[i] = given[places[static_cast<std::size_t>(i)]];
    }
};

/// What every node of one source shares: names, graphs, the meaning of its saved values. No templates from here on.
struct recorded_facts {
    node_kind kind;
    int symbols = 0, results = 0;
    int saved = 0;                         ///< values of the forward graph that only the backward graph reads
    int const* gradient = nullptr;         ///< per symbol: see transform/backward.hpp
    std::uint64_t const* reads = nullptr;  ///< per symbol of the backward graph: the derivatives that read it

    int result(int j) const { return symbols + j; }
    int cotangent(int j) const { return symbols + results + j; }
    int saved_value(int k) const { return symbols + 2 * results + k; }
    int all_symbols() const { return symbols + 2 * results + saved; }
    static std::uint64_t bit(int output) { return std::uint64_t{1} << (output < 63 ? output : 63); }
    /// The bits of the derivatives that have to be computed for these edges.
    std::uint64_t wanted(auto&& wants_edge) const {
        std::uint64_t bits = 0;
        for (int k = 0; k < symbols; ++k)
            if (gradient[k] >= 0 && gradient[k] < identity_gradient && wants_edge(k)) bits |= bit(gradient[k]);
        return bits;
    }
};

/// E2: a saved value was written to after it was saved.
[[noreturn, gnu::cold]] inline void refuse_modified(tape_node const& n, saved_value const& s, edge const& from, tensor_type const& type) {
    text producer;
    if (from.node) producer = concat(", which is output ", from.output, " of ", from.node->kind->name, ",");
    text where;
    if (n.file)
        where = concat(" The statement that reads it is at ", std::string_view(n.file), ":", static_cast<std::int64_t>(n.line), ".");
    throw autograd_error(concat("one of the variables needed for gradient computation has been modified by an inplace operation: [", type,
                                "]", producer.view(), " is at version ", static_cast<std::int64_t>(s.memory->written_times()),
                                "; expected version ", static_cast<std::int64_t>(s.version),
                                " instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
                                "gr::detect_anomaly guard;.",
                                where.view())
                             .str());
}

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

/// Zeros that are only read.
alignas(target::cache_line) inline constexpr std::byte few_zeros[4096]{};

template <class Source>
struct recorded {
    static constexpr auto const& f = simplified_graph<Source>;
    static constexpr int symbols = f.symbol_count, results = f.output_count;

    struct backward {
        using parts = typename Source::parts;
        static constexpr written_as form = written_as::operations;
        static constexpr bool in_one_step = f.node_count <= target::nodes_of_one_step;
        static constexpr graph lower() {
            report<&statement_complaint<Source>>();
            return pass::backward(f.thaw(), true, Source::constants);
        }
    };
    using derivative = stages<backward>;
    static constexpr int saved = derivative::optimized.symbol_count - symbols - 3 * results;

    /// Per symbol: see transform/backward.hpp.
    static constexpr auto gradient = [] {
        std::array<int, symbols + 1> table{};
        for (int k = 0; k < symbols; ++k) table[static_cast<std::size_t>(k)] = derivative::optimized.symbols[k].of;
        return table;
    }();
    static constexpr bool differentiable = [] {
        for (int k = 0; k < symbols; ++k)
            if (gradient[static_cast<std::size_t>(k)] >= 0) return true;
        return false;
    }();
    /// Per symbol of the backward graph: the derivatives that read it.
    static constexpr auto reads = [] {
        std::array<std::uint64_t, derivative::optimized.symbol_count + 1> bits{};
        for (int i = 0; i < derivative::optimized.node_count; ++i)
            if (derivative::optimized[i].is_symbol())
                bits[static_cast<std::size_t>(derivative::optimized[i].symbol())] |= results_behind<backward>[static_cast<std::size_t>(i)];
        return bits;
    }();
    /// The derivatives whose kernels read it, be it for another derivative of the same kernel.
    static constexpr auto touches = [] {
        auto bits = reads;
        for (int i = 0; i < derivative::optimized.node_count; ++i)
            if (derivative::optimized[i].is_symbol())
                bits[static_cast<std::size_t>(derivative::optimized[i].symbol())] |= results_touched<backward>[static_cast<std::size_t>(i)];
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
        static constexpr written_as form = stops_gradient ? written_as::operations : written_as::simple;
        static constexpr bool in_one_step = f.node_count <= target::nodes_of_one_step;
        static constexpr graph lower() {
            graph g = f.thaw();
            for (int k = 0; k < saved; ++k) g.outputs.push_back({derivative::optimized.symbols[symbols + 2 * results + k].of, -1});
            return g;
        }
    };
    using forward = std::conditional_t<saved == 0 && !stops_gradient, Source, saving>;

    static graph describe() {
        graph g = [] {
            if constexpr (std::is_same_v<forward, Source>) return f.thaw();
            else return written_graph<forward>.thaw();
        }();
        for (node& n : g.nodes) n.op = n.op->label && !n.op->unlisted ? n.op->label : n.op;
        return g;
    }

    template <class Program, int Output>
    static tensor_ref make_output(std::int64_t const* sizes) {
        constexpr int node = stages<Program>::optimized.outputs[Output].node;
        constexpr tensor_type type = stages<Program>::optimized[node].result();
        numbers const extents = numbers_at<extents_of<Program, node>>(sizes);
        if constexpr (type.shape.is_static())
            return make_state(type.type, type.shape.rank(), extents.n, type.shape.static_size() * size_of(type.type));
        else return make_state(type.type, type.shape.rank(), extents.n);
    }

    /// Runs the forward program. `outputs` receives the results and, where `keep` has their bit among the derivatives, the
    /// saved values; the others live as long as the call.
    static void run(void* const* in, std::int64_t const* dimensions, std::uint64_t keep, tensor_ref* outputs) {
        program_dimensions<Source, forward> const d(dimensions);
        void* out[results + saved + 1];
        [&]<int... O>(std::integer_sequence<int, O...>) {
            ((outputs[O] = make_output<forward, O>(d.sizes), out[O] = outputs[O]->data), ...);
        }(std::make_integer_sequence<int, results + saved>{});
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

    /// Runs the kernels of the backward program that the wanted edges need.
    static void run_backward(tape_node& n, backward_call& call) {
        std::uint64_t const wanted =
            facts.wanted([&](int k) { return n.edges[static_cast<std::size_t>(k)] && call.wants(static_cast<std::size_t>(k)); });
        for (int k = 0; k < symbols; ++k) {
            auto at = static_cast<std::size_t>(k);
            if (gradient[at] >= identity_gradient && n.edges[at] && call.wants(at))
                call.gradients[at] = call.cotangents[static_cast<std::size_t>(gradient[at] - identity_gradient)];
        }
        if (wanted == 0) return;
        program_dimensions<Source, backward> const d(n.dimensions.data());
        void* in[derivative::optimized.symbol_count + 1];
        [&]<int... I>(std::integer_sequence<int, I...>) {
            (fetch<I>(n, call, wanted, in), ...);
        }(std::make_integer_sequence<int, derivative::optimized.symbol_count>{});
        tensor_ref zeros[derivative::optimized.symbol_count + 1];
        [&]<int... J>(std::integer_sequence<int, J...>) {
            (fetch_cotangent<J>(call, d.sizes, wanted, in, zeros), ...);
        }(std::make_integer_sequence<int, results>{});
        [&]<int... I>(std::integer_sequence<int, I...>) {
            (stand_in<I>(d.sizes, wanted, in, zeros), ...);
        }(std::make_integer_sequence<int, derivative::optimized.symbol_count>{});

        constexpr int outputs = derivative::optimized.output_count;
        tensor_ref made[outputs + 1];
        void* out[outputs + 1];
        [&]<int... O>(std::integer_sequence<int, O...>) {
            ((written_by<O> & wanted ? static_cast<void>((made[O] = make_output<backward, O>(d.sizes), out[O] = made[O]->data))
                                     : static_cast<void>(out[O] = nullptr)),
             ...);
        }(std::make_integer_sequence<int, outputs>{});
        with_scratch<backward>(d.sizes, [&](std::byte* scratch) { run_wanted<backward>({in, out, scratch, d.sizes}, wanted); });
        for (int k = 0; k < symbols; ++k) {
            auto at = static_cast<std::size_t>(k);
            if (gradient[at] < 0 || gradient[at] >= identity_gradient || !n.edges[at] || !call.wants(at)) continue;
            call.gradients[at] = made[gradient[at]];
            if (derivative::optimized.symbols[k].selects) call.gradients[at]->may_be_unselected = true;
        }
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
    /// The derivatives that the kernel computes which writes this one.
    template <int Output>
    static constexpr std::uint64_t written_by = [] {
        int base = derivative::plan.base[derivative::optimized.outputs[Output].node];
        std::uint64_t bits = 0;
        for (int i = 0; i < derivative::optimized.node_count; ++i)
            if (derivative::plan.kernel_of[i] == derivative::plan.kernel_of[base])
                bits |= results_touched<backward>[static_cast<std::size_t>(i)];
        return bits;
    }();
    template <int I>
    static void fetch(tape_node& n, backward_call const& call, std::uint64_t wanted, void** in) {
        in[I] = nullptr;
        if constexpr (I >= symbols + 2 * results + saved) {
            in[I] = const_cast<void*>(zero_of_unselected(derivative::optimized.symbols[I].type.type,
                                                         may_be_unselected(call.cotangents[I - (symbols + 2 * results + saved)])));
        } else if constexpr (I < symbols + results || I >= symbols + 2 * results) {
            if constexpr (reads[I] != 0) {
                if (!(reads[I] & wanted)) return;
                saved_value const& s = n.saved[I];
                if (s.memory && s.memory->written_times() != s.version) refuse<I>(n, s);
                in[I] = const_cast<void*>(s.elements());
            }
        }
    }
    template <int I>
    static tensor_ref zeros_like_symbol(std::int64_t const* sizes) {
        constexpr tensor_type type = derivative::optimized.symbols[I].type;
        dimension_table table = derivative::plan.dimensions;
        std::int64_t extents[max_rank]{};
        for (int axis = 0; axis < type.shape.rank(); ++axis) extents[axis] = table.of(type.shape[axis]).at(sizes);
        return zeros_like(type.type, type.shape.rank(), extents);
    }
    /// A value that was not saved, because only derivatives that nobody wants need it, may still be read by a kernel that
    /// computes a wanted one beside: anything of its type will do.
    template <int I>
    static void stand_in(std::int64_t const* sizes, std::uint64_t wanted, void** in, tensor_ref* zeros) {
        if constexpr ((touches[I] & ~reads[I]) != 0) {
            if (in[I] || !(touches[I] & wanted)) return;
            constexpr tensor_type type = derivative::optimized.symbols[I].type;
            if constexpr (type.shape.is_static() && type.shape.static_size() * size_of(type.type) <= std::int64_t{sizeof few_zeros}) {
                in[I] = const_cast<std::byte*>(few_zeros);
            } else {
                for (int k = 0; k < derivative::optimized.symbol_count && !in[I]; ++k)
                    if (derivative::optimized.symbols[k].type == type) in[I] = in[k];
                if (in[I]) return;
                zeros[I] = zeros_like_symbol<I>(sizes);
                in[I] = zeros[I]->data;
            }
        }
    }
    template <int I>
    [[noreturn, gnu::cold]] static void refuse(tape_node& n, saved_value const& s) {
        tensor_type type = derivative::optimized.symbols[I].type;
        for (int axis = 0; axis < type.shape.rank(); ++axis)
            for (int k = 0; k < dimensions_of<Source>.count; ++k)
                if (type.shape[axis] == dimensions_of<Source>.names[k]) type.shape[axis] = n.dimensions[static_cast<std::size_t>(k)];
        if constexpr (I < symbols) refuse_modified(n, s, n.edges[I], type);
        else refuse_modified(n, s, {node_ref::sharing(&n), {}, I - symbols}, type);
    }
    template <int J>
    static void fetch_cotangent(backward_call& call, std::int64_t const* sizes, std::uint64_t wanted, void** in, tensor_ref* zeros) {
        constexpr int at = symbols + results + J;
        if constexpr (reads[at] != 0) {
            if (!(reads[at] & wanted)) return;
            if (!call.cotangents[J]) zeros[at] = zeros_like_symbol<at>(sizes);
            in[at] = call.cotangents[J] ? call.cotangents[J]->data : zeros[at]->data;
        }
    }
};

/// Enters a recorded call into the tape; `in` has an edge where a derivative goes on, `out` the results and saved values.
inline node_ref record(recorded_facts const& facts, std::span<edge> edges, saved_value* operands, tensor_ref const* out,
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
