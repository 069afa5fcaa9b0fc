// SPDX-License-Identifier: BSL-1.0
// Attention and transformer blocks in compiled training steps: the numbers of eager training, for two optimisers.
#include "compiled.hpp"

using namespace compiled;

namespace {

constexpr auto x = gr::var<"x", double, "n", 3, 4>;
constexpr auto y = gr::var<"y", double, "n", 3, 4>;
constexpr nn::encoder_options first{.dropout = 0.2, .norm_first = true, .causal = true, .batch_first = true};
constexpr nn::encoder_options last{.dropout = 0, .gelu = true};

}  // namespace

TEST_CASE("multihead_attention, and a transformer block with its norms first, causal, with dropout") {
    auto const inputs = drawn<gr::dyn, 3, 4>(3, 2), targets = drawn<gr::dyn, 3, 4>(4, 2);
    check_layer<nn::transformer_encoder_layer<double, 4, 2, 5, first>>(squares, x, y, inputs, targets);
}
TEST_CASE("a transformer block with its norms last: the length is a name") {
    auto const inputs = drawn<gr::dyn, 3, 4>(3, 2), targets = drawn<gr::dyn, 3, 4>(4, 2);
    check_training<nn::transformer_encoder_layer<double, 4, 2, 5, last>, gr::optim::adam>(squares, x, y, inputs, targets);
}
