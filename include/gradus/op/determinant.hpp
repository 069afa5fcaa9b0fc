// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/lu.hpp>

// Determinants. Their derivatives are polynomials of the elements, which singular matrices have as well: first and second ones are
// computed without a division by a determinant, a pivot being divided by only where it is the largest of what is left. Kernels and
// interpreters run one text where a matrix is singular.
namespace gradus::inline GRADUS_ARCH::op {

/// Element k of row `row` of exchanges; k where it is no number of a row, as memory that nobody wrote may say.
constexpr std::int64_t exchange_at(auto const& f, std::int64_t row, std::int64_t k, std::int64_t n) {
    auto const place = f(row, k);
    return place >= 0 && place < static_cast<decltype(place)>(n) ? static_cast<std::int64_t>(place) : k;
}
/// Row-major elements, as an operand that is read by row and column.
constexpr auto rows_at(double const* data, std::int64_t n) {
    return [=](std::int64_t i, std::int64_t j) { return data[i * n + j]; };
}
template <class T>
constexpr void exchange_lines(T* x, std::int64_t i, std::int64_t j, std::int64_t line, std::int64_t step, std::int64_t count) {
    for (std::int64_t k = 0; i != j && k < count; ++k) core::exchange(x[i * line + k * step], x[j * line + k * step]);
}
/// to -= factor from.
template <class T>
constexpr void subtract_line(T* __restrict to, T const* __restrict from, T factor, std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k) to[k] -= factor * from[k];
}
/// x becomes l^-T x for the lower triangle l of f with ones on its diagonal.
template <class T>
constexpr void substitute_lower_transposed(auto const& f, std::int64_t n, T* x) {
    for (std::int64_t i = n - 1; i >= 0; --i)
        for (std::int64_t k = i + 1; k < n; ++k) subtract_line(x + i * n, x + k * n, f(k, i), n);
}

/// The cofactors of a, from a and its factors by lu_factor: with p a = l u they are det(p) p^-1 l^-T cof(u), and those of a
/// triangle are what substitution makes of the identity where it multiplies by all other pivots instead of dividing by one.
struct lu_cofactors : on_matrices<lu_cofactors, 2> {
    static constexpr auto name = "lu_cofactors";
    static constexpr auto runs_by = own_kernel::lu_cofactors;
    static constexpr int flops_per_column = 1;
    static constexpr auto vjp(auto g, auto y, auto a, auto f);
    template <int K>
    static constexpr auto directional(auto t, auto y, auto a, auto f);
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!is_factored(c)) return fail("needs square matrices and their factors: a is ", c.operand[0], ", b is ", c.operand[1]);
        return c.operand[0];
    }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t) { return n * n; }
    static void matrix(attributes const&, std::int64_t n, std::int64_t, double const* const* in, double* y) {
        compute(rows_at(in[1], n), n, y);
    }
    template <class T>
    static constexpr void compute(auto const& f, std::int64_t n, T* y) {
        T before = 1, after = 1;  // the sign and the pivots above a row, the pivots below it
        for (std::int64_t k = 0; k < n; ++k) before = exchange_at(f, n, k, n) == k ? before : -before;
        for (std::int64_t i = n - 1; i >= 0; after *= f(i, i), --i) {
            T* const row = y + i * n;
            for (std::int64_t j = 0; j < n; ++j) row[j] = 0;
            row[i] = after;
            T between = 1;
            for (std::int64_t m = i + 1; m < n; ++m) {
                subtract_line(row + m, y + m * n + m, f(i, m) * between, n - m);
                between *= f(m, m);
            }
        }
        for (std::int64_t i = 0; i < n; before *= f(i, i), ++i) {  // turned, as u is
            y[i * n + i] *= before;
            for (std::int64_t j = i + 1; j < n; ++j) {
                y[j * n + i] = before * y[i * n + j];
                y[i * n + j] = 0;
            }
        }
        substitute_lower_transposed(f, n, y);
        for (std::int64_t k = n - 1; k >= 0; --k) exchange_lines(y, k, exchange_at(f, n, k, n), n, 1, n);
    }
};

