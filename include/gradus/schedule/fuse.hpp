// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/transform/assembly.hpp>
#include <gradus/transform/decisions.hpp>
#include <gradus/transform/materialize.hpp>

namespace gradus::inline GRADUS_ARCH {

/// What runs a group of nodes.
enum class kernel_kind { loop, contraction, argmax, movement, control, whole };

/// How a group takes part in a kernel of several, which walks over rows (schedule/fuse_rows.hpp).
enum class row_part : std::uint8_t {
    none,   ///< it is the kernel's first
    local,  ///< its values in a row need that row of its operands
    adds,   ///< a product that sums over the rows
    after   ///< it begins when all rows are done
};

/// Nodes that are computed together: one loop, or one product, arg max, movement, or all results of one scan or cond.
struct kernel_group {
    kernel_kind kind = kernel_kind::loop;
    int level = 0;   ///< longest chain of groups before it
    shape domain{};  ///< what a loop runs over
    core::list<int> members;
    row_part part = row_part::none;
};

/// How the groups of a kernel take turns.
enum class fused_rows : std::uint8_t {
    none,          ///< each does all rows
    blocks,        ///< each does a block of rows, then all the next
    after_product  ///< the first is a product of matrices, the others follow it on every block of rows that it finishes
};

/// One walk over memory: a group, or several that take turns on blocks of rows (schedule/fuse_rows.hpp).
struct fused_kernel {
    core::list<int> groups;   ///< in the order of execution, what comes after the rows last
    core::list<int> members;  ///< nodes of all groups
    fused_rows rows = fused_rows::none;
    std::int64_t block = 0;  ///< rows at a time, in a walk of blocks; 0: run time knows
};

/// The graph cut into groups, and those into kernels.
struct fusion {
    core::list<kernel_group> groups;
    core::list<fused_kernel> kernels;
    core::list<int> group_of;   ///< per node; -1 for leaves, views and inline scalars
    core::list<int> kernel_of;  ///< per node, the same
    core::list<int> base;       ///< per node: itself, or what its views look at
    core::list<char> inlined;  ///< no memory: short formulas of scalars, computed again wherever they are used, what has more elements than
                               ///< it is computed of, lists, and assemblies that are parts of others
    core::list<char> epilogue;  ///< scalars computed from a reduction at the end of its kernel
};

namespace core {

/// Is a node read by its loop through a window: a pad without steps? Its operand is memory, whatever made it.
constexpr bool is_window(graph const& g, int id) {
    return g[id].op->runs_by == own_kernel::pad && op::is_window(g[id].attr, g[g[id].in[0]].result(), g[id].shape);
}

constexpr kernel_kind kind_of(graph const& g, int id, bool assembled) {
    node const& n = g[id];
    if (assembled) return kernel_kind::loop;
    if (n.op->runs_by == own_kernel::argmax) return kernel_kind::argmax;
    if (n.op->kind == op_kind::contraction) return kernel_kind::contraction;
    if (n.op->kind == op_kind::whole) return kernel_kind::whole;
    if (n.op->kind == op_kind::control || n.op->kind == op_kind::list) return kernel_kind::control;
    if (n.op->kind == op_kind::movement && !is_window(g, id)) return kernel_kind::movement;
    return kernel_kind::loop;
}

/// Union-find over nodes, the smaller number being the representative.
struct partition {
    list<int> parent;
    constexpr explicit partition(int n) : parent(n, 0) {
        for (int i = 0; i < n; ++i) parent[i] = i;
    }
    constexpr int find(int i) {
        while (parent[i] != i) i = parent[i] = parent[parent[i]];
        return i;
    }
    constexpr void join(int i, int j) {
        i = find(i);
        j = find(j);
        if (i < j) parent[j] = i;
        else parent[i] = j;
    }
};

class fusing {
public:
    constexpr explicit fusing(graph const& g)
        : g_(g),
          n_(g.size()),
          assembled_(find_assemblies(g)),
          instances_(n_),
          sets_(n_),
          level_(n_, 0),
          available_(n_, 0),
          shared_(n_, -1),
          origin_(n_, -1),
          latest_(n_, n_) {
        result_.base = list<int>(n_, 0);
        result_.inlined = list<char>(n_, 0);
        result_.epilogue = list<char>(n_, 0);
        for (int i = 0; i < n_; ++i)
            if (assembled_[i] == assembly::instances) instances_[i] = shape{g[i].shape[0]};
    }
    constexpr fusion run() {
        find_inlined();
        for (int i = 0; i < n_; ++i) place(i);
        for (int i = n_ - 1; i >= 0; --i) sink(i);
        join_all();
        collect();
        find_repeated();
        return std::move(result_);
    }

private:
    constexpr bool single(int i) const { return g_[i].shape.is_single(); }
    constexpr bool assembled(int i) const { return assembled_[i] != assembly::none; }
    constexpr kernel_kind kind_of(int i) const { return core::kind_of(g_, i, assembled(i)); }

