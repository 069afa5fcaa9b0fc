// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// One operation of each family of those that are found in the expression or made of others.
namespace {

namespace gr = gradus;
using golden_tensors::check, golden_tensors::t;
using vector = t<gr::dyn>;

}  // namespace

TEST_CASE("golden: tensors, operations found in the expression") {
    check<vector>("unary", "sinh", "", [](auto const& x) { return gr::sinh(x); });
    check<vector>("edges", "asinh", "", [](auto const& x) { return gr::asinh(x); });
    check<vector>("edges", "exp2", "", [](auto const& x) { return gr::exp2(x); });
    check<vector, vector>("binary", "logaddexp", "", [](auto const& a, auto const& b) { return gr::logaddexp(a, b); });
}
TEST_CASE("golden: tensors, activations") {
    check<vector>("unary", "gelu", "", [](auto const& x) { return gr::gelu(x); });
    check<vector>("edges", "leaky_relu", "", [](auto const& x) { return gr::leaky_relu(x); });
    check<vector>("edges", "clamp", "", [](auto const& x) { return gr::clamp(x, -1, 1.5); });
}
TEST_CASE("golden: tensors, reductions and scans made of others") {
    check<t<4, 5>>("reduction", "var", "[4, 5] axes=(0,) keepdim=False", [](auto const& x) { return gr::variance<0>(x); });
    check<t<3>>("reduction", "prod", "one zero", [](auto const& x) { return gr::prod(x); });
    check<t<3, 5>>("reduction", "cumprod", "[3, 5] axis=1", [](auto const& x) { return gr::cumprod<1>(x); });
}
TEST_CASE("golden: tensors, rearrangements") {
    check<t<3, 2>>("shape", "flip", "axis 0", [](auto const& x) { return gr::flip<0>(x); });
    check<t<4, 4>>("shape", "tril", "4x4", [](auto const& x) { return gr::tril(x); });
    check<t<4, 4>>("shape", "trace", "4x4", [](auto const& x) { return gr::trace(x); });
    check<t<2, 3>, t<2, 3>>("shape", "stack", "axis 1", [](auto const& a, auto const& b) { return gr::stack<1>(a, b); });
}
TEST_CASE("golden: tensors, rows by indices") {
    check<t<6, 4>, gr::tensor<std::int64_t, 2, 3>>("nn", "embedding", "repeated ids",
                                                   [](auto const& table, auto const& ids) { return gr::embedding(table, ids); });
    check<t<3, 4>, gr::tensor<std::int64_t, 3, 2>>("shape", "gather", "axis 1",
                                                   [](auto const& x, auto const& index) { return gr::gather<1>(x, index); });
}
TEST_CASE("golden: tensors, losses and blocks") {
    check<t<4, 3>, t<4, 3>>("nn", "huber_loss", "delta 1", [](auto const& a, auto const& b) { return gr::huber_loss(a, b); });
    check<t<4, 6>, t<6>, t<6>>("nn", "layer_norm", "[4,6] affine",
                               [](auto const& x, auto const& w, auto const& b) { return gr::layer_norm(x, w, b); });
    check<t<2, 2, 5, 4>, t<2, 2, 5, 4>, t<2, 2, 5, 4>>(
        "nn", "scaled_dot_product_attention", "causal=True",
        [](auto const& q, auto const& k, auto const& v) { return gr::scaled_dot_product_attention<true>(q, k, v); });
}
