// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/linear_algebra/cholesky.hpp>
#include <gradus/kernel/linear_algebra/cholesky_slope.hpp>
#include <gradus/kernel/linear_algebra/lu.hpp>

#include <cmath>
#include <limits>

// Batches of small matrices: one of them per lane, an element of each a vector.
namespace gradus::inline GRADUS_ARCH::kernel {
namespace detail {

template <class T>
using lane_vector = simd::vec<T, simd::native_width<T>>;

inline constexpr std::int64_t most_rows_in_lanes = 8;
/// With the row of exchanges.
inline constexpr std::int64_t most_elements_in_lanes = (most_rows_in_lanes + 1) * most_rows_in_lanes;

/// Are vectors of all matrices quicker than one matrix after the other?
template <class T>
bool fits_lanes(std::int64_t n, std::int64_t columns, std::int64_t count) {
    return simd::native_width<T> > 1 && count > 1 && n <= most_rows_in_lanes && columns <= most_rows_in_lanes;
}

/// Matrices first .. first + some - 1 of `at`, element by element; the other lanes are zeros.
template <class T>
void load_lanes(auto const& at, std::int64_t first, int some, std::int64_t rows, std::int64_t columns, lane_vector<T>* to) {
    constexpr int W = simd::native_width<T>;
    constexpr auto room = static_cast<std::size_t>((most_elements_in_lanes + W) * W);
    alignas(64) T near[room];
    T copied[room];
    std::int64_t const size = rows * columns;
    strided_matrix<T> const a = at[first];
    T const* from = a.data;
    std::int64_t apart = some > 1 ? at[first + 1].data - from : size;
    bool dense = a.column == 1 && (a.row == columns || rows == 1);
    for (int i = 1; i < some; ++i) dense = dense && at[first + i].data == from + i * apart;
    if (!dense) {
        for (int i = 0; i < some; ++i) copy_matrix(at[first + i], copied + i * size, rows, columns);
        from = copied;
        apart = size;
    }
    pack_panel<T, 1>(from, {1, apart}, size, some, near);
    for (std::int64_t i = 0; i < size; ++i) to[i] = simd::load<T, W>(near + i * W);
}
/// One matrix after the other.
template <class T>
void store_lanes(lane_vector<T> const* from, T* to, std::int64_t size, int some) {
    constexpr int W = simd::native_width<T>;
    alignas(64) T near[static_cast<std::size_t>(most_elements_in_lanes * W)];
    for (std::int64_t i = 0; i < size; ++i) simd::store<T, W>(near + i * W, from[i]);
    unpack_panel<T, 1>(near, to, {1, size}, size, some);
}
/// f(first, some) for as many matrices at a time as there are lanes.
template <class T>
void for_lanes(std::int64_t count, auto const& f) {
    constexpr int W = simd::native_width<T>;
    for (std::int64_t first = 0; first < count; first += W) f(first, static_cast<int>(std::min<std::int64_t>(W, count - first)));
}

/// a becomes the lower l with l l^T = (a + a^T) / 2.
template <class T>
void cholesky_of_lanes(lane_vector<T>* a, std::int64_t n) {
    using std::sqrt;
    constexpr int W = simd::native_width<T>;
    auto const constant = [](T x) { return simd::broadcast<T, W>(x); };
    for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t i = j; i < n; ++i) {
            auto rest = (a[i * n + j] + a[j * n + i]) * constant(T(0.5));
            a[j * n + i] = constant(T(0));
            for (std::int64_t k = 0; k < j; ++k) rest -= a[i * n + k] * a[j * n + k];
            if (i > j) a[i * n + j] = rest / a[j * n + j];
            else a[i * n + j] = simd::select<T, W>(rest > constant(T(0)), sqrt(rest), constant(std::numeric_limits<T>::quiet_NaN()));
        }
}
/// Rows i and j of x in the lanes where `is` holds.
template <class T>
void exchange_in_lanes(simd::mask<T, simd::native_width<T>> is, lane_vector<T>* x, std::int64_t i, std::int64_t j, std::int64_t columns) {
    constexpr int W = simd::native_width<T>;
    for (std::int64_t k = 0; k < columns; ++k) {
        auto const first = x[i * columns + k], second = x[j * columns + k];
        x[i * columns + k] = simd::select<T, W>(is, second, first);
        x[j * columns + k] = simd::select<T, W>(is, first, second);
    }
}
/// As lu_factor does it, f having a row more.
template <class T>
void lu_of_lanes(lane_vector<T>* f, std::int64_t n) {
    using std::abs;
    constexpr int W = simd::native_width<T>;
    auto const constant = [](auto x) { return simd::broadcast<T, W>(static_cast<T>(x)); };
    for (std::int64_t k = 0; k < n; ++k) {
        auto largest = abs(f[k * n + k]), pivot = constant(k);
        for (std::int64_t i = k + 1; i < n; ++i) {
            auto const x = abs(f[i * n + k]);
            auto const is_larger = x > largest;
            largest = simd::select<T, W>(is_larger, x, largest);
            pivot = simd::select<T, W>(is_larger, constant(i), pivot);
        }
        f[n * n + k] = pivot;
        for (std::int64_t i = k + 1; i < n; ++i) exchange_in_lanes<T>(pivot == constant(i), f, k, i, n);
        auto const is_zero = f[k * n + k] == constant(0);
        for (std::int64_t i = k + 1; i < n; ++i) {
            auto const factor = f[i * n + k] / f[k * n + k];
            f[i * n + k] = simd::select<T, W>(is_zero, f[i * n + k], factor);
            for (std::int64_t j = k + 1; j < n; ++j)
                f[i * n + j] = simd::select<T, W>(is_zero, f[i * n + j], f[i * n + j] - factor * f[k * n + j]);
        }
    }
}
template <class T>
void lu_solve_in_lanes(lane_vector<T> const* f, bool transposed, lane_vector<T>* x, std::int64_t n, std::int64_t columns) {
    constexpr int W = simd::native_width<T>;
    auto const exchange = [&](std::int64_t k) {
        for (std::int64_t i = k + 1; i < n; ++i)
            exchange_in_lanes<T>(f[n * n + k] == simd::broadcast<T, W>(static_cast<T>(i)), x, k, i, columns);
    };
    strided_matrix<lane_vector<T>> const factors{f, transposed ? 1 : n, transposed ? n : 1};
    if (!transposed)
        for (std::int64_t k = 0; k < n; ++k) exchange(k);
    substitute_plain(factors, false, !transposed, x, n, columns);
    substitute_plain(factors, true, transposed, x, n, columns);
    if (transposed)
        for (std::int64_t k = n - 1; k >= 0; --k) exchange(k);
}

}  // namespace detail

