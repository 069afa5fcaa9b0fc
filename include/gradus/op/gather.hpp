// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/comparison.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/reduction.hpp>
#include <gradus/op/shape.hpp>

#include <utility>

// Elements by indices that are known at run time: two primitives, each other's transpose, and what is made of them. An index
// outside of the range selects nothing, 0, and adds nowhere.
namespace gradus::inline GRADUS_ARCH::op {

constexpr shape indexed_shape(shape const& index, shape const& rows) {
    shape result = index;
    for (int i = 1; i < rows.rank(); ++i) result.push_back(rows[i]);
    return result;
}

/// y[i..., j...] = x[index[i...], j...]: rows of x.
struct take_rows : linear<take_rows, op_kind::movement, 2> {
    static constexpr auto name = "take_rows";
    static constexpr auto runs_by = own_kernel::take_rows;
    static constexpr tensor_type infer(call const& c, complaint& fail);
    static constexpr auto vjp(auto g, auto, auto x, auto index);
    template <int>
    static constexpr auto directional(auto t, auto, auto, auto index) {
        return apply<take_rows>(t, index);
    }
    static constexpr auto batch(batched_call const& c, auto x, auto index);
};

/// y[index[i...], j...] += g[i..., j...] from zeros: where an index stands twice, rows add up.
struct add_rows : linear<add_rows, op_kind::movement, 2> {
    static constexpr auto name = "add_rows";
    static constexpr auto runs_by = own_kernel::add_rows;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &g = c.operand[0], &index = c.operand[1];
        if (!is_integer(index.type)) return fail("an index is no integer: b is ", index);
        if (c.target.rank() == 0 || !c.same(g.shape, indexed_shape(index.shape, c.target)))
            return fail("needs a row for every index: a is ", g, ", b is ", index);
        return {g.type, c.target};
    }
    static constexpr auto vjp(auto g, auto, auto, auto index) { return std::pair{apply<take_rows>(g, index), decltype(g)(0.0)}; }
    template <int>
    static constexpr auto directional(auto t, auto y, auto, auto index) {
        return decltype(t)::template emit<add_rows>(t.owner(), {}, y.shape(), {t, index});
    }
    static constexpr auto batch(batched_call const& c, auto g, auto index);
};

constexpr tensor_type take_rows::infer(call const& c, complaint& fail) {
    tensor_type const &x = c.operand[0], &index = c.operand[1];
    if (!is_integer(index.type)) return fail("an index is no integer: b is ", index);
    if (x.shape.rank() == 0) return fail("a scalar has no rows: a is ", x);
    if (index.shape.rank() + x.shape.rank() - 1 > max_rank) return fail("too many axes: a is ", x, ", b is ", index);
    return {x.type, indexed_shape(index.shape, x.shape)};
}
constexpr auto take_rows::vjp(auto g, auto, auto x, auto index) {
    return std::pair{decltype(g)::template emit<add_rows>(g.owner(), {}, x.shape(), {g, index}), decltype(g)(0.0)};
}

/// Rows of a table: [entries, width...] and integers of any shape.
struct embedding : composite {
    static constexpr auto name = "embedding";
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr indexed_axis indexes(attributes const&, int) { return {1, 0}; }
    static constexpr tensor_type infer(call const& c, complaint& fail) { return take_rows::infer(c, fail); }
    static constexpr auto expand(attributes const&, auto table, auto index) { return apply<take_rows>(table, index); }
};

/// Axis `axis` first, or back: attributes of transpose.
constexpr attributes axis_first(int rank, int axis, bool back) {
    attributes order;
    for (int i = 0; i < rank; ++i) {
        int from = i == 0 ? axis : i <= axis ? i - 1 : i;
        order.n[back ? from : i] = back ? i : from;
    }
    return order;
}

