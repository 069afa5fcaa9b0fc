// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/leaf.hpp>
#include <gradus/transform/assembly.hpp>

namespace gradus::inline GRADUS_ARCH::core {

constexpr bool joins_parts(node const& n) {
    return n.op->runs_by == own_kernel::concatenate || n.op->runs_by == own_kernel::pad;
}
/// Is an array for each instance put together from rows that are too short to copy one by one?
constexpr bool joins_short_rows(graph const& g, node const& n) {
    if (!joins_parts(n)) return false;
    int const axis = n.op->runs_by == own_kernel::concatenate ? static_cast<int>(op::concatenate::axis(n.attr)) : 1;
    for (int k = 0; k < n.op->arity && axis > 0; ++k) {
        shape const& part = g[n.in[k]].shape;
        if (!(part[0] == n.shape[0])) return false;
        std::int64_t row = n.op->runs_by == own_kernel::pad && instance_size(part) != 1 ? 0 : 1;
        for (int i = axis; i < part.rank(); ++i) row *= part[i].is_static() ? part[i].code : 0;
        if (row > 0 && row <= target::expanded_functions) return true;
    }
    return false;
}

/// Which arrays are small, alone or for each instance of a first axis that is long: an element of these is a vector of all instances.
class small_arrays {
public:
    constexpr explicit small_arrays(graph const& g) : lead_(g.size(), -1), transparent_(g.size(), 0) {
        find_instances(g);
        for (int i = 0; i < g.size(); ++i) lead_[i] = lead_of(g[i]);
        for (int i = 0; i < g.size(); ++i) transparent_[i] = g[i].op->kind == op_kind::view && looks_at_elements(g, i);
    }
    /// The axes that elements do not count: 1 of an array for each instance, 0 of another small one; -1: it is not small.
    constexpr int lead(int i) const { return lead_[i]; }
    /// Is each element of a view one of what it looks at, for every instance?
    constexpr bool is_transparent(int i) const { return transparent_[i]; }

private:
    /// Static extents count instances where something is put together from one number of each.
    constexpr void find_instances(graph const& g) {
        for (int i = 0; i < g.size(); ++i) {
            node const& n = g[i];
            if (n.shape.rank() < 2 || !n.shape[0].is_static() || !is_long(n.shape[0])) continue;
            if (joins_short_rows(g, n)) counted_.push_back(n.shape[0]);
        }
    }
    constexpr int lead_of(node const& n) const {
        bool instances = n.shape.rank() > 0 && !n.shape[0].is_static();
        for (extent const& e : counted_) instances = instances || (n.shape.rank() > 0 && n.shape[0] == e);
        if (instances) {
            std::int64_t const size = instance_size(n.shape);
            bool const counts = n.op->holds == leaf_kind::iota && n.shape.rank() > 1 && op::iota::axis(n.attr) == 0;
            return size >= 1 && size <= target::assembled_columns && !counts ? 1 : -1;
        }
        return n.shape.is_static() && n.shape.static_size() >= 1 && n.shape.static_size() <= target::assembled_elements ? 0 : -1;
    }
    constexpr bool looks_at_elements(graph const& g, int i) const {
        node const& n = g[i];
        shape const& from = g[n.in[0]].shape;
        int const lead = lead_[i], lead_from = lead_[n.in[0]];
        if (lead < 0 || lead_from < 0 || lead_from > lead || (lead_from && !(from[0] == n.shape[0]))) return false;
        if (n.op->same_order) return lead == lead_from;
        for (int axis = 0; axis < n.shape.rank(); ++axis) {
            view_axis const at = n.op->view(n.attr, from, n.shape, axis);
            if (!at.named_first.is_static()) return false;
            bool const whole = at.from == 0 && at.first == 0 && at.step == 1;
            if (lead_from ? (axis == 0) != (at.from == 0) || (axis == 0 && !whole) : axis < lead && at.from >= 0 && from[at.from].code != 1)
                return false;
        }
        return true;
    }

    list<extent> counted_;
    list<int> lead_;
    list<char> transparent_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
