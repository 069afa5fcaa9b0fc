// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/list.hpp>
#include <gradus/tensor/tape/recorded.hpp>
#include <gradus/tensor/tape/tape.hpp>
#include <gradus/tensor/tape/tape_program.hpp>

// Derivatives of derivatives on the tape. With create_graph, a node's backward pass computes as ever, and is entered into
// the tape itself: as a node that holds the program of what was computed, whose derivative is made and run when its turn comes.
// Everything is a template, so that only programs that ask for it pay for it.

namespace gradus::inline GRADUS_ARCH::core {

template <class... Op>
op_info const* info_in(op::op_list<Op...>, std::uint64_t id) {
    op_info const* found = nullptr;
    ((type_id<Op> == id ? static_cast<void>(found = &info_of<Op>) : static_cast<void>(0)), ...);
    return found;
}
/// The rules of an operation that a label names.
template <class Asked>
op_info const* rules_of(op_info const* label, op_info const* const* users) {
    using structure = op::op_list<op::symbol, op::constant, op::size, op::iota, op::sum, op::amax, op::argmax, op::matmul, op::reshape,
                                  op::broadcast_to, op::transpose, op::slice, op::pad, op::concatenate, op::take_rows, op::add_rows,
                                  op::straight_through, op::operands, op::custom>;
    if (label->label) return label;
    if (op_info const* found = info_in(when<Asked, structure>{}, label->id)) return found;
    if (op_info const* found = info_in(when<Asked, op::kernel_list>{}, label->id)) return found;
    for (; users && *users; ++users)
        if ((*users)->id == label->id) return *users;
    throw autograd_error(concat("gradus: no second derivative: the rules of ", label->name, " are not known here").str());
}
template <class Asked>
array_view<kernel::block_entry const> operations_at_run_time() {
    static constexpr auto const& table = kernel::block_table<when<Asked, op::kernel_list>>;
    return {table.data(), table.size()};
}

/// The node of a recorded backward pass: symbols of its program are its edges, outputs its results.
template <class Asked>
struct derived_node : tape_node {
    tape_program<Asked>* program = nullptr;
    ref<program_owner> owner;     ///< of the program, where that may end
    list<saved_value> values;     ///< of the program's known nodes, and of those that were kept
    list<int> kept;               ///< nodes of the program that are costly to compute again
    bool has_them_saved = false;  ///< they are its saved values instead, which go when a pass has succeeded
};

/// Per edge the first that is the same operand: a statement that reads a tensor twice is differentiated as one that reads it once,
/// unless somebody looks at the derivative of each place.
inline list<int> same_operands(tape_node const& n) {
    bool const each = n.extras || modes.anomaly;
    list<int> first;
    for (std::size_t k = 0; k < n.edges.size(); ++k) {
        saved_value const& v = n.saved[k];
        auto is_same = [&](std::size_t j) {
            saved_value const& u = n.saved[j];
            if (!(n.edges[j] == n.edges[k])) return false;
            return n.edges[k] || (v.memory && u.memory.get() == v.memory.get() && u.data == v.data && u.version == v.version);
        };
        std::size_t j = each ? k : 0;
        while (j < k && !is_same(j)) ++j;
        first.push_back(static_cast<int>(j));
    }
    return first;
}
/// A graph whose symbols `k` are the symbols `same[k]`, where they have one type.
inline graph with_same_symbols(graph const& g, list<int> const& same) {
    graph made;
    made.symbols = g.symbols;
    made.bodies = g.bodies;
    made.zeros_stay = g.zeros_stay;
    list<int> number;
    for (node n : g.nodes) {
        for (int k = 0; k < n.operands(); ++k) n.in[k] = number[n.in[k]];
        if (n.is_symbol() && g.symbols[same[n.symbol()]].type == n.result()) n.attr = op::symbol::numbered(same[n.symbol()]);
        number.push_back(made.intern(n));
    }
    for (output_entry const& o : g.outputs) made.outputs.push_back({number[o.node], o.updates});
    return made;
}
/// Of which nodes of its graph a node of the tape has the value, and where among its saved values.
inline void find_known(tape_graph& p, tape_node const& n, list<int> const& same) {
    int const symbols = static_cast<int>(n.edges.size()), results = n.results;
    auto add = [&](int id, int at, bool or_number) {
        saved_value const& s = n.saved[static_cast<std::size_t>(at)];
        if (!s.memory && !(or_number && s.is_number)) return false;
        p.known.push_back(id);
        p.saved_at.push_back(at);
        return true;
    };
    for (int i = 0; i < p.g.size(); ++i) {
        if (!p.g[i].is_symbol()) continue;
        int const symbol = p.g[i].symbol();
        for (int k = symbol; k < symbols; ++k)
            if ((k == symbol || same[k] == symbol) && add(i, k, true)) break;
    }
    for (int o = 0; o < p.g.outputs.size(); ++o)
        if (!p.g[p.g.outputs[o].node].is_symbol()) add(p.g.outputs[o].node, o < results ? symbols + o : symbols + results + o, false);
}
/// What a node computed, as a program whose symbols are its edges, and the values of what is known in it.
template <class Asked>
tape_program<Asked>& program_of(tape_node& n, list<saved_value>& values, list<int>& kept) {
    if (n.kind->is_derived) {
        auto& derived = static_cast<derived_node<Asked>&>(n);
        kept = derived.kept;
        values = derived.values;
        if (derived.has_them_saved)
            for (saved_value const& s : n.saved) values.push_back(s);
        return *derived.program;
    }
    struct programs {
        list<tape_program<Asked>*> all;
        spin_lock lock;
    };
    static programs& known = *new programs;  // never destroyed: nodes of other static objects may ask
    list<char> have;
    list<int> const same = same_operands(n);
    for (saved_value const& s : n.saved) have.push_back(static_cast<char>(s.memory ? 1 : s.is_number ? 2 : 0));
    for (int k : same) append_number(have, k);
    tape_program<Asked>& found = program_for(known.all, known.lock, n.kind, have, [&](tape_program<Asked>& made) {
        made.g = with_same_symbols(n.kind->describe(), same);
        op_info const* const* users = n.kind->operations ? n.kind->operations() : nullptr;
        for (node& each : made.g.nodes) each.op = rules_of<Asked>(each.op, users);
        for (symbol_entry const& s : made.g.symbols) made.names.size(s.type.shape);
        find_known(made, n, same);
        while (made.g.outputs.size() > n.results) made.g.outputs.pop_back();
    });
    for (int at : found.saved_at) values.push_back(n.saved[static_cast<std::size_t>(at)]);
    return found;
}
/// What a derivative has to know of a cotangent. Only its value may have a history.
inline cotangent_kind kind_of(tensor_ref const& c) {
    if (!c) return cotangent_kind::none;
    if (!is_floating(c->type) || c->is_recorded()) return cotangent_kind::value;
    bool const uniform = c->rank == 0 || (c->is_uniform && c->memory->written_times() == 0);
    if (!uniform || c->size() == 0) return cotangent_kind::value;
    bool const one = with_floating_dtype(c->type, [&]<class T>(T) { return *reinterpret_cast<T const*>(c->data) == T(1); });
    return one ? cotangent_kind::one : cotangent_kind::number;
}
/// The derivative along the cotangents of a call, and the values of what is known in it.
template <class Asked>
tape_program<Asked>& derivative_along(tape_node& n, backward_call const& call, list<saved_value>& values) {
    list<int> kept;
    tape_program<Asked>& p = program_of<Asked>(n, values, kept);
    list<char> present;
    bool zeros_stay = false;
    for (int j = 0; j < static_cast<int>(call.cotangents.size()); ++j) {
        tensor_ref const& c = call.cotangents[static_cast<std::size_t>(j)];
        cotangent_kind const kind = kind_of(c);
        present.push_back(static_cast<char>(kind));
        zeros_stay = zeros_stay || (c && c->may_be_unselected);
        bool const has_value = kind == cotangent_kind::value || kind == cotangent_kind::number;
        if (has_value && is_floating(p.g[p.g.outputs[j].node].type)) values.push_back({c->memory, c->data, c->memory->written_times()});
    }
    return derivative_of(p, present, zeros_stay, kept);
}

/// Per output 0 or the number of the sum that it is part of, counted from 1: derivatives that go to one place are added where they
/// are computed, unless somebody looks at each.
inline list<int> wanted_sums(tape_graph const& p, tape_node const& n, backward_call const& call) {
    bool const each = call.recorder || n.extras || modes.anomaly;
    list<int> sum(p.g.outputs.size(), 0), edge_of_output(p.g.outputs.size(), -1);
    for (std::size_t k = 0; k < n.edges.size(); ++k)
        if (int const o = p.gradient[static_cast<int>(k)]; o >= 0 && n.edges[k] && call.wants(k)) edge_of_output[o] = static_cast<int>(k);
    auto meet = [&](int o, int other) {
        return edge_of_output[other] >= 0 &&
               n.edges[static_cast<std::size_t>(edge_of_output[o])] == n.edges[static_cast<std::size_t>(edge_of_output[other])] &&
               p.g[p.g.outputs[o].node].result() == p.g[p.g.outputs[other].node].result();
    };
    int sums = 0;
    for (int o = 0; o < sum.size(); ++o) {
        if (edge_of_output[o] < 0) continue;
        for (int other = 0; other < o && !each && !sum[o]; ++other)
            if (meet(o, other)) sum[o] = sum[other];
        if (!sum[o]) sum[o] = ++sums;
    }
    return sum;
}
/// Computes what a call wants of a derivative. Behind it the values of the nodes `kept`, which see run_derivatives.
template <class Asked>
list<tensor_ref> compute_derivatives(tape_program<Asked>& derivative, list<saved_value> const& values, tape_node& n, backward_call& call,
                                     list<int>& kept) {
    list<int> const wanted = wanted_sums(derivative, n, call);
    auto check = [&](int k) {
        saved_value const& s = values[k];
        if (!s.memory || s.memory->written_times() == s.version) return;
        tensor_type type = derivative.g[derivative.known[k]].result();
        numbers const extents = extents_at(type.shape, derivative.names, n.dimensions.data());
        for (int axis = 0; axis < type.shape.rank(); ++axis) type.shape[axis] = extents.n[axis];
        refuse_modified(n, s, {}, type);
    };
    list<tensor_ref> results = run_derivatives(derivative, wanted, kept, {values.begin(), values.end()}, n.dimensions.data(),
                                               operations_at_run_time<Asked>(), check);
    list<char> handed_on(results.size(), 0);
    for (std::size_t k = 0; k < n.edges.size(); ++k) {
        int const o = derivative.gradient[static_cast<int>(k)];
        if (o < 0 || !wanted[o]) continue;
        tensor_ref const& sum = results[wanted[o] - 1];
        sum->may_be_unselected = sum->may_be_unselected || derivative.g.symbols[static_cast<int>(k)].selects;
        if (!std::exchange(handed_on[wanted[o] - 1], 1)) call.gradients[k] = sum;
    }
    return results;
}
template <class Asked>
void backward_of_derived(tape_node& n, backward_call& call) {
    list<saved_value> values;
    list<int> none;
    compute_derivatives(derivative_along<Asked>(n, call, values), values, n, call, none);
}
struct derivative_name {
    static constexpr std::string_view value = "DerivativeBackward0";
};
/// Nodes of programs that run time made, named by `Named::value`.
template <class Asked, class Named = derivative_name>
inline constexpr node_kind derived_kind{
    Named::value, &backward_of_derived<Asked>, &node_block<derived_node<Asked>>::destroy, [] { return graph{}; }, nullptr, false, true};

/// Are the wanted derivatives made of loops over elements, which take the interpreter no longer than the compiler's programs, and need only
/// what is known? Then they are computed from the same graph as the next ones, which read values that it leaves.
inline bool is_made_of_loops(tape_graph const& p, tape_node const& n, backward_call const& call) {
    bool loops = true;
    list<int> outputs;
    for (std::size_t k = 0; k < n.edges.size(); ++k) {
        int const o = p.gradient[static_cast<int>(k)];
        if (o < 0 || !n.edges[k] || !call.wants(k)) continue;
        outputs.push_back(p.g.outputs[o].node);
        node const& made = p.g[outputs.back()];  // a cotangent is handed on as it is
        loops = loops && !(made.is_symbol() && made.symbol() >= static_cast<int>(n.edges.size()));
    }
    list<char> const needed = needed_for(p, outputs);
    for (int i = 0; loops && i < p.g.size(); ++i) {
        op_kind const kind = p.g[i].op->kind;
        if (!needed[i] || p.known.contains(i)) continue;
        loops = !p.g[i].is_symbol() && (kind == op_kind::leaf || kind == op_kind::elementwise || kind == op_kind::view);
    }
    return loops;
}
/// Runs a node's backward pass and enters it into the tape.
template <class Asked>
void record_backward(tape_node& n, backward_call& call) {
    bool recorded = false;
    for (edge const& e : n.edges) recorded = recorded || e;
    if (!recorded) return n.kind->backward(n, call);
    list<saved_value> values;
    list<int> kept;
    tape_program<Asked>& derivative = derivative_along<Asked>(n, call, values);
    if (has_only_listed(derivative, operations_at_run_time<Asked>()) && is_made_of_loops(derivative, n, call)) {
        kept = costly_nodes(derivative);
        list<tensor_ref> const results = compute_derivatives(derivative, values, n, call, kept);
        for (int i = results.size() - kept.size(); i < results.size(); ++i)
            values.push_back({results[i]->memory, results[i]->data, results[i]->memory->written_times()});
    } else n.kind->backward(n, call);
    int const symbols = static_cast<int>(n.edges.size());
    auto* made = node_block<derived_node<Asked>>::make(derived_kind<Asked>, static_cast<std::size_t>(derivative.g.symbols.size()), 1,
                                                       n.dimensions.size());
    node_ref const owner(made);
    made->results = static_cast<std::uint16_t>(derivative.g.outputs.size());
    made->file = n.file;
    made->line = n.line;
    std::copy(n.dimensions.begin(), n.dimensions.end(), made->dimensions.begin());
    for (std::size_t k = 0; k < n.edges.size(); ++k)
        if (n.edges[k]) made->connect(k, n.edges[k]);
    for (std::size_t j = 0; j < call.cotangents.size(); ++j)
        if (call.cotangents[j] && call.cotangents[j]->is_recorded())
            made->connect(static_cast<std::size_t>(symbols) + j, edge_of(call.cotangents[j]));
    for (saved_value const& v : values)
        if (v.memory) made->saved[0] = v;  // a second pass without retain_graph is refused
    made->values = std::move(values);
    made->kept = std::move(kept);
    made->program = &derivative;
    if (n.kind->is_derived) made->owner = static_cast<derived_node<Asked>&>(n).owner;
    for (std::size_t k = 0; k < n.edges.size(); ++k) {
        tensor_ref& g = call.gradients[k];
        if (!g || derivative.gradient[static_cast<int>(k)] < 0) continue;
        bool shared = false;  // a cotangent that is handed on as it is has its history already
        for (tensor_ref const& c : call.cotangents) shared = shared || c.get() == g.get();
        if (shared) continue;
        g->node = owner;
        g->output = derivative.gradient[static_cast<int>(k)];
    }
}

#ifdef GRADUS_SEPARATE_COMPILATION
extern template array_view<kernel::block_entry const> operations_at_run_time<void>();
extern template void backward_of_derived<void>(tape_node& n, backward_call& call);
extern template void record_backward<void>(tape_node& n, backward_call& call);
#endif

}  // namespace gradus::inline GRADUS_ARCH::core