/// Rows of instance i of a table with m rows, one table after the other: index + m i; -1 where the index is out of range.
constexpr auto rows_of_instances(auto index, extent instances, extent m) {
    if (instances.code * m.code > INT32_MAX) index = index.cast(dtype::int64);
    auto const rows = static_cast<double>(m.code);
    auto const place = index + index.index(0).cast(index.type()) * rows;
    return gradus::where(index < 0, -1, gradus::where(index < rows, place, -1));
}
/// Are there numbers for the instances and the rows, so that both can be one axis?
constexpr bool is_one_table(batched_call const& c, extent m) { return c.instances.is_static() && m.is_static(); }
/// A shape with axes of 1 in place of some of its axes.
constexpr shape ones_between(shape s, int first, int count) {
    for (int axis = first; axis < first + count; ++axis) s[axis] = 1;
    return s;
}
/// Where index[i...] of instance n is row m: bools [n, i..., m, 1...]. Named dimensions are looked through, as no number tells where
/// the table of an instance begins.
constexpr auto is_row(auto index, shape const& all, int indices) {
    shape column = all;
    for (int axis = 1 + indices; axis < all.rank(); ++axis) column[axis] = 1;
    auto const at = index.reshape(column);
    return at == at.broadcast_to(ones_between(all, 2 + indices, all.rank() - 2 - indices)).index(1 + indices).cast(index.type());
}
constexpr auto take_rows::batch(batched_call const& c, auto x, auto index) {
    shape const &rows = c.operand[0], &indices = c.operand[1];
    if (!c.mapped[0]) return apply<take_rows>(x, index);
    if (!c.mapped[1]) {  // each row has all instances
        auto const taken = apply<take_rows>(x.transpose(axis_first(rows.rank() + 1, 1, false)), index);
        return taken.transpose(axis_first(taken.shape().rank(), indices.rank(), false));
    }
    if (is_one_table(c, rows[0])) {
        shape flat = rows;
        flat[0] = c.instances.code * rows[0].code;
        return apply<take_rows>(x.reshape(flat), rows_of_instances(index, c.instances, rows[0]));
    }
    shape all = in_front(c.instances, indices);
    for (int axis = 0; axis < rows.rank(); ++axis) all.push_back(rows[axis]);
    auto const table = x.reshape(ones_between(all, 1, indices.rank()));
    return gradus::where(is_row(index, all, indices.rank()), table, 0).sum(std::int64_t{2} << indices.rank(), false);
}
constexpr auto add_rows::batch(batched_call const& c, auto g, auto index) {
    shape const &rows = c.result, &indices = c.operand[1];
    int const rank = rows.rank();
    if (!c.mapped[1]) {
        shape target = in_front(rows[0], rows);
        target[1] = c.instances;
        auto const moved = g.transpose(axis_first(indices.rank() + rank, indices.rank(), true));
        return batched_as<add_rows>(c.attr, target, moved, index).transpose(axis_first(rank + 1, 1, false));
    }
    g = every_instance(c, g, 0);
    if (is_one_table(c, rows[0])) {
        shape flat = rows;
        flat[0] = c.instances.code * rows[0].code;
        return batched_as<add_rows>(c.attr, flat, g, rows_of_instances(index, c.instances, rows[0])).reshape(in_front(c.instances, rows));
    }
    shape all = in_front(c.instances, indices);
    for (int axis = 0; axis < rank; ++axis) all.push_back(rows[axis]);
    auto const column = g.reshape(ones_between(all, 1 + indices.rank(), 1));
    return gradus::where(is_row(index, all, indices.rank()), column, 0).sum((std::int64_t{2} << indices.rank()) - 2, false);
}

/// y[.., j, ..] = x[.., index[j], ..] along axis n[0]; index is a vector.
struct index_select : composite {
    static constexpr auto name = "index_select";
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr indexed_axis indexes(attributes const& attr, int) { return {1, static_cast<int>(attr.n[0])}; }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type y = c.operand[0];
        if (c.operand[1].shape.rank() != 1) return fail("needs a vector of indices: b is ", c.operand[1]);
        if (c.attr.n[0] >= y.shape.rank()) return fail("no such axis: a is ", y, " and has ", y.shape.rank(), " axes");
        take_rows::infer(c, fail);
        y.shape[static_cast<int>(c.attr.n[0])] = c.operand[1].shape[0];
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x, auto index) {
        int const axis = static_cast<int>(attr.n[0]), rank = x.shape().rank();
        if (axis == 0) return apply<take_rows>(x, index);
        return apply<take_rows>(x.transpose(axis_first(rank, axis, false)), index).transpose(axis_first(rank, axis, true));
    }
};

