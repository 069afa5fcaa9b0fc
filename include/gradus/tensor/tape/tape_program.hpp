// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/executable.hpp>
#include <gradus/tensor/view/view.hpp>
#include <gradus/transform/pipeline.hpp>

// What nodes of the tape compute, as graphs that run time differentiates, simplifies and plans, once for all nodes of a kind. For
// derivatives of derivatives, of any order (tensor/tape/second_order.hpp). Templates, for those who ask (core/config.hpp).

namespace gradus::inline GRADUS_ARCH::core {

/// A program for some of the derivatives.
template <class Asked>
struct planned_derivatives {
    list<int> wanted;  ///< per output of the graph: 0, or the number of the sum that it is part of
    list<int> same;    ///< per value: the first that is the same memory
    list<int> asked;   ///< nodes whose values the caller would like to keep
    list<int> kept;    ///< those of them that are computed: results after the sums
    executable<Asked> program;
};
/// What a node of the tape computed, or a derivative of that, and which of its values the node has.
struct tape_graph {
    graph g;
    list<int> known;        ///< nodes of the graph whose values are there, in the order in which the tape's node has them
    list<int> saved_at;     ///< of what is recorded: where among the node's saved values each of them is
    list<int> gradient;     ///< in a derivative: per symbol that it is for, the output, or -1
    dimension_table names;  ///< in the order of the node's dimensions
};
/// The same and what was made of it. Lives as long as the process, as kinds of nodes do.
template <class Asked>
struct tape_program : tape_graph {
    void const* kind = nullptr;
    list<char> key;    ///< what it was asked for by
    list<int> costly;  ///< what the next derivative reads and is costly to compute again, once it was asked for
    bool costly_is_known = false, listed_is_known = false;
    bool only_listed = true;  ///< see has_only_listed
    list<tape_program*> derivatives;
    list<planned_derivatives<Asked>*> plans;
    spin_lock lock;  ///< of both lists

