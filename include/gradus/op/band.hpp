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
        for (int i = 0; i < x.shape.rank(); ++i)
            if (!x.shape[i].is_static()) return fail("a diagonal needs the extents: a is ", x);
        if (x.shape.rank() != Op::rank) return fail(Op::rank == 1 ? "needs a vector: a is " : "needs a matrix: a is ", x);
        return {x.type, Op::result(x.shape, c.attr.n[0])};
    }
    static constexpr std::int64_t before(std::int64_t k, std::int64_t columns) { return k >= 0 ? k : -k * columns; }
};
/// The elements x[i, i + k].
struct diagonal : diagonal_base<diagonal> {
    static constexpr auto name = "diagonal";
    static constexpr int rank = 2;
    static constexpr shape result(shape const& s, std::int64_t k) {
        std::int64_t rows = s[0].code + (k < 0 ? k : 0), columns = s[1].code - (k > 0 ? k : 0);
        return {rows < columns ? (rows > 0 ? rows : 0) : (columns > 0 ? columns : 0)};
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        shape const s = x.shape();
        std::int64_t const columns = s[1].code;
        return part_of(x.reshape({s[0].code * columns}), 0, before(attr.n[0], columns), result(s, attr.n[0])[0].code, columns + 1);
    }
};
/// The matrix with x on a diagonal, zeros elsewhere.
struct diag_embed : diagonal_base<diag_embed> {
    static constexpr auto name = "diag_embed";
    static constexpr int rank = 1;
    static constexpr shape result(shape const& s, std::int64_t k) {
        std::int64_t n = s[0].code + (k < 0 ? -k : k);
        return {n, n};
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        shape const whole = result(x.shape(), attr.n[0]);
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
        for (int i = 0; i < x.shape.rank(); ++i)
            if (reduces(c.attr, i) && !x.shape[i].is_static()) return fail("a reversed axis needs its extent: a is ", x);
        return x;
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        for (int i = 0; i < x.shape().rank(); ++i)
            if (std::int64_t n = x.shape()[i].code; reduces(attr, i) && n > 1) x = part_of(x, i, n - 1, n, -1);
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
        if (!x.shape[static_cast<int>(c.attr.n[0])].is_static()) return fail("a rolled axis needs its extent: a is ", x);
        return x;
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        int const axis = static_cast<int>(attr.n[0]);
        std::int64_t const n = x.shape()[axis].code, shift = n ? (attr.n[1] % n + n) % n : 0;
        return shift ? joined(part_of(x, axis, n - shift, shift), part_of(x, axis, 0, n - shift), axis) : x;
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
        if (!y.shape[axis].is_static()) return fail("a named dimension has no static range: a is ", y);
        y.shape[axis] = y.shape[axis].code + c.attr.n[1] + c.attr.n[2];
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto fill) {
        int const axis = static_cast<int>(attr.n[0]);
        attributes const place = range_along(x.shape().rank(), axis, attr.n[1], 1);
        shape whole = x.shape();
        whole[axis] = whole[axis].code + attr.n[1] + attr.n[2];
        auto y = x.pad(place, whole);
        auto at = y.index(axis);
        auto from = static_cast<double>(attr.n[1]), to = from + static_cast<double>(x.shape()[axis].code);
        return gradus::where(at < from, fill, gradus::where(at < to, y, fill));
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
