// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/executable.hpp>
#include <gradus/exec/operations.hpp>
#include <gradus/exec/run_linear_algebra.hpp>
#include <gradus/kernel/registers.hpp>

// Programs of a development build, and statements on tensors without optimization: the graph is the compiler's, the plan and the loops are
// made of it when it first runs, so that a program adds no code but the block functions that no other has.

namespace gradus::inline GRADUS_ARCH::core {

/// Has one function for all programs everything that this one runs? Bodies of loops and choices are programs of their own, and
/// matrices are factorized in their element type.
template <class Source>
inline constexpr bool is_interpreted = [] {
    if constexpr (is_left_to_run_time<Source>) {
        auto const& g = optimized_graph<Source>;
        for (int i = 0; i < g.node_count; ++i)
            if (is_control(g[i]) || is_on_matrices(g[i].op->runs_by) || g[i].op->runs_by == own_kernel::sorting_order) return false;
        return true;
    } else return false;
}();

/// An operation by its number in the list, and what it works on.
struct used_block {
    std::int16_t op = 0;
    dtype works_on = dtype::number;
    constexpr bool operator==(used_block const&) const = default;
};
/// Those in the loops of a program, each once.
template <class Source>
constexpr list<used_block> used_blocks() {
    constexpr auto const& g = optimized_graph<Source>;
    constexpr auto const& ids = op_ids<operations_of<Source>>;
    list<used_block> used;
    for (int i = 0; i < g.node_count; ++i) {
        node const& n = g[i];
        if (n.op->kind != op_kind::elementwise) continue;
        used_block block{-1, n.type == dtype::boolean ? g[n.in[0]].type : n.type};
        for (std::size_t k = 0; k < ids.size() && block.op < 0; ++k)
            if (ids[k] == n.op->id) block.op = static_cast<std::int16_t>(k);
        bool known = block.op < 0;
        for (used_block const& other : used) known = known || other == block;
        if (!known) used.push_back(block);
    }
    return used;
}
template <class Source>
inline constexpr auto blocks_of = [] {
    std::array<used_block, static_cast<std::size_t>(used_blocks<Source>().size())> table{};
    list<used_block> const used = used_blocks<Source>();
    for (int i = 0; i < used.size(); ++i) table[static_cast<std::size_t>(i)] = used[i];
    return table;
}();
template <class Op, dtype D>
constexpr kernel::block_entry block_entry_for() {
    kernel::block_entry entry{type_id<Op>, {}};
    entry.of[static_cast<int>(D)] = kernel::block_function_of<Op, D>();
    return entry;
}
template <class Source>
inline constexpr auto block_entries_of = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<kernel::block_entry, sizeof...(I)>{
        block_entry_for<typename kernel::op_at<operations_of<Source>, blocks_of<Source>[I].op>::type, blocks_of<Source>[I].works_on>()...};
}(std::make_index_sequence<blocks_of<Source>.size()>{});

template <class Source>
inline constexpr auto graph_to_run = labelled(optimized_graph<Source>);
template <class Source>
executable<> const& executable_of() {
    static executable<> const& made =
        *new executable<>(graph_to_run<Source>.thaw(), {block_entries_of<Source>.data(), block_entries_of<Source>.size()});
    return made;  // never destroyed: other static objects may run it
}

}  // namespace gradus::inline GRADUS_ARCH::core