    constexpr void find_inlined() {
        list<char> whole(n_, 0);   // assemblies that are more than parts of others
        list<char> stored(n_, 0);  // results, operands of kernels that are no loops and what is compared need memory
        decisions const compared(g_, [](int) { return true; });
        for (int i = 0; i < n_; ++i) stored[i] = compared.of[i] != decisions::none && !is_exact(g_[i]);
        for (output_entry const& o : g_.outputs)
            if (int const base = result_base(g_, o.node); base >= 0) stored[base] = whole[base] = 1;
        for (int i = 0; i < n_; ++i) {
            node const& n = g_[i];
            result_.base[i] = n.op->kind == op_kind::view ? result_.base[n.in[0]] : i;
            for (int k = 0; k < n.op->arity && !assembled(i); ++k)
                if (n.op->kind != op_kind::view || !n.op->same_order) whole[result_.base[n.in[k]]] = 1;
            if (n.op->kind == op_kind::leaf || n.op->kind == op_kind::view || (kind_of(i) == kernel_kind::loop && !is_window(g_, i)))
                continue;
            for (int k = 0; k < n.op->arity; ++k) stored[result_.base[n.in[k]]] = 1;
        }
        list<int> work(n_, 0);  // per inlined scalar: operations behind it, counted once per path
        for (int i = 0; i < n_; ++i) {
            node const& n = g_[i];
            result_.inlined[i] = n.op->kind == op_kind::list || (assembled(i) && !whole[i]);
            if (n.op->kind != op_kind::elementwise || !single(i) || stored[i]) continue;
            bool leaves = true;
            work[i] = 1;
            for (int k = 0; k < n.op->arity; ++k) {
                leaves = leaves && is_free(n.in[k]);
                work[i] += work[result_.base[n.in[k]]];
            }
            result_.inlined[i] = leaves && work[i] <= target::inlined_scalars;
            if (!result_.inlined[i]) work[i] = 0;
        }
    }
    /// Needs no kernel before it.
    constexpr bool is_free(int i) const {
        int b = result_.base[i];
        return g_[b].op->kind == op_kind::leaf || (result_.inlined[b] && g_[b].op->kind != op_kind::list && !assembled(b));
    }
    /// f(id) for all that a node is computed from: its operands, of an assembly what it is put together from.
    constexpr void each_operand(int i, auto f) const {
        for (int k = 0; k < g_[i].op->arity; ++k) {
            int const b = result_.base[g_[i].in[k]];
            if (assembled(i) && assembled(b) && result_.inlined[b]) each_operand(b, f);
            else f(g_[i].in[k]);
        }
    }
    constexpr bool is_region(int i) const {
        return (g_[i].op->kind == op_kind::elementwise || is_window(g_, i)) && !result_.inlined[i] && !result_.epilogue[i];
    }
    constexpr shape const& domain(int i) const {
        if (assembled_[i] == assembly::elements) return scalar_;
        if (assembled_[i] == assembly::instances) return instances_[i];
        return g_[i].op->kind == op_kind::reduction ? g_[g_[i].in[0]].shape : g_[i].shape;
    }

    /// A barrier separates a kernel from what it needs complete. Nodes of one domain with the same number of barriers
    /// before them can share a kernel: no path leads from one to the other through a third kernel.
    constexpr void place(int i) {
        node const& n = g_[i];
        for (int k = 0; n.op->kind == op_kind::list && k < 2; ++k)
            if (int const b = result_.base[n.in[k]]; !is_free(n.in[k]) && available_[b] > available_[i]) available_[i] = available_[b];
        if (n.op->kind == op_kind::leaf || n.op->kind == op_kind::view || result_.inlined[i]) return;
        if (kind_of(i) == kernel_kind::loop && place_epilogue(i)) return;
        each_operand(i, [&](int o) {
            if (is_free(o)) return;
            int const b = result_.base[o], before = can_share(i, o) ? level_[b] : available_[b];
            if (before > level_[i]) level_[i] = before;
        });
        available_[i] = level_[i] + 1;
    }
    constexpr bool in_loop(int i) const {
        node const& n = g_[i];
        return n.op->kind != op_kind::leaf && n.op->kind != op_kind::view && !result_.inlined[i] && !result_.epilogue[i] &&
               kind_of(i) == kernel_kind::loop;
    }
    /// Operand o of node i can be an intermediate of i's loop.
    constexpr bool can_share(int i, int o) const {
        if (!in_loop(i) || is_window(g_, i)) return false;
        if (int const b = result_.base[o]; is_scalar(i)) return is_scalar(b) && (single(b) || (assembled(i) && !single(o)));
        if (assembled(i)) return shares_instances(i, o);
        return is_region(o) && g_[o].shape == domain(i);
    }
    /// Is operand o of an assembly of instances one number of each in the order of their loop, or an assembly that is stored whole?
    constexpr bool shares_instances(int i, int o) const {
        while (g_[o].op->same_order) o = g_[o].in[0];
        return assembled_[o] == assembly::instances ? domain(o) == domain(i) : is_region(o) && g_[o].shape == domain(i);
    }
    /// Is a node computed by the kernel of its level that computes single elements?
    constexpr bool is_scalar(int i) const {
        return in_loop(i) && (assembled_[i] == assembly::elements || (single(i) && g_[i].op->kind == op_kind::elementwise));
    }

