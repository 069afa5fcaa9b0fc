// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/stages.hpp>
#include <gradus/expr/derivatives.hpp>
#include <gradus/transform/coloring.hpp>

#include <span>

// The pattern of a Jacobian or a Hessian, as a constant.
namespace gradus::inline GRADUS_ARCH {

namespace core {

template <fixed_string Name, tensor_type T, extent... Lead>
constexpr auto symbol_like() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return symbol<Name, element_t<T.type>, Lead..., T.shape[static_cast<int>(I)]...>{};
    }(std::make_index_sequence<static_cast<std::size_t>(T.shape.rank())>{});
}

/// The derivative of y along a direction of x: linear in that, so that what it depends on is what is not zero.
template <class Y, class X>
using direction_of = decltype(symbol_like<"a direction", X::type>());
template <class Y, class X>
using along_direction = expressions<decltype(jvp(Y{}, X{}, direction_of<Y, X>{}))>;
template <class Y, class X>
constexpr pieces dependence_on() {
    graph const g = differentiated_graph<along_direction<Y, X>>.thaw();
    int number = -1;
    for (int s = 0; s < g.symbols.size(); ++s)
        if (g.symbols[s].name == direction_of<Y, X>::name()) number = s;
    if (number < 0) return {};
    return dependence(g, number)[g.outputs[0].node];
}
template <int Room>
struct frozen_pieces {
    relation at[Room]{};
    int count = 0;
    constexpr relation const* begin() const { return at; }
    constexpr relation const* end() const { return at + count; }
};
template <int Room>
constexpr frozen_pieces<Room> frozen(pieces const& all) {
    frozen_pieces<Room> result;
    result.count = all.size();
    for (int i = 0; i < all.size() && i < Room; ++i) result.at[i] = all[i];
    return result;
}
template <class Y, class X>
inline constexpr auto few_relations = frozen<16>(dependence_on<Y, X>());
template <class Y, class X>
inline constexpr auto relations_of = [] {
    if constexpr (few_relations<Y, X>.count <= 16) return few_relations<Y, X>;
    else return frozen<room_for(few_relations<Y, X>.count)>(dependence_on<Y, X>());
}();

/// Patterns of at most so many pairs are made by the compiler: clang stops an evaluation after 2^20 steps.
inline constexpr std::int64_t most_constant_pairs = 1 << 14;

template <class Y, class X>
inline constexpr std::int64_t pairs_of = [] {
    if (!Y::type.shape.is_static() || !X::type.shape.is_static()) return std::int64_t{-1};
    std::int64_t pairs = 0, size = Y::type.shape.static_size() + X::type.shape.static_size();
    for (relation const& p : relations_of<Y, X>) {
        if (p.array >= 0) return std::int64_t{-1};
        pairs += flat_pairs<known_numbers>(p, Y::type.shape, X::type.shape, {}, {}).size();
    }
    return size <= most_constant_pairs ? pairs : std::int64_t{-1};
}();
template <class Y, class X>
inline constexpr bool is_constant_pattern = pairs_of<Y, X> >= 0 && pairs_of<Y, X> <= most_constant_pairs;

template <class Y, class X>
constexpr compressed_pattern constant_pattern() {
    return compressed(relations_of<Y, X>, {Y::type.shape, X::type.shape}, known_numbers{}, [](int) { return shape{}; });
}
/// A pattern, row by row, in memory of known size.
template <int Rows, int Pairs>
struct frozen_pattern {
    int outer[Rows + 1]{}, inner[Pairs + 1]{};

