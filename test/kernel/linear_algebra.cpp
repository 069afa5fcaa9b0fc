// SPDX-License-Identifier: BSL-1.0
#include <gradus/kernel/linear_algebra.hpp>
#include <gradus/op/linear_algebra.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

// Factorizations against the products that they are factors of, and against the textbook's text in double.
namespace {

namespace kernel = gradus::kernel;

template <class T>
struct matrix {
    std::int64_t rows, columns;
    std::vector<T> data;

    matrix(std::int64_t r, std::int64_t c) : rows(r), columns(c), data(static_cast<std::size_t>(r * c)) {}
    T& operator()(std::int64_t i, std::int64_t j) { return data[static_cast<std::size_t>(i * columns + j)]; }
    T operator()(std::int64_t i, std::int64_t j) const { return data[static_cast<std::size_t>(i * columns + j)]; }
    kernel::strided_matrix<T> read() const { return {data.data(), columns, 1}; }
};
/// Elements between -1 and 1, from a linear congruence.
template <class T>
matrix<T> drawn(std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
    matrix<T> m(rows, columns);
    for (T& x : m.data) x = static_cast<T>(static_cast<double>((seed = seed * 1664525u + 1013904223u) >> 8) * 0x1p-23 - 1);
    return m;
}
template <class T>
matrix<T> product(matrix<T> const& a, matrix<T> const& b, bool a_transposed = false, bool b_transposed = false) {
    std::int64_t const inner = a_transposed ? a.rows : a.columns;
    matrix<T> c(a_transposed ? a.columns : a.rows, b_transposed ? b.rows : b.columns);
    for (std::int64_t i = 0; i < c.rows; ++i)
        for (std::int64_t j = 0; j < c.columns; ++j) {
            double total = 0;
            for (std::int64_t k = 0; k < inner; ++k)
                total += static_cast<double>(a_transposed ? a(k, i) : a(i, k)) * static_cast<double>(b_transposed ? b(j, k) : b(k, j));
            c(i, j) = static_cast<T>(total);
        }
    return c;
}
template <class T>
double distance(matrix<T> const& a, matrix<T> const& b) {
    REQUIRE(a.data.size() == b.data.size());
    double most = 0;
    for (std::size_t i = 0; i < a.data.size(); ++i)
        most = std::max(most, std::abs(static_cast<double>(a.data[i]) - static_cast<double>(b.data[i])));
    return most;
}
/// Backward stable: the residual is at most a small multiple of n^2 ulp of the largest element that appears (Higham, "Accuracy
/// and stability of numerical algorithms", 9.3 and 10.1); elements here are below n, and growth by pivoting stays below 10.
template <class T>
double tolerance(std::int64_t n) {
    return static_cast<double>(std::numeric_limits<T>::epsilon()) * static_cast<double>(n * n) * 10;
}

/// Of the plain loops, of whole blocks, of blocks with one row more and one less.
constexpr std::int64_t sizes[] = {1, 2, 3, 5, 7, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 270};

}  // namespace

TEST_CASE_TEMPLATE("linear algebra: l l^T is the symmetric part of the matrix", T, float, double) {
    for (std::int64_t n : sizes) {
        matrix<T> const half = drawn<T>(n, n, 1), skew = drawn<T>(n, n, 2);
        matrix<T> a = product(half, half, false, true), given = a;
        for (std::int64_t i = 0; i < n; ++i) {
            a(i, i) = given(i, i) += 1;
            for (std::int64_t j = 0; j < i; ++j) given(i, j) += skew(i, j), given(j, i) -= skew(i, j);
        }
        matrix<T> l(n, n);
        kernel::cholesky(given.read(), l.data.data(), n);
        CHECK(distance(product(l, l, false, true), a) <= tolerance<T>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            CHECK(l(i, i) > 0);
            for (std::int64_t j = i + 1; j < n; ++j) CHECK(l(i, j) == 0);
        }
    }
}