    /// What only later kernels use moves into the first of them: it stays in registers instead of waiting in memory.
    constexpr void sink(int i) {
        if (is_region(i) && latest_[i] < n_ && latest_[i] > level_[i]) {
            level_[i] = latest_[i];
            available_[i] = level_[i] + 1;
        }
        node const& n = g_[i];
        for (int k = 0; n.op->kind == op_kind::list && k < 2; ++k)
            if (int& latest = latest_[result_.base[n.in[k]]]; latest_[i] < latest) latest = latest_[i];
        if (n.op->kind == op_kind::leaf || n.op->kind == op_kind::view || result_.inlined[i]) return;
        each_operand(i, [&](int o) {
            int const b = result_.base[o], limit = can_share(i, o) ? level_[i] : level_[i] - 1;
            if (limit < latest_[b]) latest_[b] = limit;
        });
    }
    /// Level after level, so that only readers of one level are compared with each other.
    constexpr void join_all() {
        int levels = 0;
        for (int i = 0; i < n_; ++i) levels = level_[i] >= levels ? level_[i] + 1 : levels;
        list<int> first(levels, -1), next(n_, -1), asked(n_, -1);
        for (int i = n_ - 1; i >= 0; --i) {
            next[i] = first[level_[i]];
            first[level_[i]] = i;
        }
        for (int level = 0; level < levels; ++level) {
            int scalar = -1;
            for (int i = first[level]; i >= 0; i = next[i]) {
                if (is_scalar(i)) sets_.join(i, scalar < 0 ? (scalar = i) : scalar);
                for (int k = 0; k < g_[i].op->arity; ++k) {
                    int const b = result_.base[g_[i].in[k]];
                    if (asked[b] != level) shared_[b] = -1;
                    asked[b] = level;
                }
                join(i);
            }
        }
    }
    /// Unites a node with the loop of its operands, or with one that reads the same memory.
    constexpr void join(int i) {
        if (is_of_call(g_[i])) sets_.join(i, first_of_call(g_, i));
        if (!in_loop(i) || is_scalar(i)) return;
        each_operand(i, [&](int o) {
            int const b = result_.base[o];
            if (can_share(i, o) && level_[b] == level_[i]) sets_.join(i, b);
            else if (!single(b) && (g_[b].is_symbol() || !is_free(o))) join_readers(i, b);
        });
    }
    /// Kernels of one level and domain that read the same memory become one, which reads it once.
    constexpr void join_readers(int i, int base) {
        for (int e = shared_[base]; e >= 0; e = readers_[e].next) {
            int other = readers_[e].node;
            if (!(domain(other) == domain(i))) continue;
            sets_.join(i, other);
            return;
        }
        readers_.push_back({i, shared_[base]});
        shared_[base] = readers_.size() - 1;
    }
    /// A scalar of reductions that finish together is computed at the end of their kernel. (Not one element of several sums: only
    /// scalars are in registers there.)
    constexpr bool place_epilogue(int i) {
        node const& n = g_[i];
        if (n.op->kind != op_kind::elementwise || !single(i) || n.op->copies) return false;
        int latest = 0;
        for (int k = 0; k < n.op->arity; ++k)
            if (!is_free(n.in[k]) && available_[result_.base[n.in[k]]] > latest) latest = available_[result_.base[n.in[k]]];
        if (latest == 0) return false;
        int host = -1;
        for (int k = 0; k < n.op->arity; ++k) {
            int b = result_.base[n.in[k]];
            if (is_free(n.in[k]) || available_[b] < latest) continue;
            bool ends = (g_[b].op->kind == op_kind::reduction && kind_of(b) == kernel_kind::loop && single(b)) || result_.epilogue[b];
            if (!ends || (host >= 0 && !(loop_domain(host) == loop_domain(b)))) return false;
            host = b;
        }
        for (int k = 0; k < n.op->arity; ++k)
            if (!is_free(n.in[k]) && available_[result_.base[n.in[k]]] == latest) sets_.join(i, result_.base[n.in[k]]);
        result_.epilogue[i] = 1;
        origin_[i] = result_.epilogue[host] ? origin_[host] : host;
        level_[i] = latest - 1;
        available_[i] = latest;
        return true;
    }
    /// What the loop of this reduction, or of the reductions behind this epilogue, runs over.
    constexpr shape const& loop_domain(int i) const { return domain(result_.epilogue[i] ? origin_[i] : i); }
    constexpr void collect() {
        result_.group_of = list<int>(n_, -1);
        for (int i = 0; i < n_; ++i) {
            node const& n = g_[i];
            if (n.op->kind == op_kind::leaf || n.op->kind == op_kind::view || result_.inlined[i]) continue;
            int root = sets_.find(i);
            int& group = result_.group_of[root];
            if (group < 0) {
                group = result_.groups.size();
                result_.groups.push_back(
                    {kind_of(i), level_[i], is_control(n) ? rules_of(n).domain(g_, n) : domain(i), {}, row_part::none});
            }
            result_.group_of[i] = group;
            result_.groups[group].members.push_back(i);
        }
        result_.kernel_of = result_.group_of;
        for (int k = 0; k < result_.groups.size(); ++k) {
            result_.kernels.push_back({{}, result_.groups[k].members, fused_rows::none, 0});
            result_.kernels[k].groups.push_back(k);
        }
    }

