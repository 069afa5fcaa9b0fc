// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Systems of equations in compiled programs: batches, views as operands, float; values and gradients.
namespace {

namespace gr = gradus;

constexpr auto m = gr::var<"m", double, "n", 4, 4>;
constexpr auto b = gr::var<"b", double, 4, 2>;
constexpr auto v = gr::var<"v", double, 4>;
constexpr auto single = gr::var<"single", float, 3, 3>;
constexpr auto apart = gr::let([] { return m + gr::diag(v * v + gr::constant<6>); });

using compare::check_all;
template <class X, class... F>
void check_gradient(X of, F... f) {
    check_all(f..., gr::grad((gr::sum(f * f) + ...), of));
}

}  // namespace

TEST_CASE("compiled kernels: systems of equations, batched") {
    check_gradient(m, gr::solve(apart, b), gr::solve(gr::transpose<0, 2, 1>(apart), v), gr::det(apart), gr::logdet(apart));
}
TEST_CASE("compiled kernels: triangles, batched") {
    constexpr auto definite = gr::let([] { return gr::matmul(m, gr::transpose<0, 2, 1>(m)) + gr::diag(v * v + gr::constant<1>); });
    check_gradient(b,
                   gr::solve_triangular<gr::triangle{.upper = true, .unitriangular = true}>(gr::cholesky(definite) * gr::constant<0.5>, b),
                   gr::solve_triangular<gr::triangle{.transposed = true}>(apart, b));
}
TEST_CASE("compiled kernels: inverse and sign in float") {
    constexpr auto a = gr::let([] { return single + gr::diag(gr::abs(gr::diagonal(single)) + gr::constant<4>); });
    constexpr auto parts = gr::slogdet(a);
    check_all(gr::inv(a), std::get<0>(parts), std::get<1>(parts), gr::grad(gr::sum(gr::inv(a)), single));
}