    constexpr compressed_pattern thaw(int cols) const {
        compressed_pattern p;
        p.rows = Rows;
        p.cols = cols;
        p.outer.append(outer, Rows + 1);
        p.inner.append(inner, outer[Rows]);
        return p;
    }
};
template <int Rows, int Pairs>
constexpr frozen_pattern<Rows, Pairs> frozen(compressed_pattern const& p) {
    frozen_pattern<Rows, Pairs> result;
    for (int i = 0; i <= Rows; ++i) result.outer[i] = p.outer[i];
    for (int i = 0; i < p.inner.size(); ++i) result.inner[i] = p.inner[i];
    return result;
}
template <class Y, class X>
inline constexpr auto pattern_of =
    frozen<static_cast<int>(Y::type.shape.static_size()), static_cast<int>(pairs_of<Y, X>)>(constant_pattern<Y, X>());

template <int Columns>
struct frozen_coloring {
    int color[Columns + 1]{};
    int count = 0;
};
template <int Columns>
constexpr frozen_coloring<Columns> frozen(column_coloring const& c) {
    frozen_coloring<Columns> result;
    for (int i = 0; i < Columns; ++i) result.color[i] = c.color[i];
    result.count = c.count;
    return result;
}
enum class colored_as { columns, rows, symmetric };
template <class Y, class X, colored_as What>
inline constexpr auto coloring_of = [] {
    constexpr auto cols = static_cast<int>(X::type.shape.static_size()), rows = static_cast<int>(Y::type.shape.static_size());
    compressed_pattern const p = pattern_of<Y, X>.thaw(cols);
    if constexpr (What == colored_as::symmetric) return frozen<cols>(color_symmetric(p));
    else if constexpr (What == colored_as::columns) return frozen<cols>(color_columns(p, transposed(p)));
    else return frozen<rows>(color_columns(transposed(p), p));
}();
template <class Y, class X>
inline constexpr auto periods_of = color_periodically(relations_of<Y, X>, X::type.shape);

template <class Y, class X>
constexpr text sparsity_complaint() {
    if (text wrong = jacobian_complaint<Y, X>(); !wrong.empty() && Y::type.shape.rank() + X::type.shape.rank() <= max_rank) return wrong;
    return {};
}

}  // namespace core

