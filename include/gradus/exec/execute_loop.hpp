// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/short_list.hpp>
#include <gradus/exec/addresses.hpp>
#include <gradus/exec/describe.hpp>
#include <gradus/kernel/loop_evaluation.hpp>

// From a group of fused nodes to the loop interpreter: tables, whether the compiler made them or run time, and one function.

namespace gradus::inline GRADUS_ARCH::core {

/// A loop and what the interpreter binds it to: tables, whether the compiler made them or run time.
struct loop_binding {
    kernel::loop_view view{};
    input_binding const* in = nullptr;      ///< strides
    operand_place const* places = nullptr;  ///< of inputs, then of outputs
    monomial const* extents = nullptr;
    monomial const* sizes = nullptr;
    int size_count = 0;
};
template <class Asked>
void execute_loop(loop_binding const& b, memory_map const& memory, run_context const& c) {
    int const axes = b.view.axis_count, inputs = b.view.input_count;
    short_list<void*, 32> at(inputs + b.view.output_count);
    short_list<std::int64_t, 16 * max_rank> strides(inputs * axes);
    short_list<double, 16> sizes(b.size_count);
    std::int64_t extents[max_rank]{};
    memory.addresses(b.places, inputs + b.view.output_count, c, at.begin());
    for (int j = 0; j < inputs; ++j)
        for (int a = 0; a < axes; ++a) strides[j * axes + a] = b.in[j].stride[a].at(c.dimensions);
    for (int a = 0; a < axes; ++a) extents[a] = b.extents[a].at(c.dimensions);
    for (int s = 0; s < b.size_count; ++s) sizes[s] = static_cast<double>(b.sizes[s].at(c.dimensions));
    kernel::loop_evaluation<Asked>::run(b.view, {at.begin(), at.begin() + inputs, extents, strides.begin(), sizes.begin()});
}

}  // namespace gradus::inline GRADUS_ARCH::core
