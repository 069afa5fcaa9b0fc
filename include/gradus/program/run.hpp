// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/aligned.hpp>
#include <gradus/program/run_linear_algebra.hpp>
#include <gradus/program/run_loop.hpp>
#include <gradus/program/run_node.hpp>
#include <gradus/program/run_sort.hpp>

#include <array>
#include <cstddef>
#include <cstring>

// From a plan to calls of kernels. Everything but addresses and named dimensions is a constant here.

// g++ takes names in an instantiated lambda for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace gradus::core {

template <class Source, int Position>
[[gnu::always_inline]] inline void run_kernel(run_context const& c) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    if constexpr (k.kind == kernel_kind::loop) {
        using code = loop_code<Source, k.group>;
        run_loop<Source, k.group>(c, std::make_integer_sequence<int, code::n.inputs>{}, std::make_integer_sequence<int, code::n.outputs>{});
    } else if constexpr (k.kind == kernel_kind::contraction) run_contraction<Source, k.node>(c);
    else if constexpr (k.kind == kernel_kind::argmax) run_argmax<Source, k.node>(c);
    else if constexpr (is_on_matrices(stages<Source>::optimized[k.node])) run_on_matrices<Source, k.node>(c);
    else if constexpr (stages<Source>::optimized[k.node].template is<op::sorting_order>()) run_sorting_order<Source, k.node>(c);
    else run_movement<Source, k.node>(c);
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

/// Which results need a node: a bit each; those from number 63 on share one.
template <class Source>
inline constexpr auto results_behind = [] {
    constexpr auto const& g = stages<Source>::optimized;
    std::array<std::uint64_t, static_cast<std::size_t>(g.node_count) + 1> bits{};
    for (int o = 0; o < g.output_count; ++o) bits[static_cast<std::size_t>(g.outputs[o].node)] |= std::uint64_t{1} << (o < 63 ? o : 63);
    for (int i = g.node_count - 1; i >= 0; --i)
        for (int k = 0; k < g[i].operands(); ++k) bits[static_cast<std::size_t>(g[i].in[k])] |= bits[static_cast<std::size_t>(i)];
    return bits;
}();
/// The same where kernels run: a kernel computes all its nodes, so that whatever one of them reads has to be there.
template <class Source>
inline constexpr auto results_touched = [] {
    constexpr auto const& g = stages<Source>::optimized;
    auto bits = results_behind<Source>;
    auto of_group = bits;
    of_group.fill(0);
    for (bool changed = true; changed;) {
        changed = false;
        auto add = [&changed](std::uint64_t& to, std::uint64_t more) {
            changed = changed || (more & ~to);
            to |= more;
        };
        for (int i = g.node_count - 1; i >= 0; --i) {
            auto at = static_cast<std::size_t>(i);
            if (int group = stages<Source>::plan.group_of[i]; group >= 0) {
                add(of_group[static_cast<std::size_t>(group)], bits[at]);  // members before see it in the next round
                add(bits[at], of_group[static_cast<std::size_t>(group)]);
            }
            for (int k = 0; k < g[i].operands(); ++k) add(bits[static_cast<std::size_t>(g[i].in[k])], bits[at]);
        }
    }
    return bits;
}();
template <class Source, int Position>
inline constexpr std::uint64_t results_of_kernel = [] {
    std::uint64_t bits = 0;
    for (int i = 0; i < stages<Source>::optimized.node_count; ++i)
        if (stages<Source>::plan.group_of[i] == stages<Source>::plan.kernels[Position].group) bits |= results_touched<Source>[static_cast<std::size_t>(i)];
    return bits;
}();

/// Runs the kernels that results with a bit in `wanted` need. A kernel writes all its results, wanted or not.
template <class Source>
void run_wanted(run_context const& c, std::uint64_t wanted) {
    []<int... K>(run_context const& context, [[maybe_unused]] std::uint64_t bits, std::integer_sequence<int, K...>) {
        ((bits & results_of_kernel<Source, K> ? run_kernel<Source, K>(context) : void()), ...);
    }(c, wanted, std::make_integer_sequence<int, stages<Source>::plan.kernel_count>{});
}

template <class Source>
[[gnu::always_inline]] inline void run_kernels(run_context const& c) {
    [&]<int... K>(std::integer_sequence<int, K...>) __attribute__((always_inline)) { (run_kernel<Source, K>(c), ...); }(std::make_integer_sequence<int, stages<Source>::plan.kernel_count>{});
}
template <class Source>
GRADUS_FLATTEN void run_tiny(run_context const& c) {
    run_kernels<Source>(c);
}

template <class Source>
void run_program(run_context const& c) {
    if constexpr (is_tiny<Source>) run_tiny<Source>(c);
    else run_kernels<Source>(c);
    []<int... I>(run_context const& context, std::integer_sequence<int, I...>) { static_cast<void>(context), (copy_back<Source, I>(context), ...); }(c, std::make_integer_sequence<int, stages<Source>::plan.copied_back_count>{});
}

/// Scratch memory up to here is on the stack.
inline constexpr std::int64_t stack_bytes = 16 * 1024;

/// Calls `run(scratch)` with the scratch memory that a program needs: on the stack if it is small and static.
template <class Source>
void with_scratch(std::int64_t const* dimensions, auto&& run) {
    if constexpr (static_workspace<Source>() >= 0 && static_workspace<Source>() <= stack_bytes) {
        alignas(64) std::byte scratch[static_workspace<Source>() + 1];
        run(scratch);
    } else {
        aligned_buffer scratch(static_cast<std::size_t>(stages<Source>::plan.workspace_bytes(dimensions)));
        run(scratch.data());
    }
}

}  // namespace gradus::core

#pragma GCC diagnostic pop
