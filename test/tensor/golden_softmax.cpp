// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Sums of exponentials and what is divided by them.
namespace {

namespace gr = gradus;
using golden_tensors::check;
using vector = gr::tensor<double, gr::dyn>;
using matrix = gr::tensor<double, 4, 5>;
using block = gr::tensor<double, 2, 3, 4>;

}  // namespace

TEST_CASE("golden: tensors, logsumexp") {
    check<vector>("reduction", "logsumexp", "[7] axes=None keepdim=False", [](auto const& x) { return gr::logsumexp(x); });
    check<matrix>("reduction", "logsumexp", "[4, 5] axes=(0,) keepdim=False", [](auto const& x) { return gr::logsumexp<0>(x); });
    check<matrix>("reduction", "logsumexp", "[4, 5] axes=(1,) keepdim=True",
                  [](auto const& x) { return gr::logsumexp<1, gr::keepdim>(x); });
}
TEST_CASE("golden: tensors, softmax and log_softmax") {
    auto const of_vector = [](auto const& x) { return gr::softmax(x); };
    check<vector>("reduction", "softmax", "[6] axis=0", of_vector);
    check<vector>("reduction", "softmax", "shifted by 1000", of_vector);
    check<gr::tensor<double, 3, 5>>("reduction", "softmax", "[3, 5] axis=1", [](auto const& x) { return gr::softmax<1>(x); });
    check<gr::tensor<double, 3, 5>>("reduction", "softmax", "[3, 5] axis=0", [](auto const& x) { return gr::softmax<0>(x); });
    check<vector>("reduction", "log_softmax", "[6] axis=0", [](auto const& x) { return gr::log_softmax(x); });
    check<block>("reduction", "log_softmax", "[2, 3, 4] axis=1", [](auto const& x) { return gr::log_softmax<1>(x); });
}
