// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/exec/run.hpp>
#include <gradus/tensor/tape/unselected.hpp>
#include <gradus/transform/backward.hpp>

// What a node of the tape does in a backward pass: from its saved values and the cotangents to the derivatives that are wanted.

namespace gradus::inline GRADUS_ARCH::core {

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

/// Refused: a saved value was written to after it was saved.
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

/// Zeros that are only read.
alignas(target::cache_line) inline constexpr std::byte few_zeros[4096]{};

/// A result of a recorded program: what its memory is made from.
struct made_result {
    dtype type = dtype::number;
    int rank = 0;
    bool is_uniform = false;  ///< one number, repeated
    std::int64_t bytes = -1;  ///< -1 where only run time tells
    monomials extents;
    numbers known;  ///< extents where the compiler knows all of them

    tensor_ref make(std::int64_t const* sizes) const {
        if (bytes >= 0) return make_state(type, rank, known.n, bytes);
        std::int64_t n[max_rank]{};
        for (int i = 0; i < rank; ++i) n[i] = extents.of[i].at(sizes);
        return make_state(type, rank, n);
    }
};
/// Memory for the results of a recorded program.
[[gnu::noinline]] inline void make_results(made_result const* of, int count, std::int64_t const* sizes, tensor_ref* to, void** elements) {
    for (int o = 0; o < count; ++o) {
        to[o] = of[o].make(sizes);
        elements[o] = to[o]->data;
    }
}
template <class Program>
inline constexpr auto made_results = [] {
    constexpr auto const& g = optimized_graph<Program>;
    std::array<made_result, static_cast<std::size_t>(g.output_count) + 1> table{};
    dimension_table dimensions = dimensions_of_program<Program>;
    list<char> uniform;
    for (int i = 0; i < g.node_count; ++i) {
        bool same = g[i].op->arity > 0 && (g[i].op->kind == op_kind::view || g[i].op->kind == op_kind::elementwise);
        for (int k = 0; same && k < g[i].op->arity; ++k) same = uniform[g[i].in[k]];
        uniform.push_back(same || g[i].shape.rank() == 0);
    }
    for (int o = 0; o < g.output_count; ++o) {
        node const& n = g[g.outputs[o].node];
        made_result& made = table[static_cast<std::size_t>(o)];
        made.type = n.type;
        made.rank = n.shape.rank();
        made.is_uniform = uniform[g.outputs[o].node];
        if (n.shape.is_static()) made.bytes = n.shape.static_size() * size_of(n.type);
        for (int i = 0; i < made.rank; ++i) {
            made.extents.of[i] = dimensions.of(n.shape[i]);
            made.known.n[i] = made.extents.of[i].c;
        }
    }
    return table;
}();

/// A symbol of a backward program.
struct backward_symbol {
    tensor_type type;
    bool selects = false;  ///< see symbol_entry
};
/// What running a backward program takes. No templates from here on.
struct backward_facts {
    recorded_facts const* of;
    backward_symbol const* symbols;
    int symbol_count;
    made_result const* outputs;
    int output_count;
    dimension_table const* names;  ///< in the order of the node's dimensions
    dimension_table const* own;    ///< in the program's order
    int const* places;             ///< per own dimension: which of the node's it is
    program_demand known;          ///< derivatives are the results
    program_demand (*demand)();    ///< finds that at run time; else null
    bool stands_in;                ///< may kernels read what no wanted derivative needs?
    void (*run)(void* const* in, void* const* out, std::int64_t const* sizes, std::uint64_t wanted);

