// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/schedule/schedule.hpp>

namespace gradus::inline GRADUS_ARCH {

/// Where the elements of a stored value are.
enum class buffer_kind : std::uint8_t { none, symbol, output, arena };

struct buffer {
    buffer_kind where = buffer_kind::none;
    int index = -1;           ///< of the symbol, of the output, of the arena's section
    std::int64_t offset = 0;  ///< in bytes, times the section's named dimensions
};

/// One part of the arena: all buffers whose size has the same named dimensions share it.
struct arena_section {
    std::uint64_t powers = 0;
    std::int64_t peak = 0;  ///< bytes, times those dimensions
};

/// Memory for every stored value. Lifetimes are intervals in the schedule; buffers that do not live at the same time
/// share memory, and an elementwise kernel writes over an operand that it is the last to read.
struct memory_plan {
    core::list<buffer> buffers;  ///< per node
    core::list<arena_section> sections;
    core::list<int> copied_back;  ///< outputs whose update is written to the arena first
};

namespace core {

class planning {
public:
    constexpr planning(graph const& g, fusion const& f, schedule_result const& s, dimension_table& dimensions)
        : g_(g),
          f_(f),
          memory_(g, f),
          s_(s),
          dimensions_(dimensions),
          when_(f.groups.size(), 0),
          last_(g.size(), -1),
          taken_over_(g.size(), 0),
          asked_(g.size(), -1) {
        result_.buffers = list<buffer>(g.size());
    }
    constexpr memory_plan run() {
        find_times();
        free_after_ = list<list<live_buffer>>(end_ + 1);
        assign_fixed();
        for (int kernel : s_.order)
            for (int m : f_.kernels[kernel].members)
                for (int i = 0; i < g_[m].op->arity; ++i) read(f_.group_of[m], g_[m].in[i]);
        for (int kernel : s_.order)
            for (int k : f_.kernels[kernel].groups)
                for (int m : f_.groups[k].members)
                    if (last_[m] >= 0 && result_.buffers[m].where == buffer_kind::none) allocate(m, when_[k]);
        return std::move(result_);
    }

private:
    struct live_buffer {
        int node = -1;
        std::int64_t length = 0;
    };
    /// Free bytes of a section.
    struct gap {
        std::int64_t begin = 0, end = 0;
    };
    static constexpr std::int64_t endless = std::int64_t{1} << 62;

