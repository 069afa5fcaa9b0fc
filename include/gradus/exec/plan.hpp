// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/graph/check.hpp>
#include <gradus/graph/control.hpp>
#include <gradus/graph/frozen.hpp>
#include <gradus/kernel/contract/blocking.hpp>
#include <gradus/kernel/reduce.hpp>
#include <gradus/lower/lower.hpp>
#include <gradus/op/list.hpp>
#include <gradus/schedule/schedule_kernels.hpp>
#include <gradus/transform/pipeline.hpp>

namespace gradus::inline GRADUS_ARCH {

/// One group of a finished program.
struct planned_group {
    kernel_kind kind = kernel_kind::loop;
    int number = -1;
    int node = -1;  ///< the one node of a group that is no loop
    shape domain{};
    row_part part = row_part::none;
    int first_member = 0, members = 0;  ///< its nodes, in the plan's order
};
/// One kernel of a finished program, in the order of execution.
struct planned_kernel {
    int first = 0, groups = 0;  ///< its groups, in the plan's order
    int after = 0;              ///< and those that run when the rows are done
    fused_rows rows = fused_rows::none;
    std::int64_t block = 0;  ///< rows; 0: run time knows
};

/// The scratch memory of scans and conds where there are none; exec/control_bodies.hpp has it for others.
struct no_control {
    static constexpr bool is_static = true;
    static constexpr std::int64_t bytes(std::int64_t const*) { return 0; }
};

/// A product that may want memory to pack its operands into.
struct planned_product {
    bool is_double = false;
    monomial m, n, k, a_row, a_column, b_row, b_column;  ///< extents and strides

    constexpr bool is_static() const {
        return !(m.powers | n.powers | k.powers | a_row.powers | a_column.powers | b_row.powers | b_column.powers);
    }
    constexpr std::int64_t scratch_bytes(std::int64_t const* sizes) const {
        monomial const* const all[] = {&a_row, &a_column, &b_row, &b_column, &m, &n, &k};
        std::int64_t at[7]{};
        for (int i = 0; i < 7; ++i) at[i] = all[i]->at(sizes);
        kernel::matrix_layout const a{at[0], at[1]}, b{at[2], at[3]};
        kernel::contract_extents const e{at[4], at[5], at[6]};
        return is_double ? 8 * kernel::contract_scratch<double>(a, b, e) : 4 * kernel::contract_scratch<float>(a, b, e);
    }
};

/// A sum over axes outside of others, or of products over rows, which takes shape in memory of its own.
struct planned_sum {
    int node = -1;
    std::int64_t element = 0;  ///< bytes
    monomial elements;         ///< within the outermost axis that is summed over

    constexpr std::int64_t scratch_bytes(std::int64_t const* sizes) const {
        std::int64_t const n = elements.at(sizes);
        return n <= core::target::sums_on_stack ? 0 : core::whole_lines(2 * n * element);
    }
};

namespace core {
template <class T, int Nodes>
struct plan_array {
    using type = T[Nodes + 1];
};
template <class T>
struct plan_array<T, -1> {
    using type = list<T>;
};
}  // namespace core

/// Everything that running a graph needs to know, as a constant; with Nodes = -1, made at run time.
template <int Nodes, class Control = no_control>
struct program_plan {
    using control = Control;
    template <class T>
    using per_node = typename core::plan_array<T, Nodes>::type;
    per_node<int> group_of{}, kernel_of{}, base{};
    per_node<char> inlined{}, epilogue{};
    per_node<buffer> buffers{};
    per_node<planned_group> groups{};
    per_node<int> members{};
    int group_count = 0;
    per_node<planned_kernel> kernels{};
    int kernel_count = 0;
    per_node<arena_section> sections{};
    int section_count = 0;
    per_node<planned_product> products{};
    int product_count = 0;
    monomial wholes[max_dimensions]{};  ///< elements that an operation on whole tensors copies: for each set of dimensions the most
    int whole_count = 0;
    std::int64_t kernel_scratch = 0;  ///< bytes that the kernel of an operation wants beside these, for each thread
    per_node<planned_sum> sums{};
    int sum_count = 0;
    per_node<int> copied_back{};
    int copied_back_count = 0;
    int returned = 0;
    dimension_table dimensions{};

