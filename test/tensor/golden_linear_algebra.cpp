// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Systems of equations and determinants.
namespace {

namespace gr = gradus;
using golden_tensors::check, golden_tensors::t;

}  // namespace

TEST_CASE("golden: tensors, linear algebra") {
    check<t<4, 4>>("linalg", "cholesky", "4x4 symmetrised input", [](auto const& a) { return gr::cholesky(a); });
    check<t<4, 4>, t<4, 2>>("linalg", "solve", "4x4, rhs 4x2", [](auto const& a, auto const& b) { return gr::solve(a, b); });
    check<t<4, 4>, t<4, 2>>("linalg", "triangular_solve", "lower", [](auto const& a, auto const& b) { return gr::solve_triangular(a, b); });
    check<t<4, 4>>("linalg", "inv", "4x4", [](auto const& a) { return gr::inv(a); });
    check<t<4, 4>>("linalg", "det", "4x4", [](auto const& a) { return gr::det(a); });
    check<t<4, 4>>("linalg", "logdet", "4x4", [](auto const& a) { return gr::logdet(a); });
}
TEST_CASE("linear algebra: the sign of a determinant has no derivative") {
    gr::tensor<double, 2, 2> a{{0, 2}, {1, 0}};
    a.requires_grad_();
    auto parts = gr::slogdet(a);
    gr::tensor sign = std::get<0>(parts), logarithm = std::get<1>(parts);
    CHECK(sign.item() == -1);
    CHECK(logarithm.item() == doctest::Approx(std::log(2.0)).epsilon(1e-15));
    gr::tensor both = sign * logarithm;
    both.backward();
    CHECK(a.grad()(0, 1) == doctest::Approx(-0.5).epsilon(1e-15));  // sign a^-T
    CHECK(a.grad()(1, 0) == doctest::Approx(-1).epsilon(1e-15));
    CHECK(a.grad()(0, 0) == 0);
}
