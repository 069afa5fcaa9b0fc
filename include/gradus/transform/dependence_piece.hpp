// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/vectorize.hpp>

#include <numeric>

// Sets of pairs, an element of a node and an element of a symbol that it depends on, as unions of pieces. A piece is the image of a box:
// every index, of the node and of the symbol, is affine in one of its variables. A band is one piece whatever its length, and so is a
// block, repeated along an axis with a name or without.
namespace gradus::inline GRADUS_ARCH {

/// An index: base + step * variable; fixed where there is no variable.
struct affine_index {
    std::int64_t base = 0, step = 0;
    int variable = -1;

    constexpr bool operator==(affine_index const&) const = default;
    constexpr bool is_at(std::int64_t index) const { return variable < 0 && base == index; }
};

/// Pairs of indices: y of an element, x of what it depends on. One index of x may be that which an array of integers has (`gathered`).
struct dependence_piece {
    static constexpr int most_variables = 4 * max_rank + 2;  ///< those that are used, and new ones for all axes
    affine_index y[max_rank]{}, x[max_rank]{};
    affine_index index[max_rank]{};  ///< of the element of the array of integers
    affine_index step{};             ///< of a loop, while its body is looked at
    affine_index made[max_rank]{};   ///< of an element under another shape, while that is made
    extent count[most_variables]{};  ///< of each variable: 0, 1, ..., count - 1
    int variables = 0;
    int gathered = -1, array = -1;  ///< the axis of x, and the node that has the integers
    bool keeps_step = false;

