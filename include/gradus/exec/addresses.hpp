// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/stages.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <type_traits>

// Where the nodes of a program lie in the memory of one call.

namespace gradus::inline GRADUS_ARCH::core {

/// Memory of one call.
struct run_context {
    void* const* symbols;
    void* const* outputs;
    std::byte* arena;
    std::int64_t const* dimensions;
    int thread = 0, threads = 1;            ///< who of how many computes its share of a product
    std::int64_t const* offsets = nullptr;  ///< see call_context
};

/// A product of dimensions for those of a call.
template <monomial M>
[[gnu::always_inline]] inline std::int64_t number_at([[maybe_unused]] std::int64_t const* dimensions) {
    constexpr bool one_dimension = std::has_single_bit(M.powers) && (M.powers & 0x1111111111111111u);
    if constexpr (M.is_static()) return M.c;
    else if constexpr (one_dimension) return M.c * dimensions[std::countr_zero(M.powers) / 4];
    else return M.at(dimensions);
}
/// The same for a number in a table.
[[gnu::noinline]] inline std::int64_t product_at(monomial const& m, std::int64_t const* dimensions) { return m.at(dimensions); }
inline std::int64_t number_at(monomial const& m, std::int64_t const* dimensions) { return m.is_static() ? m.c : product_at(m, dimensions); }
/// The same for many: data and one function, instead of code for each.
[[gnu::noinline]] inline void find_values(std::int64_t* to, monomial const* from, int count, std::int64_t const* dimensions) {
    for (int i = 0; i < count; ++i) to[i] = from[i].at(dimensions);
}

/// Is a program so small that a call for each kernel would cost as much as the work?
template <class Source>
inline constexpr bool is_tiny = [] {
    if constexpr (interprets) return false;
    constexpr auto const& plan = stages<Source>::plan;
    for (int k = 0; k < plan.group_count; ++k) {
        shape const& domain = plan.groups[k].domain;
        std::int64_t elements = 1;
        for (int axis = 0; axis < domain.rank(); ++axis) {
            if (!domain[axis].is_static()) return false;
            elements *= domain[axis].code;
        }
        if (elements > target::tiny_elements) return false;
    }
    return plan.group_count <= target::tiny_kernels;
}();
/// Does a program find its operands by code? It is quicker than tables, but the compiler's work for each kernel.
template <class Source>
inline constexpr bool binds_by_code = !interprets && stages<Source>::plan.group_count <= target::tiny_kernels;

template <class Source, int Node>
inline constexpr node node_of = stages<Source>::optimized[Node];
// What is needed at run time is taken out of the node: its address would drag the rules of its operation into the program.
template <class Source, int Node>
inline constexpr shape shape_of = node_of<Source, Node>.shape;
template <class Source, int Node>
inline constexpr attributes attributes_of = node_of<Source, Node>.attr;

/// What a sum wants of the memory that kernels use one after the other.
template <class Source, int Sum>
[[gnu::always_inline]] inline std::int64_t bytes_of_sum(std::int64_t const* dimensions) {
    constexpr planned_sum s = stages<Source>::plan.sums[Sum];
    if constexpr (s.elements.is_static()) {
        constexpr std::int64_t bytes = s.scratch_bytes(nullptr);
        return bytes;
    } else return planned_sum{s.node, s.element, {number_at<s.elements>(dimensions), 0}}.scratch_bytes(nullptr);
}
/// Offsets in a call's memory: of each section of the arena, of what is behind them for one kernel after the other, of products' memory.
template <class Source>
inline constexpr int scratch_number = stages<Source>::plan.section_count;
template <class Source>
inline constexpr int product_number = stages<Source>::plan.section_count + 1;
template <class Source>
inline constexpr bool has_static_offsets = [] {
    constexpr auto const& plan = stages<Source>::plan;
    for (int s = 0; s < plan.section_count; ++s)
        if (plan.sections[s].powers) return false;
    for (int s = 0; s < plan.sum_count; ++s)
        if (!plan.sums[s].elements.is_static()) return false;
    return true;
}();
template <class Source>
inline constexpr auto static_offsets = [] {
    std::array<std::int64_t, static_cast<std::size_t>(product_number<Source>) + 1> at{};
    stages<Source>::plan.find_offsets(nullptr, at.data());
    return at;
}();
template <class Source, int Number>
[[gnu::always_inline]] inline std::int64_t offset_of([[maybe_unused]] run_context const& c) {
    if constexpr (has_static_offsets<Source>) {
        constexpr std::int64_t known = static_offsets<Source>[Number];
        return known;
    } else return c.offsets[Number];
}
/// A call's memory where named dimensions decide it: offsets are found once, not for each kernel.
template <class Source>
struct call_context : run_context {
    std::int64_t found[product_number<Source> + 1];

