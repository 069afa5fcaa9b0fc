// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/pass/schedule.hpp>

namespace gradus {

/// Where the elements of a stored value are.
enum class place : std::uint8_t { none, symbol, output, arena };

struct buffer {
    place where = place::none;
    int index = -1;           ///< of the symbol, of the output, of the arena's section
    std::int64_t offset = 0;  ///< in bytes, times the section's named dimensions
};

/// One part of the arena: all buffers whose size has the same named dimensions share it.
struct arena_section {
    std::uint32_t powers = 0;
    std::int64_t peak = 0;  ///< bytes, times those dimensions
};

/// Memory for every stored value. Lifetimes are intervals in the schedule; buffers that do not live at the same time
/// share memory, and an elementwise kernel writes over an operand that it is the last to read.
struct memory_plan {
    core::list<buffer> buffers;          ///< per node
    core::list<arena_section> sections;
    core::list<int> copied_back;         ///< outputs whose update is written to the arena first
};

namespace core {

class planning {
public:
    constexpr planning(graph const& g, fusion const& f, schedule_result const& s, dimension_table& dimensions)
        : g_(g), f_(f), s_(s), dimensions_(dimensions), when_(f.groups.size(), 0), last_(g.size(), -1), taken_over_(g.size(), 0) {
        result_.buffers = list<buffer>(g.size());
    }
    constexpr memory_plan run() {
        find_times();
        assign_fixed();
        for (int kernel : s_.order)
            for (int m : f_.kernels[kernel].members)
                for (int i = 0; i < g_[m].op->arity; ++i) read(f_.group_of[m], g_[m].in[i]);
        for (int kernel : s_.order)
            for (int k : f_.kernels[kernel].groups)
                for (int m : f_.groups[k].members)
                    if (last_[m] >= 0 && result_.buffers[m].where == place::none) allocate(m, when_[k]);
        return std::move(result_);
    }

private:
    /// Groups that take turns run at the same time.
    constexpr void find_times() {
        for (int kernel : s_.order) {
            fused_kernel const& walk = f_.kernels[kernel];
            for (int k : walk.groups) {
                bool const turn = walk.walk != walk_kind::whole && k != walk.groups[0] && f_.groups[k].part != row_part::after;
                when_[k] = turn ? end_ - 1 : end_++;
            }
        }
    }
    constexpr void assign_fixed() {
        for (int i = 0; i < g_.size(); ++i)
            if (g_[i].is<op::symbol>()) result_.buffers[i] = {place::symbol, static_cast<int>(g_[i].attr.n[0]), 0};
        int returned = 0;
        for (int o = 0; o < g_.outputs.size(); ++o) {
            int base = f_.base[g_.outputs[o].node];
            if (g_.outputs[o].updates < 0) result_.buffers[base] = {place::output, returned++, 0};
            else if (s_.in_place[o]) result_.buffers[base] = {place::symbol, g_.outputs[o].updates, 0};
            else { result_.copied_back.push_back(o); last_[base] = end_; }
        }
    }
    constexpr void read(int group, int id) {
        int b = f_.base[id];
        if (f_.inlined[b]) {
            for (int i = 0; i < g_[b].op->arity; ++i) read(group, g_[b].in[i]);
        } else if (f_.group_of[b] >= 0 && f_.group_of[b] != group && when_[group] > last_[b]) {
            last_[b] = when_[group];
        }
    }
    constexpr monomial bytes(int i) { return dimensions_.size(g_[i].shape) * monomial{size_of(g_[i].type), 0}; }

    /// An operand of the node's loop that dies there, is read element by element only, and has the same size.
    constexpr int dying_operand(int node, int time) {
        kernel_group const& group = f_.groups[f_.group_of[node]];
        if (group.kind != kernel_kind::loop || g_[node].op->kind != op_kind::elementwise || f_.epilogue[node]) return -1;
        for (int m : group.members) {
            for (int i = 0; i < g_[m].op->arity; ++i) {
                int b = g_[m].in[i];
                if (result_.buffers[b].where != place::arena || last_[b] != time || taken_over_[b]) continue;
                if (!(g_[b].shape == group.domain) || g_[b].type != g_[node].type) continue;
                if (may_overwrite(g_, f_, f_.kernel_of[node], b, node)) return b;
            }
        }
        return -1;
    }
    /// Offsets are multiples of this: with a named dimension they are multiplied by it, so that the size of an element will do.
    static constexpr std::int64_t unit_of(monomial size) { return size.is_static() ? 16 : 8; }
    static constexpr std::int64_t length_of(monomial size) { return (size.c + unit_of(size) - 1) / unit_of(size) * unit_of(size); }

    constexpr void allocate(int node, int time) {
        monomial size = bytes(node);
        if (int operand = dying_operand(node, time); operand >= 0) {
            result_.buffers[node] = result_.buffers[operand];
            taken_over_[operand] = 1;
            live_.push_back({node, length_of(size)});
            return;
        }
        int section = 0;
        while (section < result_.sections.size() && result_.sections[section].powers != size.powers) ++section;
        if (section == result_.sections.size()) result_.sections.push_back({size.powers, 0});
        // first fit among what is alive; small buffers are packed, larger ones of known size start on a cache line
        std::int64_t length = length_of(size), align = size.is_static() && size.c >= 64 ? 64 : unit_of(size), offset = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (live_buffer const& other : live_) {
                if (result_.buffers[other.node].index != section || last_[other.node] < time) continue;
                std::int64_t begin = result_.buffers[other.node].offset, end = begin + other.length;
                if (offset >= end || offset + length <= begin) continue;
                offset = (end + align - 1) / align * align;
                moved = true;
            }
        }
        result_.buffers[node] = {place::arena, section, offset};
        live_.push_back({node, length});
        if (offset + length > result_.sections[section].peak) result_.sections[section].peak = offset + length;
    }

    struct live_buffer {
        int node = -1;
        std::int64_t length = 0;
    };
    graph const& g_;
    fusion const& f_;
    schedule_result const& s_;
    dimension_table& dimensions_;
    list<int> when_, last_;  ///< per group, and per node: when it is read last
    int end_ = 0;
    list<char> taken_over_;
    list<live_buffer> live_;
    memory_plan result_;
};

}  // namespace core

namespace pass {

/// Offsets for every value that has to be stored, in one arena.
constexpr memory_plan plan_memory(graph const& g, fusion const& f, schedule_result const& s, dimension_table& dimensions) {
    return core::planning(g, f, s, dimensions).run();
}

}  // namespace pass
}  // namespace gradus
