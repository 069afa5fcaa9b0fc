// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/dependence.hpp>

// The pattern of a matrix of derivatives, row by row, from the pieces of transform/dependence.hpp: in the compiler for extents that it
// knows, at run time for others, whose numbers and indices the data tells.
namespace gradus::inline GRADUS_ARCH {

/// Compressed rows: the columns of row i are inner[outer[i]] to inner[outer[i + 1]], in increasing order.
struct compressed_pattern {
    int rows = 0, cols = 0;
    core::list<int> outer, inner;

    constexpr int nonzeros() const { return inner.size(); }
    constexpr bool contains(int row, int col) const {
        for (int k = outer[row]; k < outer[row + 1]; ++k)
            if (inner[k] == col) return true;
        return false;
    }
};

namespace core {

/// Numbers for extents and elements of arrays of integers: none, where all extents are known and nothing is looked up.
struct known_numbers {
    static constexpr std::int64_t number(extent e) { return e.code; }
    static constexpr std::int64_t integer(int, std::int64_t) { return 0; }
};

/// The pairs of flat indices that a piece stands for, in the order of its variables.
template <class Numbers>
class flat_pairs {
public:
    constexpr flat_pairs(relation const& p, shape const& y, shape const& x, shape const& integers, Numbers const& numbers)
        : p_(p), numbers_(numbers) {
        add(p.y, y, row_, row_step_);
        std::int64_t const gathered = add(p.x, x, col_, col_step_, p.gathered);
        if (p.array >= 0) {
            add(p.index, integers, index_, index_step_);
            per_row_ = gathered;
            rows_ = numbers.number(x[p.gathered]);
        }
        for (int v = 0; v < p.variables; ++v) count_[v] = numbers.number(p.count[v]);
    }
    constexpr std::int64_t size() const {
        std::int64_t product = 1;
        for (int v = 0; v < p_.variables; ++v) product *= count_[v];
        return product;
    }
    constexpr void each(auto&& f) const { from(0, row_, col_, index_, f); }

private:
    using places = std::int64_t[relation::most_variables];
    /// A flat index as a sum over variables; the stride of axis `asked`.
    constexpr std::int64_t add(affine_index const* at, shape const& s, std::int64_t& first, places& step, int asked = -1) const {
        std::int64_t stride = 1, found = 0;
        for (int axis = s.rank() - 1; axis >= 0; --axis) {
            first += at[axis].base * stride;
            if (at[axis].variable >= 0) step[at[axis].variable] += at[axis].step * stride;
            if (axis == asked) found = stride;
            stride *= numbers_.number(s[axis]);
        }
        return found;
    }
    constexpr void from(int v, std::int64_t row, std::int64_t col, std::int64_t index, auto&& f) const {
        if (v == p_.variables) {
            if (p_.array < 0) return f(row, col);
            std::int64_t const gathered = numbers_.integer(p_.array, index);
            if (gathered >= 0 && gathered < rows_) f(row, col + gathered * per_row_);
            return;
        }
        for (std::int64_t i = 0; i < count_[v]; ++i) {
            from(v + 1, row, col, index, f);
            row += row_step_[v], col += col_step_[v], index += index_step_[v];
        }
    }
    relation const& p_;
    Numbers const& numbers_;
    std::int64_t row_ = 0, col_ = 0, index_ = 0, per_row_ = 0, rows_ = 0;
    places row_step_{}, col_step_{}, index_step_{}, count_{};
};

constexpr std::int64_t size_with(shape const& s, auto const& numbers) {
    std::int64_t product = 1;
    for (int axis = 0; axis < s.rank(); ++axis) product *= numbers.number(s[axis]);
    return product;
}

/// All pieces of the derivative of a value of shape y by one of shape x.
struct dependence_shapes {
    shape y, x;
};

/// Sorts the columns of every row, and keeps each once.
constexpr void sort_rows(compressed_pattern& p) {
    int kept = 0;
    for (int row = 0, from = 0; row < p.rows; ++row) {
        int const end = p.outer[row + 1], first = kept;
        for (int k = from; k < end; ++k) {
            int at = kept;
            int const col = p.inner[k];
            while (at > first && p.inner[at - 1] > col) --at;
            if (at > first && p.inner[at - 1] == col) continue;
            for (int m = kept; m > at; --m) p.inner[m] = p.inner[m - 1];
            p.inner[at] = col;
            ++kept;
        }
        from = end;
        p.outer[row + 1] = kept;
    }
    while (p.inner.size() > kept) p.inner.pop_back();
}
template <class Numbers>
constexpr compressed_pattern compressed(auto const& all, dependence_shapes const& s, Numbers const& numbers, auto const& shape_of_array) {
    compressed_pattern p;
    p.rows = static_cast<int>(size_with(s.y, numbers));
    p.cols = static_cast<int>(size_with(s.x, numbers));
    p.outer = list<int>(p.rows + 1, 0);
    for (relation const& each : all)
        flat_pairs<Numbers>(each, s.y, s.x, shape_of_array(each.array), numbers).each([&](std::int64_t row, std::int64_t) {
            ++p.outer[static_cast<int>(row) + 1];
        });
    for (int row = 0; row < p.rows; ++row) p.outer[row + 1] += p.outer[row];
    p.inner = list<int>(p.outer[p.rows], 0);
    list<int> next(p.rows, 0);
    for (relation const& each : all)
        flat_pairs<Numbers>(each, s.y, s.x, shape_of_array(each.array), numbers).each([&](std::int64_t row, std::int64_t col) {
            int const r = static_cast<int>(row);
            p.inner[p.outer[r] + next[r]++] = static_cast<int>(col);
        });
    sort_rows(p);
    return p;
}
/// Columns as rows.
constexpr compressed_pattern transposed(compressed_pattern const& p) {
    compressed_pattern t;
    t.rows = p.cols;
    t.cols = p.rows;
    t.outer = list<int>(t.rows + 1, 0);
    for (int col : p.inner) ++t.outer[col + 1];
    for (int row = 0; row < t.rows; ++row) t.outer[row + 1] += t.outer[row];
    t.inner = list<int>(p.inner.size(), 0);
    list<int> next(t.rows, 0);
    for (int row = 0; row < p.rows; ++row)
        for (int k = p.outer[row]; k < p.outer[row + 1]; ++k) t.inner[t.outer[p.inner[k]] + next[p.inner[k]]++] = row;
    return t;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
