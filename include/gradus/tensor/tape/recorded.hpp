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
        if (f[i].template is<op::symbol>()) symbols[i] = f[i].attr.n[0] >= 64 || !(Source::constants >> f[i].attr.n[0] & 1);
    for (int o = 0; o < f.output_count; ++o)
        if (text missing = derivative_complaint(f.thaw(), symbols, f.outputs[o].node, true); !missing.empty()) return missing;
    return {};
}

/// Zeros that are only read.
alignas(target::cache_line) inline constexpr std::byte few_zeros[4096]{};

/// A result of a recorded program: what its memory is made from.
struct made_result {
    dtype type = dtype::number;
    int rank = 0;
    std::int64_t bytes = -1;  ///< -1 where only run time tells
    monomials extents;

    GRADUS_INLINE tensor_ref make(std::int64_t const* sizes) const {
        std::int64_t n[max_rank];
        for (int i = 0; i < rank; ++i) n[i] = bytes < 0 ? extents.of[i].at(sizes) : extents.of[i].c;
        return bytes < 0 ? make_state(type, rank, n) : make_state(type, rank, n, bytes);
    }
};
template <class Program>
inline constexpr auto made_results = [] {
    constexpr auto const& g = optimized_graph<Program>;
    std::array<made_result, static_cast<std::size_t>(g.output_count) + 1> table{};
    dimension_table dimensions = dimensions_of_program<Program>;
    for (int o = 0; o < g.output_count; ++o) {
        node const& n = g[g.outputs[o].node];
        made_result& made = table[static_cast<std::size_t>(o)];
        made.type = n.type;
        made.rank = n.shape.rank();
        if (n.shape.is_static()) made.bytes = n.shape.static_size() * size_of(n.type);
        for (int i = 0; i < made.rank; ++i) made.extents.of[i] = dimensions.of(n.shape[i]);
    }
    return table;
}();

/// A symbol of a backward program and the derivatives that read it.
struct backward_symbol {
    tensor_type type;
    std::uint64_t reads = 0;
    bool selects = false;  ///< see symbol_entry
};
/// What running a backward program takes. No templates from here on.
struct backward_facts {
    recorded_facts const* of;
    backward_symbol const* symbols;
    int symbol_count;
    made_result const* outputs;
    dimension_table const* names;  ///< in the order of the node's dimensions
    dimension_table const* own;    ///< in the program's order
    int const* places;             ///< per own dimension: which of the node's it is
    program_demand known;          ///< derivatives are the results
    program_demand (*demand)();    ///< finds that at run time; else null
    bool stands_in;                ///< may kernels read what no wanted derivative needs?
    void (*run)(void* const* in, void* const* out, std::int64_t const* sizes, std::uint64_t wanted);

