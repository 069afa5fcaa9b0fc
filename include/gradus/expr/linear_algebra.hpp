// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/structure.hpp>

#include <tuple>

// The vocabulary, continued: matrices in the last two axes, a batch in those before. Bad input makes NaN and infinities.
namespace gradus::inline GRADUS_ARCH {

/// Which triangle of a matrix stands in a system of equations: `gr::solve_triangular<gr::triangle{.upper = true}>(a, b)`.
struct triangle {
    bool upper = false, transposed = false, unitriangular = false;
};

namespace core {
constexpr parameters triangle_parameters(triangle const& t) {
    return {op::triangular_solve::of_triangle(t.upper, t.transposed, t.unitriangular), {}};
}
constexpr parameters sign_of_determinant() { return {op::slogdet::sign(), {}}; }
}  // namespace core

/// The lower triangle l with l l^T = (a + a^T) / 2 and a positive diagonal; NaN from the row on where a is not positive definite.
constexpr auto cholesky(general_operand auto a) { return apply<op::cholesky>(std::move(a)); }
/// x with a x = b; b is a vector or has matrices. Infinite or NaN for a singular a.
constexpr auto solve(general_operand auto a, general_operand auto b) { return apply<op::solve>(std::move(a), std::move(b)); }
/// x with op(t) x = b for a triangle t of a, the lower one by default; the other triangle is not read.
template <triangle Of = triangle{}>
constexpr auto solve_triangular(general_operand auto a, general_operand auto b) {
    return apply<with<op::solve_triangular, core::triangle_parameters(Of)>>(std::move(a), std::move(b));
}
/// a^-1; prefer solve(a, b) to inv(a) b. Infinite or NaN for a singular a.
constexpr auto inv(general_operand auto a) { return apply<op::inv>(std::move(a)); }
/// The determinant; its derivative is the matrix of cofactors, which a singular matrix has as well.
constexpr auto det(general_operand auto a) { return apply<op::det>(std::move(a)); }
/// log det a: NaN for a negative determinant, -infinity for 0.
constexpr auto logdet(general_operand auto a) { return apply<op::logdet>(std::move(a)); }
/// The sign of det a and log |det a|, which does not overflow.
constexpr auto slogdet(general_operand auto a) {
    return std::tuple{apply<with<op::slogdet, core::sign_of_determinant()>>(a), apply<op::slogdet>(a)};
}

}  // namespace gradus::inline GRADUS_ARCH
