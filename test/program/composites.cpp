// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Reductions, scans, losses, blocks and rearrangements that are made of other operations, many to a program: values, and the
// gradient of the sum of all results.
namespace {

namespace gr = gradus;

constexpr auto x = gr::var<"x", double, 3, 7>;
constexpr auto y = gr::var<"y", double, 3, 7>;
constexpr auto batch = gr::var<"batch", double, "n", 4, 3>;
constexpr auto scale = gr::var<"scale", double, 4>;
constexpr auto shift = gr::var<"shift", double, 4>;
constexpr auto v = gr::var<"v", double, 7>;
constexpr auto m = gr::var<"m", double, 4, 4>;

template <class X, class... F>
void check_all(X of, bool distinct, F... f) {
    using gradient = decltype(gr::grad((gr::sum(f * f) + ...), of));
    compare::check_values<gr::expressions<F..., gradient>>(distinct);
}

}  // namespace

TEST_CASE("compiled kernels: reductions made of others") {
    check_all(x, true, gr::amin<1>(x), gr::prod<1>(x), gr::variance<0>(x), gr::stddev<1, gr::keepdim>(x), gr::norm<0>(x),
              gr::norm<gr::order<1>>(x), gr::norm<1, gr::order<3>>(x));
    check_all(batch, true, gr::variance<0, 2, gr::correction<0>>(batch), gr::amin<0>(batch), gr::prod<1>(batch), gr::norm<2>(batch));
    compare::check_values<gr::expressions<decltype(gr::any<1>(x > y)), decltype(gr::all<0>(x)), decltype(gr::count_nonzero<1>(x < y)),
                                          decltype(gr::argmin<1>(x)), decltype(gr::amin<0>(gr::cast<std::int32_t>(x * gr::constant<10>)))>>(
        true);
}
TEST_CASE("compiled kernels: scans") { check_all(x, false, gr::cumsum<1>(x), gr::cumprod<0>(x), gr::logcumsumexp<1>(x)); }
TEST_CASE("compiled kernels: losses and normalizations") {
    check_all(x, false, gr::l1_loss(x, y), gr::huber_loss<0.5>(x, y), gr::smooth_l1_loss(x, y), gr::kl_div(x, gr::abs(y)),
              gr::binary_cross_entropy(gr::sigmoid(x), y), gr::hinge_embedding_loss(x, y), gr::gaussian_nll_loss(x, y, gr::abs(y)),
              gr::layer_norm(x, v, v), gr::rms_norm(x, v));
    check_all(batch, false, gr::batch_norm(batch, scale, shift), gr::group_norm<2>(batch, scale, shift),
              gr::scaled_dot_product_attention<true>(batch, batch, batch), gr::einsum<"bcd,ce->bed">(batch, m),
              gr::linear(batch, gr::slice<0, 3, 1, 1>(m), shift));
}
TEST_CASE("compiled kernels: rearrangements") {
    check_all(x, false, gr::flip<1>(x), gr::flip(x * x), gr::sum<0>(gr::flip<0>(x) * x), gr::roll<2, 1>(x), gr::tile<2, 3>(x),
              gr::pad<1, 2>(x, gr::constant<0.5>), gr::stack<1>(x, y), gr::flatten(x), gr::unsqueeze<1>(x),
              gr::squeeze<0>(gr::narrow<0, 1, 1>(x)), gr::select<1, -1>(x), std::get<2>(gr::split<3, 1>(x)), std::get<1>(gr::unbind<0>(x)),
              gr::masked_fill(x, x > y, gr::constant<-1>));
    check_all(m, false, gr::tril<-1>(m), gr::triu<1>(m), gr::diag(m), gr::diag<1>(gr::diagonal<1>(m)), gr::trace(m),
              gr::einsum<"ij,kj->ki">(m, m), gr::einsum<"ii->i">(m), gr::outer(gr::diag(m), scale), gr::mv(m, scale),
              gr::dot(gr::diag(m), scale));
}
TEST_CASE("compiled kernels: rows by indices, in range and out of it") {
    constexpr auto few = gr::var<"few", std::int64_t, "n", 2>;  // from -10 to 10
    constexpr auto label = gr::var<"label", std::int32_t, 5>;   // from 0 to 2
    constexpr auto many = gr::var<"many", std::int64_t, 3, 4>;
    check_all(x, false, gr::embedding(x, few), gr::index_select<1>(x, label), gr::embedding(gr::transpose<1, 0>(x), label),
              gr::gather<1>(x, many), gr::scatter_add<1>(x, many, gr::slice<0, 4, 1, 1>(y)));
}
TEST_CASE("compiled kernels: windows") {
    constexpr auto image = gr::var<"image", double, "n", 2, 5, 4>;
    constexpr auto weight = gr::var<"weight", double, 4, 2, 3, 3>;
    constexpr auto up = gr::var<"up", double, 2, 3, 2, 2>;
    constexpr auto bias = gr::var<"bias", double, 4>;
    constexpr auto grouped = gr::var<"grouped", double, 2, 1, 2>;
    check_all(weight, false, gr::conv2d<gr::windows{.stride = 2, .padding = 1}>(image, weight, bias));
    check_all(image, true, gr::conv_transpose2d<gr::windows{.stride = 2}>(image, up),
              gr::conv1d<gr::windows{.dilation = 2, .groups = 2}>(gr::flatten<2>(image), grouped), gr::max_pool2d<2>(image),
              gr::avg_pool2d<3, 1>(image));
}
