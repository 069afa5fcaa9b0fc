// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Matrix products of all ranks.
namespace {

namespace gr = gradus;
using golden_tensors::check, golden_tensors::t;

}  // namespace

TEST_CASE("golden: tensors, matrix products") {
    auto const product = [](auto const& a, auto const& b) { return gr::matmul(a, b); };
    check<t<5>, t<5>>("contraction", "matmul", "[5]@[5]", product);
    check<t<5>, t<5, 3>>("contraction", "matmul", "[5]@[5, 3]", product);
    check<t<4, 5>, t<5>>("contraction", "matmul", "[4, 5]@[5]", product);
    check<t<4, 5>, t<5, 3>>("contraction", "matmul", "[4, 5]@[5, 3]", product);
    check<t<17, 33>, t<33, 9>>("contraction", "matmul", "[17, 33]@[33, 9]", product);
    check<t<2, 4, 5>, t<2, 5, 3>>("contraction", "matmul", "[2, 4, 5]@[2, 5, 3]", product);
    check<t<2, 4, 5>, t<5, 3>>("contraction", "matmul", "[2, 4, 5]@[5, 3]", product);
    check<t<3, 1, 4, 5>, t<2, 5, 3>>("contraction", "matmul", "[3, 1, 4, 5]@[2, 5, 3]", product);
    check<t<4, 5>, t<3, 5>, t<3>>("contraction", "linear", "x[4,5] w[3,5] b[3]",
                                  [](auto const& x, auto const& w, auto const& b) { return gr::matmul(x, gr::transpose<>(w)) + b; });
    check<t<4>, t<3>>("contraction", "outer", "4,3", [](auto const& a, auto const& b) { return gr::reshape<4, 1>(a) * b; });
}