    /// Is a node arithmetic of arrays with fewer axes, x[i] - y[j], so that reading it costs more than computing it again?
    constexpr bool is_outer(int i) const {
        node const& n = g_[i];
        if (!is_region(i) || single(i) || assembled(i) || n.op->arithmetic == arithmetic_kind::none) return false;
        bool fewer = true;
        for (int k = 0; k < n.op->arity; ++k) {
            int const b = result_.base[n.in[k]];
            bool const stored = g_[b].is_symbol() || (result_.group_of[b] >= 0 && result_.group_of[b] != result_.group_of[i]);
            fewer = fewer && (stored || g_[b].op->holds == leaf_kind::constant) && long_axes(g_[b].shape) < long_axes(n.shape);
        }
        return fewer;
    }
    static constexpr int long_axes(shape const& s) {
        int count = 0;
        for (int axis = 0; axis < s.rank(); ++axis) count += s[axis].code != 1;
        return count;
    }
    /// Such nodes are computed by every loop that reads them, and need no memory.
    constexpr void find_repeated() {
        list<char> repeated(n_, 0), elsewhere(n_, 0);
        for (int i = 0; i < n_; ++i) repeated[i] = is_outer(i);
        decisions const compared(g_, [](int) { return true; });
        for (int i = 0; i < n_; ++i)
            if (compared.of[i] != decisions::none) repeated[i] = 0;
        for (output_entry const& o : g_.outputs) repeated[result_.base[o.node]] = 0;
        for (int j = 0; j < n_; ++j)
            for (int k = 0; k < g_[j].op->arity && g_[j].op->kind != op_kind::view; ++k) {
                int const o = g_[j].in[k], b = result_.base[o];
                if (result_.group_of[j] >= 0 && result_.group_of[j] == result_.group_of[b]) continue;
                elsewhere[b] = 1;
                if (o != b || !in_loop(j) || is_window(g_, j) || assembled(j) || !(domain(j) == g_[b].shape)) repeated[b] = 0;
            }
        for (int i = 0; i < n_; ++i)
            if (repeated[i] && elsewhere[i]) result_.inlined[i] = 1;
    }

    struct reader {
        int node = -1;
        int next = -1;
    };
    graph const& g_;
    int n_;
    list<assembly> assembled_;
    list<shape> instances_;  ///< per node: what an assembly of instances runs over
    shape scalar_{};
    partition sets_;
    list<int> level_, available_, shared_, origin_, latest_;
    list<reader> readers_;
    fusion result_;
};

}  // namespace core

namespace pass {

/// Groups nodes: elementwise regions with broadcasts, pads and the reductions that end them are one loop, scalars of inputs are
/// computed in place, scalars of reductions at the end of their loop, all others of one level, and what is put together from them, in one;
/// contractions and movements are groups of their own. Every
/// group is a kernel; schedule/fuse_rows.hpp joins them.
constexpr fusion fuse(graph const& g) { return core::fusing(g).run(); }

}  // namespace pass
}  // namespace gradus::inline GRADUS_ARCH
