// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>

// Operations of users' that are no formulas of elements, for the tests of programs and of tensors.
namespace structural {

namespace gr = gradus;

/// The last axis from its end to its beginning: read in place, backwards.
struct backwards {
    static constexpr auto name = "backwards";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        gr::shape const& s = c.operand[0].shape;
        if (s.rank() == 0 || !s[s.rank() - 1].is_static()) return fail("needs a last axis of known extent: a is ", c.operand[0]);
        return c.operand[0];
    }
    static constexpr gr::view_axis view(gr::attributes const&, gr::shape const& from, gr::shape const&, int axis) {
        if (axis == from.rank() - 1) return {axis, from[axis].code - 1, -1};
        return {axis};
    }
    static constexpr auto vjp(auto g, auto, auto) { return gr::apply<backwards>(g); }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<backwards>(t); }
};

/// y(i, j) = x(i + j): a window of three elements at each place, elements of which are in several.
struct windows {
    static constexpr auto name = "windows";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1, width = 3;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        gr::shape const& s = c.operand[0].shape;
        if (s.rank() != 1 || !s[0].is_static() || s[0].code < width)
            return fail("needs a vector of ", width, " elements: a is ", c.operand[0]);
        return {c.operand[0].type, {s[0].code - width + 1, width}};
    }
    static constexpr gr::view_axis view(gr::attributes const&, gr::shape const&, gr::shape const&, int) { return {0}; }
    static constexpr auto vjp(auto g, auto, auto x) {
        auto const places = g.shape()[0].code;
        auto column = [&](int j) { return gr::op::part_of(g, 1, j, 1).reshape({places}).pad(gr::op::range_along(1, 0, j, 1), x.shape()); };
        return column(0) + column(1) + column(2);
    }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<windows>(t); }
};

/// Pairs of the last axis as an axis of their own: the same elements in the same order.
struct pairs {
    static constexpr auto name = "pairs";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr bool same_order = true;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        gr::shape s = c.operand[0].shape;
        if (s.rank() == 0 || !s[s.rank() - 1].is_static() || s[s.rank() - 1].code % 2 != 0)
            return fail("needs a last axis of even extent: a is ", c.operand[0]);
        s[s.rank() - 1] = s[s.rank() - 1].code / 2;
        s.push_back(2);
        return {c.operand[0].type, s};
    }
    static constexpr auto vjp(auto g, auto, auto x) { return g.reshape(x.shape()); }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<pairs>(t); }
};

/// Sums of the elements up to each along the last axis, by a kernel of its own in the element type.
struct running_sums {
    static constexpr auto name = "running_sums";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        if (c.operand[0].shape.rank() == 0) return fail("needs an axis: a is ", c.operand[0]);
        return c.operand[0];
    }
    template <class T>
    static void kernel(gr::call const& c, T const* const* in, T* out) {
        gr::shape const& s = c.operand[0].shape;
        std::int64_t const row = s[s.rank() - 1].code, count = s.static_size();
        for (std::int64_t i = 0; i < count; ++i) out[i] = i % row == 0 ? in[0][i] : out[i - 1] + in[0][i];
    }
    /// Sums from each element on: backwards, along what is read backwards.
    static constexpr auto vjp(auto g, auto, auto) { return gr::apply<backwards>(gr::apply<running_sums>(gr::apply<backwards>(g))); }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<running_sums>(t); }
};

/// a over b row by row, divided by the row's sum of b: two operands, not linear, with a kernel of its own and its value in double.
struct shares {
    static constexpr auto name = "shares";
    static constexpr auto kind = gr::op_kind::contraction;
    static constexpr int arity = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail) {
        gr::tensor_type const &a = c.operand[0], &b = c.operand[1];
        if (a.type != b.type || a.shape.rank() != 2 || !c.same(a.shape, b.shape)) return fail("needs two matrices: a is ", a, ", b is ", b);
        return a;
    }
    template <class T>
    static void kernel(gr::call const& c, T const* const* in, T* out) {
        std::int64_t const rows = c.operand[0].shape[0].code, columns = c.operand[0].shape[1].code;
        for (std::int64_t i = 0; i < rows; ++i) {
            T total = 0;
            for (std::int64_t j = 0; j < columns; ++j) total += in[1][i * columns + j];
            for (std::int64_t j = 0; j < columns; ++j) out[i * columns + j] = in[0][i * columns + j] / total;
        }
    }
    static constexpr auto total(auto b) { return b.sum(2, true); }
    static constexpr auto vjp(auto g, auto y, auto, auto b) {
        return std::pair{g / total(b), (-(g * y).sum(2, true) / total(b)).broadcast_to(b.shape())};
    }
    static constexpr auto jvp(auto ta, auto tb, auto y, auto, auto b) { return (ta - y * total(tb)) / total(b); }
};

