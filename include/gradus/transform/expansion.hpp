// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/transform/assembly.hpp>
#include <gradus/transform/rebuild.hpp>

#include <algorithm>

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

/// Decides which arrays are computed element by element: small ones that are put together from single elements, what is computed of
/// such, and even smaller ones that these are computed of. Everything else stays in loops, which have vectors.
class expansion {
public:
    constexpr explicit expansion(graph const& g)
        : g_(g), small_(g), needed_(needed_nodes(g)), expanded_(g.size(), 0), assembled_(find_assemblies(g)), read_(g.size(), 0) {
        for (bool more = true; more;) {
            more = false;
            for (int i = 0; i < g.size(); ++i)
                if (needed_[i] && !expanded_[i] && small_.lead(i) >= 0 && decide(i)) expanded_[i] = more = true;
            for (int i = 0; more && i < g.size(); ++i)
                for (int k = 0; expanded_[i] && k < g[i].op->arity; ++k) read_[base_of(g[i].in[k])] = 1;
        }
    }
    /// Is there anything that is not expanded yet?
    constexpr bool any() const { return any_; }
    constexpr bool operator[](int i) const { return expanded_[i]; }
    constexpr bool is_assembly(int i) const { return assembled_[i] != assembly::none; }
    constexpr small_arrays const& small() const { return small_; }
    /// Elements of a small array, for each instance.
    constexpr std::int64_t size(int i) const { return small_.lead(i) ? instance_size(g_[i].shape) : g_[i].shape.static_size(); }

private:
    constexpr bool decide(int i) {
        node const& n = g_[i];
        bool operands = false, single = false;
        for (int k = 0; k < n.op->arity; ++k) {
            if (!is_by_instance(i, k)) return false;
            bool const columns = small_.lead(i) == small_.lead(n.in[k]) || size(i) <= target::expanded_functions;
            operands = operands || (expanded_[n.in[k]] && columns);
            single = single || size(n.in[k]) == 1;
        }
        bool const joins = (single && joins_parts(n)) || (small_.lead(i) && (joins_short_rows(g_, n) || folds_short_rows(i)));
        if (!operands && !joins && !(read_[i] && is_near(i))) return false;
        std::int64_t const work = work_of(i);
        if (work < 0 || work_ + work > target::expanded_instructions) return false;
        work_ += work;
        any_ = any_ || !(n.op->same_order || is_assembly(i));
        return true;
    }
    /// Does an instance of a node read that instance alone of its operand k, or the same as every other?
    constexpr bool is_by_instance(int i, int k) const {
        node const& n = g_[i];
        shape const& from = g_[n.in[k]].shape;
        int const lead = small_.lead(i), lead_from = small_.lead(n.in[k]);
        if (lead_from < 0 || lead_from > lead) return false;
        if (n.op->kind == op_kind::view) return small_.is_transparent(i);
        if (lead == 0) return true;
        if (lead_from && !(from[0] == n.shape[0])) return false;
        if (n.op->kind == op_kind::reduction) return lead_from && !op::reduces(n.attr, 0);
        if (joins_parts(n)) return lead_from && (n.op->runs_by == own_kernel::pad || op::concatenate::axis(n.attr) > 0);
        if (n.op->runs_by == own_kernel::product && n.shape.rank() == 2) return lead_from ? k == 0 && !op::matmul::transposes(n.attr, 0) : k == 1;
        return lead_from ? from.rank() == n.shape.rank() : from.rank() < n.shape.rank() || from[0].code == 1;
    }
    /// Is a node that is read by elements so small that they are better made one by one than all at once and taken from memory?
    constexpr bool is_near(int i) const {
        node const& n = g_[i];
        std::int64_t most = size(i);
        for (int k = 0; k < n.op->arity; ++k) most = std::max(most, size(n.in[k]));
        return n.op->kind != op_kind::leaf && most > 1 && most <= target::expanded_near;
    }
    /// Is a number of each instance a sum over so few of it that vectors along them are not worth their sum?
    constexpr bool folds_short_rows(int i) const {
        node const& n = g_[i];
        bool const folds = n.op->kind == op_kind::reduction || n.op->runs_by == own_kernel::product;
        return folds && size(i) == 1 && size(n.in[0]) > 1 && size(n.in[0]) <= target::expanded_near;
    }
    /// What views look at.
    constexpr int base_of(int i) const {
        while (g_[i].op->kind == op_kind::view) i = g_[i].in[0];
        return i;
    }
    /// Instructions that a node becomes; -1: it stays.
    constexpr std::int64_t work_of(int i) const {
        node const& n = g_[i];
        bool const of_instances = small_.lead(i) > 0;
        std::int64_t const size = this->size(i);
        if (n.op->kind == op_kind::view || is_assembly(i)) return 0;
        if (joins_parts(n)) {  // what is not of single elements is copied one by one
            for (int k = 0; k < n.op->arity; ++k)
                if (!expanded_[n.in[k]] && this->size(n.in[k]) > (of_instances ? target::expanded_near : target::expanded_elements)) return -1;
            return size <= (of_instances && n.op->runs_by == own_kernel::pad ? target::expanded_elements : target::expanded_sum) ? 0 : -1;
        }
        if (n.op->kind == op_kind::elementwise) {
            bool const sum = n.op->adds && !of_instances;
            std::int64_t const functions = of_instances ? target::expanded_near : target::expanded_functions;  // in lanes they are quick
            std::int64_t const most = sum ? target::expanded_sum : n.op->foldable ? target::expanded_elements : functions;
            return size <= most ? size : -1;
        }
        if (n.op->kind == op_kind::reduction && n.op->reduces_by != reducer::none) {
            std::int64_t const from = this->size(n.in[0]);
            return from <= target::expanded_elements ? from : -1;
        }
        if (n.op->runs_by == own_kernel::product) {
            std::int64_t const inner = op::matmul::inner(n.attr, g_[n.in[0]].shape).code;
            return size <= target::expanded_elements && inner >= 1 && inner <= target::expanded_functions ? 2 * size * inner : -1;
        }
        return -1;
    }

    graph const& g_;
    small_arrays small_;
    list<char> needed_, expanded_;
    list<assembly> assembled_;
    list<char> read_;  ///< by what is expanded
    std::int64_t work_ = 0;
    bool any_ = false;
};

}  // namespace gradus::inline GRADUS_ARCH::core