TEST_CASE_TEMPLATE("linear algebra: solutions of systems satisfy them, transposed and of every triangle", T, float, double) {
    for (std::int64_t n : sizes) {
        std::int64_t const m = n == 33 ? 1 : n == 63 ? 65 : 3;
        matrix<T> a = drawn<T>(n, n, 3);
        matrix<T> const b = drawn<T>(n, m, 4);
        matrix<T> f(n + 1, n);
        kernel::lu_factor(a.read(), f.data.data(), n);
        for (bool transposed : {false, true}) {
            matrix<T> x = b;
            kernel::lu_solve(f.read(), transposed, x.data.data(), n, m);
            double largest = 1;
            for (T e : x.data) largest = std::max(largest, std::abs(static_cast<double>(e)));
            CHECK(distance(product(a, x, transposed), b) <= tolerance<T>(n) * largest);
        }
        for (std::int64_t i = 0; i < n; ++i) a(i, i) += static_cast<T>(n);
        for (int which = 0; which < 8; ++which) {
            bool const upper = which & 1, transposed = which & 2, unit = which & 4;
            matrix<T> t = a, x = b;
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t j = 0; j < n; ++j) {
                    if (upper ? j < i : j > i) t(i, j) = 0;
                    if (unit && i != j) t(i, j) /= static_cast<T>(n);
                    if (unit && i == j) t(i, j) = 1;
                }
            matrix<T> read = t;  // with what is not to be read
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t j = 0; j < n; ++j)
                    if ((upper ? j < i : j > i) || (unit && i == j)) read(i, j) = std::numeric_limits<T>::quiet_NaN();
            kernel::substitute(transposed ? read.read().transposed() : read.read(), upper != transposed, unit, x.data.data(), n, m);
            CHECK(distance(product(t, x, transposed), b) <= tolerance<T>(n));
        }
    }
}

TEST_CASE("linear algebra: kernels and the textbook's text agree") {
    for (std::int64_t n : {9, 47}) {
        constexpr std::int64_t m = 4;
        matrix<double> const a = drawn<double>(n, n, 5), b = drawn<double>(n, m, 6);
        matrix<double> f(n + 1, n), expected_f(n + 1, n), x = b, expected_x(n, m);
        double const* in[] = {a.data.data(), nullptr, nullptr};
        kernel::lu_factor(a.read(), f.data.data(), n);
        gradus::op::lu_factor::matrix({}, n, n, in, expected_f.data.data());
        CHECK(distance(f, expected_f) <= tolerance<double>(n));
        double const* all[] = {a.data.data(), f.data.data(), b.data.data()};
        for (bool transposed : {false, true}) {
            gradus::attributes attr;
            attr.n[0] = transposed;
            x = b;
            kernel::lu_solve(f.read(), transposed, x.data.data(), n, m);
            gradus::op::lu_solve::matrix(attr, n, m, all, expected_x.data.data());
            CHECK(distance(x, expected_x) <= 100 * tolerance<double>(n));  // the condition of the matrices is below 100
        }
        for (int which : {0, 1, 2}) {
            gradus::attributes attr;
            attr.n[0] = which;
            double y = 0;
            gradus::op::lu_determinant::matrix(attr, n, n, all, &y);
            CHECK(kernel::lu_determinant(f.read(), n, which) == doctest::Approx(y).epsilon(1e-12));  // products or sums of factors
        }
    }
}

TEST_CASE("linear algebra: determinants know the parity of the exchanges") {
    // a permutation of three: one exchange, then two
    matrix<double> swapped(3, 3), rotated(3, 3), f(4, 3);
    swapped(0, 1) = swapped(1, 0) = swapped(2, 2) = 1;
    rotated(0, 1) = rotated(1, 2) = rotated(2, 0) = 2;
    kernel::lu_factor(swapped.read(), f.data.data(), 3);
    CHECK(kernel::lu_determinant(f.read(), 3, 0) == -1);
    CHECK(kernel::lu_determinant(f.read(), 3, 2) == -1);
    kernel::lu_factor(rotated.read(), f.data.data(), 3);
    CHECK(kernel::lu_determinant(f.read(), 3, 0) == 8);
    CHECK(kernel::lu_determinant(f.read(), 3, 1) == doctest::Approx(std::log(8.0)).epsilon(1e-15));
}

