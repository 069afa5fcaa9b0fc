// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/vmap.hpp>
#include <gradus/program/compile.hpp>
#include <gradus/program/sparse_matrix.hpp>
#include <gradus/program/sparsity.hpp>

#include <vector>

// Sparse Jacobians and Hessians as programs: one direction for each colour of the pattern.
namespace gradus::inline GRADUS_ARCH {

namespace core {

/// How the elements of a derivative are computed together.
enum class compressed_as {
    columns,    ///< directions of x, colours from a table
    periods,    ///< directions of x, colours that repeat along its axes
    rows,       ///< cotangents of y
    symmetric,  ///< directions of x; every element stands alone in its row or in its column
    nothing     ///< an axis with a name has no period
};
template <class Y, class X, bool Symmetric>
constexpr compressed_as compression() {
    constexpr periodic_coloring periods = periods_of<Y, X>;
    bool const fits = periods.uncolored < 0 && 2 * X::type.shape.rank() <= max_rank;
    if constexpr (!is_constant_pattern<Y, X>) return fits ? compressed_as::periods : compressed_as::nothing;
    else {
        int least = coloring_of<Y, X, colored_as::columns>.count;
        auto made = fits && periods.count(X::type.shape.rank()) <= least ? compressed_as::periods : compressed_as::columns;
        if constexpr (Symmetric) {
            bool const same = is_symmetric(pattern_of<Y, X>.thaw(static_cast<int>(X::type.shape.static_size())));
            if (same && coloring_of<Y, X, colored_as::symmetric>.count < least) made = compressed_as::symmetric;
        } else if (coloring_of<Y, X, colored_as::rows>.count < least) made = compressed_as::rows;
        return made;
    }
}

/// 1 where element j of an axis of x has the colour of the first axis: j modulo the period.
template <element T, extent Along, std::int64_t Period>
constexpr auto seeds_along() {
    if constexpr (Along == extent(Period)) return eye<T, Along>;
    else {
        constexpr auto j = arange<T, Along>;
        return where(unsqueeze<0>(remainder(j, constant<Period>)) == unsqueeze<1>(arange<T, extent(Period)>), gradus::ones<T>,
                     gradus::zeros<T>);
    }
}
template <tensor_type T, periodic_coloring P>
constexpr shape colors_before(shape const& behind, int only) {
    shape s;
    for (int axis = 0; axis < T.shape.rank(); ++axis) s.push_back(only < 0 || only == axis ? P.period[axis] : 1);
    for (int axis = 0; axis < behind.rank(); ++axis) s.push_back(only < 0 || only == axis ? behind[axis] : extent(1));
    return s;
}
/// All directions: [colours, x...].
template <tensor_type T, periodic_coloring P, int Axis = 0>
constexpr auto periodic_seeds() {
    if constexpr (Axis == T.shape.rank()) return shaped<colors_before<T, periodic_coloring{}>({}, 0)>(ones<element_t<T.type>>);
    else {
        constexpr auto along = seeds_along<element_t<T.type>, T.shape[Axis], P.period[Axis]>();
        return shaped<colors_before<T, P>(T.shape, Axis)>(along);
    }
}
template <tensor_type T, periodic_coloring P>
constexpr auto all_periodic_seeds() {
    constexpr int rank = T.shape.rank();
    constexpr auto count = P.count(rank);
    return [&]<int... Axis>(std::integer_sequence<int, Axis...>) {
        auto const product = (filled_like<T>(constant<1.0>) * ... * periodic_seeds<T, P, Axis>());
        return shaped<joined_shapes(shape{count}, T.shape)>(product);
    }(std::make_integer_sequence<int, rank>{});
}

/// The colour of column `col` of an x of shape `s`.
constexpr int color_of(periodic_coloring const& c, shape const& s, std::int64_t col, auto const& numbers) {
    std::int64_t color = 0, at[max_rank]{};
    for (int axis = s.rank() - 1; axis >= 0; --axis) {
        at[axis] = col % numbers.number(s[axis]);
        col /= numbers.number(s[axis]);
    }
    for (int axis = 0; axis < s.rank(); ++axis) color = color * static_cast<std::int64_t>(c.period[axis]) + at[axis] % c.period[axis];
    return static_cast<int>(color);
}

/// Elements of a derivative in compressed form: an expression, what it has to be bound to, and which element is where.
template <class Y, class X, int Number, bool Symmetric = false>
struct compressed_derivative {
    using T = element_t<Y::type.type>;
    static constexpr compressed_as form = compression<Y, X, Symmetric>();
    static constexpr bool is_constant = is_constant_pattern<Y, X>;
    static constexpr auto name = [] {
        fixed_string<9> n("seeds 00");
        n.text[6] = static_cast<char>('0' + Number / 10), n.text[7] = static_cast<char>('0' + Number % 10);
        return n;
    }();
    static constexpr auto const& coloring() {
        if constexpr (form == compressed_as::rows) return coloring_of<Y, X, colored_as::rows>;
        else if constexpr (form == compressed_as::symmetric) return coloring_of<Y, X, colored_as::symmetric>;
        else return coloring_of<Y, X, colored_as::columns>;
    }
    static constexpr bool has_table = form == compressed_as::columns || form == compressed_as::rows || form == compressed_as::symmetric;
    static constexpr tensor_type seeded = form == compressed_as::rows ? Y::type : X::type;
    static constexpr auto size = static_cast<int>(seeded.shape.static_size());
    static constexpr int directions() {
        if constexpr (has_table) return coloring().count;
        else return static_cast<int>(periods_of<Y, X>.count(X::type.shape.rank()));
    }
    static constexpr auto seeds() {
        if constexpr (has_table) return symbol_like<name, seeded, extent(directions())>();
        else return all_periodic_seeds<seeded, periods_of<Y, X>>();
    }
    /// [colours, y...]; of rows, [colours, x...].
    static constexpr auto expression() {
        if constexpr (form == compressed_as::rows) return vmap(vjp_along<Y, X>{})(seeds());
        else return vmap(jvp_along<Y, X>{})(seeds());
    }
    static constexpr auto table = [] {
        if constexpr (has_table) {
            std::array<T, static_cast<std::size_t>(directions() * size)> t{};
            for (int i = 0; i < size; ++i) t[static_cast<std::size_t>(coloring().color[i] * size + i)] = 1;
            return t;
        } else return 0;
    }();
    /// The place, in the compressed form, of the element of a constant pattern that is `inner[k]` of a row.
    static constexpr int place(auto const& p, int row, int k) {
        constexpr auto rows = static_cast<int>(Y::type.shape.static_size()), cols = static_cast<int>(X::type.shape.static_size());
        int const col = p.inner[k];
        if constexpr (form == compressed_as::periods) return color_of(periods_of<Y, X>, X::type.shape, col, known_numbers{}) * rows + row;
        else if constexpr (form == compressed_as::rows) return coloring().color[row] * cols + col;
        else {
            bool alone = true;
            for (int m = p.outer[row]; form == compressed_as::symmetric && m < p.outer[row + 1]; ++m)
                alone = alone && (p.inner[m] == col || coloring().color[p.inner[m]] != coloring().color[col]);
            return alone ? coloring().color[col] * rows + row : coloring().color[row] * rows + col;
        }
    }
    static constexpr auto sources() {
        constexpr auto rows = static_cast<int>(Y::type.shape.static_size());
        constexpr auto const& p = pattern_of<Y, X>;
        std::array<int, static_cast<std::size_t>(p.outer[rows] + 1)> at{};
        for (int row = 0; row < rows; ++row)
            for (int k = p.outer[row]; k < p.outer[row + 1]; ++k) at[static_cast<std::size_t>(k)] = place(p, row, k);
        return at;
    }
    static constexpr auto source = [] {
        if constexpr (is_constant) return sources();
        else return 0;
    }();
};

/// An array of integers that tells which rows are gathered.
template <class Y, class X, int Node>
struct array_source {
    static constexpr graph lower() {
        graph g = differentiated_graph<along_direction<Y, X>>.thaw();
        g.outputs = {};
        g.outputs.push_back({Node, -1});
        return pass::dead_code(g);
    }
};
template <class Source, class A>
constexpr bool is_asked_for() {
    if constexpr (is_binding<A>) return symbol_number<Source>(A::symbol::name()) >= 0;
    else return is_dimension<A>;
}
/// Its elements, of the arguments of a call.
template <class Source, class... A>
std::vector<std::int64_t> integers_of(A&... arguments) {
    auto const keep = [](auto& a) {
        if constexpr (is_asked_for<Source, std::remove_cvref_t<decltype(a)>>()) return std::tie(a);
        else return std::tuple<>{};
    };
    return std::apply(
        [](auto&... kept) {
            auto const [found] = program<Source>{}(kept...);
            if constexpr (requires { found.begin(); }) return std::vector<std::int64_t>(found.begin(), found.end());
            else return std::vector<std::int64_t>{static_cast<std::int64_t>(found)};
        },
        std::tuple_cat(keep(arguments)...));
}
/// Numbers for extents that have names, and elements of arrays of integers.
struct numbers_of_call {
    dimension_table const& names;
    std::int64_t const* sizes;
    std::vector<std::vector<std::int64_t>> const& arrays;  ///< by node

