// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/loop.hpp>
#include <gradus/program/addresses.hpp>
#include <gradus/program/describe.hpp>
#include <gradus/program/operations.hpp>

#include <utility>

// From a group of fused nodes to a call of the loop kernel.

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::core {

/// The description of one loop of a program, and what to bind it to.
template <class Source, int Group>
struct loop_code {
    using S = stages<Source>;
    using ops = operations_of<Source>;
    static constexpr loop_draft draft() {
        return describing<decltype(S::optimized), decltype(S::plan)>(S::optimized, S::plan, Group, op_ids<ops>.data(), static_cast<int>(op_ids<ops>.size())).run();
    }
    struct sizes {
        int code, inputs, outputs, axes, sizes;
    };
    static constexpr sizes n = [] {
        loop_draft d = draft();
        return sizes{d.code.size(), d.inputs.size(), d.outputs.size(), d.extents.size(), d.sizes.size()};
    }();
    struct bound {
        kernel::loop_description<n.code, n.inputs, n.outputs, n.axes> description;
        input_binding in[n.inputs + 1];
        int out[n.outputs];
        monomial extents[n.axes];
        monomial sizes[n.sizes + 1];
    };
    /// Short static inner axes and small static loops are part of the code; everything else is an argument, so that
    /// loops that differ in size only are compiled once.
    static constexpr bound value = [] {
        loop_draft d = draft();
        bound b{};
        b.description.body = d.body;
        for (int i = 0; i < n.code; ++i) b.description.code[i] = d.code[i];
        for (int a = 0; a < n.axes; ++a) {
            bool is_short = a == n.axes - 1 && d.extents[a].is_static() && d.extents[a].c < 64;
            b.extents[a] = d.extents[a];
            b.description.extents[a] = d.fixed || is_short ? d.extents[a].c : kernel::at_run_time;
        }
        for (int j = 0; j < n.inputs; ++j) {
            b.in[j] = d.inputs[j];
            b.description.inputs[j].type = d.input_types[j];
            for (int a = 0; a < n.axes; ++a) {
                monomial stride = d.inputs[j].stride[a];
                bool plain = stride.c == 0 || (a == n.axes - 1 && stride == monomial{1, 0});
                b.description.inputs[j].stride[a] = d.fixed || plain ? stride.c : kernel::at_run_time;
                b.description.inputs[j].begin[a] = d.inputs[j].begin[a];
                b.description.inputs[j].end[a] = d.inputs[j].end[a];
            }
        }
        for (int o = 0; o < n.outputs; ++o) {
            b.description.outputs[o] = d.outputs[o];
            b.out[o] = d.output_nodes[o];
        }
        for (int s = 0; s < n.sizes; ++s) b.sizes[s] = d.sizes[s];
        return b;
    }();
};

/// Is a program so small that a call for each kernel would cost as much as the work?
template <class Source>
inline constexpr bool is_tiny = [] {
    constexpr auto const& plan = stages<Source>::plan;
    for (int k = 0; k < plan.kernel_count; ++k) {
        std::int64_t elements = 1;
        for (int axis = 0; axis < plan.kernels[k].domain.rank(); ++axis) {
            if (!plan.kernels[k].domain[axis].is_static()) return false;
            elements *= plan.kernels[k].domain[axis].code;
        }
        if (elements > 64) return false;
    }
    return plan.kernel_count <= 8;
}();

template <class Source, int Group, int... J, int... O>
inline void run_loop(run_context const& c, std::integer_sequence<int, J...>, std::integer_sequence<int, O...>) {
    using code = loop_code<Source, Group>;
    constexpr auto const& b = code::value;
    void const* in[] = {elements<Source, b.in[J].base, element_t<b.description.inputs[J].type>>(c, b.in[J].offset)..., nullptr};
    void* out[] = {address<Source, b.out[O]>(c)...};
    std::int64_t extents[code::n.axes], strides[(code::n.inputs + 1) * code::n.axes];
    double sizes[code::n.sizes + 1];
    for (int a = 0; a < code::n.axes; ++a) extents[a] = b.extents[a].at(c.dimensions);
    for (int j = 0; j < code::n.inputs; ++j)
        for (int a = 0; a < code::n.axes; ++a) strides[j * code::n.axes + a] = b.in[j].stride[a].at(c.dimensions);
    for (int s = 0; s < code::n.sizes; ++s) sizes[s] = static_cast<double>(b.sizes[s].at(c.dimensions));
    using loop = kernel::loop<b.description, typename code::ops>;
    if constexpr (is_tiny<Source>) loop::run_here({in, out, extents, strides, sizes});
    else loop::run({in, out, extents, strides, sizes});
}

}  // namespace gradus::core

#pragma GCC diagnostic pop
