// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Sums, means and maxima over all axes, over one, and with axes kept.
namespace {

namespace gr = gradus;
using golden_tensors::check;
using vector = gr::tensor<double, gr::dyn>;
using matrix = gr::tensor<double, 4, 5>;
using block = gr::tensor<double, 2, 3, 4>;

}  // namespace

TEST_CASE("golden: tensors, sum and mean") {
    check<vector>("reduction", "sum", "[7] axes=None keepdim=False", [](auto const& x) { return gr::sum(x); });
    check<matrix>("reduction", "sum", "[4, 5] axes=(0,) keepdim=False", [](auto const& x) { return gr::sum<0>(x); });
    check<block>("reduction", "sum", "[2, 3, 4] axes=(0, 2) keepdim=True", [](auto const& x) { return gr::sum<0, 2, gr::keepdim>(x); });
    check<matrix>("reduction", "mean", "[4, 5] axes=None keepdim=False", [](auto const& x) { return gr::mean(x); });
    check<block>("reduction", "mean", "[2, 3, 4] axes=(1,) keepdim=False", [](auto const& x) { return gr::mean<1>(x); });
}
TEST_CASE("golden: tensors, amax") {
    auto const of_all = [](auto const& x) { return gr::amax(x); };
    check<vector>("reduction", "amax", "[7] axes=None keepdim=False", of_all);
    check<vector>("reduction", "amax", "ties", of_all);
    check<matrix>("reduction", "amax", "[4, 5] axes=(1,) keepdim=True", [](auto const& x) { return gr::amax<1, gr::keepdim>(x); });
    check<block>("reduction", "amax", "[2, 3, 4] axes=(1,) keepdim=False", [](auto const& x) { return gr::amax<1>(x); });
}