    constexpr program_plan() = default;
    constexpr explicit program_plan(int nodes)
        requires(Nodes < 0)
        : group_of(nodes),
          kernel_of(nodes),
          base(nodes),
          inlined(nodes),
          epilogue(nodes),
          buffers(nodes),
          groups(nodes),
          members(nodes),
          kernels(nodes),
          sections(nodes),
          products(nodes),
          sums(nodes),
          copied_back(nodes) {}

    constexpr planned_group const& group(int number) const { return groups[number]; }
    constexpr planned_group const& first_group(int kernel) const { return groups[kernels[kernel].first]; }
    /// Is a group computed piece by piece?
    constexpr bool in_pieces(int number) const {
        planned_group const& g = group(number);
        return g.part != row_part::after && kernels[kernel_of[g.node]].rows != fused_rows::none;
    }
    /// Bytes of one section of the arena, rounded up to whole cache lines so that the next one is aligned.
    constexpr std::int64_t section_bytes(int s, std::int64_t const* sizes) const {
        std::int64_t bytes = monomial{sections[s].peak, sections[s].powers}.at(sizes);
        return s + 1 < section_count ? core::whole_lines(bytes) : bytes;
    }
    /// Where a buffer of the arena begins, in bytes.
    constexpr std::int64_t offset_of(buffer const& b, std::int64_t const* sizes) const {
        std::int64_t offset = monomial{b.offset, sections[b.index].powers}.at(sizes);
        for (int s = 0; s < b.index; ++s) offset += section_bytes(s, sizes);
        return offset;
    }
    constexpr std::int64_t arena_bytes(std::int64_t const* sizes) const {
        std::int64_t bytes = 0;
        for (int s = 0; s < section_count; ++s) bytes += section_bytes(s, sizes);
        return bytes;
    }
    /// Behind the arena: memory that one kernel after the other may use.
    constexpr std::int64_t scratch_offset(std::int64_t const* sizes) const { return core::whole_lines(arena_bytes(sizes)); }
    /// What the product that packs most wants of it, for each thread.
    constexpr std::int64_t product_bytes(std::int64_t const* sizes) const {
        std::int64_t most = 0;
        for (int p = 0; p < product_count; ++p) most = std::max(most, products[p].scratch_bytes(sizes));
        return core::whole_lines(most);
    }
    /// Memory for the doubles that a `whole` works on.
    constexpr std::int64_t whole_bytes(std::int64_t const* sizes) const {
        std::int64_t elements = 0;
        for (int w = 0; w < whole_count; ++w) elements += wholes[w].at(sizes);
        return core::whole_lines(8 * elements);
    }
    /// What the sums of a kernel want of it; of the kernel that wants most. A kernel's sums stand next to each other.
    constexpr std::int64_t sum_bytes(std::int64_t const* sizes) const {
        std::int64_t most = 0, bytes = 0;
        for (int s = 0; s < sum_count; ++s) {
            if (s == 0 || kernel_of[sums[s].node] != kernel_of[sums[s - 1].node]) bytes = 0;
            bytes += sums[s].scratch_bytes(sizes);
            most = std::max(most, bytes);
        }
        return most;
    }
    /// Behind the memory of sums is that of products, which they may follow.
    constexpr std::int64_t product_offset(std::int64_t const* sizes) const { return scratch_offset(sizes) + sum_bytes(sizes); }
    /// Offsets of all sections, of the memory behind them, of that of products.
    constexpr void find_offsets(std::int64_t const* sizes, std::int64_t* to) const {
        std::int64_t bytes = 0;
        for (int s = 0; s < section_count; ++s) {
            to[s] = bytes;
            bytes += section_bytes(s, sizes);
        }
        to[section_count] = core::whole_lines(bytes);
        to[section_count + 1] = to[section_count] + sum_bytes(sizes);
    }
    constexpr std::int64_t workspace_bytes(std::int64_t const* sizes, int threads = 1) const {
        std::int64_t const more = std::max(
            {sum_bytes(sizes) + threads * product_bytes(sizes), whole_bytes(sizes) + threads * kernel_scratch, Control::bytes(sizes)});
        return more ? scratch_offset(sizes) + more : arena_bytes(sizes);
    }
};

namespace core {

/// Named dimensions in the order of first use; those of bodies last, and behind them what is no extent: where parts begin.
constexpr void collect_extents(dimension_table& dimensions, graph const& g) {
    for (int i = 0; i < g.size(); ++i) {
        for (int axis = 0; axis < g[i].shape.rank(); ++axis) dimensions.enter(g[i].shape[axis]);
        for (int k = 0; g[i].op->holds == leaf_kind::size && k < op::size::most; ++k) dimensions.enter(op::size::dimension(g[i].attr, k));
    }
    for (int b = 0; b < g.bodies.size(); ++b) collect_extents(dimensions, g.bodies[b]);
}
constexpr void collect_starts(dimension_table& dimensions, graph const& g) {
    for (int i = 0; i < g.size(); ++i)
        if (g[i].op->cuts || g[i].op->runs_by == own_kernel::pad)
            for (int axis = 0; axis < g[i].shape.rank(); ++axis) dimensions.enter(op::named_start_of(g[i].attr, axis));
    for (int b = 0; b < g.bodies.size(); ++b) collect_starts(dimensions, g.bodies[b]);
}
constexpr void collect_dimensions(dimension_table& dimensions, graph const& g) {
    collect_extents(dimensions, g);
    dimensions.extents = dimensions.count;
    if (dimensions.count) collect_starts(dimensions, g);
}
template <class Source>
struct control_memory;

/// The axis that has a matrix's rows; that of its columns is the other of the last two.
constexpr int row_axis(int rank, bool transposed) { return transposed ? rank - 1 : rank - 2; }

constexpr planned_product plan_product(auto const& g, int id, dimension_table& dimensions) {
    node const& n = g[id];
    auto operand = [&](int i, monomial& row, monomial& column) {
        shape const& s = g[n.in[i]].shape;
        access const a = resolve(g, n.in[i], dimensions);
        row = a.stride[row_axis(s.rank(), op::matmul::transposes(n.attr, i))];
        column = a.stride[row_axis(s.rank(), !op::matmul::transposes(n.attr, i))];
    };
    int const lead = n.shape.rank() - 2;
    planned_product p{n.type == dtype::float64,
                      dimensions.of(n.shape[lead]),
                      dimensions.of(n.shape[lead + 1]),
                      dimensions.of(op::matmul::inner(n.attr, g[n.in[0]].shape)),
                      {},
                      {},
                      {},
                      {}};
    operand(0, p.a_row, p.a_column);
    operand(1, p.b_row, p.b_column);
    return p;
}

/// What the kernel of an operation on whole tensors wants of memory, in whole cache lines.
constexpr std::int64_t scratch_of_kernel(graph const& g, node const& n) {
    if (!runs_own_kernel(g, n) || !n.op->shares_threads) return 0;
    call c{n.attr, n.shape, {}, n.op->arity};
    for (int k = 0; k < c.count; ++k) c.operand[k] = g[n.in[k]].result();
    return whole_lines(n.op->scratch_bytes(n.type, c));
}
/// Adds what an operation on whole tensors needs to what the others do, which run at other times: its `whole` copies of operands and
/// result, its own kernel copies of the operands that do not stand in order.
constexpr void note_whole(graph const& g, int id, monomial (&most)[max_dimensions], int& count, dimension_table& dimensions) {
    list<monomial> elements;
    auto add = [&](shape const& s) {
        monomial const size = dimensions.size(s);
        for (monomial& known : elements)
            if (known.powers == size.powers) {
                known.c += size.c;
                return;
            }
        elements.push_back(size);
    };
    bool const own = runs_own_kernel(g, g[id]);
    std::array<int, max_results> const nodes = results_of_call(g, id, g.size());
    for (int k = 0; k < g[id].op->results; ++k)
        if (!own || nodes[static_cast<std::size_t>(k)] < 0) add(g[id].op->results > 1 ? result_node(g, g[id], k).shape : g[id].shape);
    for (int k = 0; k < g[id].op->arity; ++k)
        if (!own || !is_dense(g, g[id].in[k], false, dimensions)) add(g[g[id].in[k]].shape);
    for (monomial const& size : elements) {
        int at = 0;
        while (at < count && most[at].powers != size.powers) ++at;
        if (at == max_dimensions)
            core::refuse<"gradus: operations on whole tensors have operands of more than 8 kinds of dynamic size", std::length_error>();
        if (at == count) most[count++] = size;
        else if (most[at].c < size.c) most[at] = size;
    }
}

/// The sum of floating-point numbers at this node as its loop makes it: elements within the outermost of many rows, 0 where it
/// needs no memory beside its result.
constexpr planned_sum plan_sum(graph const& g, int id, row_part part, dimension_table& dimensions) {
    node const& n = g[id];
    planned_sum s{id, size_of(n.type), {}};
    if (part == row_part::adds) {
        monomial const all = dimensions.size(n.shape);
        if (!(all.is_static() && all.c <= target::sums_on_stack)) s.elements = all;
    }
    if (n.op->reduces_by != reducer::sum || !is_floating(n.type)) return s;
    shape const& from = g[n.in[0]].shape;
    monomial within{1, 0}, rows{1, 0};
    bool inside = false, outer = false;
    for (int axis = 0; axis < from.rank(); ++axis) {
        if (from[axis].code == 1) continue;
        bool const summed = op::reduces(n.attr, axis);
        if (summed) rows = rows * dimensions.of(from[axis]);
        else if (inside) within = within * dimensions.of(from[axis]);
        outer = outer || (inside && !summed);
        inside = inside || summed;
    }
    if (outer && !(within.is_static() && within.c <= target::sums_on_stack) && !(rows.is_static() && rows.c <= 2 * target::plain_terms))
        s.elements = within;
    return s;
}

template <int Nodes, class Control = no_control>
constexpr program_plan<Nodes, Control> make_plan(graph const& g) {
    auto plan = [&] {
        if constexpr (Nodes < 0) return program_plan<Nodes, Control>(g.size() + 1);
        else return program_plan<Nodes, Control>();
    }();
    collect_dimensions(plan.dimensions, g);
    auto const [f, s, memory] = pass::schedule_kernels(g, plan.dimensions);
    for (int i = 0; i < g.size(); ++i) {
        plan.group_of[i] = -1;
        plan.kernel_of[i] = -1;
        plan.base[i] = f.base[i];
        plan.inlined[i] = f.inlined[i];
        plan.epilogue[i] = f.epilogue[i];
        plan.buffers[i] = memory.buffers[i];
    }
    int members = 0;
    for (int k : s.order) {
        fused_kernel const& kernel = f.kernels[k];
        for (int m : kernel.members) plan.kernel_of[m] = plan.kernel_count;
        for (int m : kernel.members)
            if (planned_sum const sum = plan_sum(g, m, f.groups[f.group_of[m]].part, plan.dimensions); sum.elements.c > 0)
                plan.sums[plan.sum_count++] = sum;
        planned_kernel& made = plan.kernels[plan.kernel_count++] = {plan.group_count, 0, 0, kernel.rows, kernel.block};
        for (int number : kernel.groups) {
            kernel_group const& group = f.groups[number];
            ++(group.part == row_part::after ? made.after : made.groups);
            plan.groups[plan.group_count] = {group.kind, plan.group_count, group.members[0],    group.domain,
                                             group.part, members,          group.members.size()};
            for (int m : group.members) {
                plan.members[members++] = m;
                plan.group_of[m] = plan.group_count;
            }
            ++plan.group_count;
            if (group.kind == kernel_kind::whole) {
                note_whole(g, group.members[0], plan.wholes, plan.whole_count, plan.dimensions);
                plan.kernel_scratch = std::max(plan.kernel_scratch, scratch_of_kernel(g, g[group.members[0]]));
            }
            if (group.kind != kernel_kind::contraction ||
                is_small(group.domain[group.domain.rank() - 2], group.domain[group.domain.rank() - 1], inner_extent(g, group.members[0])))
                continue;
            planned_product const p = plan_product(g, group.members[0], plan.dimensions);
            if (!p.is_static() || p.scratch_bytes(nullptr) > 0) plan.products[plan.product_count++] = p;
        }
    }
    for (arena_section const& section : memory.sections) plan.sections[plan.section_count++] = section;
    for (int o : memory.copied_back) plan.copied_back[plan.copied_back_count++] = o;
    for (output_entry const& o : g.outputs) plan.returned += o.updates < 0;
    return plan;
}

}  // namespace core

}  // namespace gradus::inline GRADUS_ARCH
