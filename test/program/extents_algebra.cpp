// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

// Factorizations and systems of equations with a named extent, compiled: kernels take it at run time. The interpreter, which has the
// textbook's loops, is the reference, for no rows, one, few, and more than a block has.
namespace {

namespace gr = gradus;
using namespace gr::literals;

template <class... F>
void check_sizes(F...) {
    auto const program = compare::subject_of<gr::expressions<F...>>();
    CAPTURE(gr::print(program.optimized).str());
    for (std::int64_t size : {0, 1, 2, 19, 70}) {
        CAPTURE(size);
        // the matrices are 2 beside the diagonal's sums of at most 70 times 0.033: well conditioned, so that compare's tolerance holds
        compare::running(program, size, 41).check(compare::inputs::positive);
    }
}
constexpr auto s = gr::var<"s", double, "n", "n">;
constexpr auto v = gr::var<"v", double, "n">;
constexpr auto h = gr::var<"h", double, 3>;
constexpr auto matrix = gr::let([] { return 2_c * gr::eye<double, "n"> + 0.02_c * s; });

}  // namespace

TEST_CASE("named extents: solve, inv, det, logdet, slogdet and their derivatives") {
    constexpr auto x = gr::solve(matrix, v);
    constexpr auto both = gr::slogdet(matrix);
    constexpr auto loss = gr::sum(gr::square(x)) + gr::logdet(matrix);
    check_sizes(x, gr::inv(matrix), gr::det(matrix), std::get<0>(both) * std::get<1>(both), gr::grad(loss, s), gr::grad(loss, v),
                gr::grad(gr::det(matrix), s));
}
TEST_CASE("named extents: a Gaussian process, value and derivatives") {
    constexpr auto lower = gr::let([] {
        auto const apart = (gr::unsqueeze<1>(v) - gr::unsqueeze<0>(v)) / gr::select<0, 0>(h);
        return gr::cholesky(gr::select<0, 1>(h) * gr::exp(-gr::square(apart)) + (2_c + gr::select<0, 2>(h)) * gr::eye<double, "n">);
    });
    constexpr auto likelihood = -gr::sum(gr::square(gr::solve_triangular(lower, gr::sin(9_c * v)))) - gr::sum(gr::log(gr::diagonal(lower)));
    check_sizes(lower, likelihood, gr::grad(likelihood, h), gr::grad(likelihood, v));
}
