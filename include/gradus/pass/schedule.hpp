// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/reduction.hpp>
#include <gradus/pass/chain.hpp>

namespace gradus {

/// Kernels in the order of execution, and whether each update may write its symbol in place.
struct schedule_result {
    core::list<int> order;        ///< of kernels
    core::list<char> in_place;    ///< per output: nothing reads the old value any more when its kernel writes the new one
};

namespace core {

/// Bytes for choosing an order; a named dimension counts as 64.
constexpr std::int64_t weight_of(node const& n) {
    std::int64_t bytes = size_of(n.type);
    for (int i = 0; i < n.shape.rank(); ++i) bytes *= n.shape[i].is_static() ? n.shape[i].code : 64;
    return bytes;
}

/// Does operand `id` need this memory: through views, or through scalars that are computed in place?
constexpr bool looks_at(graph const& g, fusion const& f, int id, int memory) {
    int const base = f.base[id];
    if (base == memory) return true;
    bool found = false;
    for (int i = 0; f.inlined[base] && i < g[base].op->arity; ++i) found = found || looks_at(g, f, g[base].in[i], memory);
    return found;
}
/// May a node of a kernel be written over a value? No group after the node's reads the value then, and those that take turns with it
/// read it element by element, as the node is written; not at all where the node is a sum that grows in memory from the first turn on.
constexpr bool may_overwrite(graph const& g, fusion const& f, int kernel, int value, int node) {
    int const writer = f.group_of[node];
    row_part const part = f.groups[writer].part;
    bool const in_turns = f.kernels[kernel].walk != walk_kind::whole && part != row_part::after;
    bool const grows = in_turns && (part == row_part::adds || (g[node].op->kind == op_kind::reduction && !g[node].shape.is_single()));
    bool written = false;
    for (int k : f.kernels[kernel].groups) {
        kernel_group const& group = f.groups[k];
        if (!in_turns && k != writer && !written) continue;
        for (int m : group.members)
            for (int i = 0; i < g[m].op->arity; ++i) {
                if (!looks_at(g, f, g[m].in[i], value)) continue;
                bool const same = group.domain == g[value].shape ? g[m].in[i] == value : g[value].shape.is_single();
                if (written || grows || group.kind != kernel_kind::loop || !same) return false;
            }
        written = written || k == writer;
    }
    return true;
}

class scheduling {
public:
    constexpr scheduling(graph const& g, fusion const& f)
        : g_(g), f_(f), count_(f.kernels.size()), inputs_(count_), users_(count_), waits_(count_, 0), made_(count_, 0), readers_(g.size(), 0), written_(count_) {
        for (int k = 0; k < count_; ++k) find_inputs(k);
        for (int k = 0; k < count_; ++k) {
            for (int b : inputs_[k]) {
                int const maker = f_.kernel_of[b];
                if (maker >= 0) {
                    ++waits_[k];
                    users_[maker].push_back(k);
                    if (readers_[b] == 0) made_[maker] += weight_of(g_[b]);
                }
                ++readers_[b];
            }
        }
        for (output_entry const& o : g_.outputs)
            if (o.updates >= 0) written_[f_.kernel_of[f_.base[o.node]]].push_back(o.updates);
    }
    constexpr schedule_result run() {
        schedule_result result;
        list<int> ready;
        for (int k = 0; k < count_; ++k)
            if (waits_[k] == 0) ready.push_back(k);
        list<char> safe(g_.symbols.size(), 0);
        while (ready.size()) {
            int best = 0;
            bool best_blocked = blocked(ready[0]);
            std::int64_t best_growth = growth(ready[0]);
            for (int i = 1; i < ready.size(); ++i) {
                bool is_blocked = blocked(ready[i]);
                if (is_blocked && !best_blocked) continue;
                std::int64_t g = growth(ready[i]);
                if ((best_blocked && !is_blocked) || g < best_growth || (g == best_growth && ready[i] < ready[best])) {
                    best = i;
                    best_blocked = is_blocked;
                    best_growth = g;
                }
            }
            int k = ready[best];
            ready[best] = ready.back();
            ready.pop_back();
            for (int s : written_[k]) safe[s] = !best_blocked && reads_in_place(k, s);
            result.order.push_back(k);
            for (int b : inputs_[k]) --readers_[b];
            for (int u : users_[k])
                if (--waits_[u] == 0) ready.push_back(u);
        }
        for (output_entry const& o : g_.outputs) result.in_place.push_back(o.updates >= 0 && safe[o.updates]);
        return result;
    }

private:
    /// Adds what a node reads: memory of symbols and of other kernels, through views and inline scalars.
    constexpr void add_input(int k, int id) {
        int b = f_.base[id];
        if (f_.inlined[b]) {
            for (int i = 0; i < g_[b].op->arity; ++i) add_input(k, g_[b].in[i]);
            return;
        }
        bool memory = g_[b].is<op::symbol>() || (f_.kernel_of[b] >= 0 && f_.kernel_of[b] != k);
        if (memory && !inputs_[k].contains(b)) inputs_[k].push_back(b);
    }
    constexpr void find_inputs(int k) {
        for (int m : f_.kernels[k].members)
            for (int i = 0; i < g_[m].op->arity; ++i) add_input(k, g_[m].in[i]);
    }
    constexpr int symbol_node(int s) const {
        for (int i = 0; i < g_.size(); ++i)
            if (g_[i].is<op::symbol>() && g_[i].attr.n[0] == s) return i;
        return -1;
    }
    /// Would this kernel overwrite a symbol that others have yet to read?
    constexpr bool blocked(int k) const {
        for (int s : written_[k]) {
            int node = symbol_node(s);
            if (node >= 0 && readers_[node] > inputs_[k].contains(node)) return true;
        }
        return false;
    }
    /// A kernel that reads the symbol it writes must read each element where it writes it, only there, and not after it.
    constexpr bool reads_in_place(int k, int s) const {
        int node = symbol_node(s);
        if (node < 0 || !inputs_[k].contains(node)) return true;
        int writer = -1;
        for (output_entry const& o : g_.outputs)
            if (o.updates == s) writer = f_.base[o.node];
        return may_overwrite(g_, f_, k, node, writer);
    }
    constexpr std::int64_t growth(int k) const {
        std::int64_t bytes = made_[k];
        for (int b : inputs_[k])
            if (readers_[b] == 1 && f_.kernel_of[b] >= 0) bytes -= weight_of(g_[b]);
        return bytes;
    }

    graph const& g_;
    fusion const& f_;
    int count_;
    list<list<int>> inputs_, users_;
    list<int> waits_;
    list<std::int64_t> made_;  ///< bytes that other kernels read
    list<int> readers_;
    list<list<int>> written_;
};

}  // namespace core

namespace pass {

/// Orders the kernels: operands first, then what shrinks live memory most; a kernel that updates a symbol waits for
/// the symbol's other readers where it can.
constexpr schedule_result schedule(graph const& g, fusion const& f) {
    return core::scheduling(g, f).run();
}

}  // namespace pass
}  // namespace gradus