    /// What the wanted derivatives read, a pointer per symbol; a cotangent that nobody gave is zeros.
    GRADUS_INLINE void fetch(tape_node& n, backward_call const& call, std::uint64_t wanted, void** in, std::int64_t const* sizes,
                             list<tensor_ref>& zeros) const {
        int const first_cotangent = of->cotangent(0), first_saved = of->cotangent(of->results), first_zero = of->all_symbols();
        auto const is_read = [&](int i) { return (of->reads[i] & wanted) != 0; };
        for (int i = 0; i < first_cotangent; ++i) in[i] = is_read(i) ? saved_in(n, i) : nullptr;
        for (int i = first_cotangent; i < first_saved; ++i) {
            tensor_ref const& given = call.cotangents[static_cast<std::size_t>(i - first_cotangent)];
            in[i] = !is_read(i) ? nullptr : given ? given->data : zeros_of_symbol(i, sizes, zeros);
        }
        for (int i = first_saved; i < first_zero; ++i) in[i] = is_read(i) ? saved_in(n, i) : nullptr;
        for (int i = first_zero; i < symbol_count; ++i)
            in[i] = const_cast<void*>(
                zero_of_unselected(symbols[i].type.type, may_be_unselected(call.cotangents[static_cast<std::size_t>(i - first_zero)])));
    }
    /// A value that was not saved, because only derivatives that nobody wants need it, may still be read by a kernel that
    /// computes a wanted one beside: anything of its type will do.
    void stand_in(std::uint64_t const* touched, std::int64_t const* sizes, std::uint64_t wanted, void** in, list<tensor_ref>& zeros) const {
        for (int i = 0; i < symbol_count; ++i) {
            if ((touched[i] & ~of->reads[i]) == 0 || in[i] || !(touched[i] & wanted)) continue;
            backward_symbol const& s = symbols[i];
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
    void* saved_in(tape_node& n, int i) const {
        saved_value const& s = n.saved[static_cast<std::size_t>(i)];
        if (s.memory && s.memory->written_times() != s.version) refuse(n, s, i);
        return const_cast<void*>(s.elements());
    }
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
/// Runs the kernels of a backward program that the wanted edges need. Programs of at most so many symbols and results share it.
template <int Symbols, int Outputs>
[[gnu::noinline]] void run_backward(backward_facts const& f, tape_node& n, backward_call& call) {
    recorded_facts const& of = *f.of;
    std::uint64_t wanted = 0;
    for (int k = 0; k < of.symbols; ++k) {
        auto at = static_cast<std::size_t>(k);
        if (of.gradient[k] < 0 || !n.edges[at] || !call.wants(at)) continue;
        if (of.gradient[k] < identity_gradient) wanted |= recorded_facts::bit(of.gradient[k]);
        else call.gradients[at] = call.cotangents[static_cast<std::size_t>(of.gradient[k] - identity_gradient)];
    }
    if (wanted == 0) return;
    std::int64_t sizes[max_dimensions]{};
    for (int i = 0; i < f.own->count; ++i) sizes[i] = n.dimensions[static_cast<std::size_t>(f.places[i])];
    f.own->complete(sizes);
    void *in[Symbols], *out[Outputs];
    tensor_ref made[Outputs];
    list<tensor_ref> zeros;
    f.fetch(n, call, wanted, in, sizes, zeros);
    program_demand const demand = f.demand ? f.demand() : f.known;
    if (f.stands_in) f.stand_in(demand.of_symbol, sizes, wanted, in, zeros);
    for (int o = 0; o < f.output_count; ++o) {
        out[o] = nullptr;
        if (!(demand.of_output[o] & wanted)) continue;
        made[o] = f.outputs[o].make(sizes);
        made[o]->is_uniform = f.outputs[o].is_uniform;
        out[o] = made[o]->data;
    }
    f.run(in, out, sizes, wanted);
    for (int k = 0; k < of.symbols; ++k) {
        auto at = static_cast<std::size_t>(k);
        if (of.gradient[k] < 0 || of.gradient[k] >= identity_gradient || !n.edges[at] || !call.wants(at)) continue;
        tensor_ref& made_for = made[of.gradient[k]];
        if (f.symbols[k].selects) made_for->may_be_unselected = true;
        call.gradients[at] = made_for;
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
