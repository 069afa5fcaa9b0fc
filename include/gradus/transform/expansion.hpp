// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/op/contraction.hpp>
#include <gradus/transform/assembly.hpp>
#include <gradus/transform/rebuild.hpp>

#include <algorithm>

namespace gradus::inline GRADUS_ARCH::core {

/// Decides which arrays are computed element by element: small ones that are put together from single elements, what is computed of
/// such, and even smaller ones that these are computed of. Everything else stays in loops, which have vectors.
class expansion {
public:
    constexpr explicit expansion(graph const& g)
        : g_(g), needed_(needed_nodes(g)), expanded_(g.size(), 0), assembled_(find_assemblies(g)), read_(g.size(), 0) {
        for (bool more = true; more;) {
            more = false;
            for (int i = 0; i < g.size(); ++i)
                if (needed_[i] && !expanded_[i] && is_small(g[i]) && decide(i)) expanded_[i] = more = true;
            for (int i = 0; more && i < g.size(); ++i)
                for (int k = 0; expanded_[i] && k < g[i].op->arity; ++k) read_[base_of(g[i].in[k])] = 1;
        }
    }
    /// Is there anything that is not expanded yet?
    constexpr bool any() const { return any_; }
    constexpr bool operator[](int i) const { return expanded_[i]; }
    constexpr bool is_assembly(int i) const { return assembled_[i] == assembly::elements; }

private:
    static constexpr bool is_small(node const& n) {
        return n.shape.is_static() && n.shape.static_size() >= 1 && n.shape.static_size() <= target::assembled_elements;
    }
    constexpr bool decide(int i) {
        node const& n = g_[i];
        bool operands = false, single = false;
        for (int k = 0; k < n.op->arity; ++k) {
            if (!is_small(g_[n.in[k]])) return false;
            operands = operands || expanded_[n.in[k]];
            single = single || g_[n.in[k]].shape.is_single();
        }
        bool const joins = single && (joins_parts(n));
        if (!operands && !joins && !(read_[i] && is_near(n))) return false;
        std::int64_t const work = work_of(i);
        if (work < 0 || work_ + work > target::expanded_instructions) return false;
        work_ += work;
        any_ = any_ || !(n.op->same_order || is_assembly(i));
        return true;
    }
    /// Is a node that is read by elements so small that they are better made one by one than all at once and taken from memory?
    constexpr bool is_near(node const& n) const {
        std::int64_t most = n.shape.static_size();
        for (int k = 0; k < n.op->arity; ++k) most = std::max(most, g_[n.in[k]].shape.static_size());
        return n.op->kind != op_kind::leaf && most > 1 && most <= target::expanded_near;
    }
    static constexpr bool joins_parts(node const& n) {
        return n.op->runs_by == own_kernel::concatenate || n.op->runs_by == own_kernel::pad;
    }
    /// What views look at.
    constexpr int base_of(int i) const {
        while (g_[i].op->kind == op_kind::view) i = g_[i].in[0];
        return i;
    }
    /// Instructions that a node becomes; -1: it stays.
    constexpr std::int64_t work_of(int i) const {
        node const& n = g_[i];
        std::int64_t const size = n.shape.static_size();
        if (n.op->kind == op_kind::view || is_assembly(i)) return 0;
        if (joins_parts(n)) {  // what is not of single elements is copied one by one
            for (int k = 0; k < n.op->arity; ++k)
                if (!expanded_[n.in[k]] && g_[n.in[k]].shape.static_size() > target::expanded_elements) return -1;
            return size <= target::expanded_sum ? 0 : -1;
        }
        if (n.op->kind == op_kind::elementwise) {
            bool const sum = n.op->adds;
            std::int64_t const most = sum ? target::expanded_sum : n.op->foldable ? target::expanded_elements : target::expanded_functions;
            return size <= most ? size : -1;
        }
        if (n.op->kind == op_kind::reduction && n.op->reduces_by != reducer::none) {
            std::int64_t const from = g_[n.in[0]].shape.static_size();
            return from <= target::expanded_elements ? from : -1;
        }
        if (n.op->runs_by == own_kernel::product) {
            std::int64_t const inner = op::matmul::inner(n.attr, g_[n.in[0]].shape).code;
            return size <= target::expanded_elements && inner >= 1 && inner <= target::expanded_functions ? 2 * size * inner : -1;
        }
        return -1;
    }

    graph const& g_;
    list<char> needed_, expanded_;
    list<assembly> assembled_;
    list<char> read_;  ///< by what is expanded
    std::int64_t work_ = 0;
    bool any_ = false;
};

}  // namespace gradus::inline GRADUS_ARCH::core
