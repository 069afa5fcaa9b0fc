// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/contraction.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/transform/expansion.hpp>
#include <gradus/transform/simplify.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// Indices of one element; flat numbers count in row-major order, from axis `lead` on: in front of it are instances.
struct element_index {
    std::int64_t of[max_rank]{};
    constexpr element_index(shape const& s, std::int64_t flat, int lead) {
        for (int axis = s.rank() - 1; axis >= lead; flat /= s[axis].code, --axis) of[axis] = flat % s[axis].code;
    }
    constexpr std::int64_t flat(shape const& s, int lead) const {
        std::int64_t number = 0;
        for (int axis = lead; axis < s.rank(); ++axis) number = number * s[axis].code + of[axis];
        return number;
    }
};

/// Makes the graph in which expanded arrays are nodes of single elements, put together where something reads them whole. An element of an
/// array for each instance is a vector, of one element for each, or a scalar where it is the same for all.
class expanding {
public:
    constexpr expanding(graph const& g, expansion const& e)
        : g_(g), expanded_(e), simple_(true), whole_(g.size(), -1), elements_(g.size()) {}
    constexpr graph run() {
        out_.symbols = g_.symbols;
        out_.bodies = g_.bodies;
        list<char> const needed = needed_nodes(g_);
        for (int i = 0; i < g_.size(); ++i) {
            if (!needed[i] || is_lazy(i)) continue;
            if (expanded_[i]) expand(i);
            else whole_[i] = keep(i);
        }
        for (output_entry const& o : g_.outputs) out_.outputs.push_back({whole(o.node), o.updates});
        return pass::dead_code(out_);
    }

private:
    constexpr std::int64_t size(int i) const { return expanded_.size(i); }
    constexpr int lead(int i) const { return expanded_.small().lead(i); }
    constexpr bool is_transparent(int i) const { return expanded_.small().is_transparent(i); }
    /// Made when something asks for an element, or for the whole.
    constexpr bool is_lazy(int i) const {
        node const& n = g_[i];
        if (n.op->kind == op_kind::view) return expanded_[i] || (is_transparent(i) && size(i) == 1);
        return expanded_[i] && n.op->kind == op_kind::movement;
    }
    constexpr int keep(int i) {
        node n = g_[i];
        for (int k = 0; k < n.operands(); ++k) n.in[k] = whole(n.in[k]);
        return simple_(out_, n);
    }
    constexpr int made(value v) { return simple_(out_, node(v.at())); }