    std::int64_t number(extent e) const {
        for (int i = 0; i < names.count; ++i)
            if (names.names[i] == e) return sizes[i];
        return e.code;
    }
    std::int64_t integer(int array, std::int64_t i) const { return arrays[static_cast<std::size_t>(array)][static_cast<std::size_t>(i)]; }
};

/// The arrays that pieces look rows up in.
template <class Y, class X>
inline constexpr auto arrays_of = [] {
    std::array<int, 8> nodes{};
    for (int& n : nodes) n = -1;
    for (relation const& r : relations_of<Y, X>)
        for (int& n : nodes) {
            if (n == r.array) break;
            if (n >= 0) continue;
            n = r.array;
            break;
        }
    return nodes;
}();

/// The names of extents that a derivative depends on, and what arguments of a call tell of them.
template <class Y, class X>
inline constexpr dimension_table names_of = [] {
    dimension_table names;
    auto const& g = differentiated_graph<along_direction<Y, X>>;
    for (int i = 0; i < g.size(); ++i)
        for (int axis = 0; axis < g[i].shape.rank(); ++axis)
            if (g[i].shape[axis].is_named()) names.index(g[i].shape[axis]);
    return names;
}();
template <class A>
void learn_extents(dimension_solver const& solver, A& a, bool& all_known) {
    using D = std::remove_cvref_t<A>;
    if constexpr (is_dimension<D>) {
        if (std::int64_t* size = solver.find(D::name)) *size = a.size;
    } else if constexpr (is_binding<D>) {
        using S = typename D::symbol;
        shape s;
        if (known_shape<typename D::data_type>(a.data, s)) solver.with_shape(S::name(), S::type, s);
        else if (!S::type.shape.is_static()) all_known = solver.with_size(S::name(), S::type, data_size(a.data)) && all_known;
    }
}
template <class Y, class X, class... A>
std::array<std::int64_t, max_dimensions> extents_told(A&... arguments) {
    std::array<std::int64_t, max_dimensions> sizes{};
    dimension_table const& names = names_of<Y, X>;
    for (int i = 0; i < names.count; ++i) sizes[static_cast<std::size_t>(i)] = -1;
    dimension_solver const solver{names.names, sizes.data(), names.count, names.extents};
    solver.solve<true>([&] {
        bool all_known = true;
        (learn_extents(solver, arguments, all_known), ...);
        return all_known;
    });
    return sizes;
}

struct owned_structure {
    compressed_pattern pattern;
    std::vector<int> source;
};
/// The structure of a derivative, for the arguments of a call.
template <class D, class Y, class X, class... A>
sparse_structure structure_of([[maybe_unused]] A&... arguments) {
    if constexpr (D::is_constant)
        return {static_cast<int>(Y::type.shape.static_size()),
                static_cast<int>(X::type.shape.static_size()),
                pattern_of<Y, X>.outer,
                pattern_of<Y, X>.inner,
                D::source.data(),
                {}};
    else {
        auto const sizes = extents_told<Y, X>(arguments...);
        std::vector<std::vector<std::int64_t>> arrays;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            auto const one = [&](auto at) {
                constexpr int node = arrays_of<Y, X>[decltype(at)::value];
                if constexpr (node >= 0) {
                    arrays.resize(std::max(arrays.size(), std::size_t{node + 1}));
                    arrays[node] = integers_of<array_source<Y, X, node>>(arguments...);
                }
            };
            (one(std::integral_constant<std::size_t, I>{}), ...);
        }(std::make_index_sequence<8>{});
        numbers_of_call const numbers{names_of<Y, X>, sizes.data(), arrays};
        auto owned = std::make_shared<owned_structure>();
        auto const shape_of = [](int node) { return node < 0 ? shape{} : differentiated_graph<along_direction<Y, X>>[node].shape; };
        owned->pattern = compressed(relations_of<Y, X>, {Y::type.shape, X::type.shape}, numbers, shape_of);
        compressed_pattern const& p = owned->pattern;
        owned->source.resize(static_cast<std::size_t>(p.nonzeros()));
        for (int row = 0; row < p.rows; ++row)
            for (int k = p.outer[row]; k < p.outer[row + 1]; ++k)
                owned->source[static_cast<std::size_t>(k)] = color_of(periods_of<Y, X>, X::type.shape, p.inner[k], numbers) * p.rows + row;
        return {p.rows, p.cols, p.outer.begin(), p.inner.begin(), owned->source.data(), owned};
    }
}
template <class D>
auto seeds_binding() {
    if constexpr (D::has_table) return std::tuple{decltype(D::seeds()){} = D::table};
    else return std::tuple<>{};
}
template <class Y, class X, bool Symmetric>
constexpr text compression_complaint() {
    std::string_view const asked = Symmetric ? "gradus::sparse_hessian(y, x): " : "gradus::sparse_jacobian(y, x): ";
    if constexpr (Symmetric || is_empty<&sparsity_complaint<Y, X>>) {
        if constexpr (compression<Y, X, Symmetric>() == compressed_as::nothing) {
            int const axis = periods_of<Y, X>.uncolored;
            if (axis < 0) return concat(asked, "x has more than 3 axes and too many elements for a table of colours: x is ", X::type);
            return concat(asked, "an element of y depends on elements along all of axis ", axis,
                          " of x, or on rows that several arrays of ",
                          "indices tell, so that no fixed number of directions tells them apart: x is ", X::type,
                          ". Differentiate with respect to the gathered rows, or use gr::jacobian");
        }
        return {};
    } else return sparsity_complaint<Y, X>();
}

}  // namespace core

