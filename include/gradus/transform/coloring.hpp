// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/sparsity_pattern.hpp>

// Which columns of a sparse matrix of derivatives can be computed as one direction: columns of one colour.
namespace gradus::inline GRADUS_ARCH {

/// A colour for each column, 0 to count - 1.
struct column_coloring {
    core::list<int> color;
    int count = 0;
};

namespace core {

/// The columns, those with the most neighbours first, or as they are.
constexpr list<int> coloring_order(compressed_pattern const& columns, bool largest_first) {
    list<int> order;
    if (!largest_first) {
        for (int c = 0; c < columns.rows; ++c) order.push_back(c);
        return order;
    }
    list<list<int>> of_degree(columns.cols + 1);
    for (int c = 0; c < columns.rows; ++c) of_degree[columns.outer[c + 1] - columns.outer[c]].push_back(c);
    for (int d = columns.cols; d >= 0; --d) order.append(of_degree[d].begin(), of_degree[d].size());
    return order;
}
/// The least colour that is not forbidden to v.
constexpr void paint(column_coloring& made, int v, list<int> const& forbidden) {
    int color = 0;
    while (color < made.count && forbidden[color] == v) ++color;
    made.color[v] = color;
    if (color == made.count) ++made.count;
}
/// Columns that have no row in common, one after the other (Coleman and More, "Estimation of Sparse Jacobian Matrices and Graph Coloring
/// Problems", 1983: a distance-2 colouring).
constexpr column_coloring color_columns(compressed_pattern const& rows, compressed_pattern const& columns, list<int> const& order) {
    column_coloring made{list<int>(rows.cols, -1), 0};
    list<int> forbidden(rows.cols + 1, -1);
    for (int v : order) {
        for (int k = columns.outer[v]; k < columns.outer[v + 1]; ++k)
            for (int r = columns.inner[k], m = rows.outer[r]; m < rows.outer[r + 1]; ++m)
                if (int const other = made.color[rows.inner[m]]; other >= 0) forbidden[other] = v;
        paint(made, v, forbidden);
    }
    return made;
}
constexpr column_coloring color_columns(compressed_pattern const& rows, compressed_pattern const& columns) {
    column_coloring first = color_columns(rows, columns, coloring_order(columns, false));
    column_coloring second = color_columns(rows, columns, coloring_order(columns, true));
    if (second.count < first.count) return second;
    return first;
}
/// Of a symmetric matrix: neighbours differ, and every path of four vertices has three colours, so that each element stands alone in one
/// of its two places (Gebremedhin, Manne and Pothen, "What Color Is Your Jacobian?", 2005, algorithm 4.1: a star colouring).
constexpr column_coloring color_symmetric(compressed_pattern const& a, list<int> const& order) {
    column_coloring made{list<int>(a.rows, -1), 0};
    list<int> forbidden(a.rows + 1, -1);
    auto const reaches = [&](int x, int except, int color) {  // a neighbour of x has that colour
        for (int k = a.outer[x]; k < a.outer[x + 1]; ++k)
            if (int const y = a.inner[k]; y != except && y != x && made.color[y] == color) return true;
        return false;
    };
    for (int v : order) {
        for (int k = a.outer[v]; k < a.outer[v + 1]; ++k) {
            int const w = a.inner[k], of_w = made.color[w];
            if (w == v) continue;
            if (of_w >= 0) forbidden[of_w] = v;
            for (int m = a.outer[w]; m < a.outer[w + 1]; ++m) {
                int const x = a.inner[m];
                if (x == v || x == w || made.color[x] < 0 || forbidden[made.color[x]] == v) continue;
                if (of_w < 0 || reaches(x, w, of_w)) forbidden[made.color[x]] = v;
            }
        }
        paint(made, v, forbidden);
    }
    return made;
}
constexpr bool is_symmetric(compressed_pattern const& a) {
    compressed_pattern const t = transposed(a);
    bool same = a.rows == a.cols && a.inner.size() == t.inner.size();
    for (int i = 0; same && i <= a.rows; ++i) same = a.outer[i] == t.outer[i];
    for (int k = 0; same && k < a.inner.size(); ++k) same = a.inner[k] == t.inner[k];
    return same;
}
constexpr column_coloring color_symmetric(compressed_pattern const& a) {
    column_coloring first = color_symmetric(a, coloring_order(a, false));
    column_coloring second = color_symmetric(a, coloring_order(a, true));
    if (second.count < first.count) return second;
    return first;
}

/// Colours that repeat along the axes of x: two columns have one colour where their indices along each axis are the same modulo its
/// period. For bands and blocks of any length.
struct periodic_coloring {
    std::int64_t period[max_rank]{};
    int uncolored = -1;  ///< an axis with a name that has no period

