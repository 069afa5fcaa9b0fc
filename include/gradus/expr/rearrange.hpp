// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/structure.hpp>

#include <limits>
#include <string_view>
#include <tuple>

// The vocabulary, continued: other names for reshape, transpose, slice, broadcast_to and concatenate, and what is made of them.

namespace gradus::inline GRADUS_ARCH {

namespace core {

constexpr parameters squeezed(shape const& from, std::int64_t axes) {
    parameters p;
    for (int i = 0; i < from.rank(); ++i) {
        if (!(axes >> i & 1)) p.target.push_back(from[i]);
        else if (!from[i].is_one()) p.target.push_back(-7);  // refused by the rule
    }
    return p;
}
constexpr std::int64_t axes_of_one(shape const& from) {
    std::int64_t axes = 0;
    for (int i = 0; i < from.rank(); ++i) axes |= static_cast<std::int64_t>(from[i].is_one()) << i;
    return axes;
}
constexpr parameters unsqueezed(shape const& from, std::int64_t axis) {
    parameters p;
    for (int i = 0; i <= from.rank(); ++i) {
        if (i == axis) p.target.push_back(1);
        if (i < from.rank()) p.target.push_back(from[i]);
    }
    return p;
}
constexpr parameters flattened(shape const& from, std::int64_t first, std::int64_t last) {
    parameters p;
    for (int i = 0; i < from.rank(); ++i) {
        if (i <= first || i > last) p.target.push_back(from[i]);
        else if (extent& e = p.target[static_cast<int>(first)]; from[i].is_static() && e.is_static()) e = e.code * from[i].code;
        else if (!from[i].is_one()) e = e.is_one() ? from[i] : e * from[i];
    }
    if (from.rank() == 0) p.target.push_back(1);
    return p;
}
constexpr parameters with_numbers(std::int64_t a, std::int64_t b = 0, std::int64_t c = 0) {
    parameters p;
    p.attr.n[0] = a;
    p.attr.n[1] = b;
    p.attr.n[2] = c;
    return p;
}
constexpr shape without(shape const& from, std::int64_t axis) {
    shape s;
    for (int i = 0; i < from.rank(); ++i)
        if (i != axis) s.push_back(from[i]);
    return s;
}
/// Every axis as a pair: n copies of it and itself.
constexpr shape interleaved(shape const& from, shape const& copies, bool are_made) {
    shape s;
    for (int i = 0; i < from.rank(); ++i) {
        s.push_back(are_made ? copies[i] : extent(1));
        s.push_back(from[i]);
    }
    return s;
}
constexpr shape multiplied(shape const& from, shape const& copies) {
    shape s;
    for (int i = 0; i < from.rank(); ++i)
        s.push_back(copies[i].is_one() ? from[i] : from[i].is_static() ? extent(from[i].code * copies[i].code) : from[i] * copies[i]);
    return s;
}

/// An index from 0 on; what is out of range stays so.
constexpr std::int64_t index_from_start(shape const& from, std::int64_t axis, std::int64_t index) {
    bool const exists = axis < from.rank(), known = exists && from[static_cast<int>(axis)].is_static();
    std::int64_t const extent = known ? from[static_cast<int>(axis)].code : 0;
    if (index >= 0 || (exists && !known)) return index;  // a named dimension counts from its end
    return index + extent >= 0 ? index + extent : std::numeric_limits<std::int64_t>::max();
}
/// Where so many elements from `start` on end; beyond any axis where they are less than none, or too many.
constexpr std::int64_t end_of(std::int64_t start, std::int64_t length) {
    std::int64_t const most = std::numeric_limits<std::int64_t>::max() - 1;
    if (start < 0 && length >= 0 && start + length >= 0) return start + length == 0 ? end : most;
    return length < 0 || start > most - length ? most : start + length;
}

/// "ij,jk->ik" as letters per operand and result. Without an arrow the result has the letters that stand once, in their order.
constexpr parameters equation(std::string_view text) {
    parameters p;
    int part = 0, position = 0, count[128]{};
    bool arrow = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ' ') continue;
        if (text[i] == ',') ++part, position = 0;
        else if (text[i] == '-') part = 2, position = 0, arrow = true, ++i;
        else {
            p.attr.n[part] |= static_cast<std::int64_t>(text[i]) << (8 * position++);
            if (text[i] > 0) ++count[static_cast<int>(text[i])];
        }
    }
    position = 0;
    for (int letter = 1; !arrow && letter < 128; ++letter)
        if (count[letter] == 1) p.attr.n[2] |= static_cast<std::int64_t>(letter) << (8 * position++);
    return p;
}

}  // namespace core