    [[gnu::noinline]] explicit call_context(run_context const& c) : run_context(c) {
        stages<Source>::plan.find_offsets(c.dimensions, found);
        offsets = found;
    }
    call_context(call_context const&) = delete;
};
template <class Source>
using context_of = std::conditional_t<has_static_offsets<Source>, run_context const&, call_context<Source> const>;

template <class Source, int Node>
[[gnu::always_inline]] inline void* address(run_context const& c) {
    constexpr buffer where = stages<Source>::plan.buffers[Node];
    if constexpr (where.where == buffer_kind::symbol) return c.symbols[where.index];
    else if constexpr (where.where == buffer_kind::output) return c.outputs[where.index];
    else if constexpr (where.where == buffer_kind::arena) {
        constexpr monomial within{where.offset, stages<Source>::plan.sections[where.index].powers};
        return c.arena + offset_of<Source, where.index>(c) + number_at<within>(c.dimensions);
    } else return nullptr;
}
/// An array that a kernel reads or writes: a node, its elements, how many of them lie before the first that is meant. -1: there is none.
struct operand_place {
    int node = -1;
    dtype type = dtype::number;
    element_offset offset{};
};
/// The same by tables, for nodes that run time tells.
struct memory_map {
    buffer const* buffers = nullptr;  ///< per node
    arena_section const* sections = nullptr;
    std::int64_t const* offsets = nullptr;  ///< of the sections; null where they are those of the call (run_context::offsets)

    void* address(int node, run_context const& c) const {
        buffer const& where = buffers[node];
        switch (where.where) {
            case buffer_kind::symbol: return c.symbols[where.index];
            case buffer_kind::output: return c.outputs[where.index];
            case buffer_kind::arena:
                return c.arena + (offsets ? offsets : c.offsets)[where.index] +
                       number_at(monomial{where.offset, sections[where.index].powers}, c.dimensions);
            case buffer_kind::none: break;
        }
        return nullptr;
    }
    std::byte* address(operand_place const& p, run_context const& c) const {
        if (p.node < 0) return nullptr;
        auto* const first = static_cast<std::byte*>(address(p.node, c));
        std::int64_t elements = number_at(p.offset.of[0], c.dimensions);
        if (p.offset.of[1].c != 0) [[unlikely]]
            elements = p.offset.at(c.dimensions);
        return first ? first + elements * size_of(p.type) : first;  // an array of zero extents may have no memory
    }
    [[gnu::noinline]] void addresses(operand_place const* of, int count, run_context const& c, void** to) const {
        for (int i = 0; i < count; ++i) to[i] = address(of[i], c);
    }
};
/// What the map of a program points to: tables of their own, since the whole plan would go into the binary with them.
template <class Source>
inline constexpr auto buffers_of = [] {
    constexpr auto const& plan = stages<Source>::plan;
    std::array<buffer, static_cast<std::size_t>(stages<Source>::optimized.size()) + 1> table{};
    for (int i = 0; i < stages<Source>::optimized.size(); ++i) table[static_cast<std::size_t>(i)] = plan.buffers[i];
    return table;
}();
template <class Source>
inline constexpr auto sections_of = [] {
    constexpr auto const& plan = stages<Source>::plan;
    std::array<arena_section, static_cast<std::size_t>(plan.section_count) + 1> table{};
    for (int s = 0; s < plan.section_count; ++s) table[static_cast<std::size_t>(s)] = plan.sections[s];
    return table;
}();
template <class Source>
inline constexpr memory_map memory_map_of = [] {
    memory_map map{buffers_of<Source>.data(), sections_of<Source>.data()};
    if constexpr (has_static_offsets<Source>) map.offsets = static_offsets<Source>.data();
    return map;
}();

/// So many bytes behind where a node that has memory begins.
template <class Source, int Node>
[[gnu::always_inline]] inline void* address(run_context const& c, std::int64_t bytes) {
    return static_cast<std::byte*>(address<Source, Node>(c)) + bytes;
}
template <class Source, int Node, class T, element_offset Offset = element_offset{}>
[[gnu::always_inline]] inline T* elements(run_context const& c) {
    T* const first = static_cast<T*>(address<Source, Node>(c));
    if (!first) return first;  // an array of zero extents may have no memory
    if constexpr (Offset.of[1].c == 0) return first + number_at<Offset.of[0]>(c.dimensions);
    else return first + Offset.at(c.dimensions);
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
    /// The first of its kernel's: they stand next to each other.
    static constexpr int first = [] {
        constexpr auto const& plan = stages<Source>::plan;
        int s = planned;
        while (is_planned && s > 0 && plan.kernel_of[plan.sums[s - 1].node] == plan.kernel_of[Node]) --s;
        return s;
    }();
    static constexpr bool may_be_little = !is_planned || !stages<Source>::plan.sums[planned].elements.is_static();
    using element = element_t<node_of<Source, Node>.type>;
    /// Aligned like all memory of a program: vectors across the border of two cache lines make sums four times as slow.
    alignas(may_be_little ? target::cache_line
                          : static_cast<std::int64_t>(alignof(element))) element own[may_be_little ? 2 * target::sums_on_stack : 1];

    [[gnu::always_inline]] void* memory(run_context const& c) {
        if constexpr (!is_planned) return own;
        else {
            if (may_be_little && bytes_of_sum<Source, planned>(c.dimensions) == 0) return own;
            return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
                return c.arena + offset_of<Source, scratch_number<Source>>(c) + (bytes_of_sum<Source, first + I>(c.dimensions) + ... + 0);
            }(std::make_integer_sequence<int, planned - first>{});
        }
    }
};

}  // namespace gradus::inline GRADUS_ARCH::core
