// SPDX-License-Identifier: BSL-1.0
// What a checkpoint is made of: dicts under names, and dropout that goes on.
#include "../tensor/messages.hpp"

namespace gr = gradus;
namespace nn = gr::nn;

TEST_CASE("joined, part: dicts under names, and apart again") {
    gr::random random(1);
    nn::linear<float, 2, 3> const net(random), other(random);
    nn::tensor_dict const all =
        nn::joined({{"model", net.state_dict()}, {"model_average", other.state_dict()}, {"step", {{"", gr::full<double>(3.0)}}}});
    REQUIRE(all.size() == 5);
    CHECK(all[0].first == "model.weight");
    CHECK(all[3].first == "model_average.bias");
    CHECK(all[4].first == "step");
    nn::tensor_dict const back = nn::part(all, "model");
    REQUIRE(back.size() == 2);
    CHECK(back[1].first == "bias");
    CHECK(back[1].second.data() == net.bias.data());
    CHECK(messages::of<gr::error>([&] { nn::part(all, "mod"); }).find("nothing under mod") != std::string::npos);
}
TEST_CASE("manual_seed: all dropout layers of a module drop what the seed and their place tell") {
    gr::random random(2);
    nn::dropout<0.5> const first(random), second(random);
    nn::sequential const net(first, nn::sequential(nn::relu{}, second));
    gr::tensor<float, 64> const x = gr::ones<float, 64>();
    auto const dropped = [&](std::uint64_t seed) {
        nn::manual_seed(net, seed);
        return std::pair(net.layer<0>()(x), net.layer<1>()(x));
    };
    auto const [a, b] = dropped(7);
    auto const [other, _] = dropped(8);
    auto const [same, same_too] = dropped(7);
    CHECK(gr::allclose(a, same, 0, 0));
    CHECK(gr::allclose(b, same_too, 0, 0));
    CHECK_FALSE(gr::allclose(a, b, 0, 0));                              // another layer
    CHECK_FALSE(gr::allclose(a, other, 0, 0));                          // another seed
    CHECK_FALSE(gr::allclose(a, gr::tensor(net.layer<0>()(x)), 0, 0));  // another call
}