/// Sums of products by letters, one per axis: `gr::einsum<"bij,bjk->bik">(a, b)`. What the result does not name is summed.
template <fixed_string Equation>
constexpr auto einsum(operand auto a) {
    return apply<with<op::einsum_of_one, core::equation(Equation.view())>>(std::move(a));
}
template <fixed_string Equation>
constexpr auto einsum(operand auto a, operand auto b) {
    return apply<with<op::einsum, core::equation(Equation.view())>>(std::move(a), std::move(b));
}

/// Without the axes of extent 1 that are given; without all of them where none is given.
template <int... Axes, operand E>
constexpr auto squeeze(E x) {
    [[maybe_unused]] constexpr int rank = E::type.shape.rank();
    constexpr std::int64_t axes =
        sizeof...(Axes) ? (std::int64_t{0} | ... | (std::int64_t{1} << core::axis_of(Axes, rank))) : core::axes_of_one(E::type.shape);
    return apply<with<op::reshape, core::squeezed(E::type.shape, axes)>>(std::move(x));
}
/// With a new axis of extent 1 that becomes axis `Axis`.
template <int Axis, operand E>
constexpr auto unsqueeze(E x) {
    return apply<with<op::reshape, core::unsqueezed(E::type.shape, core::axis_of(Axis, E::type.shape.rank() + 1))>>(std::move(x));
}
/// Axes First to Last as one.
template <int First = 0, int Last = -1, operand E>
constexpr auto flatten(E x) {
    constexpr int rank = E::type.shape.rank();
    return apply<with<op::reshape, core::flattened(E::type.shape, core::axis_of(First, rank), core::axis_of(Last, rank))>>(std::move(x));
}
/// Axis i of the result is axis Axes[i].
template <int... Axes, operand E>
constexpr auto permute(E x) {
    return transpose<Axes...>(std::move(x));
}

/// `Length` elements from `Start` along an axis.
template <int Axis, std::int64_t Start, std::int64_t Length, operand E>
constexpr auto narrow(E x) {
    constexpr std::int64_t start = core::index_from_start(E::type.shape, core::axis_of(Axis, E::type.shape.rank()), Start);
    return slice<start, core::end_of(start, Length), 1, Axis>(std::move(x));
}
/// Element `Index` along an axis, which goes; negative ones count from the end.
template <int Axis, std::int64_t Index, operand E>
constexpr auto select(E x) {
    constexpr std::int64_t axis = core::axis_of(Axis, E::type.shape.rank());
    constexpr std::int64_t i = core::index_from_start(E::type.shape, axis, Index);
    return apply<with<op::reshape, parameters{{}, core::without(E::type.shape, axis)}>>(
        slice<i, core::end_of(i, 1), 1, Axis>(std::move(x)));
}
/// Parts of `Size` elements along an axis, the last one shorter where it has to be: a tuple.
template <std::int64_t Size, int Axis = 0, operand E>
constexpr auto split(E x) {
    constexpr std::int64_t n = E::type.shape[static_cast<int>(core::axis_of(Axis, E::type.shape.rank()))].code;
    static_assert(Size > 0 && n > 0, "gradus::split: needs a positive size and a static extent");
    return [&]<std::int64_t... I>(std::integer_sequence<std::int64_t, I...>) {
        return std::tuple{slice<I * Size, (I * Size + Size < n ? I * Size + Size : n), 1, Axis>(x)...};
    }(std::make_integer_sequence<std::int64_t, (n + Size - 1) / Size>{});
}
/// `Count` parts along an axis, as even as split makes them: a tuple.
template <std::int64_t Count, int Axis = 0, operand E>
constexpr auto chunk(E x) {
    return split<(E::type.shape[static_cast<int>(core::axis_of(Axis, E::type.shape.rank()))].code + Count - 1) / Count, Axis>(std::move(x));
}
/// The elements along an axis, which goes: a tuple.
template <int Axis = 0, operand E>
constexpr auto unbind(E x) {
    constexpr std::int64_t n = E::type.shape[static_cast<int>(core::axis_of(Axis, E::type.shape.rank()))].code;
    static_assert(n > 0, "gradus::unbind: needs a static extent");
    return [&]<std::int64_t... I>(std::integer_sequence<std::int64_t, I...>) {
        return std::tuple{select<Axis, I>(x)...};
    }(std::make_integer_sequence<std::int64_t, n>{});
}
/// One after the other along a new axis.
template <int Axis, operand... E>
    requires(sizeof...(E) > 1)
constexpr auto stack(E... x) {
    return concatenate<Axis>(unsqueeze<Axis>(std::move(x))...);
}

