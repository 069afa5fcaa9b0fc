// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/triangular.hpp>

#include <tuple>

// Factorization of square matrices with pivots, and systems of equations. See op/triangular.hpp; op/determinant.hpp has the rest.
namespace gradus::inline GRADUS_ARCH::op {

/// Square matrices a with some more rows than they have columns; refused where no name is left for their number.
constexpr tensor_type with_more_rows(call const& c, int more, complaint& fail) {
    tensor_type a = c.operand[0];
    if (!is_square(a, c)) return fail("needs square floating-point matrices: a is ", a);
    extent const columns = columns_of(a.shape), rows = columns + more;
    if (rows == dyn && columns.is_expressible()) return fail("the number of rows of the factors is longer than a name: a is ", a);
    a.shape[a.shape.rank() - 2] = rows;
    return a;
}

/// p a = l u with the largest element of a column as its pivot: a matrix with l below the diagonal (ones on it), u on and above
/// it, and a row more: element k is the row that was exchanged with row k. It has no derivative: operations that take it take
/// a, too, and theirs is with respect to a, so that one factorization serves values and derivatives.
struct lu_factor : on_matrices<lu_factor, 1> {
    static constexpr auto name = "lu_factor";
    static constexpr auto runs_by = own_kernel::lu_factor;
    static constexpr int flops_per_column = 1;
    static constexpr tensor_type infer(call const& c, complaint& fail) { return with_more_rows(c, 1, fail); }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t) { return n * (n + 1); }
    static void matrix(attributes const&, std::int64_t n, std::int64_t, double const* const* in, double* f) {
        for (std::int64_t i = 0; i < n * n; ++i) f[i] = in[0][i];
        for (std::int64_t k = 0; k < n; ++k) {  // by columns: what is above, then the pivot among the rest
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t j = 0; j < (i < k ? i : k); ++j) f[i * n + k] -= f[i * n + j] * f[j * n + k];
            std::int64_t pivot = k;
            for (std::int64_t i = k + 1; i < n; ++i)
                if (std::abs(f[i * n + k]) > std::abs(f[pivot * n + k])) pivot = i;
            for (std::int64_t j = 0; j < n; ++j) core::exchange(f[k * n + j], f[pivot * n + j]);
            f[n * n + k] = static_cast<double>(pivot);
            for (std::int64_t i = k + 1; i < n && f[k * n + k] != 0; ++i) f[i * n + k] /= f[k * n + k];
        }
    }
    static constexpr auto vjp(auto g, auto, auto) { return decltype(g)(0.0); }
    static constexpr auto jvp(auto t, auto, auto) { return decltype(t)(0.0); }
    static constexpr auto of(auto a) -> decltype(a) { return decltype(a)::template emit<lu_factor>(a.owner(), {}, {}, {a}); }
};
constexpr bool is_factored(call const& c) {
    tensor_type const &a = c.operand[0], &f = c.operand[1];
    return is_square(a, c) && f.type == a.type && f.shape.rank() == a.shape.rank() &&
           c.same(op::matmul::leading(a.shape), op::matmul::leading(f.shape)) && c.same(columns_of(f.shape), columns_of(a.shape)) &&
           c.same(rows_of(f.shape), columns_of(a.shape) + 1);
}

/// x with op(a) x = b for a and its factors; n[0]: op transposes. Infinite or NaN for a singular a.
struct lu_solve : on_matrices<lu_solve, 3> {
    static constexpr auto name = "lu_solve";
    static constexpr auto runs_by = own_kernel::lu_solve;
    static constexpr int flops_per_column = 2;
    static constexpr bool by_columns = true;
    static constexpr bool transposes(attributes const& attr) { return attr.n[0] != 0; }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &b = c.operand[2];
        bool const fits = is_factored(c) && b.type == a.type && b.shape.rank() == a.shape.rank() &&
                          c.same(op::matmul::leading(a.shape), op::matmul::leading(b.shape)) &&
                          c.same(columns_of(a.shape), rows_of(b.shape));
        return fits ? b : fail("needs square matrices, their factors and as many rows: a is ", a, ", b is ", c.operand[1], ", c is ", b);
    }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t m) { return n * m; }
    static void matrix(attributes const& attr, std::int64_t n, std::int64_t m, double const* const* in, double* x) {
        double const* const f = in[1];
        bool const transposed = attr.n[0] != 0;
        for (std::int64_t i = 0; i < n * m; ++i) x[i] = in[2][i];
        if (!transposed) exchange(f, n, m, x, false);
        triangular_solve::substitute(f, transposed, transposed, !transposed, n, m, x, x);
        triangular_solve::substitute(f, !transposed, transposed, transposed, n, m, x, x);
        if (transposed) exchange(f, n, m, x, true);
    }
    static void exchange(double const* f, std::int64_t n, std::int64_t m, double* x, bool back) {
        for (std::int64_t step = 0; step < n; ++step) {
            std::int64_t const i = back ? n - 1 - step : step, pivot = static_cast<std::int64_t>(f[n * n + i]);
            for (std::int64_t j = 0; j < m; ++j) core::exchange(x[i * m + j], x[pivot * m + j]);
        }
    }
    static constexpr auto solved(attributes const& attr, auto a, auto f, auto b) -> decltype(a) {
        return decltype(a)::template emit<lu_solve>(a.owner(), attr, {}, {a, f, b});
    }
    static constexpr auto vjp(auto g, auto y, auto a, auto f, auto) {
        attributes other;
        other.n[0] = !y.attr().n[0];
        auto to_b = solved(other, a, f, g);
        auto to_a = y.attr().n[0] ? y.matmul(to_b.transposed()) : to_b.matmul(y.transposed());
        return std::tuple{-to_a, decltype(g)(0.0), to_b};
    }
    template <int K>
    static constexpr auto directional(auto t, auto y, auto a, auto f, auto) {
        if constexpr (K == 2) return solved(y.attr(), a, f, t);
        else if constexpr (K == 1) return decltype(t)(0.0);
        else return -solved(y.attr(), a, f, (y.attr().n[0] ? t.transposed() : t).matmul(y));
    }
};

/// The identity, shaped like the square matrices x.
constexpr auto identity_like(auto x) {
    int const last = x.shape().rank() - 1;
    return gradus::where(x.index(last) == x.index(last - 1), x.number(1), 0).broadcast_to(x.shape());
}

}  // namespace gradus::inline GRADUS_ARCH::op