// For `count` matrices, those of operands by number (a[i]), those of results one after the other. `Batch`: there may be several.

template <bool Batch, class T>
void cholesky_of_all(auto const& a, T* to, std::int64_t n, std::int64_t count) {
    if constexpr (Batch && !interprets)
        if (detail::fits_lanes<T>(n, n, count))
            return detail::for_lanes<T>(count, [&](std::int64_t first, int some) {
                detail::lane_vector<T> x[detail::most_elements_in_lanes];
                detail::load_lanes<T>(a, first, some, n, n, x);
                detail::cholesky_of_lanes<T>(x, n);
                detail::store_lanes<T>(x, to + first * n * n, n * n, some);
            });
    for (std::int64_t i = 0; i < count; ++i) cholesky(a[i], to + i * n * n, n);
}
template <bool Batch, class T>
void cholesky_slope_of_all(auto const& l, auto const& g, T* to, std::int64_t n, std::int64_t count) {
    if constexpr (Batch && !interprets)
        if (detail::fits_lanes<T>(n, n, count))
            return detail::for_lanes<T>(count, [&](std::int64_t first, int some) {
                detail::lane_vector<T> x[detail::most_elements_in_lanes], h[detail::most_elements_in_lanes];
                detail::load_lanes<T>(l, first, some, n, n, x);
                detail::load_lanes<T>(g, first, some, n, n, h);
                detail::cholesky_slope_of_block<detail::lane_vector<T>>({x, n, 1}, h, n, n);
                for (std::int64_t i = 0; i < n * n; ++i) h[i] *= simd::broadcast<T, simd::native_width<T>>(T(0.5));
                detail::store_lanes<T>(h, to + first * n * n, n * n, some);
            });
    for (std::int64_t i = 0; i < count; ++i) cholesky_slope(l[i], g[i], to + i * n * n, n);
}
template <bool Batch, class T>
void lu_factor_of_all(auto const& a, T* to, std::int64_t n, std::int64_t count) {
    std::int64_t const size = n * (n + 1);
    if constexpr (Batch && !interprets)
        if (detail::fits_lanes<T>(n, n, count))
            return detail::for_lanes<T>(count, [&](std::int64_t first, int some) {
                detail::lane_vector<T> x[detail::most_elements_in_lanes];
                detail::load_lanes<T>(a, first, some, n, n, x);
                detail::lu_of_lanes<T>(x, n);
                detail::store_lanes<T>(x, to + first * size, size, some);
            });
    for (std::int64_t i = 0; i < count; ++i) lu_factor(a[i], to + i * size, n);
}
/// `solve` and `solve_lanes` make the solution of a matrix of `rows` x n out of the right side, of one matrix and of lanes.
template <bool Batch, class T>
void solve_all(auto const& a, std::int64_t rows, auto const& b, T* to, std::int64_t n, std::int64_t columns, std::int64_t count,
               auto const& solve, auto const& solve_lanes) {
    std::int64_t const size = n * columns;
    if constexpr (Batch && !interprets)
        if (detail::fits_lanes<T>(n, columns, count))
            return detail::for_lanes<T>(count, [&](std::int64_t first, int some) {
                detail::lane_vector<T> t[detail::most_elements_in_lanes], x[detail::most_elements_in_lanes];
                detail::load_lanes<T>(a, first, some, rows, n, t);
                detail::load_lanes<T>(b, first, some, n, columns, x);
                solve_lanes(t, x);
                detail::store_lanes<T>(x, to + first * size, size, some);
            });
    for (std::int64_t i = 0; i < count; ++i) {
        copy_matrix(b[i], to + i * size, n, columns);
        solve(a[i], to + i * size);
    }
}
template <bool Batch, class T>
void lu_solve_all(auto const& f, bool transposed, auto const& b, T* to, std::int64_t n, std::int64_t columns, std::int64_t count) {
    solve_all<Batch>(
        f, n + 1, b, to, n, columns, count, [&](strided_matrix<T> const& one, T* x) { lu_solve(one, transposed, x, n, columns); },
        [&](auto const* all, auto* x) { detail::lu_solve_in_lanes<T>(all, transposed, x, n, columns); });
}
/// x with op(t) x = b for the upper or the lower triangle of a; op transposes, or does not.
template <bool Batch, class T>
void substitute_all(auto const& a, bool upper, bool transposed, bool unit, auto const& b, T* to, std::int64_t n, std::int64_t columns,
                    std::int64_t count) {
    bool const backwards = upper != transposed;
    solve_all<Batch>(
        a, n, b, to, n, columns, count,
        [&](strided_matrix<T> const& one, T* x) { substitute(transposed ? one.transposed() : one, backwards, unit, x, n, columns); },
        [&](detail::lane_vector<T> const* all, detail::lane_vector<T>* x) {
            strided_matrix<detail::lane_vector<T>> const one{all, n, 1};
            detail::substitute_plain(transposed ? one.transposed() : one, backwards, unit, x, n, columns);
        });
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
