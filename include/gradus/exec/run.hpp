// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/aligned.hpp>
#include <gradus/core/target.hpp>
#include <gradus/exec/demand.hpp>
#include <gradus/exec/run_interpreted.hpp>
#include <gradus/exec/run_linear_algebra.hpp>
#include <gradus/exec/run_loop.hpp>
#include <gradus/exec/run_node.hpp>
#include <gradus/exec/run_sort.hpp>
#include <gradus/exec/run_whole.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

// From a plan to calls of kernels. Everything but addresses and named dimensions is a constant here.

namespace gradus::inline GRADUS_ARCH::core {

template <class Source, int Node>
void run_control(run_context const& c);  // exec/run_control.hpp

template <class Source, int At>
[[gnu::always_inline]] inline void run_group(run_context const& c) {
    constexpr planned_group g = stages<Source>::plan.groups[At];
    if constexpr (g.kind == kernel_kind::loop) run_loop<Source, g.number>(c);
    else if constexpr (g.kind == kernel_kind::contraction) {
        if constexpr (is_tiny<Source>) run_contraction_here<Source, g.node>(c);
        else run_contraction<Source, g.node>(c);
    } else if constexpr (g.kind == kernel_kind::control) run_control<Source, g.node>(c);
    else if constexpr (g.kind == kernel_kind::whole) run_whole<Source, g.node>(c);
    else if constexpr (g.kind == kernel_kind::argmax) run_argmax<Source, g.node>(c);
    else if constexpr (is_on_matrices(stages<Source>::optimized[g.node].op->runs_by)) run_on_matrices<Source, g.node>(c);
    else if constexpr (stages<Source>::optimized[g.node].op->runs_by == own_kernel::sorting_order) run_sorting_order<Source, g.node>(c);
    else run_movement<Source, g.node>(c);
}

template <class Source, planned_group G>
constexpr auto pieces_of() {
    if constexpr (G.kind == kernel_kind::loop) return std::type_identity<loop_in_pieces<Source, G.number>>{};
    else return std::type_identity<product_in_pieces<Source, G.node, G.part>>{};
}
/// Groups that take turns on blocks of rows.
template <class... Group>
struct groups_in_turn : Group... {
    explicit groups_in_turn(run_context const& c) : Group(c)... { (Group::begin(), ...); }
    void rows([[maybe_unused]] std::int64_t first, [[maybe_unused]] std::int64_t count) { (Group::rows(first, count), ...); }
    void end() { (Group::end(), ...); }
};
template <class Source, int First, int... I>
using groups_of_kernel = groups_in_turn<typename decltype(pieces_of<Source, stages<Source>::plan.groups[First + I]>())::type...>;

/// Rows that a group walks over.
template <class Source, int At>
std::int64_t rows_in(run_context const& c) {
    constexpr monomial rows = [] {
        dimension_table dimensions = stages<Source>::plan.dimensions;
        return dimensions.of(stages<Source>::plan.groups[At].domain[0]);
    }();
    return number_at<rows>(c.dimensions);
}
/// Bytes in a row of what the groups of a kernel read.
template <class Source, int Position>
inline constexpr element_offset row_bytes = [] {
    constexpr auto const& plan = stages<Source>::plan;
    constexpr auto const& g = stages<Source>::optimized;
    constexpr planned_kernel k = plan.kernels[Position];
    constexpr extent rows = plan.groups[k.first].domain[0];
    dimension_table dimensions = plan.dimensions;
    element_offset total;
    list<char> counted(g.node_count, 0);
    for (int at = k.first; at < k.first + k.groups; ++at)
        for (int m = plan.groups[at].first_member; m < plan.groups[at].first_member + plan.groups[at].members; ++m)
            for (int i = 0; i < g[plan.members[m]].op->arity; ++i) {
                int const b = plan.base[g[plan.members[m]].in[i]];
                shape row = g[b].shape;
                bool const read = plan.group_of[b] != plan.groups[at].number && plan.buffers[b].where != buffer_kind::none;
                if (!read || row.rank() == 0 || !(row[0] == rows) || std::exchange(counted[b], char{1})) continue;
                row[0] = 1;
                total.add(dimensions.size(row) * monomial{size_of(g[b].type), 0});
            }
    return total;
}();
/// Rows that they take at a time.
template <class Source, int Position>
std::int64_t block_rows([[maybe_unused]] run_context const& c) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    if constexpr (k.block > 0) return k.block;
    else return target::rows_at_a_time(row_bytes<Source, Position>.at(c.dimensions));
}
template <class Source, int Position, int... G>
[[gnu::noinline]] void run_blocks(run_context const& c, std::integer_sequence<int, G...>) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    std::int64_t const rows = rows_in<Source, k.first>(c), block = block_rows<Source, Position>(c);
    groups_of_kernel<Source, k.first, G...> groups(c);
    std::int64_t row = 0;
    do {  // once without rows too, for products that are then sums of nothing
        groups.rows(row, std::min(block, rows - row));
        row += block;
    } while (row < rows);
    groups.end();
}
/// The first group is a product of matrices; the others follow it.
template <class Source, int Position, int... G>
[[gnu::noinline]] void run_behind(run_context const& c, std::integer_sequence<int, G...>) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    using groups_type = groups_of_kernel<Source, k.first + 1, G...>;
    groups_type groups(c);
    using product = bound_product<Source, stages<Source>::plan.groups[k.first].node>;
    product p(c);
    p.work.finished = {[](void* to, std::int64_t first, std::int64_t count) { static_cast<groups_type*>(to)->rows(first, count); },
                       &groups};
    kernel::contract<typename product::T>(p.a, p.layout_a, p.b, p.layout_b, p.to, p.size.n, p.size, p.work);
    groups.end();
}

