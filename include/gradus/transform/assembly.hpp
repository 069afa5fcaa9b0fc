// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/graph/graph.hpp>
#include <gradus/op/shape.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Elements follow each other along this axis: those in front of it have extent 1.
constexpr bool is_outermost(shape const& s, std::int64_t axis) {
    for (int i = 0; i < axis; ++i)
        if (s[i].code != 1) return false;
    return true;
}

/// Marks the assemblies: arrays that are put together from single elements, by any number of concatenations. Nothing is copied for
/// them: whatever computes the elements stores them where they belong.
constexpr list<char> find_assemblies(graph const& g) {
    list<char> found(g.size(), 0);
    for (int i = 0; i < g.size(); ++i) {
        node const& n = g[i];
        if (n.op->runs_by != own_kernel::concatenate || !n.shape.is_static() || n.shape.static_size() > target::assembled_elements)
            continue;
        found[i] = is_outermost(n.shape, op::concatenate::axis(n.attr));
        for (int k = 0; k < 2; ++k) {
            int part = n.in[k];
            if (g[part].shape.is_single()) continue;
            while (g[part].op->same_order) part = g[part].in[0];
            found[i] = found[i] && found[part];
        }
    }
    return found;
}

}  // namespace gradus::inline GRADUS_ARCH::core
