// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/dependence_piece.hpp>

// Pieces under another shape of the same elements: axes are merged and taken apart again.
namespace gradus::inline GRADUS_ARCH::core {

/// Axes [first, last) of an operand that become axes [to_first, to_last) of the result: as many elements in the same order.
struct axis_group {
    int first, last, to_first, to_last;
};
/// `then` on the pieces that this one has under a group as one axis, with the index along that, which has at most one variable: the values
/// of others are made single ones.
constexpr void merge_group(relation const& p, shape const& from, axis_group const& g, auto&& then) {
    int moving = 0, least = -1;
    auto const size = [&](int axis) { return p.count[p.y[axis].variable].code; };
    for (int axis = g.first; axis < g.last; ++axis) {
        if (p.y[axis].variable < 0) continue;
        ++moving;
        if (least < 0 || size(axis) < size(least)) least = axis;
    }
    if (moving > 1) {
        for (std::int64_t v = 0, n = size(least); v < n; ++v) {
            relation q = p;
            q.substitute(p.y[least].variable, v, 1, 1);
            merge_group(q, from, g, then);
        }
        return;
    }
    affine_index flat;
    for (int axis = g.first; axis < g.last; ++axis) {
        std::int64_t const n = from[axis].code;
        flat = {flat.base * n + p.y[axis].base, flat.step * n + p.y[axis].step,
                p.y[axis].variable < 0 ? flat.variable : p.y[axis].variable};
    }
    then(p, flat);
}
/// `then` on the pieces that this one has with an index along axes as one taken apart into `made`; its values are parted where it has to
/// be.
constexpr void split_group(relation const& p, affine_index flat, shape const& to, axis_group const& g, auto&& then) {
    int const axis = g.to_last - 1;
    axis_group rest = g;
    --rest.to_last;
    if (axis == g.to_first) {
        relation q = p;
        q.made[axis] = flat;
        then(q);
        return;
    }
    std::int64_t const inner = to[axis].code, size = flat.variable < 0 ? 1 : p.count[flat.variable].code;
    std::int64_t const last = flat.base + flat.step * (size - 1), step = flat.step < 0 ? -flat.step : flat.step;
    if (flat.base / inner == last / inner) {  // only this index moves
        relation q = p;
        q.made[axis] = {flat.base % inner, flat.step, flat.variable};
        split_group(q, {flat.base / inner, 0, -1}, to, rest, then);
        return;
    }
    std::int64_t const period = inner / std::gcd(inner, step), blocks = (flat.base > last ? flat.base : last) / inner + 1;
    for (std::int64_t v = 0, n = 0; v < size && (period > blocks || v < period); v += period > blocks ? n : 1) {
        relation q = p;
        std::int64_t const at = flat.base + flat.step * v;
        if (period <= blocks) {  // every period-th value has the same index here
            n = (size - 1 - v) / period + 1;
            q.made[axis] = {at % inner, 0, -1};
            q.substitute(flat.variable, v, period, n);
            split_group(q, n == 1 ? affine_index{at / inner, 0, -1} : affine_index{at / inner, flat.step * period / inner, flat.variable},
                        to, rest, then);
        } else {  // values in a row have the same indices elsewhere
            for (n = 1; v + n < size && (flat.base + flat.step * (v + n)) / inner == at / inner;) ++n;
            q.substitute(flat.variable, v, 1, n);
            q.made[axis] = n == 1 ? affine_index{at % inner, 0, -1} : affine_index{at % inner, flat.step, flat.variable};
            split_group(q, {at / inner, 0, -1}, to, rest, then);
        }
    }
}
/// The next axes of two shapes that have as many elements, axes of 1 left out; false where there are none, `named` if a name is among them.
constexpr bool next_group(shape const& from, shape const& to, axis_group& g, bool& named) {
    int i = g.last, j = g.to_last;
    while (i < from.rank() && from[i].code == 1) ++i;
    while (j < to.rank() && to[j].code == 1) ++j;
    if (i >= from.rank() || j >= to.rank()) return false;
    g = {i, i + 1, j, j + 1};
    if (from[i] == to[j]) return true;
    std::int64_t a = from[i].code, b = to[j].code;
    named = !from[i].is_static() || !to[j].is_static();
    while (!named && a != b) {
        extent const e = a < b ? from[g.last++] : to[g.to_last++];
        named = !e.is_static();
        (a < b ? a : b) *= e.code;
    }
    return true;
}
/// A piece under another shape of the same elements, from a group of axes on.
constexpr void reshaped(relation const& p, shape const& from, shape const& to, pieces& out, axis_group g = {}) {
    bool named = false;
    if (!next_group(from, to, g, named)) {
        relation q = p;
        for (int axis = 0; axis < max_rank; ++axis) q.y[axis] = q.made[axis], q.made[axis] = {};
        out.push_back(q);
    } else if (named) {  // products with names are not taken apart: any element
        relation q = p;
        for (int axis = 0; axis < max_rank; ++axis) q.made[axis] = {};
        for (int axis = 0; axis < to.rank(); ++axis) q.free(axis, to[axis]);
        q.drop_axes_from(to.rank());
        out.push_back(q);
    } else
        merge_group(p, from, g, [&](relation const& merged, affine_index flat) {
            split_group(merged, flat, to, g, [&](relation const& q) { reshaped(q, from, to, out, g); });
        });
}

}  // namespace gradus::inline GRADUS_ARCH::core
