// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/heap.hpp>
#include <gradus/graph/control_facts.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/schedule/fuse_rows.hpp>

namespace gradus::inline GRADUS_ARCH {

/// Kernels in the order of execution, and whether each update may write its symbol in place.
struct schedule_result {
    core::list<int> order;      ///< of kernels
    core::list<char> in_place;  ///< per output: nothing reads the old value any more when its kernel writes the new one
};

namespace core {

/// Bytes for choosing an order; a named dimension counts as 64.
constexpr std::int64_t weight_of(node const& n) {
    std::int64_t bytes = size_of(n.type);
    for (int i = 0; i < n.shape.rank(); ++i) bytes *= n.shape[i].is_static() ? n.shape[i].code : 64;
    return bytes;
}

/// Who reads which memory, through views and scalars that are computed in place, and whether it may be written over.
class memory_readers {
public:
    constexpr memory_readers(graph const& g, fusion const& f) : g_(g), f_(f), of_(g.size()), turn_(f.groups.size(), 0) {
        for (fused_kernel const& kernel : f.kernels)
            for (int t = 0; t < kernel.groups.size(); ++t) turn_[kernel.groups[t]] = t;
        for (int m = 0; m < g.size(); ++m)
            for (int i = 0; f.group_of[m] >= 0 && i < g[m].op->arity; ++i) note(g[m].in[i], {m, i});
    }
    /// May a node of a kernel be written over a value? No group after the node's reads the value then, and those that take turns with it
    /// read it element by element, as the node is written; not at all where the node is a sum that grows in memory from the first turn on.
    constexpr bool may_overwrite(int value, int node) const {
        int const writer = f_.group_of[node], kernel = f_.kernel_of[node];
        row_part const part = f_.groups[writer].part;
        bool const in_turns = f_.kernels[kernel].rows != fused_rows::none && part != row_part::after;
        bool const grows = in_turns && (part == row_part::adds || (g_[node].op->kind == op_kind::reduction && !g_[node].shape.is_single()));
        for (reading const& r : of_[value]) {
            int const k = f_.group_of[r.member];
            if (f_.kernel_of[r.member] != kernel || (!in_turns && turn_[k] < turn_[writer])) continue;
            kernel_group const& group = f_.groups[k];
            bool const same =
                group.domain == g_[value].shape ? g_[r.member].in[r.i] == value : g_[value].shape.is_single() || group.domain.is_single();
            if (turn_[k] > turn_[writer] || grows || group.kind != kernel_kind::loop || !same) return false;
        }
        return true;
    }

private:
    struct reading {
        int member = -1, i = 0;
    };
    constexpr void note(int id, reading const& r) {
        int const b = f_.base[id];
        if (f_.inlined[b])
            for (int i = 0; i < g_[b].op->arity; ++i) note(g_[b].in[i], r);
        else if (g_[b].is_symbol() || f_.group_of[b] >= 0) of_[b].push_back(r);
    }
    graph const& g_;
    fusion const& f_;
    list<list<reading>> of_;  ///< per node
    list<int> turn_;          ///< per group: its place in its kernel
};

/// A kernel that may run next. The greatest is the best: what overwrites no value that is yet to be read, then what shrinks live memory
/// most, then the earlier one. A kernel only gets better: it is put in again then, and its old entries are passed over.
struct ready_kernel {
    bool blocked = false;
    std::int64_t growth = 0;
    int kernel = -1;
    constexpr bool operator<(ready_kernel const& o) const {
        if (blocked != o.blocked) return blocked;
        return growth != o.growth ? growth > o.growth : kernel > o.kernel;
    }
};

class scheduling {
public:
    constexpr scheduling(graph const& g, fusion const& f)
        : g_(g),
          f_(f),
          memory_(g, f),
          count_(f.kernels.size()),
          inputs_(count_),
          users_(count_),
          waits_(count_, 0),
          blocked_(count_, 0),
          growth_(count_, 0),
          readers_(g.size(), 0),
          read_by_(g.size()),
          noted_(g.size(), -1),
          symbol_node_(g.symbols.size(), -1),
          writer_(g.symbols.size(), -1),
          reads_own_(g.symbols.size(), 0),
          written_(count_),
          done_(count_, 0) {
        for (int k = 0; k < count_; ++k) find_inputs(k);
        for (int k = 0; k < count_; ++k) {
            for (int b : inputs_[k]) {
                int const maker = f_.kernel_of[b];
                if (maker >= 0) {
                    ++waits_[k];
                    users_[maker].push_back(k);
                    if (readers_[b] == 0) growth_[maker] += weight_of(g_[b]);
                }
                ++readers_[b];
                read_by_[b].push_back(k);
            }
        }
        for (int i = g_.size() - 1; i >= 0; --i)
            if (g_[i].is_symbol()) symbol_node_[g_[i].symbol()] = i;
        for (output_entry const& o : g_.outputs)
            if (o.updates >= 0) {
                writer_[o.updates] = f_.base[o.node];
                written_[f_.kernel_of[f_.base[o.node]]].push_back(o.updates);
            }
        for (int k = 0; k < count_; ++k)
            for (int b : inputs_[k])
                if (int const s = symbol_of(b); s >= 0 && writer_[s] >= 0 && f_.kernel_of[writer_[s]] == k) reads_own_[s] = 1;
        for (int k = 0; k < count_; ++k)
            for (int s : written_[k]) blocked_[k] += has_others(s);
        for (int b = 0; b < g_.size(); ++b) note_last(b);
    }
    constexpr schedule_result run() {
        schedule_result result;
        for (int k = 0; k < count_; ++k) push(k);
        list<char> safe(g_.symbols.size(), 0);
        while (!ready_.empty()) {
            ready_kernel const best = ready_.pop();
            int const k = best.kernel;
            if (done_[k]) continue;
            done_[k] = 1;
            for (int s : written_[k]) safe[s] = !best.blocked && reads_in_place(s);
            result.order.push_back(k);
            for (int b : inputs_[k]) {
                int const s = symbol_of(b);
                bool const waited = s >= 0 && writer_[s] >= 0 && has_others(s);
                --readers_[b];
                note_last(b);
                if (!waited || has_others(s)) continue;
                int const by = f_.kernel_of[writer_[s]];
                --blocked_[by];
                push(by);
            }
            for (int u : users_[k])
                if (--waits_[u] == 0) push(u);
        }
        bool const fails = core::may_fail(g_);  // what fails changes nothing
        for (output_entry const& o : g_.outputs) result.in_place.push_back(o.updates >= 0 && safe[o.updates] && !fails);
        return result;
    }

private:
    constexpr void push(int k) {
        if (waits_[k] == 0 && !done_[k]) ready_.push({blocked_[k] > 0, growth_[k], k});
    }
    /// Memory that one kernel alone has yet to read is free after it.
    constexpr void note_last(int b) {
        if (readers_[b] != 1 || f_.kernel_of[b] < 0) return;
        for (int k : read_by_[b])
            if (!done_[k]) {
                growth_[k] -= weight_of(g_[b]);
                push(k);
            }
    }
    constexpr int symbol_of(int b) const { return g_[b].is_symbol() ? g_[b].symbol() : -1; }
    /// Have kernels other than the one that updates it yet to read a symbol?
    constexpr bool has_others(int s) const { return symbol_node_[s] >= 0 && readers_[symbol_node_[s]] > reads_own_[s]; }
    /// Adds what a node reads: memory of symbols and of other kernels, through views and inline scalars.
    constexpr void add_input(int k, int id) {
        int b = f_.base[id];
        if (noted_[b] == k) return;
        noted_[b] = k;
        if (f_.inlined[b]) {
            for (int i = 0; i < g_[b].op->arity; ++i) add_input(k, g_[b].in[i]);
            return;
        }
        bool memory = g_[b].is_symbol() || (f_.kernel_of[b] >= 0 && f_.kernel_of[b] != k);
        if (memory) inputs_[k].push_back(b);
    }
    constexpr void find_inputs(int k) {
        for (int m : f_.kernels[k].members)
            for (int i = 0; i < g_[m].op->arity; ++i) add_input(k, g_[m].in[i]);
    }
    /// A kernel that reads the symbol it writes must read each element where it writes it, only there, and not after it.
    constexpr bool reads_in_place(int s) const { return !reads_own_[s] || memory_.may_overwrite(symbol_node_[s], writer_[s]); }
    graph const& g_;
    fusion const& f_;
    memory_readers memory_;
    int count_;
    list<list<int>> inputs_, users_;
    list<int> waits_;
    list<int> blocked_;          ///< per kernel: symbols that it would overwrite and others have yet to read
    list<std::int64_t> growth_;  ///< per kernel: bytes that others read of it, less those that nobody reads after it
    list<int> readers_;          ///< per node: kernels that have yet to read it
    list<list<int>> read_by_;
    list<int> noted_;                 ///< per node: the kernel whose input it was noted as last
    list<int> symbol_node_, writer_;  ///< per symbol; -1: none
    list<char> reads_own_;            ///< per symbol: does the kernel that updates it read it?
    list<list<int>> written_;
    list<char> done_;  ///< per kernel
    heap<ready_kernel> ready_;
};

}  // namespace core

namespace pass {

/// Orders the kernels: operands first, then what shrinks live memory most; a kernel that updates a symbol waits for
/// the symbol's other readers where it can.
constexpr schedule_result schedule(graph const& g, fusion const& f) { return core::scheduling(g, f).run(); }

}  // namespace pass
}  // namespace gradus::inline GRADUS_ARCH
