// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/schedule/fuse.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Is a product so small that it has code of its own? (A function: in `if constexpr` g++ also multiplies the codes of named
/// dimensions, behind the && that excludes them, and warns of the overflow.)
constexpr bool is_small(extent m, extent k, extent inner) {
    for (extent e : {m, k, inner})
        if (!e.is_static() || e.code > target::small_extent) return false;
    return inner.code > 0 && inner.code * k.code <= target::small_matrix;
}
constexpr extent inner_extent(graph const& g, int id) { return op::matmul::inner(g[id].attr, g[g[id].in[0]].shape); }

/// Joins groups that walk over the same rows, a row being an index of the first axis.
class row_fusion {
public:
    constexpr row_fusion(graph const& g, fusion f)
        : g_(g), f_(std::move(f)), reads_(f_.groups.size()), local_(f_.groups.size(), 0), counted_(g.size(), -1) {}
    constexpr fusion run() {
        f_.kernels = {};
        for (int& k : f_.kernel_of) k = -1;
        int const count = f_.groups.size();
        for (int m = 0; m < g_.size(); ++m) {
            int const k = f_.group_of[m];
            if (k < 0) continue;
            for (int i = 0; i < g_[m].op->arity; ++i) note_reading(k, {m, i, f_.base[g_[m].in[i]]});
        }
        for (int k = 0; k < count; ++k) local_[k] = find_local_loop(k);
        for (int k : by_level()) place(k);
        list<int> number(f_.kernels.size(), 0);  // without those that others have taken in
        int kept = 0;
        for (int k = 0; k < f_.kernels.size(); ++k) {
            number[k] = kept;
            if (f_.kernels[k].groups.empty()) continue;
            if (kept != k) f_.kernels[kept] = std::move(f_.kernels[k]);
            choose_walk(kept++);
        }
        while (f_.kernels.size() > kept) f_.kernels.pop_back();
        for (int& k : f_.kernel_of)
            if (k >= 0) k = number[k];
        return std::move(f_);
    }

private:
    /// What the first groups of a kernel fix: the levels of its groups, its rows (1: it is no walk over rows).
    struct row_walk {
        int first = 0, last = 0;
        extent rows{};
        bool loops_only = true;  ///< and none of them begins when all rows are done
        bool alone = true;       ///< reads no other kernel, and is read by none
    };
    /// What a group reads of another: operand i of a member, and the node behind its views.
    struct reading {
        int member = -1, i = 0, base = -1;
    };