template <class Source, int First, int... I>
[[gnu::always_inline]] inline void run_groups(run_context const& c, std::integer_sequence<int, I...>) {
    (run_group<Source, First + I>(c), ...);
}
template <class Source, int Position>
[[gnu::always_inline]] inline void run_kernel(run_context const& c) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    if constexpr (k.rows == fused_rows::none || interprets) run_groups<Source, k.first>(c, std::make_integer_sequence<int, k.groups>{});
    else if constexpr (k.rows == fused_rows::blocks) run_blocks<Source, Position>(c, std::make_integer_sequence<int, k.groups>{});
    else run_behind<Source, Position>(c, std::make_integer_sequence<int, k.groups - 1>{});
    run_groups<Source, k.first + k.groups>(c, std::make_integer_sequence<int, k.after>{});
}

/// Updates whose new value could not be written at once.
template <class Source, int I>
inline void copy_back(run_context const& c) {
    constexpr output_entry o = stages<Source>::optimized.outputs[stages<Source>::plan.copied_back[I]];
    constexpr int base = stages<Source>::plan.base[o.node];
    numbers const extents = numbers_at<extents_of<Source, base>>(c.dimensions);
    std::int64_t bytes = size_of(node_of<Source, base>.type);
    for (int i = 0; i < shape_of<Source, base>.rank(); ++i) bytes *= extents.n[i];
    std::memcpy(c.symbols[o.updates], address<Source, base>(c), static_cast<std::size_t>(bytes));
}

template <class Source>
inline void copy_back_all(run_context const& c) {
    []<int... I>(run_context const& context, std::integer_sequence<int, I...>) {
        static_cast<void>(context), (copy_back<Source, I>(context), ...);
    }(c, std::make_integer_sequence<int, stages<Source>::plan.copied_back_count>{});
}

/// Runs the kernels that results with a bit in `wanted` need. A kernel writes all its results, wanted or not.
template <class Source>
void run_wanted(run_context const& c, std::uint64_t wanted) {
    if constexpr (is_interpreted<Source>) {
        executable_of<Source>().run_wanted(c, wanted);
    } else {
        context_of<Source> at(c);
        []<int... K>(run_context const& context, [[maybe_unused]] std::uint64_t bits, std::integer_sequence<int, K...>) {
            ((bits & demand_of<Source>.of_kernel[K] ? run_kernel<Source, K>(context) : void()), ...);
        }(at, wanted, std::make_integer_sequence<int, stages<Source>::plan.kernel_count>{});
    }
}

template <class Source>
[[gnu::always_inline]] inline void run_kernels(run_context const& c) {
    [&]<int... K>(std::integer_sequence<int, K...>) __attribute__((always_inline)) {
        (run_kernel<Source, K>(c), ...);
    }(std::make_integer_sequence<int, stages<Source>::plan.kernel_count>{});
}
template <class Source>
GRADUS_FLATTEN void run_tiny(run_context const& c) {
    run_kernels<Source>(c);
}

template <class Source>
void run_program(run_context const& c) {
    if constexpr (is_interpreted<Source>) {
        executable_of<Source>().run(c);
    } else {
        context_of<Source> at(c);
        if constexpr (is_tiny<Source>) run_tiny<Source>(at);
        else run_kernels<Source>(at);
        copy_back_all<Source>(at);
    }
}

/// Scratch memory that a program needs, by the plan that runs.
template <class Source>
std::int64_t scratch_bytes(std::int64_t const* dimensions, int threads) {
    if constexpr (is_interpreted<Source>) return executable_of<Source>().workspace_bytes(dimensions, threads);
    else return stages<Source>::plan.workspace_bytes(dimensions, threads);
}
/// Calls `run(scratch)` with the scratch memory that a program needs: on the stack if it is small and static.
template <class Source>
void with_scratch(std::int64_t const* dimensions, auto&& run, int threads = 1) {
    if constexpr (is_interpreted<Source>) {
        std::int64_t const bytes = scratch_bytes<Source>(dimensions, threads);
        alignas(64) std::byte little[target::scratch_on_stack];
        if (bytes <= target::scratch_on_stack) return run(little);
        aligned_buffer scratch(static_cast<std::size_t>(bytes));
        run(scratch.data());
    } else if constexpr (static_workspace<Source>() >= 0 && static_workspace<Source>() <= target::scratch_on_stack &&
                         stages<Source>::plan.product_count == 0 && stages<Source>::plan.kernel_scratch == 0) {
        alignas(64) std::byte scratch[static_workspace<Source>() + 1];
        run(scratch);
    } else {
        aligned_buffer scratch(static_cast<std::size_t>(scratch_bytes<Source>(dimensions, threads)));
        std::byte nothing{};  // what is empty has an address too, for pointers to begin at
        run(scratch.size() ? scratch.data() : &nothing);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
