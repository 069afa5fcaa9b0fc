// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/run_node.hpp>
#include <gradus/kernel/window_contract.hpp>

// Operations that the library has no kernel for, as users write them: their own kernel on elements of one type, else their text `whole` on
// doubles.

namespace gradus::inline GRADUS_ARCH::core {

/// Writes the elements of a value in row-major order, as doubles; returns where they end.
template <class T>
double* write_doubles(double* to, T const* x, numbers const& strides, shape const& s) {
    numbers extents;
    for (int i = 0; i < s.rank(); ++i) extents.n[i] = s[i].code;
    kernel::for_each_strided(x, strides.n, extents.n, s.rank(), [&](T const* element) { *to++ = static_cast<double>(*element); });
    return to;
}
inline shape shape_at(numbers const& extents, int rank) {
    shape s;
    for (int i = 0; i < rank; ++i) s.push_back(extents.n[i]);
    return s;
}

/// Elements one behind the other: where they stand, or copied to `memory`, which then begins behind them.
template <class T>
T const* in_order(T const* x, numbers const& strides, numbers const& extents, int rank, double*& memory) {
    numbers const dense = row_major(extents, rank);
    std::int64_t count = 1;
    bool same = true;
    for (int i = 0; i < rank; ++i) {
        count *= extents.n[i];
        same = same && (extents.n[i] == 1 || strides.n[i] == dense.n[i]);
    }
    if (same || count == 0) return x;
    T* const to = reinterpret_cast<T*>(memory);
    kernel::copy_strided(x, strides.n, to, dense.n, extents.n, rank);
    memory += (count * static_cast<std::int64_t>(sizeof(T)) + 7) / 8;
    return to;
}

template <class Source, int Node>
inline constexpr bool computes_itself = runs_own_kernel(stages<Source>::optimized, stages<Source>::optimized[Node]);
template <class Source, int Node>
inline constexpr auto results_with = results_of_call(stages<Source>::optimized, Node, stages<Source>::optimized.size());
/// How many elements result K of a call has, in terms of the program's dimensions; the first of these numbers.
template <class Source, int Node, int K>
inline constexpr monomials size_of_result = [] {
    dimension_table dimensions = stages<Source>::plan.dimensions;
    node const& n = stages<Source>::optimized[Node];
    monomials result;
    result.of[0] = dimensions.size(n.op->results > 1 ? result_node(stages<Source>::optimized, n, K).shape : n.shape);
    return result;
}();

/// Does the caller of a program that lends threads lend them to this node's kernel?
template <class Source, int Node>
inline constexpr bool shares_threads = computes_itself<Source, Node> && node_of<Source, Node>.op->shares_threads;

/// `on_threads(operations, run)` runs a kernel on the caller's threads.
template <class Source, int Node>
void run_whole(run_context const& c, auto const& on_threads) {
    constexpr auto const& plan = stages<Source>::plan;
    constexpr int arity = node_of<Source, Node>.op->arity;
    double* memory = reinterpret_cast<double*>(c.arena + offset_of<Source, scratch_number<Source>>(c));
    shape const result = shape_at(numbers_at<extents_of<Source, Node>>(c.dimensions), shape_of<Source, Node>.rank());
    constexpr int results = node_of<Source, Node>.op->results;
    call whole{attributes_of<Source, Node>, results == 1 ? result : shape{}, {}, arity};
    if constexpr (results > 1) whole.attr = of_result(whole.attr, 0);
    constexpr bool own = computes_itself<Source, Node>;
    constexpr auto const& nodes = results_with<Source, Node>;
    std::conditional_t<own, void, double> const* in[3]{};
    std::conditional_t<own, void, double>* out[max_results]{};
    [&]<int... K>(std::integer_sequence<int, K...>) {
        (
            [&] {
                using A = operand_access<Source, Node, K>;
                numbers const extents = numbers_at<extents_of<Source, A::id>>(c.dimensions),
                              strides = numbers_at<strides_of<A>>(c.dimensions);
                whole.operand[K] = {node_of<Source, A::id>.type, shape_at(extents, A::extents.rank())};
                if constexpr (own) in[K] = in_order<typename A::element>(A::data(c), strides, extents, A::extents.rank(), memory);
                else {
                    in[K] = memory;
                    memory = write_doubles<typename A::element>(memory, A::data(c), strides, whole.operand[K].shape);
                }
            }(),
            ...);
    }(std::make_integer_sequence<int, arity>{});
    constexpr auto each_result = [](auto&& visit) {
        [&]<int... K>(std::integer_sequence<int, K...>) {
            (visit(std::integral_constant<int, K>{}, std::integral_constant<int, nodes[K]>{}), ...);
        }(std::make_integer_sequence<int, node_of<Source, Node>.op->results>{});
    };
    each_result([&]<int K, int Id>(std::integral_constant<int, K>, std::integral_constant<int, Id>) {
        if constexpr (own && Id >= 0) out[K] = elements<Source, Id, element_t<node_of<Source, Node>.type>>(c);
        else {
            out[K] = memory;
            memory += numbers_at<size_of_result<Source, Node, K>>(c.dimensions).n[0];
        }
    });
    if constexpr (own) {
        constexpr auto kernel = node_of<Source, Node>.op->kernel;
        std::int64_t work = 0;
        if constexpr (node_of<Source, Node>.op->shares_threads) {
            constexpr auto count_operations = node_of<Source, Node>.op->operations;
            operation_count const count = count_operations(whole);
            work = count.each * count.of.static_size();
        }
        std::byte* const scratch = c.arena + plan.scratch_offset(c.dimensions) + plan.whole_bytes(c.dimensions);
        on_threads(work, [&](int thread, int threads) {
            kernel(node_of<Source, Node>.type, whole, in, out, {scratch + thread * plan.kernel_scratch, thread, threads});
        });
    } else {
        constexpr auto text = node_of<Source, Node>.op->whole;
        text(whole, in, out);
        each_result([&]<int K, int Id>(std::integral_constant<int, K>, std::integral_constant<int, Id>) {
            if constexpr (Id >= 0) {
                using T = element_t<node_of<Source, Id>.type>;
                T* const to = elements<Source, Id, T>(c);
                std::int64_t const count = numbers_at<size_of_result<Source, Node, K>>(c.dimensions).n[0];
                for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(out[K][i]);
            }
        });
    }
}
template <class Source, int Node>
void run_whole(run_context const& c) {
    run_whole<Source, Node>(c, [](std::int64_t, auto const& run) { run(0, 1); });
}

}  // namespace gradus::inline GRADUS_ARCH::core
