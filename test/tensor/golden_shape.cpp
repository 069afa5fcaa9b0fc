// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Views, joined tensors and losses.
namespace {

namespace gr = gradus;
using golden_tensors::check, golden_tensors::t;

}  // namespace

TEST_CASE("golden: tensors, shapes") {
    check<t<2, 6>>("shape", "reshape", "[2,6]->[3,4]", [](auto const& x) { return gr::reshape<3, 4>(x); });
    check<t<2, 3>>("shape", "transpose", "[2,3]", [](auto const& x) { return gr::transpose<>(x); });
    check<t<2, 3, 4>>("shape", "permute", "[2,3,4]->(2,0,1)", [](auto const& x) { return gr::transpose<2, 0, 1>(x); });
    check<t<3, 1>>("shape", "broadcast_to", "[3,1]->[2,3,4]", [](auto const& x) { return gr::broadcast_to<2, 3, 4>(x); });
    check<t<5, 6>>("shape", "slice", "[5,6] rows 1:4, cols 0:6:2",
                   [](auto const& x) { return gr::slice<gr::range{1, 4}, gr::range{0, 6, 2}>(x); });
    check<t<2, 3>, t<4, 3>>("shape", "concatenate", "axis 0", [](auto const& a, auto const& b) { return gr::concatenate<0>(a, b); });
    check<t<2, 3>, t<2, 5>>("shape", "concatenate", "axis 1", [](auto const& a, auto const& b) { return gr::concatenate<1>(a, b); });
    check<t<2, 3>, t<2, 3>>("shape", "stack", "axis 1", [](auto const& a, auto const& b) {
        return gr::concatenate<1>(gr::reshape<2, 1, 3>(a), gr::reshape<2, 1, 3>(b));
    });
}
TEST_CASE("golden: tensors, losses") {
    auto const bce = [](auto const& x, auto const& y) { return gr::binary_cross_entropy_with_logits(x, y); };
    check<t<4, 3>, t<4, 3>>("nn", "binary_cross_entropy_with_logits", "mean", bce);
    t<4> const targets{1, 0, 1, 0};  // not in the file
    check<t<4>>("nn", "binary_cross_entropy_with_logits", "logits +-100",
                [=](auto const& x) { return gr::binary_cross_entropy_with_logits(x, targets); });
    check<t<4, 3>, t<4, 3>>("nn", "mse_loss", "mean", [](auto const& x, auto const& y) { return gr::mse_loss(x, y); });
    check<t<5, 7>, gr::tensor<std::int64_t, 5>>("nn", "cross_entropy", "class indices",
                                                [](auto const& x, auto const& labels) { return gr::cross_entropy(x, labels); });
    auto const x = gr::ones<double, 5>();
    auto const y = gr::zeros<double, 3>();
    auto const tutorial = [=](auto const& w, auto const& b) { return gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y); };
    check<t<5, 3>, t<3>>("tutorial", "tutorial", "x ones[5], y zeros[3]; loss and gradients of w[5,3], b[3]", tutorial);
}