    constexpr std::int64_t count(int rank) const {
        std::int64_t product = 1;
        for (int axis = 0; axis < rank; ++axis) product *= period[axis];
        return product;
    }
};

/// How far apart columns of one row are along an axis of x: the period that tells them apart, 0 for none but the axis's extent.
constexpr std::int64_t period_along(auto const& all, int axis) {
    std::int64_t low = 0, high = 0, ratio_y = 0, ratio_x = 0;
    int tied = -1, size = 0;
    bool looked_up = false;
    for (relation const& p : all) {
        ++size;
        looked_up = looked_up || p.gathered == axis;
        if (p.x[axis].variable < 0) continue;
        for (int i = 0; i < max_rank && tied < 0; ++i)
            if (p.y[i].variable == p.x[axis].variable) tied = i, ratio_y = p.y[i].step, ratio_x = p.x[axis].step;
    }
    if (ratio_y < 0) ratio_y = -ratio_y, ratio_x = -ratio_x;
    bool first = true, found = true, one_look_up = true;
    relation const* reader = nullptr;
    for (relation const& p : all) {
        if (p.gathered == axis) {  // all look it up in one way
            if (reader) {
                bool same = reader->array == p.array;
                for (int i = 0; same && i < max_rank; ++i) {
                    bool tied_alike = reader->index[i].base == p.index[i].base && reader->index[i].step == p.index[i].step;
                    for (int j = 0; tied_alike && j < max_rank; ++j)
                        tied_alike = (reader->index[i].variable >= 0 && reader->y[j].variable == reader->index[i].variable) ==
                                         (p.index[i].variable >= 0 && p.y[j].variable == p.index[i].variable) &&
                                     (reader->y[j].variable < 0 || reader->y[j].variable != reader->index[i].variable ||
                                      reader->y[j] == p.y[j] || (reader->y[j].base == p.y[j].base && reader->y[j].step == p.y[j].step));
                    same = tied_alike;
                }
                one_look_up = one_look_up && same;
            }
            for (int i = 0; i < max_rank; ++i) {  // what is not told by the row is any
                bool told = p.index[i].variable < 0;
                for (int j = 0; !told && j < max_rank; ++j) told = p.y[j].variable == p.index[i].variable;
                one_look_up = one_look_up && told;
            }
            reader = &p;
            continue;
        }
        affine_index const x = p.x[axis];
        std::int64_t a = x.base, b = x.base;
        if (tied >= 0) {
            affine_index const y = p.y[tied];
            bool const together = y.variable >= 0 && x.variable == y.variable && y.step * ratio_x == x.step * ratio_y;
            if (!together && !(y.variable < 0 && x.variable < 0)) return 0;
            if (ratio_x * y.base % ratio_y != 0) return 0;
            a = b = x.base - y.base * ratio_x / ratio_y;
        } else if (x.variable >= 0) {
            if (!p.count[x.variable].is_static()) return 0;
            b = x.base + x.step * (p.count[x.variable].code - 1);
        }
        if (b < a) std::swap(a, b);
        low = first || a < low ? a : low;
        high = first || b > high ? b : high;
        first = false;
        found = found && !looked_up;
    }
    if (looked_up) return found && one_look_up && first ? 1 : 0;
    return size == 0 || first ? 1 : high - low + 1;
}
constexpr periodic_coloring color_periodically(auto const& all, shape const& x) {
    periodic_coloring made;
    for (int axis = 0; axis < x.rank(); ++axis) {
        std::int64_t p = period_along(all, axis);
        if (x[axis].is_static() && (p == 0 || p > x[axis].code)) p = x[axis].code;
        if (p == 0) made.uncolored = axis;
        made.period[axis] = p;
    }
    return made;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