/// A program for the derivatives of Y by X as a sparse matrix: `auto j = jacobian(x = X, data = D)`. Call it as any program, by name;
/// rows and columns are the elements of y and x in row-major order.
///
/// Where extents have names, or rows are gathered, `structure(arguments...)` finds the pattern; it is the same as long as sizes and indices
/// are, and a call that begins with it does not look for it again.
template <class Y, class X, bool Symmetric = false>
class sparse_program {
    using derivative = core::compressed_derivative<Y, X, 0, Symmetric>;
    using source = typename decltype(core::named<expressions<decltype(derivative::expression())>>())::type;
    using T = typename derivative::T;

public:
    static constexpr sparsity_pattern<Y, X> sparsity() { return {}; }
    /// Directions that a call computes.
    static constexpr int directions() { return derivative::directions(); }

    template <class... A>
    sparse_structure structure(A&&... arguments) const {
        return core::structure_of<derivative, Y, X>(arguments...);
    }
    template <class... A>
    auto operator()(sparse_structure const& known, A&&... arguments) const {
        sparse_matrix<T, count()> result(known);
        std::apply(
            [&](auto&&... seeds) {
                auto const [compressed] = program<source>{}(seeds..., arguments...);
                if constexpr (requires { compressed.data(); }) result.assign(compressed.data());
                else result.assign(&compressed);
            },
            core::seeds_binding<derivative>());
        return result;
    }
    template <class... A>
        requires(!std::is_same_v<std::remove_cvref_t<A>, sparse_structure> && ...)
    auto operator()(A&&... arguments) const {
        return (*this)(structure(arguments...), arguments...);
    }

private:
    static constexpr int count() {
        if constexpr (derivative::is_constant) return core::pattern_of<Y, X>.outer[Y::type.shape.static_size()];
        else return -1;
    }
};

/// The Jacobian of y with respect to x as a program that gives a sparse matrix: as many directions as the pattern has colours, forward or
/// reverse mode, whichever takes fewer. The pattern is gr::sparsity(y, x).
template <expression Y, expression X>
constexpr auto sparse_jacobian(Y, X) {
    core::report<&core::compression_complaint<Y, X, false>>();
    if constexpr (core::is_empty<&core::compression_complaint<Y, X, false>>) return sparse_program<Y, X>{};
    else return 0;
}
/// The Hessian of the scalar y, all of it, by directions for the colours of a symmetric pattern: an arrow of any size takes two.
template <expression Y, expression X>
constexpr auto sparse_hessian(Y y, X x) {
    core::report<&core::hessian_complaint<Y, X>>();
    if constexpr (!core::is_empty<&core::hessian_complaint<Y, X>>) return 0;
    else {
        using slope = decltype(grad(y, x));
        core::report<&core::compression_complaint<slope, X, true>>();
        if constexpr (core::is_empty<&core::compression_complaint<slope, X, true>>) return sparse_program<slope, X, true>{};
        else return 0;
    }
}

}  // namespace gradus::inline GRADUS_ARCH