    /// The node of an array; an assembly of its elements where it was expanded.
    constexpr int whole(int i) {
        if (whole_[i] >= 0) return whole_[i];
        if (elements_[i].empty() && !is_lazy(i)) return whole_[i] = keep(i);
        if (g_[i].op->kind == op_kind::view && !expanded_[i] && !expanded_[g_[i].in[0]]) return whole_[i] = keep(i);
        list<int> parts;
        for (std::int64_t e = 0; e < size(i); ++e) parts.push_back(part(i, e));
        value all{out_, parts[0]};
        attributes const axis = first_attribute(lead(i));
        for (int e = 1; e < parts.size(); ++e) all = all.concatenate(value{out_, parts[e]}, axis);
        return whole_[i] = made(all.reshape(g_[i].shape));
    }
    /// Element e of an array as a part of an assembly, or as the whole where it is the only one.
    constexpr int part(int i, std::int64_t e) {
        shape const own = size(i) == 1 ? g_[i].shape : lead(i) ? shape{g_[i].shape[0], 1} : shape{1};
        value one{out_, element(i, e)};
        if (lead(i) && one.shape().rank() == 0) {  // in a register like the others, not an array to read
            value const same = one.broadcast_to({g_[i].shape[0]});
            one = {out_, out_.intern({&info_of<op::copy>, {same.id(), -1, -1}, same.type(), same.shape(), {}})};
        }
        return made(one.reshape(own));
    }
    /// The scalar that is element e of an array.
    constexpr int element(int i, std::int64_t e) {
        node const& n = g_[i];
        if (elements_[i].size()) return elements_[i][static_cast<int>(e)];
        element_index index(n.shape, e, lead(i));
        if (n.op->kind == op_kind::view) {
            if (!is_transparent(i)) return read(i, e);
            if (n.op->same_order) return element(n.in[0], e);
            shape const& from = g_[n.in[0]].shape;
            element_index inside(from, 0, lead(n.in[0]));
            for (int axis = 0; axis < n.shape.rank(); ++axis) {
                view_axis const at = n.op->view(n.attr, from, n.shape, axis);
                if (at.from >= 0) inside.of[at.from] += at.first + at.step * index.of[axis];
            }
            return element(n.in[0], inside.flat(from, lead(n.in[0])));
        }
        if (n.op->holds == leaf_kind::iota && op::iota::axis(n.attr) >= lead(i))
            return value::constant(out_, static_cast<double>(index.of[op::iota::axis(n.attr)]), n.type).id();
        if (n.op->runs_by == own_kernel::pad) {
            shape const& from = g_[n.in[0]].shape;
            for (int axis = lead(i); axis < n.shape.rank(); ++axis) {
                std::int64_t const offset = index.of[axis] - op::start_of(n.attr, axis), step = op::step_of(n.attr, axis);
                index.of[axis] = offset / step;
                if (offset % step != 0 || index.of[axis] < 0 || index.of[axis] >= from[axis].code)
                    return value::constant(out_, 0, n.type).id();
            }
            return element(n.in[0], index.flat(from, lead(n.in[0])));
        }
        if (expanded_.is_assembly(i)) {
            take_apart(i);
            return elements_[i][static_cast<int>(e)];
        }
        if (n.op->runs_by == own_kernel::concatenate) {
            int const axis = op::concatenate::axis(n.attr);
            std::int64_t const first = g_[n.in[0]].shape[axis].code;
            bool const second = index.of[axis] >= first;
            if (second) index.of[axis] -= first;
            return element(n.in[second], index.flat(g_[n.in[second]].shape, lead(i)));
        }
        return read(i, e);
    }
    /// All elements of an assembly: a chain of hundreds of concatenations is followed once, not for each of them.
    constexpr void take_apart(int i) {
        list<int> all, parts;
        parts.push_back(i);
        while (!parts.empty()) {
            int part = parts.back();
            parts.pop_back();
            if (size(part) == 1) {
                all.push_back(element(part, 0));
                continue;
            }
            while (g_[part].op->same_order) part = g_[part].in[0];
            parts.push_back(g_[part].in[1]);
            parts.push_back(g_[part].in[0]);
        }
        elements_[i] = std::move(all);
    }
    /// Element e of an array that is in memory.
    constexpr int read(int i, std::int64_t e) {
        value all{out_, whole(i)};
        shape const s = all.shape(), element = lead(i) ? shape{s[0]} : shape{};
        if (size(i) == 1) return made(all.reshape(element));
        element_index const index(s, e, lead(i));
        shape one = element;
        attributes at;
        for (int axis = 0; axis < s.rank(); ++axis) {
            at.n[axis] = op::pack_range(index.of[axis], 1);
            if (axis >= lead(i)) one.push_back(1);
        }
        return made(all.slice(at, one).reshape(element));
    }

    // ---- nodes, element by element