/// The extent along an axis as a number beside `index`.
constexpr auto size_beside(auto index, extent e) -> decltype(index) {
    if (e.is_static()) return static_cast<double>(e.code);
    return index.number(0).broadcast_to({e}).count(1);
}
/// Where element `index` along an axis stands in x with its axes as one; -1 where the index is out of range.
constexpr auto flat_index(shape const& x, auto index, int axis) {
    if (!x.is_static() || x.static_size() > INT32_MAX) index = index.cast(dtype::int64);
    auto flat = gradus::where(index < 0, -1, gradus::where(index < size_beside(index, x[axis]), index, -1));
    std::int64_t step = 1;
    auto place = index, steps = index.number(1);  // of axes that have names
    for (int i = x.rank() - 1; i >= 0; --i) {
        auto term = (i == axis ? index : index.index(i).cast(index.type())) * static_cast<double>(step) * steps;
        place = i == x.rank() - 1 ? term : place + term;
        if (x[i].is_static()) step *= x[i].code;
        else steps = steps * size_beside(index, x[i]);
    }
    return gradus::where(flat < 0, flat, place);
}
/// All axes as one; `dyn` where no name says how many elements there are.
constexpr extent flat_extent(shape const& s) {
    extent product = 1;
    for (int i = 0; i < s.rank(); ++i) product = product * s[i];
    return product;
}
constexpr auto flattened(auto x) { return x.reshape({flat_extent(x.shape())}); }
constexpr bool has_flat_extent(tensor_type const& x, complaint& fail) {
    bool expressible = true;
    for (int i = 0; i < x.shape.rank(); ++i) expressible = expressible && x.shape[i].is_expressible();
    if (expressible && flat_extent(x.shape) == dyn) fail("the number of elements is longer than a name: a is ", x);
    return !fail.failed;
}
/// Is extent a known to be at most b? One that is known at run time only is taken to be the same.
constexpr bool is_at_most(call const& c, extent a, extent b) {
    if (a.is_static() && b.is_static()) return a.code <= b.code;
    core::form const left(b), right(a);
    bool const known = a.is_expressible() && b.is_expressible();
    return known ? (left - right).is_number() && (left - right).number() >= 0 : c.same(a, b);
}
/// The rule of gather and scatter_add: index has x's rank, and nowhere but along axis n[0] more elements than x.
constexpr bool is_indexed(call const& c, int operand, complaint& fail) {
    tensor_type const &x = c.operand[0], &index = c.operand[operand];
    if (!is_integer(index.type)) fail("an index is no integer: ", letter(operand), " is ", index);
    else if (c.attr.n[0] >= x.shape.rank()) fail("no such axis: a is ", x, " and has ", x.shape.rank(), " axes");
    bool fits = x.shape.rank() == index.shape.rank();
    for (int i = 0; fits && i < x.shape.rank(); ++i) fits = i == c.attr.n[0] || is_at_most(c, index.shape[i], x.shape[i]);
    if (!fail.failed && fits) return has_flat_extent(x, fail);
    if (!fail.failed)
        fail("needs indices with as many axes, beside axis ", c.attr.n[0], " no longer: a is ", x, ", ", letter(operand), " is ", index);
    return !fail.failed;
}

/// y[i, j] = x[index[i, j], j], and so along axis n[0] for any rank.
struct gather : composite {
    static constexpr auto name = "gather";
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr indexed_axis indexes(attributes const& attr, int) { return {1, static_cast<int>(attr.n[0])}; }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        is_indexed(c, 1, fail);
        return {c.operand[0].type, c.operand[1].shape};
    }
    static constexpr auto expand(attributes const& attr, auto x, auto index) {
        return apply<take_rows>(flattened(x), flat_index(x.shape(), index, static_cast<int>(attr.n[0])));
    }
};

/// x with source[i, j] added to x[index[i, j], j], and so along axis n[0] for any rank; equal indices add up.
struct scatter_add : composite {
    static constexpr auto name = "scatter_add";
    static constexpr int arity = 3;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr indexed_axis indexes(attributes const& attr, int) { return {1, static_cast<int>(attr.n[0])}; }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (is_indexed(c, 1, fail) && !(c.operand[2].type == c.operand[0].type && c.same(c.operand[2].shape, c.operand[1].shape)))
            fail("needs an element for every index: b is ", c.operand[1], ", c is ", c.operand[2]);
        return c.operand[0];
    }
    static constexpr auto expand(attributes const& attr, auto x, auto index, auto source) {
        auto place = flat_index(x.shape(), index, static_cast<int>(attr.n[0]));
        return x + decltype(x)::template emit<add_rows>(x.owner(), {}, {flat_extent(x.shape())}, {source, place}).reshape(x.shape());
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
