// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/stages.hpp>

#include <array>

// Which results a part of a program is computed for, so that the others can be left out of a call.

namespace gradus::inline GRADUS_ARCH::core {

/// A bit for each result; those from number 63 on share one.
constexpr std::uint64_t result_bit(int output) { return std::uint64_t{1} << (output < 63 ? output : 63); }

/// Per node the results that need it.
constexpr void find_results_behind(auto const& g, int outputs, std::uint64_t* of_node) {
    for (int o = 0; o < outputs; ++o) of_node[g.outputs[o].node] |= result_bit(o);
    for (int i = g.size() - 1; i >= 0; --i)
        for (int k = 0; k < g[i].operands(); ++k) of_node[g[i].in[k]] |= of_node[i];
}
/// The same where kernels run: a kernel computes all its nodes, so that whatever one of them reads has to be there.
constexpr void find_results_touched(auto const& g, auto const& plan, std::uint64_t* of_node, std::uint64_t* of_kernel) {
    for (bool changed = true; changed;) {
        changed = false;
        auto add = [&changed](std::uint64_t& to, std::uint64_t more) {
            changed = changed || (more & ~to);
            to |= more;
        };
        for (int i = g.size() - 1; i >= 0; --i) {
            if (int const kernel = plan.kernel_of[i]; kernel >= 0) {
                add(of_kernel[kernel], of_node[i]);  // members before see it in the next round
                add(of_node[i], of_kernel[kernel]);
            }
            for (int k = 0; k < g[i].operands(); ++k) add(of_node[g[i].in[k]], of_node[i]);
        }
    }
}
template <class Source>
inline constexpr auto results_behind = [] {
    constexpr auto const& g = optimized_graph<Source>;
    std::array<std::uint64_t, static_cast<std::size_t>(g.node_count) + 1> bits{};
    find_results_behind(g, g.output_count, bits.data());
    return bits;
}();

/// Of a program's symbols, outputs and kernels: the results that they are read, computed and run for.
struct program_demand {
    std::uint64_t const *of_symbol = nullptr, *of_output = nullptr, *of_kernel = nullptr;
};
/// The tables of that.
template <class Table>
struct demand_tables {
    Table of_node, of_symbol, of_output, of_kernel;

    constexpr void fill(auto const& g, auto const& plan, int outputs) {
        find_results_behind(g, outputs, &of_node[0]);
        find_results_touched(g, plan, &of_node[0], &of_kernel[0]);
        for (int i = 0; i < g.size(); ++i)
            if (g[i].is_symbol()) of_symbol[g[i].symbol()] |= of_node[i];
        for (int o = 0; o < outputs; ++o) {
            int const kernel = plan.kernel_of[plan.base[g.outputs[o].node]];
            of_output[o] = kernel < 0 ? ~std::uint64_t{0} : of_kernel[kernel];
        }
    }
    constexpr program_demand view() const { return {&of_symbol[0], &of_output[0], &of_kernel[0]}; }
};
template <int Room>
struct demand_array {
    std::uint64_t bits[Room]{};
    constexpr std::uint64_t& operator[](int i) { return bits[i]; }
    constexpr std::uint64_t const& operator[](int i) const { return bits[i]; }
};
template <class Source>
inline constexpr auto demand_of = [] {
    constexpr auto const& g = optimized_graph<Source>;
    demand_tables<demand_array<room_for(std::max({g.node_count, g.symbol_count, g.output_count}) + 1)>> tables;
    tables.fill(g, stages<Source>::plan, g.output_count);
    return tables;
}();

}  // namespace gradus::inline GRADUS_ARCH::core
