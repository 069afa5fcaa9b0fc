// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/transform/rebuild.hpp>
#include <gradus/transform/small_arrays.hpp>

#include <algorithm>

namespace gradus::inline GRADUS_ARCH::core {

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
        if (n.op->runs_by == own_kernel::product && n.shape.rank() == 2)
            return lead_from ? k == 0 && !op::matmul::transposes(n.attr, 0) : k == 1;
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
            std::int64_t const copied = of_instances ? target::expanded_near : target::expanded_elements;
            for (int k = 0; k < n.op->arity; ++k)
                if (!expanded_[n.in[k]] && this->size(n.in[k]) > copied) return -1;
            bool const zeros = of_instances && n.op->runs_by == own_kernel::pad;  // each is stored
            return size <= (zeros ? target::expanded_elements : target::expanded_sum) ? 0 : -1;
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
