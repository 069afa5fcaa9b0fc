// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/list.hpp>
#include <gradus/graph/graph.hpp>
#include <gradus/op/leaf.hpp>
#include <gradus/op/shape.hpp>

#include <stdexcept>

namespace gradus::inline GRADUS_ARCH {

inline constexpr int max_dimensions = 16;

/// c times a product of named dimensions, four bits of exponent each: an extent, a stride, a size in elements or bytes.
struct monomial {
    std::int64_t c = 0;
    std::uint64_t powers = 0;

    constexpr bool operator==(monomial const&) const = default;
    friend constexpr monomial operator*(monomial a, monomial b) {
        return a.c == 0 || b.c == 0 ? monomial{} : monomial{a.c * b.c, a.powers + b.powers};
    }
    constexpr bool is_static() const { return powers == 0; }
    constexpr std::int64_t at(std::int64_t const* dimensions) const {
        std::int64_t product = c;
        for (int k = 0; k < max_dimensions && powers >> 4 * k; ++k)
            for (std::uint64_t p = powers >> 4 * k & 15; p > 0; --p) product *= dimensions[k];
        return product;
    }
};

/// A sum of monomials: how far into its memory a value begins.
struct element_offset {
    static constexpr int most = 3;
    monomial of[most]{};  ///< then zeros

    constexpr element_offset(monomial m = {}) { of[0] = m; }  // NOLINT: a monomial is a sum
    constexpr bool operator==(element_offset const&) const = default;
    /// Adds m; false where there is no place.
    constexpr bool add(monomial m) {
        if (m.c == 0) return true;
        for (monomial& known : of) {
            if (known.c != 0 && known.powers != m.powers) continue;
            known = {known.c + m.c, m.powers};
            return true;
        }
        return false;
    }
    constexpr bool is_static() const { return !(of[0].powers | of[1].powers | of[2].powers); }
    constexpr std::int64_t at(std::int64_t const* dimensions) const {
        std::int64_t total = of[0].at(dimensions);
        for (int i = 1; i < most && of[i].c != 0; ++i) total += of[i].at(dimensions);
        return total;
    }
};

/// The named dimensions of a program and arithmetic on them, in the order of first use.
struct dimension_table {
    extent names[max_dimensions]{};
    int count = 0;
    int extents = 0;  ///< the rest is where parts begin

    constexpr int index(extent e) {
        for (int i = 0; i < count; ++i)
            if (names[i] == e) return i;
        if (count == max_dimensions) core::refuse<"gradus: a program has at most 16 named dimensions, arithmetic too", std::length_error>();
        names[count] = e;
        return count++;
    }
    constexpr monomial of(extent e) { return e.is_static() ? monomial{e.code, 0} : monomial{1, std::uint64_t{1} << 4 * index(e)}; }
    /// Enters an extent and the names that it is made of.
    constexpr void enter(extent e) {
        if (e.is_static()) return;
        if (e.is_form()) core::form(e).each_name([this](extent name) { index(name); });
        index(e);
    }
    /// The value of arithmetic on names whose sizes are known.
    constexpr std::int64_t value_of(extent e, std::int64_t const* sizes) const {
        return core::form(e).at([&](extent name) {
            for (int i = 0; i < count; ++i)
                if (names[i] == name) return sizes[i];
            return std::int64_t{0};
        });
    }
    /// Fills in the sizes of arithmetic on names.
    constexpr void complete(std::int64_t* sizes) const {
        for (int i = 0; i < count; ++i)
            if (names[i].is_form()) sizes[i] = value_of(names[i], sizes);
    }
    constexpr monomial size(shape const& s) {
        monomial product{1, 0};
        for (int i = 0; i < s.rank(); ++i) product = product * of(s[i]);
        return product;
    }
};

/// Where the elements of a value stand: in the memory of `base`, at an offset, with a stride per axis of the value.
struct access {
    int base = -1;
    element_offset offset{};
    monomial stride[max_rank]{};

    constexpr bool operator==(access const& o) const {
        if (base != o.base || !(offset == o.offset)) return false;
        for (int i = 0; i < max_rank; ++i)
            if (!(stride[i] == o.stride[i])) return false;
        return true;
    }
};

namespace core {

constexpr access contiguous(int base, shape const& s, dimension_table& dimensions) {
    access result{base, {}, {}};
    monomial step{1, 0};
    for (int i = s.rank() - 1; i >= 0; --i) {
        result.stride[i] = s[i].code == 1 ? monomial{} : step;
        step = step * dimensions.of(s[i]);
    }
    return result;
}

/// The strides of `from` under another shape of the same elements; base -1 where no strides describe them.
constexpr access reshaped(access const& a, shape const& from, shape const& to, dimension_table& dimensions) {
    access result{a.base, a.offset, {}};
    // axes of extent 1 come and go freely
    int i = 0, j = 0;
    bool same = true;
    while (same && (i < from.rank() || j < to.rank())) {
        if (i < from.rank() && from[i].code == 1) {
            ++i;
            continue;
        }
        if (j < to.rank() && to[j].code == 1) {
            ++j;
            continue;
        }
        same = i < from.rank() && j < to.rank() && from[i] == to[j];
        if (same) result.stride[j++] = a.stride[i++];
    }
    if (same) return result;
    access whole = contiguous(a.base, from, dimensions);
    for (int axis = 0; axis < from.rank(); ++axis)
        if (!(whole.stride[axis] == a.stride[axis])) return {};
    result = contiguous(a.base, to, dimensions);
    result.offset = a.offset;
    return result;
}

/// Follows views down to memory. base -1 where a copy has to be made first (transform/materialize.hpp makes it).
constexpr access resolve(auto const& g, int id, dimension_table& dimensions) {
    node const& n = g[id];
    if (n.op->kind != op_kind::view) return contiguous(id, n.shape, dimensions);
    shape const& from = g[n.in[0]].shape;
    access a = resolve(g, n.in[0], dimensions), result{a.base, a.offset, {}};
    if (a.base < 0) return a;
    if (n.op->same_order) return reshaped(a, from, n.shape, dimensions);
    if (!n.op->view) core::refuse<"gradus: a view that no strides describe", std::logic_error>();
    for (int i = 0; i < n.shape.rank(); ++i) {
        view_axis const read = n.op->view(n.attr, from, n.shape, i);
        if (read.from < 0) continue;
        monomial const stride = a.stride[read.from];
        if (!result.offset.add(stride * monomial{read.first, 0}) || !result.offset.add(stride * dimensions.of(read.named_first))) return {};
        result.stride[i] = n.shape[i].code == 1 ? monomial{} : stride * monomial{read.step, 0};
    }
    return result;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
