// SPDX-License-Identifier: BSL-1.0
// Attention call by call, with the keys and values of what came before, against one call with all positions.
#include "../tensor/messages.hpp"

namespace gr = gradus;
namespace nn = gr::nn;

TEST_CASE("attention_cache: a causal layer call by call is one call with all positions") {
    constexpr std::int64_t batch = 2, length = 5, width = 4;
    using positions = gr::tensor<double, batch, gr::dyn, width>;
    gr::random random(1);
    constexpr nn::encoder_options options{.dropout = 0, .norm_first = true, .causal = true, .batch_first = true};
    nn::transformer_encoder_layer<double, width, 2, 8, options> const f(random);
    positions const x = gr::randn<double, batch, gr::dyn, width>(length, random);
    gr::no_grad guard;
    positions const whole = f(x);
    decltype(f)::cache seen;
    std::int64_t first = 0;
    for (std::int64_t count : {3, 1, 1}) {
        CHECK(seen.length() == first);
        positions const y = f(positions(x.narrow<1>(first, count)), seen);
        REQUIRE(y.shape() == gr::shape{batch, count, width});
        for (std::int64_t b = 0; b < batch; ++b)
            for (std::int64_t i = 0; i < count; ++i)
                for (std::int64_t c = 0; c < width; ++c)  // the same sums of at most ten terms in another order, of numbers below 10
                    // the same sums of at most eight terms, softmax among them, in another order: some hundred ulp of 1
                    CHECK(std::abs(y(b, i, c) - whole(b, first + i, c)) < 1e-13);
        first += count;
    }
    CHECK(seen.key.shape() == gr::shape{batch, 2, length, width / 2});
}
