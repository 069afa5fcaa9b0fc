// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/run_node.hpp>
#include <gradus/kernel/linear_algebra.hpp>
#include <gradus/op/linear_algebra.hpp>

// Kernels of one node: factorizations and substitutions, matrix after matrix (op/triangular.hpp, op/lu.hpp, op/determinant.hpp).
namespace gradus::inline GRADUS_ARCH::core {

/// The matrices of operand K: all operands of a node have the same leading axes.
template <class Source, int Node, int K>
struct operand_matrices {
    using A = operand_access<Source, Node, K>;
    using T = typename A::element;
    static constexpr int lead = A::extents.rank() - 2;
    numbers extents, strides;
    T const* first;

    explicit operand_matrices(run_context const& c)
        : extents(numbers_at<extents_of<Source, A::id>>(c.dimensions)),
          strides(numbers_at<strides_of<A>>(c.dimensions)),
          first(A::data(c)) {}
    std::int64_t rows() const { return extents.n[lead]; }
    std::int64_t columns() const { return extents.n[lead + 1]; }
    std::int64_t count() const {
        std::int64_t product = 1;
        for (int i = 0; i < lead; ++i) product *= extents.n[i];
        return product;
    }
    kernel::strided_matrix<T> operator[](std::int64_t batch) const {
        T const* at = first;
        for (int i = lead - 1; i >= 0; --i) {
            at += batch % extents.n[i] * strides.n[i];
            batch /= extents.n[i];
        }
        return {at, strides.n[lead], strides.n[lead + 1]};
    }
};

/// The cofactors of a matrix with the factors f: its determinant times a^-T where there is one, which costs two substitutions.
template <class T>
void cofactors(kernel::strided_matrix<T> const& f, T* y, std::int64_t n) {
    T const determinant = kernel::lu_determinant(f, n, 0);
    if (!std::isnormal(determinant)) return op::lu_cofactors::compute(f, n, y);
    for (std::int64_t i = 0; i < n * n; ++i) y[i] = 0;
    for (std::int64_t i = 0; i < n; ++i) y[i * n + i] = determinant;
    kernel::lu_solve(f, true, y, n, n);
}

template <class Source, int Node>
void run_on_matrices(run_context const& c) {
    using T = element_t<node_of<Source, Node>.type>;
    constexpr own_kernel which = node_of<Source, Node>.op->runs_by;
    constexpr attributes const& attr = attributes_of<Source, Node>;
    operand_matrices<Source, Node, 0> const a(c);
    std::int64_t const n = a.columns(), count = a.count();
    T* to = elements<Source, Node, T>(c);
    constexpr bool batch = operand_matrices<Source, Node, 0>::lead > 0;
    if constexpr (which == own_kernel::cholesky) {
        kernel::cholesky_of_all<batch>(a, to, n, count);
    } else if constexpr (which == own_kernel::cholesky_slope) {
        kernel::cholesky_slope_of_all<batch>(a, operand_matrices<Source, Node, 1>(c), to, n, count);
    } else if constexpr (which == own_kernel::lu_factor) {
        kernel::lu_factor_of_all<batch>(a, to, n, count);
    } else if constexpr (which == own_kernel::triangular_solve) {
        using t = op::triangular_solve;
        operand_matrices<Source, Node, 1> const b(c);
        kernel::substitute_all<batch>(a, t::is_upper(attr), t::transposes(attr), t::has_ones(attr), b, to, n, b.columns(), count);
    } else if constexpr (which == own_kernel::lu_solve) {
        operand_matrices<Source, Node, 1> const f(c);
        operand_matrices<Source, Node, 2> const b(c);
        kernel::lu_solve_all<batch>(f, op::lu_solve::transposes(attr), b, to, n, b.columns(), count);
    } else if constexpr (which == own_kernel::lu_cofactors) {
        operand_matrices<Source, Node, 1> const f(c);
        for (std::int64_t i = 0; i < count; ++i) cofactors(f[i], to + i * n * n, n);
    } else if constexpr (which == own_kernel::full_factor) {
        for (std::int64_t i = 0; i < count; ++i) op::full_factor::compute(a[i], n, to + i * n * (n + 2));
    } else if constexpr (which == own_kernel::cofactor_slope) {
        operand_matrices<Source, Node, 1> const f(c);
        operand_matrices<Source, Node, 2> const e(c);
        for (std::int64_t i = 0; i < count; ++i) op::cofactor_slope::compute(f[i], e[i], n, to + i * n * n);
    } else {
        static_assert(which == own_kernel::lu_determinant, "gradus: an operation on matrices without a kernel");
        operand_matrices<Source, Node, 1> const f(c);
        for (std::int64_t i = 0; i < count; ++i) to[i] = kernel::lu_determinant(f[i], n, op::lu_determinant::which(attr));
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
