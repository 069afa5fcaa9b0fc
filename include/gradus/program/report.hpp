// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/operations.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/op/linear_algebra.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// Floating-point operations of a node: 2mnk for a product (PyTorch's convention), as many for a convolution, n per element where a matrix
/// of n rows is factored or a triangle solved (2n for both), one per element otherwise.
constexpr monomial flops_of(auto const& g, int i, dimension_table& dimensions) {
    node const& n = g[i];
    if (n.op->shares_threads) {
        call c{n.attr, n.shape, {}, n.op->arity};
        for (int k = 0; k < c.count; ++k) c.operand[k] = g[n.in[k]].result();
        operation_count const count = n.op->operations(c);
        return dimensions.size(count.of) * monomial{count.each, 0};
    }
    if (n.op->kind == op_kind::contraction)
        return dimensions.size(n.shape) * dimensions.of(op::matmul::inner(n.attr, g[n.in[0]].shape)) * monomial{2, 0};
    if (std::int64_t const per_column = n.op->flops_per_column; per_column > 0)
        return dimensions.size(n.shape) * dimensions.of(op::columns_of(g[n.in[0]].shape)) * monomial{per_column, 0};
    if (n.op->kind == op_kind::reduction) return dimensions.size(g[n.in[0]].shape);
    if (n.op->kind == op_kind::elementwise && !n.op->copies) return dimensions.size(n.shape);
    return {};
}

/// Those of a scan or cond, at its first node: its body as it is written, as often as it runs; of branches the larger.
constexpr std::int64_t flops_of_control(graph const& g, int id, dimension_table& dimensions, std::int64_t const* sizes) {
    if (!is_control(g[id]) || first_of_call(g, id) != id) return 0;
    std::int64_t most = 0;
    for (int which = 0; which < body_count(g[id]); ++which) {
        graph const& body = body_of(g, g[id], which);
        std::int64_t flops = 0;
        for (int i = 0; i < body.size(); ++i)
            flops += flops_of(body, i, dimensions).at(sizes) + flops_of_control(body, i, dimensions, sizes);
        if (flops > most) most = flops;
    }
    return most * dimensions.size(rules_of(g[id]).domain(g, g[id])).at(sizes);
}
/// `scan(matmul add tanh)`, at its first node.
constexpr void append_operations(text& out, graph const& g, int id) {
    if (is_control(g[id]) && first_of_call(g, id) != id) return;
    if (!out.empty() && out.view().back() != '(') out += ' ';
    out += g[id].op->name;
    for (int which = 0; is_control(g[id]) && which < body_count(g[id]); ++which) {
        out += '(';
        graph const& body = body_of(g, g[id], which);
        for (int i = 0; i < body.size(); ++i)
            if (op_kind const kind = body[i].op->kind; kind != op_kind::leaf && kind != op_kind::view && kind != op_kind::list)
                append_operations(out, body, i);
        out += ')';
    }
}

}  // namespace core

/// What a program tells about itself, in the compiler: costs, kernels, its graph. Named dimensions are given as
/// `step.flops(gr::dim<"batch"> = 64)`.
template <class Source>
class program_report {
    using S = stages<Source>;