TEST_CASE("linear algebra: singular and indefinite matrices make 0, infinities and NaN") {
    matrix<double> a(2, 2), f(3, 2), l(2, 2);
    a(0, 0) = a(0, 1) = a(1, 0) = a(1, 1) = 1;
    kernel::lu_factor(a.read(), f.data.data(), 2);
    CHECK(kernel::lu_determinant(f.read(), 2, 0) == 0);
    CHECK(kernel::lu_determinant(f.read(), 2, 1) == -std::numeric_limits<double>::infinity());
    CHECK(kernel::lu_determinant(f.read(), 2, 2) == 0);
    matrix<double> x(2, 1);
    x(0, 0) = 1;
    kernel::lu_solve(f.read(), false, x.data.data(), 2, 1);
    CHECK(!std::isfinite(x(0, 0)));
    a(0, 0) = 4;
    a(1, 1) = -1;
    kernel::cholesky(a.read(), l.data.data(), 2);
    CHECK(l(0, 0) == 2);
    CHECK(l(1, 0) == 0.5);
    CHECK(l(0, 1) == 0);
    CHECK(std::isnan(l(1, 1)));
    // a row that is none, as memory that nobody wrote may say: nothing is exchanged
    for (double wrong : {-1.0, 2.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
        matrix<double> eye(3, 2);
        eye(0, 0) = eye(1, 1) = 1;
        eye(2, 0) = eye(2, 1) = wrong;
        x(0, 0) = 1, x(1, 0) = 2;
        kernel::lu_solve(eye.read(), false, x.data.data(), 2, 1);
        CHECK(x(0, 0) == 1);
        CHECK(x(1, 0) == 2);
    }
}

TEST_CASE_TEMPLATE("linear algebra: the derivative of a factorization is the closed form's, of two lower triangles", T, float, double) {
    for (std::int64_t n : sizes) {
        matrix<T> l = drawn<T>(n, n, 8), g = drawn<T>(n, n, 9), s(n, n);
        matrix<double> of_l(n, n), of_g(n, n), expected(n, n);
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
                l(i, j) = i == j ? 2 + std::abs(l(i, j)) : l(i, j) / static_cast<T>(n);
                of_l(i, j) = static_cast<double>(l(i, j)), of_g(i, j) = static_cast<double>(g(i, j));
                if (j > i) l(i, j) = g(i, j) = std::numeric_limits<T>::quiet_NaN();
            }
        double const* in[] = {of_l.data.data(), of_g.data.data(), nullptr};
        gradus::op::cholesky_slope::matrix({}, n, n, in, expected.data.data());
        kernel::cholesky_slope(l.read(), g.read(), s.data.data(), n);
        double most = 0;
        for (std::size_t i = 0; i < s.data.size(); ++i) most = std::max(most, std::abs(static_cast<double>(s.data[i]) - expected.data[i]));
        CHECK(most <= tolerance<T>(n));
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < i; ++j) CHECK(s(i, j) == s(j, i));
    }
}

namespace {
/// Matrices of a batch, in memory of their own.
template <class T>
struct matrices {
    std::vector<matrix<T>> all;
    matrices(std::int64_t count, std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
        for (std::int64_t i = 0; i < count; ++i) all.push_back(drawn<T>(rows, columns, seed + static_cast<std::uint32_t>(i)));
    }
    kernel::strided_matrix<T> operator[](std::int64_t i) const { return all[static_cast<std::size_t>(i)].read(); }
};
}  // namespace

