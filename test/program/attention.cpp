// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <tuple>

// Attention with masks and batch normalization by given statistics: kernels against the interpreter, and against what they generalize.
namespace {

namespace gr = gradus;

constexpr auto batch = gr::var<"batch", double, "n", 4, 3>;
constexpr auto scale = gr::var<"scale", double, 4>;
constexpr auto shift = gr::var<"shift", double, 4>;
constexpr auto added = gr::var<"added", double, 4, 4>;

template <class X, class... F>
void check_all(X of, F... f) {
    using gradient = decltype(gr::grad((gr::sum(f * f) + ...), of));
    compare::check<gr::expressions<F..., gradient>>(true);
}
/// A few sums and quotients of numbers near 1.
bool near(double a, double b) { return std::abs(a - b) <= 1e-14; }

}  // namespace

TEST_CASE("compiled kernels: given statistics and masks") {
    check_all(batch, gr::batch_norm(batch, scale, shift, shift, gr::square(scale)),
              gr::scaled_dot_product_attention(batch, batch, batch, added));
    check_all(scale, gr::scaled_dot_product_attention(batch, batch, batch, added <= gr::unsqueeze<0>(gr::diag(added))));
}
TEST_CASE("attention: the causal mask as bools and as numbers is is_causal; given statistics of a batch are those of training") {
    constexpr auto q = gr::var<"q", double, 2, 4, 3>;
    constexpr auto position = gr::var<"position", double, 4>;
    constexpr auto seen = gr::unsqueeze<0>(position) <= gr::unsqueeze<1>(position);
    constexpr auto mean = gr::mean<0, 2>(q);
    constexpr auto variance = gr::variance<0, 2, gr::correction<0>>(q);
    constexpr auto program =
        gr::compile(gr::scaled_dot_product_attention<true>(q, q, q), gr::scaled_dot_product_attention(q, q, q, seen),
                    gr::scaled_dot_product_attention(
                        q, q, q, gr::masked_fill(gr::cast<double>(seen) * gr::constant<0>, gr::logical_not(seen), gr::constant<-1e300>)),
                    gr::batch_norm(q, position, position), gr::batch_norm(q, position, position, mean, variance));
    double values[2][4][3];
    for (int i = 0; i < 24; ++i) values[i / 12][i / 3 % 4][i % 3] = (i * 7 % 24) / 12.0 - 1;
    double const places[] = {0, 1, 2, 3};
    auto const [causal, bools, numbers, training, given] = program(q = values, position = places);
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j)
            for (int k = 0; k < 3; ++k) {
                CHECK(near(bools(i, j, k), causal(i, j, k)));
                CHECK(near(numbers(i, j, k), causal(i, j, k)));
                CHECK(near(given(i, j, k), training(i, j, k)));
            }
}
