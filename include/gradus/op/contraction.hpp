// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/batching.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/shape.hpp>

#include <utility>

namespace gradus::inline GRADUS_ARCH::op {

/// The matrix product of the last two axes, leading axes broadcast: c[..., i, j] = sum over k of a[..., i, k] b[..., k, j].
/// The language also takes vectors (as NumPy's matmul does) and reshapes them to matrices before this operation.
/// Attributes: n[0], n[1] are 1 where a, b enter transposed (set by simplification, so that no transpose is ever copied).
struct matmul {
    static constexpr auto name = "matmul";
    static constexpr auto runs_by = own_kernel::product;
    static constexpr op_kind kind = op_kind::contraction;
    static constexpr bool on_matrices_of_a_batch = true;  ///< the last two axes are matrices, the others index independent problems
    static constexpr int arity = 2;

    /// Does operand k enter transposed?
    static constexpr bool transposes(attributes const& attr, int k) { return attr.n[k] != 0; }
    static constexpr void set_transposed(attributes& attr, int k, bool transposed) { attr.n[k] = transposed; }
    static constexpr void print(text& out, attributes const& attr, tensor_type const&) {
        if (transposes(attr, 0)) out += " a^T";
        if (transposes(attr, 1)) out += " b^T";
    }
    /// The extent that is summed over, of operands of such a shape.
    static constexpr extent inner(attributes const& attr, shape const& a) { return side(a, attr.n[0], 1); }

    /// What the language writes: vectors are rows and columns.
    static constexpr auto lower(auto a, auto b) { return a.matmul(b); }
    /// Extent of the operand's row (0) or column (1) axis as the product sees it.
    static constexpr extent side(shape const& s, std::int64_t transposed, int which) {
        return s[s.rank() - 2 + (transposed ? 1 - which : which)];
    }

    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &b = c.operand[1];
        if (!agree_in_dtype(a, b)) return fail("operands differ in type: a is ", a, ", b is ", b);
        dtype const type = a.type == dtype::number ? b.type : a.type;
        if (!is_floating(type)) return fail("needs floating-point operands: a is ", a, ", b is ", b);
        if (a.shape.rank() == 0 || b.shape.rank() == 0)
            return fail("a scalar has no product of this kind: a is ", a, ", b is ", b, ". Write a * b");
        bool vector_a = a.shape.rank() == 1, vector_b = b.shape.rank() == 1;
        extent inner_a = vector_a ? a.shape[0] : side(a.shape, c.attr.n[0], 1);
        extent inner_b = vector_b ? b.shape[0] : side(b.shape, c.attr.n[1], 0);
        if (!c.same(inner_a, inner_b)) return fail("inner extents differ: a is ", a, ", b is ", b, " (", inner_a, " != ", inner_b, ")");
        call lead{{}, {}, {{a.type, leading(a.shape)}, {b.type, leading(b.shape)}}, 2, c.unknowns};
        complaint unequal;
        shape result = broadcast(lead, unequal);
        if (unequal.failed) return fail("leading axes do not broadcast: a is ", a, ", b is ", b);
        if (!vector_a) result.push_back(side(a.shape, c.attr.n[0], 0));
        if (!vector_b) result.push_back(side(b.shape, c.attr.n[1], 1));
        return {type, result};
    }
    static constexpr shape leading(shape const& s) {
        shape result;
        for (int i = 0; i + 2 < s.rank(); ++i) result.push_back(s[i]);
        return result;
    }
    // Both operands are matrices here; the language has reshaped vectors. What is differentiated may have been simplified.
    static constexpr auto entering(auto x, auto y, int k) { return y.attr().n[k] ? x.transposed() : x; }
    static constexpr auto vjp(auto g, auto y, auto a, auto b) {
        auto left = entering(a, y, 0), right = entering(b, y, 1);
        auto to_a = y.attr().n[0] ? right.matmul(g.transposed()) : g.matmul(right.transposed());
        auto to_b = y.attr().n[1] ? g.transposed().matmul(left) : left.transposed().matmul(g);
        return std::pair{to_a.sum_to(a.shape()), to_b.sum_to(b.shape())};
    }
    template <int K>
    static constexpr auto directional(auto t, auto y, auto a, auto b) {
        return entering(K == 0 ? t : a, y, 0).matmul(entering(K == 1 ? t : b, y, 1));
    }
    /// Transposes become access order of the product; a product over a single index is an elementwise one, which fuses.
    static constexpr auto simplify(auto y, auto a, auto b) -> decltype(y) {
        attributes attr = y.attr();
        if (enters_transposed(a)) {
            set_transposed(attr, 0, !transposes(attr, 0));
            return batched_as<matmul>(attr, {}, a.operand(0), b);
        }
        if (enters_transposed(b)) {
            set_transposed(attr, 1, !transposes(attr, 1));
            return batched_as<matmul>(attr, {}, a, b.operand(0));
        }
        if (inner(attr, a.shape()).code != 1) return y;
        shape column = a.shape(), row = b.shape();
        column[column.rank() - 2] = side(a.shape(), attr.n[0], 0);
        column[column.rank() - 1] = 1;
        row[row.rank() - 2] = 1;
        row[row.rank() - 1] = side(b.shape(), attr.n[1], 1);
        return a.reshape(column) * b.reshape(row);
    }
    static constexpr bool enters_transposed(auto const& x) {
        return is<transpose>(x) && transpose::exchanges_last_two(x.attr(), x.shape().rank());
    }
    /// A product for every instance; one for all of them where rows of a, or columns of b, are all that differs.
    static constexpr auto batch(batched_call const& c, auto a, auto b) {
        shape const &from_a = c.operand[0], &from_b = c.operand[1];
        shape const whole = in_front(c.instances, c.result);
        extent const inner = side(from_a, c.attr.n[0], 1);
        bool const row = side(from_a, c.attr.n[0], 0).code == 1, column = side(from_b, c.attr.n[1], 1).code == 1;
        attributes attr = c.attr;
        if (!c.mapped[1] && from_b.rank() == 2) {
            bool const flat = c.attr.n[0] == 0 && whole.is_static() && from_a.is_static() && whole.static_size() > 0;
            if (!flat && !(row && from_a.rank() == 2)) return batched_as<matmul>(attr, {}, a, b);
            attr.n[0] = 0;
            shape rows{c.instances, inner};
            if (flat) rows[0] = c.instances.code * matmul::leading(from_a).static_size() * from_a[from_a.rank() - 2].code;
            return batched_as<matmul>(attr, {}, a.reshape(rows), b).reshape(whole);
        }
        if (!c.mapped[0] && from_a.rank() == 2 && column && from_b.rank() == 2) {  // (a b)^T = b^T a^T
            attr.n[0] = 0;
            attr.n[1] = !c.attr.n[0];
            return batched_as<matmul>(attr, {}, b.reshape({c.instances, inner}), a).reshape(whole);
        }
        if (c.mapped[0] && c.mapped[1] && row && column && from_a.rank() == 2 && from_b.rank() == 2)
            return (a.reshape({c.instances, inner}) * b.reshape({c.instances, inner})).sum(2, false).reshape(whole);
        int const rank = c.result.rank();
        return batched_as<matmul>(attr, {}, with_instance_rank(c, a, 0, rank), with_instance_rank(c, b, 1, rank));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