    /// Groups that take turns run at the same time.
    constexpr void find_times() {
        for (int kernel : s_.order) {
            fused_kernel const& walk = f_.kernels[kernel];
            for (int k : walk.groups) {
                bool const turn = walk.rows != fused_rows::none && k != walk.groups[0] && f_.groups[k].part != row_part::after;
                when_[k] = turn ? end_ - 1 : end_++;
            }
        }
    }
    constexpr void assign_fixed() {
        for (int i = 0; i < g_.size(); ++i)
            if (g_[i].is_symbol()) result_.buffers[i] = {buffer_kind::symbol, g_[i].symbol(), 0};
        int returned = 0;
        for (int o = 0; o < g_.outputs.size(); ++o) {
            int base = f_.base[g_.outputs[o].node];
            if (g_.outputs[o].updates < 0) result_.buffers[base] = {buffer_kind::output, returned++, 0};
            else if (s_.in_place[o]) result_.buffers[base] = {buffer_kind::symbol, g_.outputs[o].updates, 0};
            else {
                result_.copied_back.push_back(o);
                last_[base] = end_;
            }
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

    /// What dies in a group, is read element by element only, and has the size of its domain: an elementwise node may take its memory.
    constexpr void find_dying(int node, int group, int time) {
        dying_ = {};
        for (int m : f_.groups[group].members)
            for (int i = 0; i < g_[m].op->arity; ++i) {
                int b = g_[m].in[i];
                if (asked_[b] == group || result_.buffers[b].where != buffer_kind::arena || last_[b] != time) continue;
                asked_[b] = group;
                if (g_[b].shape == f_.groups[group].domain && memory_.may_overwrite(b, node)) dying_.push_back(b);
            }
    }
    constexpr int dying_operand(int node, int time) {
        int const group = f_.group_of[node];
        if (f_.groups[group].kind != kernel_kind::loop || g_[node].op->kind != op_kind::elementwise || f_.epilogue[node]) return -1;
        if (std::exchange(dying_in_, group) != group) find_dying(node, group, time);
        for (int& b : dying_)
            if (b >= 0 && g_[b].type == g_[node].type) return std::exchange(b, -1);
        return -1;
    }
    /// Offsets are multiples of this: with a named dimension they are multiplied by it, so that the size of an element will do.
    static constexpr std::int64_t unit_of(monomial size) { return size.is_static() ? 16 : 8; }
    static constexpr std::int64_t length_of(monomial size) { return (size.c + unit_of(size) - 1) / unit_of(size) * unit_of(size); }

    constexpr void allocate(int node, int time) {
        monomial size = bytes(node);
        free_before(time);
        if (int operand = dying_operand(node, time); operand >= 0) {
            result_.buffers[node] = result_.buffers[operand];
            taken_over_[operand] = 1;
            free_after_[last_[node]].push_back({node, length_of(size)});
            return;
        }
        int section = 0;
        while (section < result_.sections.size() && result_.sections[section].powers != size.powers) ++section;
        if (section == result_.sections.size()) {
            result_.sections.push_back({size.powers, 0});
            gaps_.push_back({});
            gaps_.back().push_back({0, endless});
        }
        // first fit in what is free; small buffers are packed, larger ones of known size start on a cache line
        std::int64_t const length = length_of(size), align = size.is_static() && size.c >= 64 ? 64 : unit_of(size);
        list<gap>& gaps = gaps_[section];
        int at = 0;
        if (length == 0) {
            result_.buffers[node] = {buffer_kind::arena, section, 0};
            return;
        }
        while (aligned(gaps[at].begin, align) + length > gaps[at].end) ++at;
        std::int64_t const offset = aligned(gaps[at].begin, align), end = gaps[at].end;
        if (gap const skipped{gaps[at].begin, offset}; offset > skipped.begin) gaps.insert(at++, skipped);
        if (offset + length < end) gaps[at].begin = offset + length;
        else gaps.erase(at);
        result_.buffers[node] = {buffer_kind::arena, section, offset};
        free_after_[last_[node]].push_back({node, length});
        if (offset + length > result_.sections[section].peak) result_.sections[section].peak = offset + length;
    }
    static constexpr std::int64_t aligned(std::int64_t offset, std::int64_t align) { return (offset + align - 1) / align * align; }
    /// Gives back what is read before `time` for the last time.
    constexpr void free_before(int time) {
        for (; freed_ < time; ++freed_)
            for (live_buffer const& b : free_after_[freed_])
                if (!taken_over_[b.node]) give_back(gaps_[result_.buffers[b.node].index], result_.buffers[b.node].offset, b.length);
    }
    static constexpr void give_back(list<gap>& gaps, std::int64_t begin, std::int64_t length) {
        int at = 0, end = gaps.size();  // the first gap behind it
        while (at < end) {
            int const middle = (at + end) / 2;
            if (gaps[middle].begin < begin) at = middle + 1;
            else end = middle;
        }
        bool const before = at > 0 && gaps[at - 1].end == begin, after = gaps[at].begin == begin + length;
        if (before && after) {
            gaps[at - 1].end = gaps[at].end;
            gaps.erase(at);
        } else if (before) gaps[at - 1].end = begin + length;
        else if (after) gaps[at].begin = begin;
        else gaps.insert(at, {begin, begin + length});
    }

    graph const& g_;
    fusion const& f_;
    memory_readers memory_;
    schedule_result const& s_;
    dimension_table& dimensions_;
    list<int> when_, last_;  ///< per group, and per node: when it is read last
    int end_ = 0;
    list<char> taken_over_;
    list<int> dying_, asked_;  ///< operands that die in group `dying_in_`; per node: the group that it was looked at for
    int dying_in_ = -1;
    list<list<gap>> gaps_;                ///< per section, in order; the last has no end
    list<list<live_buffer>> free_after_;  ///< per time
    int freed_ = 0;
    memory_plan result_;
};

}  // namespace core

namespace pass {

/// Offsets for every value that has to be stored, in one arena.
constexpr memory_plan plan_memory(graph const& g, fusion const& f, schedule_result const& s, dimension_table& dimensions) {
    return core::planning(g, f, s, dimensions).run();
}

}  // namespace pass
}  // namespace gradus::inline GRADUS_ARCH