/// p a q = l d u with the largest element of all that is left as a pivot: l and u, with ones on their diagonals and nothing larger
/// beside them, around the pivots d, zeros last; then a row of exchanges of rows and one of exchanges of columns.
struct full_factor : on_matrices<full_factor, 1> {
    static constexpr auto name = "full_factor";
    static constexpr auto runs_by = own_kernel::full_factor;
    static constexpr int flops_per_column = 1;
    static constexpr tensor_type infer(call const& c, complaint& fail) { return with_more_rows(c, 2, fail); }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t) { return n * (n + 2); }
    static void matrix(attributes const&, std::int64_t n, std::int64_t, double const* const* in, double* f) {
        compute(rows_at(in[0], n), n, f);
    }
    template <class T>
    static void compute(auto const& a, std::int64_t n, T* f) {
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < n; ++j) f[i * n + j] = a(i, j);
        for (std::int64_t k = 0; k < n; ++k) {
            std::int64_t row = k, column = k;
            for (std::int64_t i = k; i < n; ++i)
                for (std::int64_t j = k; j < n; ++j)
                    if (std::abs(f[i * n + j]) > std::abs(f[row * n + column])) row = i, column = j;
            f[n * n + k] = static_cast<T>(row);
            f[(n + 1) * n + k] = static_cast<T>(column);
            exchange_lines(f, k, row, n, 1, n);
            exchange_lines(f, k, column, 1, n, n);
            T* const line = f + k * n;
            if (line[k] == 0) continue;  // so is the rest
            for (std::int64_t i = k + 1; i < n; ++i) {
                f[i * n + k] /= line[k];
                subtract_line(f + i * n + k + 1, line + k + 1, f[i * n + k], n - k - 1);
            }
            for (std::int64_t j = k + 1; j < n; ++j) line[j] /= line[k];
        }
    }
    static constexpr auto vjp(auto g, auto, auto) { return decltype(g)(0.0); }
    static constexpr auto jvp(auto t, auto, auto) { return decltype(t)(0.0); }
};

/// The derivative of the cofactors of a along e, for a, its factors by full_factor, and e: symmetric in what it is along and by.
/// Between l and u stands a diagonal d, and along x = l^-1 p e q u^-1 its cofactors have the derivative
/// sum_i w_ij x_ii on the diagonal, -w_ij x_ji beside it, w_ij being the product of all other pivots.
struct cofactor_slope : on_matrices<cofactor_slope, 3> {
    static constexpr auto name = "cofactor_slope";
    static constexpr auto runs_by = own_kernel::cofactor_slope;
    static constexpr int flops_per_column = 2;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &f = c.operand[1], &e = c.operand[2];
        bool fits = is_square(a, c) && e.type == a.type && c.same(e.shape, a.shape) && f.type == a.type && f.shape.rank() == a.shape.rank();
        fits = fits && c.same(rows_of(f.shape), columns_of(a.shape) + 2);
        return fits ? a : fail("needs square matrices, their factors and as many matrices: a is ", a, ", b is ", f, ", c is ", e);
    }
    static constexpr std::int64_t result_size(std::int64_t n, std::int64_t) { return n * n; }
    static void matrix(attributes const&, std::int64_t n, std::int64_t, double const* const* in, double* y) {
        compute(rows_at(in[1], n), rows_at(in[2], n), n, y);
    }
    template <class T>
    static void compute(auto const& f, auto const& e, std::int64_t n, T* y) {
        T sign = 1;
        for (std::int64_t k = 0; k < n; ++k) sign = (exchange_at(f, n, k, n) == k) == (exchange_at(f, n + 1, k, n) == k) ? sign : -sign;
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < n; ++j) y[i * n + j] = e(i, j);
        for (std::int64_t k = 0; k < n; ++k) {
            exchange_lines(y, k, exchange_at(f, n, k, n), n, 1, n);
            exchange_lines(y, k, exchange_at(f, n + 1, k, n), 1, n, n);
        }
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t k = 0; k < i; ++k) subtract_line(y + i * n, y + k * n, f(i, k), n);
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t k = 0; k < n; ++k)
                for (std::int64_t j = k + 1; j < n; ++j) y[i * n + j] -= y[i * n + k] * f(k, j);
        of_diagonal(f, sign, n, y);
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = n - 1; j >= 0; --j)
                for (std::int64_t k = j + 1; k < n; ++k) y[i * n + j] -= y[i * n + k] * f(j, k);
        substitute_lower_transposed(f, n, y);
        for (std::int64_t k = n - 1; k >= 0; --k) {
            exchange_lines(y, k, exchange_at(f, n, k, n), n, 1, n);
            exchange_lines(y, k, exchange_at(f, n + 1, k, n), 1, n, n);
        }
    }
    template <class T>
    static constexpr void of_diagonal(auto const& f, T sign, std::int64_t n, T* x) {
        T before = sign, slope_before = 0;  // of the product of the pivots above, each moving along its element of x
        for (std::int64_t i = 0; i < n; ++i) {
            T after = 1, slope_after = 0;
            for (std::int64_t k = n - 1; k > i; --k) {
                slope_after = slope_after * f(k, k) + after * x[k * n + k];
                after *= f(k, k);
            }
            for (std::int64_t j = i + 1; j < n; ++j) {
                T others = before;
                for (std::int64_t k = i + 1; k < n; ++k) others *= k == j ? T(1) : f(k, k);
                T const upper = x[i * n + j];
                x[i * n + j] = -others * x[j * n + i];
                x[j * n + i] = -others * upper;
            }
            T const moved = x[i * n + i];
            x[i * n + i] = before * slope_after + slope_before * after;
            slope_before = slope_before * f(i, i) + before * moved;
            before *= f(i, i);
        }
    }
    static constexpr auto of(auto a, auto e) -> decltype(a) {
        auto const f = decltype(a)::template emit<full_factor>(a.owner(), {}, {}, {a});
        return decltype(a)::template emit<cofactor_slope>(a.owner(), {}, {}, {a, f, e});
    }
    static constexpr auto vjp(auto g, auto, auto a, auto, auto e) { return std::tuple{by_matrix(a, e, g), decltype(g)(0.0), of(a, g)}; }
    template <int K>
    static constexpr auto directional(auto t, auto, auto a, auto, auto e) {
        if constexpr (K == 2) return of(a, t);
        else if constexpr (K == 1) return decltype(t)(0.0);
        else return by_matrix(a, e, t);
    }
    static constexpr auto by_matrix(auto a, auto e, auto g);
};

