// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/graph/graph.hpp>
#include <gradus/op/shape.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// How an array is put together: not from single elements, from such, or from one of each instance, which its first axis counts.
enum class assembly : char { none, elements, instances };

/// Is an axis long enough for lanes, whatever is behind it?
constexpr bool is_long(extent e) { return !e.is_static() || e.code >= target::instances; }
/// Elements behind the first axis; -1 where their number is not known.
constexpr std::int64_t instance_size(shape const& s) {
    std::int64_t size = 1;
    for (int axis = 1; axis < s.rank(); ++axis) {
        if (!s[axis].is_static()) return -1;
        size *= s[axis].code;
    }
    return size;
}

/// Elements follow each other along this axis: those in front of it, from `first` on, have extent 1.
constexpr bool is_outermost(shape const& s, int first, std::int64_t axis) {
    for (int i = first; i < axis; ++i)
        if (s[i].code != 1) return false;
    return true;
}
/// What a concatenation may be, by its own shape.
constexpr assembly assembly_of(node const& n) {
    if (n.op->runs_by != own_kernel::concatenate) return assembly::none;
    int const axis = op::concatenate::axis(n.attr);
    if (n.shape.is_static() && n.shape.static_size() <= target::assembled_elements && is_outermost(n.shape, 0, axis))
        return assembly::elements;
    std::int64_t const size = axis > 0 && is_long(n.shape[0]) ? instance_size(n.shape) : -1;
    if (size >= 0 && size <= target::assembled_columns && is_outermost(n.shape, 1, axis)) return assembly::instances;
    return assembly::none;
}

/// Marks the assemblies: arrays that are put together from single elements, by any number of concatenations. Nothing is copied for
/// them: whatever computes the elements stores them where they belong.
constexpr list<assembly> find_assemblies(graph const& g) {
    list<assembly> found(g.size(), assembly::none);
    for (int i = 0; i < g.size(); ++i) {
        node const& n = g[i];
        found[i] = assembly_of(n);
        for (int k = 0; found[i] != assembly::none && k < 2; ++k) {
            int part = n.in[k];
            if (found[i] == assembly::elements ? g[part].shape.is_single() : instance_size(g[part].shape) == 1) continue;
            while (g[part].op->same_order) part = g[part].in[0];
            if (found[part] != found[i] || (found[i] == assembly::instances && !(g[part].shape[0] == n.shape[0])))
                found[i] = assembly::none;
        }
    }
    return found;
}

}  // namespace gradus::inline GRADUS_ARCH::core