/// Copies[i] copies of x after each other along axis i, one number per axis.
template <std::int64_t... Copies, operand E>
    requires(sizeof...(Copies) == E::type.shape.rank())
constexpr auto tile(E x) {
    constexpr shape copies{Copies...};
    auto apart = apply<with<op::reshape, parameters{{}, core::interleaved(E::type.shape, copies, false)}>>(std::move(x));
    auto wide = apply<with<op::broadcast_to, parameters{{}, core::interleaved(E::type.shape, copies, true)}>>(std::move(apart));
    return apply<with<op::reshape, parameters{{}, core::multiplied(E::type.shape, copies)}>>(std::move(wide));
}
/// Zeros (or a number, the operand `fill`) Before and After x along an axis, the last by default.
template <std::int64_t Before, std::int64_t After, int Axis = -1, operand E>
constexpr auto pad(E x, auto fill) {
    return apply<with<op::constant_pad, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()), Before, After)>>(std::move(x),
                                                                                                                       std::move(fill));
}
template <std::int64_t Before, std::int64_t After, int Axis = -1, operand E>
constexpr auto pad(E x) {
    return pad<Before, After, Axis>(std::move(x), constant<0>);
}
/// In reverse order along axes, along all where none is given.
template <int... Axes, operand E>
constexpr auto flip(E x) {
    return apply<with<op::flip, core::reduction_parameters<Axes...>(E::type.shape.rank(), false)>>(std::move(x));
}
/// Element i comes to i + Shift along an axis; what leaves at one end enters at the other.
template <std::int64_t Shift, int Axis, operand E>
constexpr auto roll(E x) {
    return apply<with<op::roll, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()), Shift)>>(std::move(x));
}

/// Rows of a table by integers of any shape.
constexpr auto embedding(general_operand auto table, general_operand auto index) {
    return apply<op::embedding>(std::move(table), std::move(index));
}
/// y[.., j, ..] = x[.., index[j], ..] along an axis.
template <int Axis, operand E>
constexpr auto index_select(E x, operand auto index) {
    return apply<with<op::index_select, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()))>>(std::move(x), std::move(index));
}
/// y[i, j] = x[index[i, j], j] for axis 0, and so on.
template <int Axis, operand E>
constexpr auto gather(E x, operand auto index) {
    return apply<with<op::gather, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()))>>(std::move(x), std::move(index));
}
/// x with source[i, j] added to x[index[i, j], j] for axis 0, and so on.
template <int Axis, operand E>
constexpr auto scatter_add(E x, operand auto index, operand auto source) {
    return apply<with<op::scatter_add, core::with_numbers(core::axis_of(Axis, E::type.shape.rank()))>>(std::move(x), std::move(index),
                                                                                                       std::move(source));
}

/// Matrices (the last two axes) with zeros above, or below, diagonal K.
template <std::int64_t K = 0, operand E>
constexpr auto tril(E x) {
    return apply<with<op::tril, core::with_numbers(K)>>(std::move(x));
}
template <std::int64_t K = 0, operand E>
constexpr auto triu(E x) {
    return apply<with<op::triu, core::with_numbers(K)>>(std::move(x));
}
/// The elements x[i, i + K] of a matrix.
template <std::int64_t K = 0, operand E>
constexpr auto diagonal(E x) {
    return apply<with<op::diagonal, core::with_numbers(K)>>(std::move(x));
}
/// The matrix with a vector on diagonal K; of a matrix, its diagonal K.
template <std::int64_t K = 0, operand E>
constexpr auto diag(E x) {
    if constexpr (E::type.shape.rank() == 1) return apply<with<op::diag_embed, core::with_numbers(K)>>(std::move(x));
    else return diagonal<K>(std::move(x));
}
/// The sum of the diagonal of a matrix.
constexpr auto trace(operand auto x) { return sum(diagonal(std::move(x))); }
/// All products of elements of two vectors.
constexpr auto outer(operand auto a, operand auto b) { return unsqueeze<1>(std::move(a)) * unsqueeze<0>(std::move(b)); }
/// The sum of the products of two vectors.
constexpr auto dot(operand auto a, operand auto b) { return matmul(std::move(a), std::move(b)); }
/// A matrix times a vector.
constexpr auto mv(operand auto m, operand auto v) { return matmul(std::move(m), std::move(v)); }
/// `fill` where the mask is true, x elsewhere.
constexpr auto masked_fill(general_operand auto x, general_operand auto mask, auto fill) {
    return apply<op::where>(std::move(mask), std::move(fill), std::move(x));
}

}  // namespace gradus::inline GRADUS_ARCH
