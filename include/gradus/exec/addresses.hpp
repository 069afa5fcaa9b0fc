// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/stages.hpp>

#include <cstddef>

// Where the nodes of a program lie in the memory of one call.

namespace gradus::inline GRADUS_ARCH::core {

/// Memory of one call.
struct run_context {
    void* const* symbols;
    void* const* outputs;
    std::byte* arena;
    std::int64_t const* dimensions;
    int thread = 0, threads = 1;  ///< who of how many computes its share of a product
};

template <class Source, int Node>
inline constexpr node node_of = stages<Source>::optimized[Node];
// What is needed at run time is taken out of the node: its address would drag the rules of its operation into the program.
template <class Source, int Node>
inline constexpr shape shape_of = node_of<Source, Node>.shape;
template <class Source, int Node>
inline constexpr attributes attributes_of = node_of<Source, Node>.attr;

template <class Source, int Node>
[[gnu::always_inline]] inline void* address(run_context const& c) {
    constexpr buffer where = stages<Source>::plan.buffers[Node];
    if constexpr (where.where == buffer_kind::symbol) return c.symbols[where.index];
    else if constexpr (where.where == buffer_kind::output) return c.outputs[where.index];
    else if constexpr (where.where == buffer_kind::arena) return c.arena + stages<Source>::plan.offset_of(where, c.dimensions);
    else return nullptr;
}
/// So many bytes behind where a node that has memory begins.
template <class Source, int Node>
[[gnu::always_inline]] inline void* address(run_context const& c, std::int64_t bytes) {
    return static_cast<std::byte*>(address<Source, Node>(c)) + bytes;
}
template <class Source, int Node, class T>
[[gnu::always_inline]] inline T* elements(run_context const& c, monomial offset = {}) {
    T* const first = static_cast<T*>(address<Source, Node>(c));
    return first ? first + offset.at(c.dimensions) : first;  // an array of zero extents may have no memory
}

/// Memory where a sum takes shape, twice its elements: on the stack if it is little.
template <class Source, int Node, bool Exists>
struct partial_sum {
    static constexpr void* memory(run_context const&) { return nullptr; }
};
template <class Source, int Node>
struct partial_sum<Source, Node, true> {
    static constexpr int planned = [] {
        int s = 0;
        while (s < stages<Source>::plan.sum_count && stages<Source>::plan.sums[s].node != Node) ++s;
        return s;
    }();
    static constexpr bool is_planned = planned < stages<Source>::plan.sum_count;
    static constexpr bool may_be_little = !is_planned || !stages<Source>::plan.sums[planned].elements.is_static();
    using element = element_t<node_of<Source, Node>.type>;
    /// Aligned like all memory of a program: vectors across the border of two cache lines make sums four times as slow.
    alignas(may_be_little ? target::cache_line
                          : static_cast<std::int64_t>(alignof(element))) element own[may_be_little ? 2 * target::sums_on_stack : 1];

    [[gnu::always_inline]] void* memory(run_context const& c) {
        if constexpr (!is_planned) return own;
        else {
            constexpr auto const& plan = stages<Source>::plan;
            if (may_be_little && plan.sums[planned].scratch_bytes(c.dimensions) == 0) return own;
            return c.arena + plan.scratch_offset(c.dimensions) + plan.sum_bytes(c.dimensions, plan.kernel_of[Node], Node);
        }
    }
};

}  // namespace gradus::inline GRADUS_ARCH::core
