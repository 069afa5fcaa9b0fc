// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/band.hpp>
#include <gradus/op/contraction.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

// Matrices in the last two axes, the axes before them a batch. Primitives have a kernel each (kernel/linear_algebra.hpp);
// `matrix` is the textbook's text of the same for one matrix after the other, in double, which interpreters run. Bad input
// (not positive definite, singular) makes NaN and infinities: kernels do not throw. Derivatives: Giles, "Collected matrix
// derivative results for forward and reverse mode algorithmic differentiation" (2008).

namespace gradus::inline GRADUS_ARCH::op {

constexpr shape matrices(shape lead, extent rows, extent columns) {
    lead.push_back(rows);
    lead.push_back(columns);
    return lead;
}
constexpr extent rows_of(shape const& s) { return s[s.rank() - 2]; }
constexpr extent columns_of(shape const& s) { return s[s.rank() - 1]; }
/// x repeated to a matrix for every index of `lead`.
constexpr auto batched(auto x, shape const& lead) { return x.broadcast_to(matrices(lead, rows_of(x.shape()), columns_of(x.shape()))); }
constexpr bool is_square(tensor_type const& a, call const& c) {
    return is_floating(a.type) && a.shape.rank() >= 2 && c.same(rows_of(a.shape), columns_of(a.shape));
}

/// Base of the primitives: `whole` walks through the batch.
template <class Op, int Arity>
struct on_matrices : linear<Op, op_kind::movement, Arity> {
    static constexpr bool on_matrices_of_a_batch = true;
    static void whole(call const& c, double const* const* in, double* out) {
        std::int64_t const batch = op::matmul::leading(c.operand[0].shape).static_size();
        std::int64_t const n = columns_of(c.operand[0].shape).code, m = columns_of(c.operand[c.count - 1].shape).code;
        std::int64_t size[3]{};
        for (int k = 0; k < c.count; ++k) size[k] = rows_of(c.operand[k].shape).code * columns_of(c.operand[k].shape).code;
        std::int64_t const made = Op::result_size(n, m);
        for (std::int64_t i = 0; i < batch; ++i) {
            double const* one[3]{};
            for (int k = 0; k < c.count; ++k) one[k] = in[k] + i * size[k];
            Op::matrix(c.attr, n, m, one, out + i * made);
        }
    }
    /// A problem for every instance. Where all instances have one matrix and the last operand is solved for column by column
    /// (`by_columns`), their columns stand side by side.
    static constexpr auto batch(batched_call const& c, auto... x) {
        int const last = Arity - 1;
        bool side_by_side = requires { Op::by_columns; };
        for (int k = 0; k < Arity; ++k) side_by_side = side_by_side && c.operand[k].rank() == 2 && c.mapped[k] == (k == last);
        extent const columns = c.result.rank() > 0 ? columns_of(c.operand[last]) : extent(0);
        if (side_by_side && (columns.is_one() || (columns.is_static() && c.instances.is_static()))) return columns_solved(c, x...);
        return [&]<int... K>(std::integer_sequence<int, K...>) {
            return batched_as<Op>(c.attr, {}, every_instance(c, x, K)...);
        }(std::make_integer_sequence<int, Arity>{});
    }
    static constexpr auto columns_solved(batched_call const& c, auto... x) {
        std::array all{x...};
        auto& b = all.back();
        shape const wide{c.result[0], c.instances, c.result[1]};
        attributes exchanged;
        exchanged.n[0] = 1;
        exchanged.n[2] = 2;
        extent const columns = c.result[1].is_one() ? c.instances : extent(c.instances.code * c.result[1].code);
        b = b.transpose(exchanged).reshape({c.result[0], columns});
        return std::apply([&](auto... y) { return batched_as<Op>(c.attr, {}, y...); }, all).reshape(wide).transpose(exchanged);
    }
};

/// x with op(a) x = b for a triangle of a. n[0]: the upper one; n[1]: op transposes; n[2]: its diagonal counts as ones. The
/// other triangle is not read. Infinite or NaN where the diagonal has a 0.
struct triangular_solve : on_matrices<triangular_solve, 2> {
    static constexpr auto name = "triangular_solve";
    static constexpr auto runs_by = own_kernel::triangular_solve;
    static constexpr int flops_per_column = 1;
    static constexpr bool by_columns = true;
    static constexpr attributes of_triangle(bool upper, bool transposed, bool has_ones) {
        attributes attr;
        attr.n[0] = upper;
        attr.n[1] = transposed;
        attr.n[2] = has_ones;
        return attr;
    }
    static constexpr bool is_upper(attributes const& attr) { return attr.n[0] != 0; }
    static constexpr bool transposes(attributes const& attr) { return attr.n[1] != 0; }
    static constexpr bool has_ones(attributes const& attr) { return attr.n[2] != 0; }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &b = c.operand[1];
        bool const fits = is_square(a, c) && b.type == a.type && b.shape.rank() == a.shape.rank() &&
                          c.same(op::matmul::leading(a.shape), op::matmul::leading(b.shape)) &&
                          c.same(columns_of(a.shape), rows_of(b.shape));
        return fits ? b : fail("needs square matrices and as many rows: a is ", a, ", b is ", b);
    }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t m) { return n * m; }
    static void matrix(attributes const& attr, std::int64_t n, std::int64_t m, double const* const* in, double* x) {
        substitute(in[0], attr.n[0] != 0, attr.n[1] != 0, attr.n[2] != 0, n, m, in[1], x);
    }
    /// x of one triangle, element by element.
    static void substitute(double const* a, bool upper, bool transposed, bool unit, std::int64_t n, std::int64_t m, double const* b,
                           double* x) {
        bool const backwards = upper != transposed;
        auto const at = [&](std::int64_t i, std::int64_t j) { return transposed ? a[j * n + i] : a[i * n + j]; };
        for (std::int64_t step = 0; step < n; ++step) {
            std::int64_t const i = backwards ? n - 1 - step : step;
            for (std::int64_t j = 0; j < m; ++j) {
                double rest = b[i * m + j];
                for (std::int64_t k = backwards ? i + 1 : 0; k < (backwards ? n : i); ++k) rest -= at(i, k) * x[k * m + j];
                x[i * m + j] = unit ? rest : rest / at(i, i);
            }
        }
    }
    static constexpr attributes flipped(attributes attr) {
        attr.n[1] = !attr.n[1];
        return attr;
    }
    static constexpr auto solved(attributes const& attr, auto a, auto b) -> decltype(a) {
        return decltype(a)::template emit<triangular_solve>(a.owner(), attr, {}, {a, b});
    }
    /// The part of a matrix that is read.
    static constexpr auto part(attributes const& attr, auto a) {
        attributes k;
        k.n[0] = attr.n[0] ? attr.n[2] : -attr.n[2];
        return attr.n[0] ? triu::expand(k, a) : tril::expand(k, a);
    }
    static constexpr auto vjp(auto g, auto y, auto a, auto) {
        auto to_b = solved(flipped(y.attr()), a, g);
        auto to_a = y.attr().n[1] ? y.matmul(to_b.transposed()) : to_b.matmul(y.transposed());
        return std::pair{part(y.attr(), -to_a), to_b};
    }
    template <int K>
    static constexpr auto directional(auto t, auto y, auto a, auto) {
        if constexpr (K == 1) return solved(y.attr(), a, t);
        else {
            auto moved = part(y.attr(), t);
            return -solved(y.attr(), a, (y.attr().n[1] ? moved.transposed() : moved).matmul(y));
        }
    }
};

