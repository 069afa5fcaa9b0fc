// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/plan.hpp>

#include <cstddef>

// Where the nodes of a program lie in the memory of one call.

namespace gradus::core {

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
    if constexpr (where.where == place::symbol) return c.symbols[where.index];
    else if constexpr (where.where == place::output) return c.outputs[where.index];
    else if constexpr (where.where == place::arena) return c.arena + stages<Source>::plan.offset_of(where, c.dimensions);
    else return nullptr;
}
template <class Source, int Node, class T>
[[gnu::always_inline]] inline T* elements(run_context const& c, monomial offset = {}) {
    return static_cast<T*>(address<Source, Node>(c)) + offset.at(c.dimensions);
}

}  // namespace gradus::core
