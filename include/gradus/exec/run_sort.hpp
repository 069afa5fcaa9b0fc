// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/run_node.hpp>
#include <gradus/kernel/sort.hpp>
#include <gradus/op/sort.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// The indices that sort each row (op/sort.hpp).
template <class Source, int Node>
void run_sorting_order(run_context const& c) {
    using A = operand_access<Source, Node, 0>;
    using T = typename A::element;
    constexpr int last = A::extents.rank() - 1;
    constexpr bool descending = attributes_of<Source, Node>.n[0] != 0;
    numbers const extents = numbers_at<extents_of<Source, A::id>>(c.dimensions), strides = numbers_at<strides_of<A>>(c.dimensions);
    std::int64_t* to = elements<Source, Node, std::int64_t>(c);
    kernel::for_each_strided(static_cast<T const*>(A::data(c)), strides.n, extents.n, last, [&](T const* row) {
        kernel::sorting_order(extents.n[last], to, [&](std::int64_t i, std::int64_t j) {
            return op::sorting_order::before(row, strides.n[last], i, j, descending);
        });
        to += extents.n[last];
    });
}

}  // namespace gradus::inline GRADUS_ARCH::core