    constexpr bool operator==(dependence_piece const& o) const {
        bool same = variables == o.variables && gathered == o.gathered && array == o.array && keeps_step == o.keeps_step && step == o.step;
        for (int i = 0; same && i < max_rank; ++i) same = y[i] == o.y[i] && x[i] == o.x[i] && (array < 0 || index[i] == o.index[i]);
        for (int v = 0; same && v < variables; ++v) same = count[v] == o.count[v];
        return same;
    }
    constexpr std::uint64_t hash() const {
        std::uint64_t h = static_cast<std::uint64_t>(variables * 64 + gathered * 8 + array);
        for (affine_index const* of : {y, x})
            for (int i = 0; i < max_rank; ++i)
                h = h * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(of[i].base * 31 + of[i].step * 8 + of[i].variable);
        return h ^ h >> 29;
    }
    constexpr void all_indices(auto f) {
        for (int i = 0; i < max_rank; ++i) f(y[i]), f(x[i]), f(made[i]);
        if (array >= 0)
            for (affine_index& i : index) f(i);
        if (keeps_step) f(step);
    }
    constexpr affine_index variable(extent n) {
        if (n.code == 1) return {};
        count[variables] = n;
        return {0, 1, variables++};
    }
    /// Index `axis` of the element becomes any.
    constexpr void free(int axis, extent n) { y[axis] = {}, y[axis] = variable(n); }
    constexpr void drop_axes_from(int rank) {
        for (int axis = rank; axis < max_rank; ++axis) y[axis] = {};
    }
    constexpr void drop_axis(int axis) {
        for (int i = axis; i + 1 < max_rank; ++i) y[i] = y[i + 1];
        y[max_rank - 1] = {};
    }
    constexpr void insert_first(affine_index i) {
        for (int axis = max_rank - 1; axis > 0; --axis) y[axis] = y[axis - 1];
        y[0] = i;
    }
    /// Variable v as first + factor * (0, 1, ..., n - 1).
    constexpr void substitute(int v, std::int64_t first, std::int64_t factor, std::int64_t n) {
        all_indices([&](affine_index& i) {
            if (i.variable != v) return;
            i.base += i.step * first;
            i.step *= factor;
            if (n == 1) i.step = 0, i.variable = -1;
        });
        count[v] = n;
    }
    /// Only where `i` is `value`; false where it never is.
    constexpr bool fix(affine_index i, std::int64_t value) {
        if (i.variable < 0) return i.base == value;
        std::int64_t const v = (value - i.base) / i.step;
        if (i.base + i.step * v != value || v < 0 || (count[i.variable].is_static() && v >= count[i.variable].code)) return false;
        substitute(i.variable, v, 1, 1);
        return true;
    }
    /// Index `axis`, of an operand, as that of a view of it with n elements; false where it has none of them.
    constexpr bool read(int axis, view_axis const& view, extent n) {
        affine_index const i = y[axis];
        std::int64_t const s = view.step;
        if (i.variable < 0) {
            std::int64_t const j = s == 0 ? 0 : (i.base - view.first) / s;
            if (view.first + s * j != i.base || j < 0 || j >= n.code) return false;
            y[axis] = {j, 0, -1};
            return true;
        }
        std::int64_t const period = (s < 0 ? -s : s) / std::gcd(s, i.step), size = count[i.variable].code;
        std::int64_t first = 0;
        while (first < period && (i.base + i.step * first - view.first) % s != 0) ++first;
        if (first == period) return false;
        std::int64_t const base = (i.base + i.step * first - view.first) / s, stride = i.step * period / s;  // of 0, 1, ...
        std::int64_t low = 0, high = (size - 1 - first) / period;
        if (first >= size) return false;
        auto const floor = [](std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); };
        std::int64_t const from = stride > 0 ? -floor(base, stride) : -floor(n.code - 1 - base, -stride);  // 0 <= base + stride w < n
        std::int64_t const to = stride > 0 ? floor(n.code - 1 - base, stride) : floor(base, -stride);
        low = from > low ? from : low;
        high = to < high ? to : high;
        if (low > high) return false;
        int const v = i.variable;
        y[axis] = {};
        substitute(v, first + period * low, period, high - low + 1);
        y[axis] = high == low ? affine_index{base + stride * low, 0, -1} : affine_index{base + stride * low, stride, v};
        return true;
    }
    /// The leading indices are those of element e of `s`; false where they never are.
    constexpr bool fix_first(std::int64_t e, shape const& s) {
        for (int axis = s.rank() - 1; axis >= 0; e /= s[axis--].code)
            if (!fix(y[axis], e % s[axis].code)) return false;
        return true;
    }
    constexpr void place(std::int64_t e, shape const& s) {
        for (int axis = s.rank() - 1; axis >= 0; e /= s[axis--].code) y[axis] = {e % s[axis].code, 0, -1};
    }
    /// What was row `row` of n rows is now one of them, that an array of integers of so many axes has. If rows are those of x, its index is
    /// that which the array has; else it is any.
    constexpr void gather(affine_index row, extent n, int integers, int rank) {
        if (row.variable < 0 || array >= 0 || !(count[row.variable] == n)) return;
        int uses = 0, axis = -1;
        for (int i = 0; i < max_rank; ++i)
            if (x[i].variable == row.variable) ++uses, axis = i;
        if (uses != 1 || !(x[axis] == row)) return;
        gathered = axis;
        array = integers;
        x[axis] = {};
        for (int i = 0; i < rank; ++i) index[i] = y[i];
    }
    constexpr void begin_step() {
        step = y[0];
        keeps_step = true;
        drop_axis(0);
    }
    constexpr void end_step(extent steps, bool stacked) {
        if (stacked) {
            insert_first(step);
            if (!keeps_step) free(0, steps);
        }
        step = {};
        keeps_step = false;
    }
    /// Numbers the variables that are used in the order of their use.
    constexpr void tidy() {
        int number[most_variables + 1]{}, used = 0;
        extent counts[most_variables]{};
        all_indices([&](affine_index& i) {
            if (i.variable < 0) return;
            if (!number[i.variable]) counts[used] = count[i.variable], number[i.variable] = ++used;
            i.variable = number[i.variable] - 1;
        });
        for (int v = 0; v < most_variables; ++v) count[v] = counts[v];
        variables = used;
    }
};

namespace core {
using relation = dependence_piece;
using pieces = list<dependence_piece>;

/// Every element depends on the element at its own place.
constexpr relation identity(shape const& s) {
    relation p;
    for (int axis = 0; axis < s.rank(); ++axis) p.y[axis] = p.x[axis] = p.variable(s[axis]);
    return p;
}
/// Each piece once.
constexpr pieces distinct(pieces const& all) {
    pieces out;
    list<std::uint64_t> hashes;
    for (relation p : all) {
        p.tidy();
        std::uint64_t const h = p.hash();
        bool known = false;
        for (int i = 0; !known && i < out.size(); ++i) known = hashes[i] == h && out[i] == p;
        if (known) continue;
        out.push_back(p);
        hashes.push_back(h);
    }
    return out;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