TEST_CASE_TEMPLATE("linear algebra: small matrices of a batch are what they are alone", T, float, double) {
    for (std::int64_t n : {1, 2, 3, 4, 6, 8, 9})
        for (std::int64_t count : {1, 2, 5, 17}) {
            std::int64_t const m = n == 4 ? 1 : n == 9 ? 2 : 3;
            matrices<T> a(count, n, n, 11), g(count, n, n, 90), b(count, n, m, 40), f(count, n + 1, n, 70);
            for (matrix<T>& one : a.all)
                for (std::int64_t i = 0; i < n; ++i) one(i, i) += static_cast<T>(3);
            if (count > 1) a.all[1](n - 1, n - 1) = -1;                            // not positive definite
            for (std::int64_t i = 0; count > 2 && i < n; ++i) a.all[2](i, 0) = 0;  // singular
            auto const check = [&](std::int64_t rows, std::int64_t columns, auto const& together, auto const& alone) {
                matrix<T> all(count, rows * columns), one(rows, columns);
                together(all.data.data());
                for (std::int64_t i = 0; i < count; ++i) {
                    alone(i, one.data.data());
                    for (std::int64_t j = 0; j < rows * columns; ++j) {
                        T const x = all(i, j), y = one.data[static_cast<std::size_t>(j)];
                        // the same steps, rounded with fma or without
                        bool const same = std::isfinite(y) ? std::abs(x - y) <= tolerance<T>(n) * (1 + std::abs(y)) : !std::isfinite(x);
                        CHECK(same);
                    }
                }
            };
            check(
                n, n, [&](T* to) { kernel::cholesky_of_all<true>(a, to, n, count); },
                [&](std::int64_t i, T* to) { kernel::cholesky(a[i], to, n); });
            check(
                n, n, [&](T* to) { kernel::cholesky_slope_of_all<true>(a, g, to, n, count); },
                [&](std::int64_t i, T* to) { kernel::cholesky_slope(a[i], g[i], to, n); });
            check(
                n + 1, n, [&](T* to) { kernel::lu_factor_of_all<true>(a, to, n, count); },
                [&](std::int64_t i, T* to) { kernel::lu_factor(a[i], to, n); });
            for (std::int64_t i = 0; i < count; ++i) kernel::lu_factor(g[i], f.all[static_cast<std::size_t>(i)].data.data(), n);
            for (int which = 0; which < 8; ++which) {
                bool const upper = which & 1, transposed = which & 2, unit = which & 4;
                auto const copied = [&](std::int64_t i, T* to) { kernel::copy_matrix(b[i], to, n, m); };
                check(
                    n, m, [&](T* to) { kernel::substitute_all<true>(a, upper, transposed, unit, b, to, n, m, count); },
                    [&](std::int64_t i, T* to) {
                        copied(i, to);
                        kernel::substitute(transposed ? a[i].transposed() : a[i], upper != transposed, unit, to, n, m);
                    });
                if (which % 4 < 2) continue;
                check(
                    n, m, [&](T* to) { kernel::lu_solve_all<true>(f, unit, b, to, n, m, count); },
                    [&](std::int64_t i, T* to) {
                        copied(i, to);
                        kernel::lu_solve(f[i], unit, to, n, m);
                    });
            }
        }
}

TEST_CASE_TEMPLATE("linear algebra: blocks keep what is finite before a row that is not positive definite, and pass over zeros", T, float,
                   double) {
    constexpr std::int64_t n = 100, bad = 70;
    matrix<T> const half = drawn<T>(n, n, 7);
    matrix<T> a = product(half, half, false, true), l(n, n), f(n + 1, n);
    for (std::int64_t i = 0; i < n; ++i) a(i, i) += 1;
    for (double wrong : {-1.0, 0.0, std::numeric_limits<double>::quiet_NaN()}) {
        matrix<T> given = a;
        given(bad, bad) = static_cast<T>(wrong);
        kernel::cholesky(given.read(), l.data.data(), n);
        for (std::int64_t i = 0; i < n; ++i) {
            CHECK(std::isnan(l(i, i)) == (i >= bad));
            for (std::int64_t j = 0; j < n; ++j)
                if (j > i) CHECK(l(i, j) == 0);
                else CHECK(std::isnan(l(i, j)) == (j >= bad));
        }
    }
    for (std::int64_t i = 0; i < n; ++i) a(i, bad) = 0;
    kernel::lu_factor(a.read(), f.data.data(), n);
    CHECK(kernel::lu_determinant(f.read(), n, 2) == 0);
    for (std::int64_t i = 0; i <= n; ++i)
        for (std::int64_t j = 0; j < n; ++j) CHECK(std::isfinite(f(i, j)));
    matrix<T> x = half;
    kernel::lu_solve(f.read(), false, x.data.data(), n, n);
    CHECK(!std::isfinite(x(bad, 0)));
}