/// The lower triangle l with l l^T = (a + a^T) / 2 and a positive diagonal. NaN from the row on where a is not positive
/// definite. Derivatives: Murray, "Differentiation of the Cholesky decomposition" (2016), the forms with matrix products.
struct cholesky : on_matrices<cholesky, 1> {
    static constexpr auto name = "cholesky";
    static constexpr auto runs_by = own_kernel::cholesky;
    static constexpr int flops_per_column = 1;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        return is_square(c.operand[0], c) ? c.operand[0] : fail("needs square floating-point matrices: a is ", c.operand[0]);
    }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t) { return n * n; }
    static void matrix(attributes const&, std::int64_t n, std::int64_t, double const* const* in, double* l) {
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
                double rest = (in[0][i * n + j] + in[0][j * n + i]) / 2;
                for (std::int64_t k = 0; k < j && j <= i; ++k) rest -= l[i * n + k] * l[j * n + k];
                if (i == j) l[i * n + j] = rest > 0 ? std::sqrt(rest) : std::numeric_limits<double>::quiet_NaN();
                else l[i * n + j] = j < i ? rest / l[j * n + j] : 0;
            }
        }
    }
    static constexpr auto lower(auto x) { return tril::expand({}, x); }
    static constexpr auto with_half_diagonal(auto x) {
        attributes below;
        below.n[0] = -1;
        return (lower(x) + tril::expand(below, x)) / 2;
    }
    static constexpr auto symmetric(auto x) { return (x + x.transposed()) / 2; }
    static constexpr auto vjp(auto g, auto l, auto);
    static constexpr auto jvp(auto t, auto l, auto) { return l.matmul(with_half_diagonal(solved_on_both_sides({}, l, symmetric(t)))); }
    /// l^-1 x l^-T, or l^-T x l^-1, for a symmetric x.
    static constexpr auto solved_on_both_sides(attributes const& attr, auto l, auto x) {
        return triangular_solve::solved(attr, l, triangular_solve::solved(attr, l, x).transposed());
    }
};

