// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Every elementwise operation of two operands, and where. One statement on vectors of any length serves the cases whose
// operands have one shape; broadcasts are tried with another operation each.
namespace {

namespace gr = gradus;
using golden_tensors::check;
using vector = gr::tensor<double, gr::dyn>;

template <class F>
void binary(std::string const& op, F f) {
    check<vector, vector>("binary", op, "", f);
}

}  // namespace

TEST_CASE("golden: tensors, two operands") {
    binary("add", [](auto const& a, auto const& b) { return a + b; });
    binary("sub", [](auto const& a, auto const& b) { return a - b; });
    binary("mul", [](auto const& a, auto const& b) { return a * b; });
    binary("div", [](auto const& a, auto const& b) { return a / b; });
    binary("pow", [](auto const& a, auto const& b) { return gr::pow(a, b); });
    binary("maximum", [](auto const& a, auto const& b) { return gr::maximum(a, b); });
    binary("minimum", [](auto const& a, auto const& b) { return gr::minimum(a, b); });
    check<vector, vector, gr::tensor<std::int64_t, gr::dyn>>(
        "binary", "where", "", [](auto const& a, auto const& b, auto const& mask) { return gr::where(mask != 0, a, b); });
}
TEST_CASE("golden: tensors, broadcasts") {
    check<gr::tensor<double, 4, 3>, gr::tensor<double, 3>>("binary", "mul", "[4, 3],[3]",
                                                           [](auto const& a, auto const& b) { return a * b; });
    check<gr::tensor<double, 3, 1>, gr::tensor<double, 1, 4>>("binary", "div", "[3, 1],[1, 4]",
                                                              [](auto const& a, auto const& b) { return a / b; });
    check<gr::tensor<double>, gr::tensor<double, 2, 3>>("binary", "pow", "[],[2, 3]",
                                                        [](auto const& a, auto const& b) { return gr::pow(a, b); });
    check<gr::tensor<double, 2, 3, 4>, gr::tensor<double, 3, 1>>("binary", "maximum", "[2, 3, 4],[3, 1]",
                                                                 [](auto const& a, auto const& b) { return gr::maximum(a, b); });
}
