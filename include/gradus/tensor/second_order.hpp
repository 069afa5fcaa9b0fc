// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/list.hpp>
#include <gradus/pass/differentiate.hpp>
#include <gradus/pass/simplify.hpp>
#include <gradus/tensor/recorded.hpp>
#include <gradus/tensor/run_graph.hpp>
#include <gradus/tensor/tape.hpp>

// Derivatives of derivatives on the tape. With create_graph, a node's backward pass computes as ever, and is entered into
// the tape itself: as a node that holds the graph of what was computed, which is differentiated and run when its turn comes.
// Everything is a template, so that only programs that ask for it pay for it.

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::core {

template <class... Op>
op_info const* info_in(op::op_list<Op...>, std::uint64_t id) {
    op_info const* found = nullptr;
    ((type_id<Op> == id ? static_cast<void>(found = &info_of<Op>) : static_cast<void>(0)), ...);
    return found;
}
/// The rules of an operation that a label names.
template <class Asked>
op_info const* rules_of(op_info const* label, op_info const* const* users) {
    using structure = op::op_list<op::symbol, op::constant, op::size, op::iota, op::sum, op::amax, op::argmax, op::matmul, op::reshape, op::broadcast_to, op::transpose, op::slice, op::pad, op::concatenate, op::take_rows, op::add_rows>;
    if (label->label) return label;
    if (op_info const* found = info_in(structure{}, label->id)) return found;
    if (op_info const* found = info_in(op::elementwise_list{}, label->id)) return found;
    for (; users && *users; ++users)
        if ((*users)->id == label->id) return *users;
    throw autograd_error(concat("gradus: no second derivative: the rules of ", label->name, " are not known here").str());
}

/// A graph, and what is known of its values.
struct valued_graph {
    graph g;
    list<int> known;                ///< nodes
    list<saved_value> values;       ///< of those nodes

    void know(int node, saved_value const& v) {
        known.push_back(node);
        values.push_back(v);
    }
};
/// The node of a recorded backward pass: symbols of its graph are its edges, outputs its results.
template <class Asked>
struct derived_node : tape_node {
    valued_graph content;
};

inline void store(list<double> const& from, tensor_state& to) {
    with_element(to.type, [&]<class T>(T) {
        for (int i = 0; i < from.size(); ++i) reinterpret_cast<T*>(to.data)[i] = static_cast<T>(from[i]);
    });
}
inline void fetch(void const* from, dtype type, list<double>& to) {
    with_element(type, [&]<class T>(T) {
        for (int i = 0; i < to.size(); ++i) to[i] = static_cast<double>(static_cast<T const*>(from)[i]);
    });
}

/// Numbers for named dimensions, in the order in which symbols name them.
inline void settle(graph& g, std::span<std::int64_t const> sizes) {
    list<extent> names;
    auto number_of = [&](extent e) {
        int k = 0;
        while (k < names.size() && !(names[k] == e)) ++k;
        if (k == names.size()) names.push_back(e);
        return sizes[static_cast<std::size_t>(k)];
    };
    auto settle_shape = [&](shape& s) {
        for (int axis = 0; axis < s.rank(); ++axis)
            if (!s[axis].is_static()) s[axis] = number_of(s[axis]);
    };
    for (symbol_entry& s : g.symbols) settle_shape(s.type.shape);
    for (node& n : g.nodes) {
        settle_shape(n.shape);
        if (!n.is<op::size>()) continue;
        for (int k = 0; k < 3; ++k) {
            extent e;
            e.code = n.attr.n[2 * k];
            e.more = n.attr.n[2 * k + 1];
            if (e.code) n.attr.value *= static_cast<double>(number_of(e));
        }
        double const count = n.attr.value;
        n.attr = {};
        n.attr.value = count;
        n.op = &info_of<op::constant>;
    }
}

/// What a node computed, as a graph whose symbols are its edges.
template <class Asked>
valued_graph content_of(tape_node& n);

/// Appends cotangents of the outputs as symbols and the derivatives of all symbols that have one. Outputs become those
/// derivatives; `gradient` tells per symbol which, or -1.
inline void differentiate_outputs(graph& g, std::span<tensor_ref> cotangents, valued_graph& with, list<int>& gradient) {
    int const symbols = g.symbols.size();
    list<int> cotangent(g.size(), -1);
    for (int j = 0; j < static_cast<int>(cotangents.size()); ++j) {
        int const node_id = g.outputs[j].node;
        tensor_type const type = g[node_id].result();
        if (!is_floating(type.type)) continue;
        int seed;
        if (cotangents[static_cast<std::size_t>(j)]) {
            node n{&info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, {}};
            n.attr.n[0] = g.symbols.size();
            g.symbols.push_back({"cotangent", type, j});
            seed = g.intern(n);
            tensor_state const& c = *cotangents[static_cast<std::size_t>(j)];
            with.know(seed, {c.memory, c.data, c.memory->written_times()});
        } else {
            g.symbols.push_back({"cotangent", type, j});
            continue;
        }
        cotangent[node_id] = cotangent[node_id] < 0 ? seed : (value{g, cotangent[node_id]} + value{g, seed}).id();
    }
    sweep(g, cotangent, true);
    gradient = list<int>(symbols, -1);
    g.outputs = {};
    for (int i = 0; i < cotangent.size(); ++i) {
        if (!g[i].is<op::symbol>() || cotangent[i] < 0) continue;
        gradient[static_cast<int>(g[i].attr.n[0])] = g.outputs.size();
        g.outputs.push_back({cotangent[i], -1});
    }
}

/// The compiler simplified derivatives before it decided what to save for them; what it left out must not be asked for here.
template <class Asked>
void simplify_derivatives(valued_graph& v) {
    int const outputs = v.g.outputs.size();
    for (int id : v.known) v.g.outputs.push_back({id, -1});
    v.g = pass::simplify_differentiable(v.g);  // its stop_gradient is for the next derivative
    for (int i = 0; i < v.known.size(); ++i) v.known[i] = v.g.outputs[outputs + i].node;
    while (v.g.outputs.size() > outputs) v.g.outputs.pop_back();
}

inline void put_known(valued_graph const& v, graph_run& run, tape_node const& n) {
    for (int i = 0; i < v.known.size(); ++i) {
        saved_value const& s = v.values[i];
        if (s.memory && s.memory->written_times() != s.version) refuse_modified(n, s, {}, v.g[v.known[i]].result());
        fetch(s.elements(), v.g[v.known[i]].type, run.know(v.known[i]));
    }
}

template <class Asked>
void backward_of_derived(tape_node& n, backward_call& call) {
    valued_graph with = static_cast<derived_node<Asked>&>(n).content;
    list<int> gradient;
    differentiate_outputs(with.g, call.cotangents, with, gradient);
    simplify_derivatives<Asked>(with);
    graph_run run(with.g);
    put_known(with, run, n);
    for (std::size_t k = 0; k < n.edges.size(); ++k) {
        int const output = gradient[static_cast<int>(k)];
        if (output < 0 || !n.edges[k] || !call.wants(k)) continue;
        int const id = with.g.outputs[output].node;
        std::int64_t extents[max_rank]{};
        for (int axis = 0; axis < with.g[id].shape.rank(); ++axis) extents[axis] = with.g[id].shape[axis].code;
        call.gradients[k] = make_state(with.g[id].type, with.g[id].shape.rank(), extents);
        store(run(id), *call.gradients[k]);
    }
}
template <class Asked>
inline constexpr node_kind derived_kind{"DerivativeBackward0", &backward_of_derived<Asked>, &node_block<derived_node<Asked>>::destroy,
                                        [] { return graph{}; }};

template <class Asked>
valued_graph content_of(tape_node& n) {
    if (n.kind == &derived_kind<Asked>) return static_cast<derived_node<Asked>&>(n).content;
    valued_graph made;
    made.g = n.kind->describe();
    op_info const* const* users = n.kind->operations ? n.kind->operations() : nullptr;
    for (node& each : made.g.nodes) each.op = rules_of<Asked>(each.op, users);
    settle(made.g, n.dimensions);
    int const symbols = static_cast<int>(n.edges.size()), results = n.results;
    auto know = [&](int id, int at) {
        saved_value const& s = n.saved[static_cast<std::size_t>(at)];
        if (s.memory) made.know(id, s);
    };
    for (int i = 0; i < made.g.size(); ++i) {
        if (!made.g[i].is<op::symbol>()) continue;
        int const k = static_cast<int>(made.g[i].attr.n[0]);
        if (n.saved[static_cast<std::size_t>(k)].memory) know(i, k);
        else if (n.saved[static_cast<std::size_t>(k)].is_number) made.know(i, n.saved[static_cast<std::size_t>(k)]);
    }
    for (int o = 0; o < made.g.outputs.size(); ++o) {
        int const id = made.g.outputs[o].node;
        if (!made.g[id].is<op::symbol>()) know(id, o < results ? symbols + o : symbols + results + o);
    }
    while (made.g.outputs.size() > results) made.g.outputs.pop_back();
    return made;
}

/// Runs a node's backward pass and enters it into the tape.
template <class Asked>
void record_backward(tape_node& n, backward_call& call) {
    n.kind->backward(n, call);
    bool recorded = false;
    for (edge const& e : n.edges) recorded = recorded || e;
    if (!recorded) return;
    valued_graph content = content_of<Asked>(n);
    list<int> gradient;
    int const symbols = content.g.symbols.size();
    differentiate_outputs(content.g, call.cotangents, content, gradient);
    simplify_derivatives<Asked>(content);
    derived_node<Asked>* made = node_block<derived_node<Asked>>::make(derived_kind<Asked>, static_cast<std::size_t>(content.g.symbols.size()), 1, 0);
    node_ref const owner(made);
    made->results = static_cast<std::uint16_t>(content.g.outputs.size());
    made->file = n.file;
    made->line = n.line;
    for (std::size_t k = 0; k < n.edges.size(); ++k)
        if (n.edges[k]) made->connect(k, n.edges[k]);
    for (std::size_t j = 0; j < call.cotangents.size(); ++j)
        if (call.cotangents[j] && call.cotangents[j]->is_recorded()) made->connect(static_cast<std::size_t>(symbols) + j, edge_of(call.cotangents[j]));
    for (int i = 0; i < content.values.size(); ++i)
        if (content.values[i].memory) made->saved[0] = content.values[i];  // a second pass without retain_graph is refused
    made->content = std::move(content);
    for (std::size_t k = 0; k < n.edges.size(); ++k) {
        tensor_ref& g = call.gradients[k];
        if (!g || gradient[static_cast<int>(k)] < 0) continue;
        bool shared = false;  // a cotangent that is handed on as it is has its history already
        for (tensor_ref const& c : call.cotangents) shared = shared || c.get() == g.get();
        if (shared) continue;
        g->node = owner;
        g->output = gradient[static_cast<int>(k)];
    }
}

}  // namespace gradus::core

#pragma GCC diagnostic pop