/// Two results: a row over its sum, and that sum. Both rules see both.
struct shares_and_total {
    static constexpr auto name = "shares_and_total";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1, results = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail, int result) {
        gr::tensor_type const& x = c.operand[0];
        if (x.shape.rank() != 2) return fail("needs a matrix: a is ", x);
        return result == 0 ? x : gr::tensor_type{x.type, {x.shape[0], 1}};
    }
    template <class T>
    static void kernel(gr::call const& c, T const* const* in, T* const* out) {
        std::int64_t const rows = c.operand[0].shape[0].code, columns = c.operand[0].shape[1].code;
        for (std::int64_t i = 0; i < rows; ++i) {
            T total = 0;
            for (std::int64_t j = 0; j < columns; ++j) total += in[0][i * columns + j];
            for (std::int64_t j = 0; j < columns; ++j) out[0][i * columns + j] = in[0][i * columns + j] / total;
            out[1][i] = total;
        }
    }
    static constexpr auto vjp(auto by_share, auto by_total, auto share, auto total, auto) {
        return (by_share - (by_share * share).sum(2, true)) / total + by_total;
    }
    static constexpr auto jvp(auto t, auto share, auto total, auto) {
        auto const moved = t.sum(2, true);
        return std::pair{(t - share * moved) / total, moved};
    }
};
/// The first largest element of each row and its index: results of two types.
struct largest_with_index {
    static constexpr auto name = "largest_with_index";
    static constexpr auto kind = gr::op_kind::movement;
    static constexpr int arity = 1, results = 2;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint& fail, int result) {
        gr::tensor_type const& x = c.operand[0];
        if (x.shape.rank() != 2) return fail("needs a matrix: a is ", x);
        return {result == 0 ? x.type : gr::dtype::int64, {x.shape[0], 1}};
    }
    static void whole(gr::call const& c, double const* const* in, double* const* out) {
        std::int64_t const rows = c.operand[0].shape[0].code, columns = c.operand[0].shape[1].code;
        for (std::int64_t i = 0; i < rows; ++i) {
            std::int64_t best = 0;
            for (std::int64_t j = 1; j < columns; ++j)
                if (in[0][i * columns + j] > in[0][i * columns + best]) best = j;
            out[0][i] = in[0][i * columns + best];
            out[1][i] = static_cast<double>(best);
        }
    }
    static constexpr auto is_it(auto index, auto x) { return x.index(1).cast(gr::dtype::int64) == index; }
    static constexpr auto vjp(auto g, auto, auto, auto index, auto x) { return gr::where(is_it(index, x), g, 0); }
    static constexpr auto jvp(auto t, auto, auto index, auto x) {
        return std::pair{gr::where(is_it(index, x), t, 0).sum(2, true), index.number(0)};
    }
};

/// The sum over axes as a loop makes it, for derivatives clipped to [-1, 1].
struct clipped_total : gr::op::reduction<clipped_total> {
    static constexpr auto name = "clipped_total";
    static constexpr auto reduces_by = gr::reducer::sum;
    static constexpr auto clipped(auto g) { return gr::where(g > 1, g.number(1), gr::where(g < -1, g.number(-1), g)); }
    static constexpr auto vjp(auto g, auto y, auto x) { return clipped(g).expand_reduced(y).broadcast_to(x.shape()); }
    static constexpr auto jvp(auto t, auto y, auto) { return t.like(y); }
};
/// The largest element over axes; all equal largest ones have the full derivative.
struct top : gr::op::reduction<top> {
    static constexpr auto name = "top";
    static constexpr auto reduces_by = gr::reducer::max;
    static constexpr auto vjp(auto g, auto y, auto x) { return gr::where(x == y.expand_reduced(y), g.expand_reduced(y), 0); }
    static constexpr auto jvp(auto t, auto y, auto x) {
        return gr::where(x == y.expand_reduced(y), t, 0).sum(y.attr().n[0], gr::op::keeps(y.attr()));
    }
};
template <class Op, std::int64_t Axes, bool Keep = false>
constexpr auto over(auto x) {
    return gr::apply<gr::with<Op, gr::parameters{gr::op::reduction_attributes(Axes, Keep)}>>(std::move(x));
}

}  // namespace structural
