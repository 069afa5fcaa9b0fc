// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/error.hpp>
#include <gradus/exec/stages.hpp>

#include <array>

// Sizes of named dimensions whose products are no numbers of 64 bits.

namespace gradus::inline GRADUS_ARCH::core {

/// What bounds the memory of a program: `bytes` times at most `degree` dimensions. Dimensions up to `harmless` need no other look.
struct memory_bound {
    std::int64_t bytes = 0;
    int degree = 0;
    std::int64_t harmless = 0;
};
template <class Source>
inline constexpr memory_bound bound_of = [] {
    constexpr auto const& g = stages<Source>::optimized;
    memory_bound b;
    dimension_table dimensions = stages<Source>::plan.dimensions;
    for (int i = 0; i < g.size(); ++i) {
        monomial const size = dimensions.size(g[i].shape);
        int degree = 0;
        for (std::uint64_t p = size.powers; p; p >>= 4) degree += static_cast<int>(p & 15);
        if (degree > b.degree) b.degree = degree;
        if (__builtin_add_overflow(b.bytes, size.c, &b.bytes)) b.bytes = INT64_MAX;
    }
    if (__builtin_mul_overflow(b.bytes, 16, &b.bytes)) b.bytes = INT64_MAX;
    auto fits = [&](std::int64_t n) {
        std::int64_t product = b.bytes;
        bool overflows = false;
        for (int i = 0; i < b.degree; ++i) overflows = __builtin_mul_overflow(product, n, &product) || overflows;
        return !overflows;
    };
    for (int bit = 62; bit >= 0 && b.harmless == 0; --bit)
        if (fits(std::int64_t{1} << bit)) b.harmless = std::int64_t{1} << bit;
    return b;
}();
/// Every value's bytes, a term for each.
template <class Source>
inline constexpr auto sizes_of_values = [] {
    constexpr auto const& g = stages<Source>::optimized;
    std::array<monomial, static_cast<std::size_t>(g.node_count)> sizes{};
    dimension_table dimensions = stages<Source>::plan.dimensions;
    for (int i = 0; i < g.node_count; ++i) sizes[static_cast<std::size_t>(i)] = dimensions.size(g[i].shape);
    return sizes;
}();
[[gnu::cold, gnu::noinline]] inline void require_countable(monomial const* sizes, int count, extent const* names,
                                                           std::int64_t const* dimensions) {
    std::int64_t total = 0;  // scratch memory is of parts of these
    for (int i = 0; i < count; ++i) {
        std::int64_t product = 16;
        bool overflows = __builtin_mul_overflow(product, sizes[i].c, &product);
        bool empty = sizes[i].c == 0;
        for (int k = 0; k < max_dimensions && sizes[i].powers >> 4 * k; ++k)
            for (std::uint64_t p = sizes[i].powers >> 4 * k & 15; p > 0; --p) {
                overflows = __builtin_mul_overflow(product, dimensions[k], &product) || overflows;
                empty = empty || dimensions[k] == 0;
            }
        if (empty) continue;
        if (!overflows && !__builtin_add_overflow(total, product, &total)) continue;
        int largest = 0;
        for (int k = 0; k < max_dimensions && !(names[k] == extent{0}); ++k)
            if (dimensions[k] > dimensions[largest]) largest = k;
        throw shape_error(concat("gradus::program: a value has more bytes than 64 bits count (dimension ", names[largest], " is ",
                                 dimensions[largest], ")")
                              .str());
    }
}
/// Throws shape_error where a value of the program has more elements than can be counted.
template <class Source>
void require_countable(std::int64_t const* dimensions) {
    constexpr memory_bound b = bound_of<Source>;
    bool harmless = true;
    for (int i = 0; i < stages<Source>::plan.dimensions.count; ++i) harmless &= dimensions[i] <= b.harmless;
    if (!harmless)
        require_countable(sizes_of_values<Source>.data(), static_cast<int>(sizes_of_values<Source>.size()),
                          stages<Source>::plan.dimensions.names, dimensions);
}

/// An axis that a reduction of at least one element folds, whose extent run time tells.
struct needed_axis {
    int dimension = 0, axis = 0;
    std::string_view name{};
    tensor_type of{};
};
constexpr void find_needed_axes(graph const& g, dimension_table const& known, list<needed_axis>& to) {
    for (int i = 0; i < g.size(); ++i) {
        node const& n = g[i];
        if (!n.op->needs_elements || op::who_asks(n.attr) == op::asked_by::shift) continue;
        tensor_type const from = g[n.in[0]].result();
        for (int axis = 0; axis < from.shape.rank(); ++axis) {
            if (!op::reduces(n.attr, axis) || from.shape[axis].is_static()) continue;
            for (int k = 0; k < known.count; ++k)
                if (known.names[k] == from.shape[axis]) to.push_back({k, axis, op::asked_name(n.op->name, n.attr), from});
        }
    }
    for (int b = 0; b < g.bodies.size(); ++b) find_needed_axes(g.bodies[b], known, to);
}
/// Of a source with the dimensions `Known`.
template <class Source, dimension_table const& Known>
inline constexpr auto needed_axes = [] {
    constexpr auto find = [] {
        list<needed_axis> found;
        find_needed_axes(simplified_graph<Source>.thaw(), Known, found);
        return found;
    };
    std::array<needed_axis, static_cast<std::size_t>(find().size())> table{};
    list<needed_axis> const found = find();
    for (int i = 0; i < found.size(); ++i) table[static_cast<std::size_t>(i)] = found[i];
    return table;
}();
/// A part of an axis of which only run time tells whether it is one.
struct needed_range {
    extent first{}, count{}, of{};
    std::int64_t step = 1;
    int axis = 0;
    tensor_type from{};
};
constexpr void find_needed_ranges(graph const& g, list<needed_range>& to) {
    for (int i = 0; i < g.size(); ++i) {
        node const& n = g[i];
        if (!n.op->cuts) continue;
        shape const& from = g[n.in[0]].shape;
        for (int axis = 0; axis < from.rank(); ++axis)
            if (!(from[axis] == n.shape[axis]) && !(from[axis].is_static() && n.shape[axis].is_static()))
                to.push_back({op::first_of(n.attr, axis), n.shape[axis], from[axis], op::step_of(n.attr, axis), axis, g[n.in[0]].result()});
    }
    for (int b = 0; b < g.bodies.size(); ++b) find_needed_ranges(g.bodies[b], to);
}
[[noreturn, gnu::cold]] inline void refuse_range(needed_range const& n, std::int64_t last, std::int64_t size) {
    text const what = concat("gradus::slice(a): the range leaves axis ", n.axis, ": a is ", n.from);
    throw shape_error(concat(what.view(), ", the last index is ", last, ", the extent ", size).str());
}
[[noreturn, gnu::cold]] inline void refuse_empty_axis(needed_axis const& n) {
    throw shape_error(concat("gradus::", n.name, "(a): axis ", n.axis, " has no elements: a is ", n.of).str());
}
template <class Source>
inline constexpr auto needed_ranges = [] {
    constexpr auto find = [] {
        list<needed_range> found;
        find_needed_ranges(simplified_graph<Source>.thaw(), found);
        return found;
    };
    std::array<needed_range, static_cast<std::size_t>(find().size())> table{};
    list<needed_range> const found = find();
    for (int i = 0; i < found.size(); ++i) table[static_cast<std::size_t>(i)] = found[i];
    return table;
}();
/// Throws shape_error where a largest or smallest element is asked for and there are none, or a part of what is not there.
template <class Source, dimension_table const& Known>
void require_elements(std::int64_t const* dimensions) {
    for (needed_axis const& n : needed_axes<Source, Known>)
        if (dimensions[n.dimension] == 0) refuse_empty_axis(n);
    for (needed_range const& n : needed_ranges<Source>) {
        auto value = [&](extent e) { return Known.value_of(e, dimensions); };
        std::int64_t const count = value(n.count), first = value(n.first), last = first + (count - 1) * n.step, size = value(n.of);
        if (count > 0 && (first < 0 || last < 0 || first >= size || last >= size)) refuse_range(n, first > last ? first : last, size);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