constexpr auto lu_cofactors::vjp(auto g, auto, auto a, auto) { return std::pair{cofactor_slope::of(a, g), decltype(g)(0.0)}; }
template <int K>
constexpr auto lu_cofactors::directional(auto t, auto, auto a, auto) {
    if constexpr (K == 1) return decltype(t)(0.0);
    else return cofactor_slope::of(a, t);
}

/// Of a and its factors, n[0] is 0: the determinant; 1: the logarithm of its absolute value; 2: its sign. The derivative of the
/// determinant is the matrix of cofactors, that of the logarithm a^-T: infinite or NaN for a singular a.
struct lu_determinant : on_matrices<lu_determinant, 2> {
    static constexpr auto name = "lu_determinant";
    static constexpr auto runs_by = own_kernel::lu_determinant;
    static constexpr int flops_per_column = 1;
    static constexpr int which(attributes const& attr) { return static_cast<int>(attr.n[0]); }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (!is_factored(c)) return fail("needs square matrices and their factors: a is ", c.operand[0], ", b is ", c.operand[1]);
        return {c.operand[0].type, op::matmul::leading(c.operand[0].shape)};
    }
    static constexpr std::int64_t result_size(std::int64_t, std::int64_t) { return 1; }
    static void matrix(attributes const& attr, std::int64_t n, std::int64_t, double const* const* in, double* y) {
        double product = 1, sum = 0, sign = 1;
        for (std::int64_t i = 0; i < n; ++i) {
            double const d = in[1][i * n + i], s = in[1][n * n + i] == static_cast<double>(i) ? 1 : -1;
            product *= s * d;
            sum += std::log(std::abs(d));
            sign *= s * (d > 0 ? 1 : d < 0 ? -1 : d);
        }
        *y = attr.n[0] == 0 ? product : attr.n[0] == 1 ? sum : sign;
    }
    static constexpr auto of(auto a, std::int64_t which) -> decltype(a) {
        attributes attr;
        attr.n[0] = which;
        return decltype(a)::template emit<lu_determinant>(a.owner(), attr, {}, {a, lu_factor::of(a)});
    }
    static constexpr auto inverse_transposed(auto a, auto f) {
        attributes transposed;
        transposed.n[0] = 1;
        return lu_solve::solved(transposed, a, f, identity_like(a));
    }
    static constexpr auto slope(auto y, auto a, auto f) -> decltype(a) {
        if (y.attr().n[0] != 0) return inverse_transposed(a, f);
        return decltype(a)::template emit<lu_cofactors>(a.owner(), {}, {}, {a, f});
    }
    static constexpr auto vjp(auto g, auto y, auto a, auto f) {
        if (y.attr().n[0] == 2) return std::pair{decltype(g)(0.0), decltype(g)(0.0)};
        return std::pair{g.reshape(matrices(y.shape(), 1, 1)) * slope(y, a, f), decltype(g)(0.0)};
    }
    template <int K>
    static constexpr auto directional(auto t, auto y, auto a, auto f) {
        if (K == 1 || y.attr().n[0] == 2) return decltype(t)(0.0);
        return (slope(y, a, f) * t).sum(std::int64_t{3} << (a.shape().rank() - 2), false);
    }
};

/// The third derivative along e and g, by the inverse s^T: NaN for a singular a, whose determinant has second derivatives at most.
constexpr auto cofactor_slope::by_matrix(auto a, auto e, auto g) {
    auto const s = lu_determinant::inverse_transposed(a, lu_factor::of(a));
    auto const trace = [&](auto x, auto y) { return (x * y).sum(std::int64_t{3} << (a.shape().rank() - 2), true); };
    auto const turned = [&](auto x) { return s.matmul(x.transposed()).matmul(s); };
    auto const along_e = turned(e), along_g = turned(g);
    auto const te = trace(s, e), tg = trace(s, g);
    auto const mixed = s.matmul(g.transposed()).matmul(along_e) + s.matmul(e.transposed()).matmul(along_g);
    auto const det = lu_determinant::of(a, 0);
    return det.reshape(matrices(det.shape(), 1, 1)) * ((te * tg - trace(along_e, g)) * s - tg * along_e - te * along_g + mixed);
}

}  // namespace gradus::inline GRADUS_ARCH::op