/// The pattern of the derivatives of y by x, found in y's graph by the compiler: all of it is constant. Elements and columns are numbered
/// in row-major order.
///
/// An element is in the pattern unless the graph shows that it is zero: what operations move, cut, pad, join, reduce, multiply and loop
/// over is followed element by element; an operation of users' that states none of its facets depends on all of its operands. Bands and
/// blocks of any length are single pieces, and their colours repeat; with extents that have names, or rows that only run time tells, they
/// are all there is.
template <class Y, class X>
class sparsity_pattern {
    static constexpr bool is_constant = core::is_constant_pattern<Y, X>;

public:
    static constexpr std::int64_t rows() { return size(Y::type.shape); }
    static constexpr std::int64_t cols() { return size(X::type.shape); }
    /// Is every element known to the compiler? Not where extents have names, or rows are gathered, or there are more than 2^14.
    static constexpr bool is_enumerated() { return is_constant; }
    static constexpr std::int64_t nonzeros() {
        demand<is_constant>();
        return core::pattern_of<Y, X>.outer[rows()];
    }
    static constexpr bool contains(std::int64_t row, std::int64_t col) {
        static_assert(Y::type.shape.is_static() && X::type.shape.is_static(), "gradus::sparsity(y, x): an extent has a name");
        for (dependence_piece p : core::relations_of<Y, X>) {
            std::int64_t r = row, c = col;
            bool in = p.array < 0;
            for (int axis = Y::type.shape.rank() - 1; in && axis >= 0; r /= Y::type.shape[axis--].code)
                in = p.fix(p.y[axis], r % Y::type.shape[axis].code);
            for (int axis = X::type.shape.rank() - 1; in && axis >= 0; c /= X::type.shape[axis--].code)
                in = p.fix(p.x[axis], c % X::type.shape[axis].code);
            if (in) return true;
        }
        return false;
    }
    /// Directions that give all of it: the columns of one colour have no row in common.
    static constexpr int colors() {
        if constexpr (is_constant) return color_columns().count;
        else return static_cast<int>(periodic().count(X::type.shape.rank()));
    }
    static constexpr int color(int col) {
        demand<is_constant>();
        return color_columns().color[col];
    }
    /// The same for rows and cotangents.
    static constexpr int row_colors() {
        demand<is_constant>();
        return core::coloring_of<Y, X, core::colored_as::rows>.count;
    }
    /// Of a symmetric pattern: directions that give every element in one of its two places.
    static constexpr int symmetric_colors() {
        demand<is_constant>();
        return core::coloring_of<Y, X, core::colored_as::symmetric>.count;
    }
    /// Compressed rows: the columns of row i are inner()[outer()[i]] to inner()[outer()[i + 1]], in increasing order.
    static constexpr std::span<int const> outer() {
        demand<is_constant>();
        return {core::pattern_of<Y, X>.outer, static_cast<std::size_t>(rows() + 1)};
    }
    static constexpr std::span<int const> inner() { return {core::pattern_of<Y, X>.inner, static_cast<std::size_t>(nonzeros())}; }
    /// Bands and blocks, a line for each: `y[i + 1] by x[i], i < 9998`.
    static constexpr text print() {
        text out;
        for (dependence_piece const& p : core::relations_of<Y, X>) print(out, p);
        return out;
    }

private:
    template <bool Enumerated>
    static constexpr void demand() {
        static_assert(Enumerated,
                      "gradus::sparsity(y, x): the elements are not known one by one: an extent has a name, rows are gathered by what only "
                      "run time tells, or there are more than 2^14. colors() and print() know its bands and blocks");
    }
    static constexpr std::int64_t size(shape const& s) {
        if (!s.is_static()) core::refuse<"gradus::sparsity(y, x): an extent has a name", std::logic_error>();
        return s.static_size();
    }
    static constexpr auto const& color_columns() { return core::coloring_of<Y, X, core::colored_as::columns>; }
    static constexpr auto const& periodic() { return core::periods_of<Y, X>; }
    static constexpr void print(text& out, affine_index i) {
        if (i.variable < 0) return core::append(out, i.base);
        if (i.step != 1) core::append(out, core::concat(i.step, ' ').view());
        out += static_cast<char>('i' + i.variable);
        if (i.base > 0) core::append(out, core::concat(" + ", i.base).view());
        if (i.base < 0) core::append(out, core::concat(" - ", -i.base).view());
    }
    static constexpr void print(text& out, dependence_piece const& p) {
        for (int side = 0; side < 2; ++side) {
            core::append(out, side ? " by x" : "y");
            int const rank = (side ? X::type : Y::type).shape.rank();
            for (int axis = 0; axis < rank; ++axis) {
                core::append(out, axis ? ", " : "[");
                if (side == 0 || axis != p.gathered) {
                    print(out, side ? p.x[axis] : p.y[axis]);
                    continue;
                }
                core::append(out, "gathered");
            }
            if (rank) out += ']';
        }
        for (int v = 0; v < p.variables; ++v) core::append(out, core::concat(", ", static_cast<char>('i' + v), " < ", p.count[v]).view());
        out += '\n';
    }
};

/// The pattern of the Jacobian of y with respect to x: `static_assert(gr::sparsity(F, x).colors() == 3)`.
template <expression Y, expression X>
constexpr auto sparsity(Y, X) {
    core::report<&core::sparsity_complaint<Y, X>>();
    return sparsity_pattern<Y, X>{};
}
/// The pattern of the Hessian of the scalar y.
template <expression Y, expression X>
constexpr auto hessian_sparsity(Y y, X x) {
    core::report<&core::hessian_complaint<Y, X>>();
    if constexpr (!core::is_empty<&core::hessian_complaint<Y, X>>) return sparsity_pattern<X, X>{};
    else return sparsity_pattern<decltype(grad(y, x)), X>{};
}

}  // namespace gradus::inline GRADUS_ARCH