    tape_program() = default;
    tape_program(tape_program<Asked> const&) = delete;
    tape_program& operator=(tape_program<Asked> const&) = delete;
    ~tape_program() {
        for (tape_program* p : derivatives) delete p;
        for (planned_derivatives<Asked>* p : plans) delete p;
    }
};
/// Programs that do not live as long: nodes of the tape that hold one share what it is part of.
struct program_owner {
    owners owned;
    virtual ~program_owner() = default;
    friend void dispose(program_owner* p) { delete p; }
};
template <class T>
bool same(list<T> const& a, list<T> const& b) {
    bool equal = a.size() == b.size();
    for (int i = 0; equal && i < a.size(); ++i) equal = a[i] == b[i];
    return equal;
}
inline void append_number(list<char>& key, int n) {
    for (int bits = 0; bits < 32; bits += 8) key.push_back(static_cast<char>(n >> bits & 255));
}
/// The program in a list that was asked for by this, or a new one that `make` fills.
template <class Asked>
tape_program<Asked>& program_for(list<tape_program<Asked>*>& all, spin_lock& lock, void const* kind, list<char> const& key,
                                 auto const& make) {
    locked held(lock);
    for (tape_program<Asked>* known : all)
        if (known->kind == kind && same(known->key, key)) return *known;
    own<tape_program<Asked>> made;
    made.make().kind = kind;
    made->key = key;
    make(*made);
    all.push_back(made.get());
    return *made.release();
}

/// What is there of a cotangent: nothing, which is 0; its value; one number for all places, or the knowledge that this is 1, as where a
/// pass begins and behind a sum.
enum class cotangent_kind : char { none, value, number, one };

/// Appends cotangents of the outputs as symbols and the derivatives of all symbols that have one. Outputs become those derivatives.
/// `present` has a cotangent_kind per output.
inline void differentiate_outputs(tape_graph& p, list<char> const& present) {
    graph& g = p.g;
    int const symbols = g.symbols.size();
    list<int> cotangent(g.size(), -1);
    for (int j = 0; j < g.outputs.size(); ++j) {
        int const id = g.outputs[j].node;
        tensor_type const type = g[id].result();
        g.symbols.push_back({"cotangent", type, j});
        auto const kind = static_cast<cotangent_kind>(present[j]);
        if (!is_floating(type.type) || kind == cotangent_kind::none) continue;
        auto const add = [&](value seed) { cotangent[id] = add_derivatives(g, cotangent[id], seed.broadcast_to(type.shape).id()); };
        if (kind == cotangent_kind::one) {
            add(value::constant(g, 1, type.type));
            continue;
        }
        tensor_type& held = g.symbols[g.symbols.size() - 1].type;
        if (kind == cotangent_kind::number) held.shape = {};
        node const n{&info_of<op::symbol>, {-1, -1, -1}, held.type, held.shape, op::symbol::numbered(g.symbols.size() - 1)};
        p.known.push_back(g.intern(n));
        add(value{g, p.known.back()});
    }
    sweep(g, cotangent, true);
    p.gradient = list<int>(symbols, -1);
    g.outputs = {};
    for (int i = 0; i < cotangent.size(); ++i) {
        if (!g[i].is_symbol() || cotangent[i] < 0) continue;
        int const number = g[i].symbol();
        g.symbols[number].selects = g.zeros_stay || selection(g, cotangent[i]).found();
        p.gradient[number] = g.outputs.size();
        g.outputs.push_back({cotangent[i], -1});
    }
}
/// The compiler simplified derivatives before it decided what to save for them; what it left out must not be asked for here.
inline void simplify_derivatives(tape_graph& p) {
    int const outputs = p.g.outputs.size();
    for (int id : p.known) p.g.outputs.push_back({id, -1});
    bool const zeros_stay = p.g.zeros_stay;
    p.g = pass::simplify_differentiable(p.g);  // its stop_gradient is for the next derivative
    p.g.zeros_stay = zeros_stay;
    for (int i = 0; i < p.known.size(); ++i) p.known[i] = p.g.outputs[outputs + i].node;
    while (p.g.outputs.size() > outputs) p.g.outputs.pop_back();
}
/// The nodes that these need, computed from what is known.
inline list<char> needed_for(tape_graph const& p, list<int> const& wanted) {
    list<char> needed(p.g.size(), 0), is_known(p.g.size(), 0);
    for (int id : p.known) is_known[id] = 1;
    for (int id : wanted) needed[id] = 1;
    for (int i = p.g.size() - 1; i >= 0; --i)
        for (int k = 0; needed[i] && !is_known[i] && k < p.g[i].operands(); ++k) needed[p.g[i].in[k]] = 1;
    return needed;
}
/// The derivative of a program along the cotangents that are present, where the values of nodes `kept` are known too; `zeros_stay` as
/// in graph.
template <class Asked>
tape_program<Asked>& derivative_of(tape_program<Asked>& p, list<char> const& present, bool zeros_stay, list<int> const& kept = {}) {
    list<char> key = present;
    key.push_back(zeros_stay);
    for (int id : kept) append_number(key, id);
    return program_for(p.derivatives, p.lock, nullptr, key, [&](tape_program<Asked>& made) {
        made.g = p.g;
        made.g.zeros_stay = p.g.zeros_stay || zeros_stay;
        made.known = p.known;
        made.known.append(kept.begin(), kept.size());
        made.names = p.names;
        differentiate_outputs(made, present);
        simplify_derivatives(made);
    });
}
/// What a program computes with functions such as exp and with quotients, and its derivatives read.
template <class Asked>
list<int> const& costly_nodes(tape_program<Asked>& p) {
    locked held(p.lock);
    if (std::exchange(p.costly_is_known, true)) return p.costly;
    list<int> outputs, costly;
    for (output_entry const& o : p.g.outputs) outputs.push_back(o.node);
    for (int id : outputs)
        if (!derivative_complaint(p.g, list<char>(p.g.size(), 1), id, true).empty()) return p.costly;
    list<char> const computed = needed_for(p, outputs);
    for (int i = 0; i < p.g.size(); ++i) {
        op_info const& op = *p.g[i].op;
        bool const calls = op.kind == op_kind::elementwise && (!op.foldable || op.divides);
        if (calls && computed[i] && is_floating(p.g[i].type) && !p.known.contains(i)) costly.push_back(i);
    }
    tape_graph next{p.g, p.known, {}, {}, {}};
    next.known.append(costly.begin(), costly.size());
    try {
        differentiate_outputs(next, list<char>(outputs.size(), static_cast<char>(cotangent_kind::value)));
    } catch (error const&) {
        return p.costly;  // whoever asks for that derivative is told
    }
    simplify_derivatives(next);
    outputs = {};
    for (output_entry const& o : next.g.outputs) outputs.push_back(o.node);
    list<char> const read = needed_for(next, outputs);
    for (int k = 0; k < costly.size(); ++k)
        if (read[next.known[p.known.size() + k]]) p.costly.push_back(costly[k]);
    return p.costly;
}

/// Has every elementwise operation of a program a function on blocks? Only the compiler's programs have vectors of one of the user's.
template <class Asked>
bool has_only_listed(tape_program<Asked>& p, array_view<kernel::block_entry const> operations) {
    locked held(p.lock);
    if (std::exchange(p.listed_is_known, true)) return p.only_listed;
    for (node const& n : p.g.nodes) {
        bool listed = n.op->kind != op_kind::elementwise;
        for (kernel::block_entry const& known : operations) listed = listed || known.id == n.op->id;
        p.only_listed = p.only_listed && listed;
    }
    return p.only_listed;
}

/// The sums of wanted outputs, and behind them the values of nodes `kept`, as a graph of its own, whose symbols are the values that are
/// there. Takes nodes out of `kept` that the sums do not need.
inline graph graph_from_known(tape_graph const& p, list<int> const& wanted, list<int> const& same, list<int>& kept) {
    graph made;
    list<int> number(p.g.size(), -1), roots;
    list<char> is_known(p.g.size(), 0);
    for (int id : p.known) is_known[id] = 1;
    for (int o = 0; o < wanted.size(); ++o)
        if (wanted[o]) roots.push_back(p.g.outputs[o].node);
    list<char> const needed = needed_for(p, roots);
    kept.remove_if([&](int id) { return !needed[id]; });
    for (int k = 0; k < p.known.size(); ++k) {
        node n{&info_of<op::symbol>, {-1, -1, -1}, p.g[p.known[k]].type, p.g[p.known[k]].shape, op::symbol::numbered(k)};
        made.symbols.push_back({"value", n.result()});
        if (made.symbols[same[k]].type == n.result()) n.attr = op::symbol::numbered(same[k]);
        if (needed[p.known[k]] && number[p.known[k]] < 0) number[p.known[k]] = made.intern(n);
    }
    made.bodies = p.g.bodies;
    for (int i = 0; i < p.g.size(); ++i) {
        if (!needed[i] || is_known[i]) continue;
        node n = p.g[i];
        if (n.is_symbol()) throw autograd_error("gradus: a value that this derivative needs was not saved");
        for (int k = 0; k < n.operands(); ++k) n.in[k] = number[n.in[k]];
        number[i] = made.intern(n);
    }
    for (int o = 0; o < wanted.size(); ++o) {
        if (!wanted[o]) continue;
        int const part = number[p.g.outputs[o].node], sums = made.outputs.size();
        if (wanted[o] > sums) made.outputs.push_back({part, -1});
        else made.outputs[wanted[o] - 1].node = add_derivatives(made, made.outputs[wanted[o] - 1].node, part);
    }
    for (int id : kept) made.outputs.push_back({number[id], -1});
    return made;
}
template <class Asked>
planned_derivatives<Asked> const& plan_for(tape_program<Asked>& p, list<int> const& wanted, list<int> const& same_value,
                                           list<int> const& asked, array_view<kernel::block_entry const> operations) {
    locked held(p.lock);
    for (planned_derivatives<Asked> const* known : p.plans)
        if (known && same(known->wanted, wanted) && same(known->same, same_value) && same(known->asked, asked)) return *known;
    p.plans.push_back(nullptr);  // stays where the next line throws
    list<int> kept = asked;
    graph const g = executable<Asked>::prepared(graph_from_known(p, wanted, same_value, kept));
    p.plans.back() = new planned_derivatives<Asked>{wanted, same_value, asked, kept, executable<Asked>(g, operations)};
    return *p.plans.back();
}
/// Per value the first that is the same memory: what a statement reads twice is read once, and computed with once.
inline list<int> same_values(array_view<saved_value const> values) {
    list<int> first;
    for (int k = 0; k < static_cast<int>(values.size()); ++k) {
        saved_value const& v = values[static_cast<std::size_t>(k)];
        int j = 0;
        auto differs = [&](saved_value const& u) {
            return !v.memory || u.memory.get() != v.memory.get() || u.data != v.data || u.version != v.version;
        };
        while (j < k && differs(values[static_cast<std::size_t>(j)])) ++j;
        first.push_back(j);
    }
    return first;
}

/// The extents of a shape whose named dimensions have these sizes.
inline numbers extents_at(shape const& s, dimension_table names, std::int64_t const* sizes) {
    numbers extents;
    for (int axis = 0; axis < s.rank(); ++axis)
        extents.n[axis] = s[axis].is_form() ? names.value_of(s[axis], sizes) : names.of(s[axis]).at(sizes);
    return extents;
}
/// Computes sums of outputs from the values, one per node that is known; `wanted` has per output 0 or the number of its sum, which are
/// counted from 1 as they begin. Behind them are the values of those of the nodes `kept` that were computed; the others are taken out.
/// `check(k)` is called for each value that is read.
template <class Asked>
list<tensor_ref> run_derivatives(tape_program<Asked>& p, list<int> const& wanted, list<int>& kept, array_view<saved_value const> values,
                                 std::int64_t const* sizes, array_view<kernel::block_entry const> operations, auto const& check) {
    planned_derivatives<Asked> const& plan = plan_for(p, wanted, same_values(values), kept, operations);
    executable<Asked> const& e = plan.program;
    kept = plan.kept;
    std::int64_t dimensions[max_dimensions]{};
    dimension_table names = p.names;
    for (int i = 0; i < e.dimensions().count; ++i)
        if (extent const name = e.dimensions().names[i]; !name.is_form()) dimensions[i] = sizes[names.index(name)];
    e.dimensions().complete(dimensions);
    list<void*> in(static_cast<int>(values.size()), nullptr), out;
    for (node const& n : e.program().nodes) {
        if (!n.is_symbol()) continue;
        auto const k = static_cast<std::size_t>(n.symbol());
        check(static_cast<int>(k));
        in[static_cast<int>(k)] = const_cast<void*>(values[k].elements());
    }
    list<tensor_ref> results;
    auto add = [&](node const& n) {
        results.push_back(make_state(n.type, n.shape.rank(), extents_at(n.shape, p.names, sizes).n));
        out.push_back(results.back()->data);
    };
    for (int o = 0; o < wanted.size(); ++o)
        if (wanted[o] > out.size()) add(p.g[p.g.outputs[o].node]);
    for (int id : kept) add(p.g[id]);
    aligned_buffer scratch(static_cast<std::size_t>(e.workspace_bytes(dimensions)) + 1);
    e.run({in.begin(), out.begin(), scratch.data(), dimensions});
    return results;
}

}  // namespace gradus::inline GRADUS_ARCH::core