/// s = l^-T f l^-1, f being the symmetric part of l^T g with what is above the diagonal left out and the diagonal halved: the derivative
/// of something by a, where g is that by the factor l. Of l and g the lower triangles are read.
struct cholesky_slope : on_matrices<cholesky_slope, 2> {
    static constexpr auto name = "cholesky_slope";
    static constexpr auto runs_by = own_kernel::cholesky_slope;
    static constexpr int flops_per_column = 1;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &l = c.operand[0], &g = c.operand[1];
        bool const fits = is_square(l, c) && g.type == l.type && c.same(l.shape, g.shape);
        return fits ? l : fail("needs two square matrices: a is ", l, ", b is ", g);
    }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t) { return n * n; }
    static void matrix(attributes const&, std::int64_t n, std::int64_t, double const* const* in, double* s) {
        double const *const l = in[0], *const g = in[1];
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j <= i; ++j) {
                double sum = 0;
                for (std::int64_t k = i; k < n; ++k) sum += l[k * n + i] * g[k * n + j];
                s[i * n + j] = s[j * n + i] = sum / 2;
            }
        for (int side = 0; side < 2; ++side) {
            triangular_solve::substitute(l, false, true, false, n, n, s, s);
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t j = 0; j < i; ++j) std::swap(s[i * n + j], s[j * n + i]);
        }
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < i; ++j) s[i * n + j] = s[j * n + i] = (s[i * n + j] + s[j * n + i]) / 2;
    }
    static constexpr attributes transposed() { return triangular_solve::of_triangle(false, true, false); }
    static constexpr auto of(auto l, auto g) -> decltype(l) {
        return decltype(l)::template emit<cholesky_slope>(l.owner(), {}, {}, {l, g});
    }
    static constexpr auto vjp(auto h, auto s, auto l, auto g) {
        auto const along = cholesky::symmetric(h);
        auto const to_f = cholesky::with_half_diagonal(cholesky::solved_on_both_sides({}, l, along));
        auto const by_solving = triangular_solve::solved({}, l, along.matmul(s)).transposed();
        auto const to_l = cholesky::lower(g).matmul(to_f.transposed()) - 2 * by_solving;
        return std::pair{cholesky::lower(to_l), cholesky::lower(l).matmul(to_f)};
    }
    template <int K>
    static constexpr auto directional(auto t, auto s, auto l, auto g) {
        if constexpr (K == 1) return of(l, t);
        else {
            auto const moved = cholesky::lower(t);
            auto const by_solving = triangular_solve::solved(transposed(), l, s.matmul(moved).transposed());
            auto const f = cholesky::symmetric(cholesky::with_half_diagonal(moved.transposed().matmul(cholesky::lower(g))));
            return cholesky::solved_on_both_sides(transposed(), l, f) - by_solving - by_solving.transposed();
        }
    }
};
constexpr auto cholesky::vjp(auto g, auto l, auto) { return cholesky_slope::of(l, g); }

}  // namespace gradus::inline GRADUS_ARCH::op
