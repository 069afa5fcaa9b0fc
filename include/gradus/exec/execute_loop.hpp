// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/short_list.hpp>
#include <gradus/exec/addresses.hpp>
#include <gradus/exec/describe.hpp>
#include <gradus/kernel/loop_evaluation.hpp>

// From a group of fused nodes to the loop interpreter: tables, whether the compiler made them or run time, and one function.

namespace gradus::inline GRADUS_ARCH::core {

/// Where values of a program are: a buffer per node, and what the plan says of offsets in the arena.
struct memory_map {
    buffer const* buffers = nullptr;
    void const* plan = nullptr;
    std::int64_t (*offset)(void const* plan, buffer const&, std::int64_t const* sizes) = nullptr;

    template <class Plan>
    static constexpr memory_map of(Plan const& plan) {
        return {&plan.buffers[0], &plan,
                [](void const* p, buffer const& b, std::int64_t const* sizes) { return static_cast<Plan const*>(p)->offset_of(b, sizes); }};
    }
    void* address(int node, run_context const& c) const {
        buffer const& where = buffers[node];
        switch (where.where) {
            case buffer_kind::symbol: return c.symbols[where.index];
            case buffer_kind::output: return c.outputs[where.index];
            case buffer_kind::arena: return c.arena + offset(plan, where, c.dimensions);
            case buffer_kind::none: break;
        }
        return nullptr;
    }
    /// So many elements of a type further on.
    std::byte* address(int node, auto const& elements, dtype type, run_context const& c) const {
        auto* const first = static_cast<std::byte*>(address(node, c));
        return first ? first + elements.at(c.dimensions) * size_of(type) : first;  // an array of zero extents may have no memory
    }
};
/// A loop and what it is bound to.
struct loop_binding {
    kernel::loop_view view{};
    input_binding const* in = nullptr;
    int const* out = nullptr;                  ///< nodes
    std::int64_t const* out_offset = nullptr;  ///< elements
    monomial const* extents = nullptr;
    monomial const* sizes = nullptr;
    int size_count = 0;
};

template <class Asked>
void execute_loop(loop_binding const& b, memory_map const& memory, run_context const& c) {
    int const axes = b.view.axis_count, inputs = b.view.input_count;
    short_list<void const*, 16> in(inputs);
    short_list<void*, 16> out(b.view.output_count);
    short_list<std::int64_t, 16 * max_rank> strides(inputs * axes);
    short_list<double, 16> sizes(b.size_count);
    std::int64_t extents[max_rank]{};
    for (int j = 0; j < inputs; ++j) {
        in[j] = memory.address(b.in[j].base, b.in[j].offset, b.view.input_types[j], c);
        for (int a = 0; a < axes; ++a) strides[j * axes + a] = b.in[j].stride[a].at(c.dimensions);
    }
    for (int o = 0; o < b.view.output_count; ++o)
        out[o] = memory.address(b.out[o], monomial{b.out_offset[o], 0}, b.view.outputs[o].type, c);
    for (int a = 0; a < axes; ++a) extents[a] = b.extents[a].at(c.dimensions);
    for (int s = 0; s < b.size_count; ++s) sizes[s] = static_cast<double>(b.sizes[s].at(c.dimensions));
    kernel::loop_evaluation<Asked>::run(b.view, {in.begin(), out.begin(), extents, strides.begin(), sizes.begin()});
}

}  // namespace gradus::inline GRADUS_ARCH::core