    /// Groups in the order of their levels.
    constexpr list<int> by_level() const {
        list<int> begin;
        for (kernel_group const& group : f_.groups) {
            while (begin.size() <= group.level + 1) begin.push_back(0);
            ++begin[group.level + 1];
        }
        for (int level = 1; level < begin.size(); ++level) begin[level] += begin[level - 1];
        list<int> order(f_.groups.size(), 0);
        for (int k = 0; k < f_.groups.size(); ++k) order[begin[f_.groups[k].level]++] = k;
        return order;
    }
    constexpr void note_reading(int k, reading const& r) {
        if (g_[r.base].op->kind == op_kind::list)
            for (int id : {g_[r.base].in[0], g_[r.base].in[1]}) note_reading(k, {r.member, r.i, f_.base[id]});
        else if (f_.inlined[r.base])
            for (int i = 0; i < g_[r.base].op->arity; ++i) note_reading(k, {r.base, i, f_.base[g_[r.base].in[i]]});
        else if (f_.group_of[r.base] >= 0 && f_.group_of[r.base] != k) reads_[k].push_back(r);
    }
    constexpr void place(int k) {
        kernel_group& group = f_.groups[k];
        int kernel = -1;  // of those that it reads, the one that begins last
        for (reading const& r : reads_[k]) {
            int const from = f_.kernel_of[r.base];
            if (kernel < 0 || walks_[from].first > walks_[kernel].first) kernel = from;
        }
        for (reading const& r : reads_[k])
            if (f_.kernel_of[r.base] != kernel && can_take_in(k, kernel, r)) take_in(kernel, f_.kernel_of[r.base]);
        group.part = kernel < 0 ? row_part::none : part_in(k, kernel);
        if (group.part == row_part::none) {
            kernel = f_.kernels.size();
            f_.kernels.push_back({});
            walks_.push_back({group.level, group.level, rows_of(k)});
        }
        row_walk& own = walks_[kernel];
        own.last = group.level;
        own.loops_only = own.loops_only && group.kind == kernel_kind::loop && group.part != row_part::after;
        append(kernel, k);
        for (reading const& r : reads_[k])
            if (int const from = f_.kernel_of[r.base]; from != kernel) {
                own.alone = false;
                walks_[from].alone = false;
            }
    }
    constexpr void append(int kernel, int k) {
        kernel_group const& group = f_.groups[k];
        list<int>& groups = f_.kernels[kernel].groups;
        int at = groups.size();
        while (group.part != row_part::after && at > 0 && f_.groups[groups[at - 1]].part == row_part::after) --at;
        groups.insert(at, k);
        f_.kernels[kernel].members.append(group.members.begin(), group.members.size());
        for (int m : group.members) f_.kernel_of[m] = kernel;
    }
    /// Does the kernel that r reads walk over this kernel's rows too, read no kernel, and is read by loop k alone? Then it may
    /// take turns with this one.
    constexpr bool can_take_in(int k, int kernel, reading const& r) const {
        int const other = f_.kernel_of[r.base];
        extent const rows = walks_[kernel].rows;
        if (rows.code == 1 || !(walks_[other].rows == rows) || !is_local_loop(k) || !has_rows(f_.groups[k].domain, rows)) return false;
        int const id = g_[r.member].in[r.i];
        if (g_[id].shape.rank() != f_.groups[k].domain.rank() || !is_aligned(id, 0, rows)) return false;
        return walks_[other].loops_only && walks_[other].alone;
    }
    constexpr void take_in(int kernel, int other) {
        list<int> groups;
        groups.swap(f_.kernels[other].groups);
        f_.kernels[other].members = {};
        for (int k : groups) {
            f_.groups[k].part = row_part::local;
            append(kernel, k);
        }
    }
    /// The rows that a kernel walks over which begins with group k; 1 if it is none.
    constexpr extent rows_of(int k) const {
        kernel_group const& group = f_.groups[k];
        if (group.kind == kernel_kind::contraction) return group.domain.rank() == 2 ? group.domain[0] : extent(1);
        return is_local_loop(k) ? group.domain[0] : extent(1);
    }
    /// A loop whose values in one row need nothing of other rows, and that does not count its rows.
    constexpr bool is_local_loop(int k) const { return local_[k]; }
    constexpr bool find_local_loop(int k) const {
        kernel_group const& group = f_.groups[k];
        if (group.kind != kernel_kind::loop || group.domain.rank() == 0) return false;
        for (int m : group.members) {
            if (is_window(g_, m)) return false;
            for (int i = 0; i < g_[m].op->arity; ++i) {
                node const& leaf = g_[f_.base[g_[m].in[i]]];
                if (leaf.op->holds == leaf_kind::iota && op::iota::axis(leaf.attr) + group.domain.rank() == leaf.shape.rank()) return false;
            }
        }
        return true;
    }
    /// How group k can go on with a kernel, after all that is in it. What it reads of the kernel must be in its own row, and every
    /// other kernel that it reads done before this one begins (`last <= first`, so that the order of kernels has no cycle).
    constexpr row_part part_in(int k, int kernel) const {
        extent const rows = walks_[kernel].rows;
        if (rows.code == 1) return row_part::none;
        for (reading const& r : reads_[k])
            if (f_.kernel_of[r.base] != kernel && walks_[f_.kernel_of[r.base]].last > walks_[kernel].first) return row_part::none;
        kernel_group const& group = f_.groups[k];
        if (is_local_loop(k) && has_rows(group.domain, rows) && has_axes_of(k, kernel) && are_aligned(k, kernel, 0, 0))
            return row_part::local;
        if (group.kind == kernel_kind::loop)
            return is_short(group.domain) && !has_rows(group.domain, rows) && reads_sums_only(k, kernel) ? row_part::after : row_part::none;
        int const id = group.members[0];
        if (group.kind != kernel_kind::contraction || group.domain.rank() != 2) return row_part::none;
        // A matrix and a vector; two matrices have blocks of their own.
        attributes const& attr = g_[id].attr;
        if (group.domain[1].code == 1 && group.domain[0] == rows && are_aligned(k, kernel, op::matmul::transposes(attr, 0) ? 1 : 0, -1))
            return row_part::local;
        bool const vector = group.domain[0].code == 1 || group.domain[1].code == 1;
        bool const shared = inner_extent(g_, id) == rows;
        return vector && shared && are_aligned(k, kernel, op::matmul::transposes(attr, 0) ? 0 : 1, op::matmul::transposes(attr, 1) ? 1 : 0)
                   ? row_part::adds
                   : row_part::none;
    }
    static constexpr bool has_rows(shape const& s, extent rows) { return s.rank() > 0 && s[0] == rows; }
    static constexpr bool is_short(shape const& s) {
        std::int64_t elements = 1;
        for (int axis = 0; axis < s.rank() && elements <= target::shared_elements; ++axis)
            elements *= s[axis].is_static() ? s[axis].code : target::shared_elements + 1;
        return elements <= target::shared_elements;
    }
    constexpr bool reads_sums_only(int k, int kernel) const {
        for (reading const& r : reads_[k])
            if (f_.kernel_of[r.base] == kernel && !sums_rows(r.base)) return false;
        return true;
    }
    /// Has everything that a loop reads of the kernel as many axes as the loop?
    constexpr bool has_axes_of(int k, int kernel) const {
        for (reading const& r : reads_[k])
            if (f_.kernel_of[r.base] == kernel && g_[g_[r.member].in[r.i]].shape.rank() != f_.groups[k].domain.rank()) return false;
        return true;
    }
    /// Is everything that a group reads of the kernel in its own row, which is an index of this axis of a member's first operand, of
    /// that axis of the others?
    constexpr bool are_aligned(int k, int kernel, int axis, int axis_of_others) const {
        for (reading const& r : reads_[k])
            if (f_.kernel_of[r.base] == kernel && !is_aligned(g_[r.member].in[r.i], r.i ? axis_of_others : axis, walks_[kernel].rows))
                return false;
        return true;
    }
    /// Does index r along this axis of a value look at row r of the memory behind it?
    constexpr bool is_aligned(int id, int axis, extent rows) const {
        int const base = f_.base[id];
        shape const &seen = g_[id].shape, &stored = g_[base].shape;
        if (axis < 0 || axis >= seen.rank() || !(seen[axis] == rows) || stored.rank() == 0 || !(stored[0] == rows) || sums_rows(base))
            return false;
        dimension_table dimensions;
        access const view = resolve(g_, id, dimensions);
        return view.base == base && view.stride[axis] == contiguous(base, stored, dimensions).stride[0];
    }
    constexpr bool sums_rows(int id) const {
        row_part const part = f_.groups[f_.group_of[id]].part;
        if (f_.epilogue[id] || part == row_part::adds || part == row_part::after) return true;
        return g_[id].op->kind == op_kind::reduction && op::reduces(g_[id].attr, 0);
    }

