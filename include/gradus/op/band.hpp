// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/comparison.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// Base of the triangles: the last two axes; n[0] is the diagonal, counted from the main one to the right.
template <class Op>
struct triangle : composite {
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::elementwise;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (c.operand[0].shape.rank() < 2) return fail("needs a matrix: a is ", c.operand[0]);
        if (c.operand[0].type == dtype::boolean) return fail("needs numbers: a is ", c.operand[0]);
        return c.operand[0];
    }
    /// Index of the column minus that of the row.
    static constexpr auto diagonal(auto x) { return x.index(x.shape().rank() - 1) - x.index(x.shape().rank() - 2); }
};
/// x on and below a diagonal, 0 above.
struct tril : triangle<tril> {
    static constexpr auto name = "tril";
    static constexpr auto expand(attributes const& attr, auto x) {
        return gradus::where(diagonal(x) <= static_cast<double>(attr.n[0]), x, 0);
    }
};
/// x on and above a diagonal, 0 below.
struct triu : triangle<triu> {
    static constexpr auto name = "triu";
    static constexpr auto expand(attributes const& attr, auto x) {
        return gradus::where(diagonal(x) >= static_cast<double>(attr.n[0]), x, 0);
    }
};

/// Base of what turns diagonals into vectors and back; n[0] is the diagonal, counted from the main one to the right.
template <class Op>
struct diagonal_base : composite {
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& x = c.operand[0];
        if (x.shape.rank() != Op::rank) return fail(Op::rank == 1 ? "needs a vector: a is " : "needs a matrix: a is ", x);
        if (x.shape.rank() == 2 && !x.shape.is_static() && !(x.shape[0] == x.shape[1]))
            return fail("a matrix with a named dimension has a diagonal where it is square: a is ", x);
        return {x.type, Op::result(x.shape, c.attr.n[0])};
    }
    static constexpr std::int64_t before(std::int64_t k, std::int64_t columns) { return k >= 0 ? k : -k * columns; }
};
/// The elements x[i, i + k].
struct diagonal : diagonal_base<diagonal> {
    static constexpr auto name = "diagonal";
    static constexpr int rank = 2;
    static constexpr shape result(shape const& s, std::int64_t k) {
        if (!s.is_static()) return {s[0] - (k < 0 ? -k : k)};
        std::int64_t rows = s[0].code + (k < 0 ? k : 0), columns = s[1].code - (k > 0 ? k : 0);
        return {rows < columns ? (rows > 0 ? rows : 0) : (columns > 0 ? columns : 0)};
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        shape const s = x.shape();
        if (!s.is_static()) {  // no step of a view: the one element of each row, and rows that have one
            auto const on = x.index(1) - x.index(0) == static_cast<double>(attr.n[0]);
            auto const rows = gradus::where(on, x, 0).sum(2, false);
            return part_of(rows, 0, attr.n[0] < 0 ? -attr.n[0] : 0, result(s, attr.n[0])[0]);
        }
        std::int64_t const columns = s[1].code;
        return part_of(x.reshape({s[0].code * columns}), 0, before(attr.n[0], columns), result(s, attr.n[0])[0].code, columns + 1);
    }
};
/// The matrix with x on a diagonal, zeros elsewhere.
struct diag_embed : diagonal_base<diag_embed> {
    static constexpr auto name = "diag_embed";
    static constexpr int rank = 1;
    static constexpr shape result(shape const& s, std::int64_t k) {
        extent const n = s[0] + (k < 0 ? -k : k);
        return {n, n};
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        shape const whole = result(x.shape(), attr.n[0]);
        if (!whole.is_static()) {
            std::int64_t const k = attr.n[0];
            auto const in_rows = x.pad(range_along(1, 0, k < 0 ? -k : 0, 1), {whole[0]}).reshape({whole[0], 1}).broadcast_to(whole);
            return gradus::where(in_rows.index(1) - in_rows.index(0) == static_cast<double>(k), in_rows, 0);
        }
        attributes const place = range_along(1, 0, before(attr.n[0], whole[0].code), whole[0].code + 1);
        return x.pad(place, {whole[0].code * whole[0].code}).reshape(whole);
    }
};

/// The elements in reverse order along the axes whose bits are in n[0].
struct flip : composite {
    static constexpr auto name = "flip";
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& x = c.operand[0];
        if (c.attr.n[0] >> x.shape.rank()) return fail("no such axis: a is ", x, " and has ", x.shape.rank(), " axes");
        return x;
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        for (int i = 0; i < x.shape().rank(); ++i)
            if (extent const n = x.shape()[i]; reduces(attr, i) && n.code != 0 && !n.is_one()) x = part_of(x, i, n - 1, n, -1);
        return x;
    }
};

/// Element i comes to i + n[1] along axis n[0]; what leaves at the end enters at the beginning.
struct roll : composite {
    static constexpr auto name = "roll";
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& x = c.operand[0];
        if (c.attr.n[0] >= x.shape.rank()) return fail("no such axis: a is ", x, " and has ", x.shape.rank(), " axes");
        return x;
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        int const axis = static_cast<int>(attr.n[0]);
        extent const n = x.shape()[axis];
        if (attr.n[1] == 0 || n.code == 0) return x;
        // of a named dimension at most one turn: the parts are of the size that the shift says
        std::int64_t const shift = n.is_static() ? (attr.n[1] % n.code + n.code) % n.code : attr.n[1];
        if (shift == 0) return x;
        extent const begin = shift > 0 ? n - shift : extent(-shift);
        return joined(part_of(x, axis, begin, n - begin), part_of(x, axis, 0, begin), axis);
    }
};

/// x with b repeated n[1] times before and n[2] times after it along axis n[0].
struct constant_pad : composite {
    static constexpr auto name = "constant_pad";
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type y = c.operand[0];
        int const axis = static_cast<int>(c.attr.n[0]);
        if (axis >= y.shape.rank()) return fail("no such axis: a is ", y, " and has ", y.shape.rank(), " axes");
        if (common_dtype(c, 0, accepts::numbers, fail); fail.failed) return {};
        if (c.operand[1].shape.rank() != 0) return fail("pads with one number: b is ", c.operand[1]);
        y.shape[axis] = y.shape[axis] + (c.attr.n[1] + c.attr.n[2]);
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto fill) {
        int const axis = static_cast<int>(attr.n[0]);
        attributes const place = range_along(x.shape().rank(), axis, attr.n[1], 1);
        shape whole = x.shape();
        whole[axis] = whole[axis] + (attr.n[1] + attr.n[2]);
        auto y = x.pad(place, whole);
        auto at = y.index(axis);
        auto from = static_cast<double>(attr.n[1]);
        auto const within = [&] {
            if (x.shape()[axis].is_static()) return at < from + static_cast<double>(x.shape()[axis].code);
            return at < x.count(std::int64_t{1} << axis).cast(at.type()) + from;
        };
        return gradus::where(at < from, fill, gradus::where(within(), y, fill));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