    /// What the wanted derivatives read of symbol `i`; a cotangent that nobody gave is zeros.
    GRADUS_INLINE void* fetch(tape_node& n, backward_call const& call, std::uint64_t wanted, int i, std::int64_t const* sizes,
                              list<tensor_ref>& zeros) const {
        int const first_cotangent = of->cotangent(0), first_saved = of->cotangent(of->results), first_zero = of->all_symbols();
        if (i >= first_zero)
            return const_cast<void*>(
                zero_of_unselected(symbols[i].type.type, may_be_unselected(call.cotangents[static_cast<std::size_t>(i - first_zero)])));
        if (symbols[i].reads == 0 || !(symbols[i].reads & wanted)) return nullptr;
        if (i >= first_cotangent && i < first_saved) {
            tensor_ref const& given = call.cotangents[static_cast<std::size_t>(i - first_cotangent)];
            return given ? given->data : zeros_of_symbol(i, sizes, zeros);
        }
        saved_value const& s = n.saved[static_cast<std::size_t>(i)];
        if (s.memory && s.memory->written_times() != s.version) refuse(n, s, i);
        return const_cast<void*>(s.elements());
    }
    /// A value that was not saved, because only derivatives that nobody wants need it, may still be read by a kernel that
    /// computes a wanted one beside: anything of its type will do.
    void stand_in(std::uint64_t const* touched, std::int64_t const* sizes, std::uint64_t wanted, void** in, list<tensor_ref>& zeros) const {
        for (int i = 0; i < symbol_count; ++i) {
            backward_symbol const& s = symbols[i];
            if ((touched[i] & ~s.reads) == 0 || in[i] || !(touched[i] & wanted)) continue;
            if (s.type.shape.is_static() && s.type.shape.static_size() * size_of(s.type.type) <= std::int64_t{sizeof few_zeros}) {
                in[i] = const_cast<std::byte*>(few_zeros);
                continue;
            }
            for (int k = 0; k < symbol_count && !in[i]; ++k)
                if (symbols[k].type == s.type) in[i] = in[k];
            if (in[i]) continue;
            in[i] = zeros_of_symbol(i, sizes, zeros);
        }
    }

private:
    [[gnu::cold, gnu::noinline]] void* zeros_of_symbol(int i, std::int64_t const* sizes, list<tensor_ref>& zeros) const {
        tensor_type const& type = symbols[i].type;
        dimension_table table = *own;
        std::int64_t extents[max_rank]{};
        for (int axis = 0; axis < type.shape.rank(); ++axis) extents[axis] = table.of(type.shape[axis]).at(sizes);
        zeros.push_back(zeros_like(type.type, type.shape.rank(), extents));
        return zeros.back()->data;
    }
    [[noreturn, gnu::cold]] void refuse(tape_node& n, saved_value const& s, int i) const {
        tensor_type type = symbols[i].type;
        for (int axis = 0; axis < type.shape.rank(); ++axis)
            for (int k = 0; k < names->count; ++k)
                if (type.shape[axis] == names->names[k]) type.shape[axis] = n.dimensions[static_cast<std::size_t>(k)];
        if (i < of->symbols) refuse_modified(n, s, n.edges[static_cast<std::size_t>(i)], type);
        refuse_modified(n, s, {node_ref::sharing(&n), {}, i - of->symbols}, type);
    }
};
/// body(i) for i < N; one by one in an optimized build, so that what is constant of each is a constant.
template <int N, class Body>
GRADUS_INLINE void each_index(Body const& body) {
    if constexpr (optimizes) {
        [&]<int... I>(std::integer_sequence<int, I...>)
            __attribute__((always_inline)) { (body(I), ...); }(std::make_integer_sequence<int, N>{});
    } else {
        for (int i = 0; i < N; ++i) body(i);
    }
}
/// Runs the kernels of a backward program that the wanted edges need. `Facts` has the program's: by reference, or as a constant.
template <int Symbols, int Outputs, class Facts>
void run_backward(Facts const& facts, tape_node& n, backward_call& call) {
    backward_facts const& f = facts;
    recorded_facts const& of = *f.of;
    std::uint64_t const wanted =
        of.wanted([&](int k) { return n.edges[static_cast<std::size_t>(k)] && call.wants(static_cast<std::size_t>(k)); });
    for (int k = 0; k < of.symbols; ++k) {
        auto at = static_cast<std::size_t>(k);
        if (of.gradient[k] >= identity_gradient && n.edges[at] && call.wants(at))
            call.gradients[at] = call.cotangents[static_cast<std::size_t>(of.gradient[k] - identity_gradient)];
    }
    if (wanted == 0) return;
    std::int64_t sizes[max_dimensions];
    for (int i = 0; i < f.own->count; ++i) sizes[i] = n.dimensions[static_cast<std::size_t>(f.places[i])];
    void *in[Symbols + 1], *out[Outputs + 1];
    tensor_ref made[Outputs + 1];
    list<tensor_ref> zeros;
    each_index<Symbols>([&](int i) __attribute__((always_inline)) { in[i] = f.fetch(n, call, wanted, i, sizes, zeros); });
    program_demand const demand = f.demand ? f.demand() : f.known;
    if (f.stands_in) f.stand_in(demand.of_symbol, sizes, wanted, in, zeros);
    each_index<Outputs>([&](int o) __attribute__((always_inline)) {
        out[o] = nullptr;
        if (demand.of_output[o] & wanted) made[o] = f.outputs[o].make(sizes), out[o] = made[o]->data;
    });
    f.run(in, out, sizes, wanted);
    for (int k = 0; k < of.symbols; ++k) {
        auto at = static_cast<std::size_t>(k);
        if (of.gradient[k] < 0 || of.gradient[k] >= identity_gradient || !n.edges[at] || !call.wants(at)) continue;
        call.gradients[at] = made[of.gradient[k]];
        if (f.symbols[k].selects) call.gradients[at]->may_be_unselected = true;
    }
}
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
            if (derivative[i].template is<op::symbol>())
                bits[static_cast<std::size_t>(derivative[i].attr.n[0])] |= results_behind<backward>[static_cast<std::size_t>(i)];
        return bits;
    }();
    /// Simplification for a program drops stop_gradient; the graph that is differentiated has it still.
    static constexpr bool stops_gradient = [] {
        for (int i = 0; i < f.node_count; ++i)
            if (f[i].template is<op::stop_gradient>() || f[i].template is<op::straight_through>()) return true;
        return false;
    }();
    /// The forward program returns its results, then what is saved.
    struct saving {
        using parts = typename Source::parts;
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
        each_index<results + saved>([&](int o) __attribute__((always_inline)) {
            outputs[o] = made_results<forward>[static_cast<std::size_t>(o)].make(d.sizes);
            out[o] = outputs[o]->data;
        });
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
        if constexpr (optimizes) {
            struct constant {
                constexpr operator backward_facts const&() const { return of_backward; }
            };
            core::run_backward<derivative.symbol_count, derivative.output_count>(constant{}, n, call);
        } else {
            core::run_backward<derivative.symbol_count, derivative.output_count>(of_backward, n, call);
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
    static constexpr auto backward_symbols = [] {
        std::array<backward_symbol, static_cast<std::size_t>(derivative.symbol_count) + 1> table{};
        for (int i = 0; i < derivative.symbol_count; ++i) {
            symbol_entry const& s = derivative.symbols[i];
            table[static_cast<std::size_t>(i)] = {s.type, reads[static_cast<std::size_t>(i)], s.selects};
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
                                                &dimensions_of<Source>,
                                                &dimensions_of_program<backward>,
                                                program_dimensions<Source, backward>::places.data(),
                                                known_demand(),
                                                is_planned_later ? &find_demand : nullptr,
                                                stands_in,
                                                &run_kernels_of_backward};
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
