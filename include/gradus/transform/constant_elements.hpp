// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/graph/graph.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/shape.hpp>

// Elements of nodes that are made of constants alone, such as arrays of indices that are written in the program.
namespace gradus::inline GRADUS_ARCH::core {

class constant_elements {
public:
    static constexpr std::int64_t most = 4096;

    constexpr explicit constant_elements(graph const& g) : g_(g), state_(g.size(), 0), of_(g.size()) {}

    /// The elements of a node; none where it is not made of constants alone, or has very many.
    constexpr list<double> const& operator()(int id) {
        if (!state_[id]) {
            state_[id] = 1;
            node const& n = g_[id];
            bool known =
                n.shape.is_static() && n.shape.static_size() <= most && n.op->kind != op_kind::list && n.op->kind != op_kind::control;
            for (int k = 0; known && k < 3 && n.in[k] >= 0; ++k) known = !(*this)(n.in[k]).empty();
            if (known && has_rule(n))
                for (int e = 0; e < static_cast<int>(n.shape.static_size()); ++e) of_[id].push_back(element(n, e));
        }
        return of_[id];
    }

private:
    static constexpr bool has_rule(node const& n) {
        bool const leaf = n.is_constant() || n.op->holds == leaf_kind::iota;
        bool const view = n.op->same_order || (n.op->kind == op_kind::view && n.op->view);
        return leaf || view || n.op->converts || n.op->copies || n.op->runs_by == own_kernel::concatenate ||
               (n.op->kind == op_kind::elementwise && n.op->foldable);
    }
    constexpr double element(node const& n, int e) const {
        if (n.is_constant()) return n.attr.value;
        if (n.op->holds == leaf_kind::iota) return static_cast<double>(index(n, e, op::iota::axis(n.attr)));
        if (n.op->same_order || n.op->copies) return of_[n.in[0]][e];
        if (n.op->converts) return is_integer(n.type) ? static_cast<double>(static_cast<std::int64_t>(of_[n.in[0]][e])) : of_[n.in[0]][e];
        if (n.op->kind == op_kind::view) return viewed(n, e);
        if (n.op->kind == op_kind::elementwise) {
            double operands[3]{};
            for (int k = 0; k < n.op->arity; ++k) operands[k] = broadcast(n, k, e, -1, 0);
            return n.op->eval(operands);
        }
        int const axis = op::concatenate::axis(n.attr);
        std::int64_t const before = g_[n.in[0]].shape[axis].code;
        bool const second = index(n, e, axis) >= before;
        return broadcast(n, second, e, axis, second ? before : 0);
    }
    static constexpr std::int64_t index(node const& n, std::int64_t flat, int axis) {
        for (int i = n.shape.rank() - 1; i > axis; --i) flat /= n.shape[i].code;
        return flat % n.shape[axis].code;
    }
    /// Element e of operand k, whose axes are aligned; along one of them it stands behind others.
    constexpr double broadcast(node const& n, int k, int e, int shifted, std::int64_t by) const {
        shape const& s = g_[n.in[k]].shape;
        std::int64_t flat = 0;
        for (int axis = 0, lead = n.shape.rank() - s.rank(); axis < s.rank(); ++axis)
            flat = flat * s[axis].code + (s[axis].code == 1 ? 0 : index(n, e, axis + lead) - (axis == shifted ? by : 0));
        return of_[n.in[k]][static_cast<int>(flat)];
    }
    constexpr double viewed(node const& n, int e) const {
        shape const& s = g_[n.in[0]].shape;
        std::int64_t at[max_rank]{}, flat = 0;
        for (int axis = 0; axis < n.shape.rank(); ++axis)
            if (view_axis const v = n.op->view(n.attr, s, n.shape, axis); v.from >= 0) at[v.from] += v.first + v.step * index(n, e, axis);
        for (int axis = 0; axis < s.rank(); ++axis) flat = flat * s[axis].code + at[axis];
        return of_[n.in[0]][static_cast<int>(flat)];
    }

    graph const& g_;
    list<char> state_;
    list<list<double>> of_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