namespace {

/// Small integers of a rank: a determinant, its cofactors and their derivatives are integers, and minors tell them.
using integers = std::vector<long>;
long minor_of(integers const& a, std::int64_t n, std::vector<std::int64_t> rows, std::vector<std::int64_t> const& columns) {
    if (rows.empty()) return 1;
    std::int64_t const row = rows.back();
    rows.pop_back();
    long total = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
        std::vector<std::int64_t> others = columns;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(j));
        total += ((rows.size() + j) % 2 ? -1 : 1) * a[static_cast<std::size_t>(row * n + columns[j])] * minor_of(a, n, rows, others);
    }
    return total;
}
std::vector<std::int64_t> all_but(std::int64_t i, std::int64_t n) {
    std::vector<std::int64_t> others;
    for (std::int64_t k = 0; k < n; ++k)
        if (k != i) others.push_back(k);
    return others;
}
long cofactor(integers const& a, std::int64_t n, std::int64_t i, std::int64_t j) {
    return ((i + j) % 2 ? -1 : 1) * minor_of(a, n, all_but(i, n), all_but(j, n));
}
/// Along e: one row after the other is taken from e.
long cofactor_along(integers const& a, integers const& e, std::int64_t n, std::int64_t i, std::int64_t j) {
    long total = 0;
    for (std::int64_t k = 0; k < n; ++k) {
        if (k == i) continue;
        integers moved = a;
        std::copy_n(e.begin() + k * n, n, moved.begin() + k * n);
        total += cofactor(moved, n, i, j);
    }
    return total;
}

}  // namespace

TEST_CASE_TEMPLATE("linear algebra: cofactors and their derivatives, whatever the rank", T, float, double) {
    std::uint32_t seed = 11;
    for (std::int64_t n = 1; n <= 5; ++n)
        for (std::int64_t rank = 0; rank <= n; ++rank)
            for (int trial = 0; trial < 4; ++trial) {
                matrix<T> a(n, n), e(n, n), f(n + 1, n), full(n + 2, n), y(n, n), slope(n, n);
                integers whole(static_cast<std::size_t>(n * n)), along(whole.size());
                auto draw = [&] { return static_cast<long>((seed = seed * 1664525u + 1013904223u) >> 16) % 5 - 2; };
                for (std::int64_t r = 0; r < rank; ++r) {
                    integers u, v;
                    for (std::int64_t i = 0; i < n; ++i) u.push_back(draw()), v.push_back(draw());
                    auto const columns = static_cast<std::size_t>(n);
                    for (std::size_t i = 0; i < whole.size(); ++i) whole[i] += u[i / columns] * v[i % columns];
                }
                for (std::size_t i = 0; i < whole.size(); ++i) {
                    along[i] = draw();
                    a.data[i] = static_cast<T>(whole[i]);
                    e.data[i] = static_cast<T>(along[i]);
                }
                kernel::lu_factor(a.read(), f.data.data(), n);
                gradus::op::lu_cofactors::compute(f.read(), n, y.data.data());
                gradus::op::full_factor::compute(a.read(), n, full.data.data());
                gradus::op::cofactor_slope::compute(full.read(), e.read(), n, slope.data.data());
                // elements are up to 4 rank: roundings of products of n - 1 of them, n! terms of which few are large
                double const largest = std::pow(4.0 * static_cast<double>(rank + 1), static_cast<double>(n - 1));
                double const tolerance = 4 * static_cast<double>(std::numeric_limits<T>::epsilon()) * largest;
                for (std::int64_t i = 0; i < n; ++i)
                    for (std::int64_t j = 0; j < n; ++j) {
                        auto const expected = static_cast<double>(cofactor(whole, n, i, j)),
                                   moved = static_cast<double>(cofactor_along(whole, along, n, i, j));
                        CHECK(std::abs(static_cast<double>(y(i, j)) - expected) <= tolerance);
                        CHECK(std::abs(static_cast<double>(slope(i, j)) - moved) <= tolerance);
                    }
            }
}