    constexpr void choose_walk(int number) {
        fused_kernel& k = f_.kernels[number];
        kernel_group const& first = f_.groups[k.groups[0]];
        if (k.groups.size() == 1 || f_.groups[k.groups[1]].part == row_part::after) return;
        if (first.kind == kernel_kind::contraction && first.domain[1].code != 1) {
            if (!is_small(first.domain[0], first.domain[1], inner_extent(g_, first.members[0]))) k.rows = fused_rows::after_product;
            return;
        }
        std::int64_t const row = row_bytes(number, first.domain[0]);
        if (row > 0) k.block = target::rows_at_a_time(row);
        std::int64_t const least = row > 0 ? k.block : target::block_of_rows;
        if (!first.domain[0].is_static() || first.domain[0].code > least) k.rows = fused_rows::blocks;
    }
    /// Bytes in a row of everything that the groups of a kernel read from memory; 0: run time knows.
    constexpr std::int64_t row_bytes(int number, extent rows) {
        std::int64_t bytes = 0;
        for (int m : f_.kernels[number].members)
            for (int i = 0; i < g_[m].op->arity; ++i) {
                int const b = f_.base[g_[m].in[i]];
                shape const& s = g_[b].shape;
                bool const read = f_.group_of[b] != f_.group_of[m] && (g_[b].is_symbol() || g_[b].op->kind != op_kind::leaf);
                if (!read || s.rank() == 0 || !(s[0] == rows) || counted_[b] == number) continue;
                counted_[b] = number;
                std::int64_t row = size_of(g_[b].type);
                for (int axis = 1; axis < s.rank(); ++axis) {
                    if (!s[axis].is_static()) return 0;
                    row *= s[axis].code;
                }
                bytes += row;
            }
        return bytes;
    }

    graph const& g_;
    fusion f_;
    list<row_walk> walks_;
    list<list<reading>> reads_;  ///< per group
    list<char> local_;           ///< per group
    list<int> counted_;          ///< per node: the kernel whose rows it was counted for last
};

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Joins groups into kernels: what can be computed a block of rows at a time, while the rows that it reads are in the first cache, and
/// what a product of matrices leaves in the second. So softmax, cross entropy, layer norm are one kernel, biases, activations, masks and
/// updates belong to their product, and a product with a vector, a loop and the gradient's product read their matrix once.
constexpr fusion fuse_rows(graph const& g, fusion f) { return core::row_fusion(g, std::move(f)).run(); }

}  // namespace gradus::inline GRADUS_ARCH::pass