    constexpr void expand(int i) {
        node const& n = g_[i];
        if (n.op->kind == op_kind::elementwise) {
            list<int> all;
            for (std::int64_t e = 0; e < size(i); ++e) all.push_back(operate(i, e));
            elements_[i] = std::move(all);
        } else if (n.op->kind == op_kind::reduction) reduce(i);
        else multiply(i);
    }
    constexpr int operate(int i, std::int64_t e) {
        node n = g_[i];
        element_index const index(n.shape, e, lead(i));
        shape made;
        for (int k = 0; k < n.op->arity; ++k) {
            int const of = n.in[k];
            shape const& from = g_[of].shape;
            element_index own(from, 0, lead(of));
            for (int axis = 0, more = n.shape.rank() - from.rank(); axis < from.rank(); ++axis)
                own.of[axis] = from[axis].code == 1 ? 0 : index.of[axis + more];
            n.in[k] = element(of, own.flat(from, lead(of)));
            if (out_[n.in[k]].shape.rank() > 0) made = out_[n.in[k]].shape;
        }
        n.shape = made;
        return simple_(out_, n);
    }
    constexpr void reduce(int i) {
        node const& n = g_[i];
        shape const& from = g_[n.in[0]].shape;
        list<int> all(static_cast<int>(size(i)), -1);
        for (std::int64_t e = 0; e < size(n.in[0]); ++e) {
            element_index const index(from, e, lead(i));
            std::int64_t to = 0;
            for (int axis = lead(i); axis < from.rank(); ++axis)
                if (!op::reduces(n.attr, axis)) to = to * from[axis].code + index.of[axis];
            int& total = all[static_cast<int>(to)];
            int const term = element(n.in[0], e);
            if (total < 0) total = term;
            else if (n.op->reduces_by == reducer::sum) total = made(value{out_, total} + value{out_, term});
            else total = made(op::amax::combine(value{out_, total}, value{out_, term}));
        }
        elements_[i] = std::move(all);
    }
    constexpr void multiply(int i) {
        node const& n = g_[i];
        std::int64_t const inner = op::matmul::inner(n.attr, g_[n.in[0]].shape).code;
        list<int> all;
        for (std::int64_t e = 0; e < size(i); ++e) {
            element_index const index(n.shape, e, lead(i));
            int total = -1;
            for (std::int64_t k = 0; k < inner; ++k) {
                int const product = made(value{out_, factor(i, 0, index, k)} * value{out_, factor(i, 1, index, k)});
                total = total < 0 ? product : made(value{out_, total} + value{out_, product});
            }
            all.push_back(total);
        }
        elements_[i] = std::move(all);
    }
    /// Operand `which` of a product for one element of it and index k of the sum.
    constexpr int factor(int i, int which, element_index const& result, std::int64_t k) {
        node const& n = g_[i];
        shape const& s = g_[n.in[which]].shape;
        int const rank = s.rank(), more = n.shape.rank() - rank;
        element_index own(s, 0, lead(n.in[which]));
        for (int axis = 0; axis < rank - 2; ++axis) own.of[axis] = s[axis].code == 1 ? 0 : result.of[axis + more];
        bool const transposed = op::matmul::transposes(n.attr, which);
        std::int64_t const outer = result.of[n.shape.rank() - 2 + which];
        own.of[rank - 2] = (which == 0) != transposed ? outer : k;
        own.of[rank - 1] = (which == 0) != transposed ? k : outer;
        return element(n.in[which], own.flat(s, lead(n.in[which])));
    }

    graph const& g_;
    expansion const& expanded_;
    simplifying simple_;
    graph out_;
    list<int> whole_;           ///< per node of g: the node of the new graph, -1 before there is one
    list<list<int>> elements_;  ///< per node of g: scalars of the new graph
};

}  // namespace gradus::inline GRADUS_ARCH::core

namespace gradus::inline GRADUS_ARCH::pass {

/// Small arrays that are put together from single elements, and what is computed of them, become scalars: they are in registers then,
/// and only what is read whole is put together again, by one chain of concatenations (transform/assembly.hpp). Idempotent.
constexpr graph expand(graph const& g) {
    core::expansion const e(g);
    if (e.any()) return core::expanding(g, e).run();
    return g;
}

}  // namespace gradus::inline GRADUS_ARCH::pass