    template <class... D>
    struct dimension_sizes {
        std::int64_t of[max_dimensions]{};
        constexpr explicit dimension_sizes(D... given) {
            for (std::int64_t& size : of) size = 1;
            int known = 0, names = 0;
            for (int i = 0; i < S::plan.dimensions.count; ++i) {
                if (S::plan.dimensions.names[i].is_form()) continue;
                ++names;
                ((D::name == S::plan.dimensions.names[i] ? (of[i] = given.size, ++known) : 0), ...);
            }
            S::plan.dimensions.complete(of);
            if (known < names)
                throw std::invalid_argument("gradus::program: give every named dimension: gr::dim<\"batch\"> = 64");
        }
    };

public:
    /// The number of kernels that a call runs.
    static constexpr int kernels() { return S::plan.kernel_count; }
    /// Floating-point operations of a call: 2mnk for a product (PyTorch's convention), one per element otherwise.
    static constexpr std::int64_t flops(auto... dimensions) {
        dimension_sizes<decltype(dimensions)...> sizes(dimensions...);
        dimension_table table = S::plan.dimensions;
        std::int64_t total = 0;
        for (int i = 0; i < S::optimized.size(); ++i) total += core::flops_of(S::optimized, i, table).at(sizes.of);
        if constexpr (S::optimized.body_count > 0)
            for (int i = 0; i < S::optimized.size(); ++i) total += core::flops_of_control(graph(), i, table, sizes.of);
        return total;
    }
    /// Bytes that the kernels read and write, every kernel's inputs and outputs counted once.
    static constexpr std::int64_t bytes_moved(auto... dimensions) {
        dimension_sizes<decltype(dimensions)...> sizes(dimensions...);
        std::int64_t total = 0;
        for (int k = 0; k < S::plan.kernel_count; ++k) total += kernel_bytes(k, sizes.of);
        return total;
    }
    /// Peak bytes of scratch memory: exact, the arena's size.
    static constexpr std::int64_t workspace_bytes(auto... dimensions) {
        dimension_sizes<decltype(dimensions)...> sizes(dimensions...);
        return S::plan.workspace_bytes(sizes.of);
    }
    /// The graph that runs: differentiated and simplified.
    static constexpr gradus::graph graph() { return S::optimized.thaw(); }
    /// A table: kernel, operations in it ("; " between groups that take turns on blocks of rows), shape, flops, bytes, where its results
    /// go.
    static constexpr text explain(auto... dimensions) {
        dimension_sizes<decltype(dimensions)...> sizes(dimensions...);
        dimension_table table = S::plan.dimensions;
        text out{"kernel | operations | shape | flops | bytes | results\n"};
        for (int k = 0; k < S::plan.kernel_count; ++k) {
            text operations, results;
            std::int64_t flops = 0;
            planned_kernel const& kernel = S::plan.kernels[k];
            for (int at = kernel.first; at < kernel.first + kernel.groups + kernel.after; ++at) {
                if (at > kernel.first) operations += ';';
                for (int i = 0; i < S::optimized.size(); ++i) {
                    if (S::plan.group_of[i] != S::plan.groups[at].number) continue;
                    if constexpr (S::optimized.body_count > 0) {
                        core::append_operations(operations, graph(), i);
                        flops += core::flops_of_control(graph(), i, table, sizes.of);
                    } else {
                        if (!operations.empty()) operations += ' ';
                        operations += S::optimized[i].op->name;
                    }
                    flops += core::flops_of(S::optimized, i, table).at(sizes.of);
                    append_place(results, i, sizes.of);
                }
            }
            core::append(out, core::concat(k, " | ", operations.view(), " | ", S::plan.first_group(k).domain, " | ", flops, " | ",
                                           kernel_bytes(k, sizes.of), " | ", results.view(), '\n')
                                  .view());
        }
        core::append(out, core::concat("workspace: ", S::plan.workspace_bytes(sizes.of), " bytes\n").view());
        return out;
    }

private:
    static constexpr std::int64_t bytes_of(int i, std::int64_t const* sizes) {
        dimension_table table = S::plan.dimensions;
        return table.size(S::optimized[i].shape).at(sizes) * size_of(S::optimized[i].type);
    }
    static constexpr std::int64_t kernel_bytes(int k, std::int64_t const* sizes) {
        core::list<int> counted;
        std::int64_t bytes = 0;
        for (int i = 0; i < S::optimized.size(); ++i) {
            if (S::plan.kernel_of[i] != k) continue;
            if (S::plan.buffers[i].where != buffer_kind::none) bytes += bytes_of(i, sizes);
            for (int o = 0; o < S::optimized[i].op->arity; ++o) count_input(k, S::optimized[i].in[o], counted, bytes, sizes);
        }
        return bytes;
    }
    static constexpr void count_input(int kernel, int id, core::list<int>& counted, std::int64_t& bytes, std::int64_t const* sizes) {
        int b = S::plan.base[id];
        if (S::plan.inlined[b]) {
            for (int o = 0; o < S::optimized[b].op->arity; ++o) count_input(kernel, S::optimized[b].in[o], counted, bytes, sizes);
        } else if (S::plan.buffers[b].where != buffer_kind::none && S::plan.kernel_of[b] != kernel && !counted.contains(b)) {
            counted.push_back(b);
            bytes += bytes_of(b, sizes);
        }
    }
    static constexpr void append_place(text& out, int i, std::int64_t const* sizes) {
        buffer const& b = S::plan.buffers[i];
        if (b.where == buffer_kind::none) return;
        if (!out.empty()) out += ' ';
        core::append(out, core::concat('%', i).view());
        if (b.where == buffer_kind::symbol) core::append(out, core::concat(" in ", S::optimized.symbols[b.index].name).view());
        else if (b.where == buffer_kind::output) core::append(out, core::concat(" result ", b.index).view());
        else core::append(out, core::concat(" at ", S::plan.offset_of(b, sizes)).view());
    }
};

}  // namespace gradus::inline GRADUS_ARCH
