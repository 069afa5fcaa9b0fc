// SPDX-License-Identifier: BSL-1.0
// Sequences of different lengths in one batch, against each sequence alone.
#include "../tensor/messages.hpp"
#include "compiled.hpp"

using namespace compiled;

namespace {

constexpr std::int64_t most = 4, count = 3;
gr::tensor<std::int64_t, gr::dyn> const lengths{2, 4, 1};  // in no order
// the same sums of some ten terms in another order, four steps, two layers
constexpr double exact = 1e-13;

void check_near(gr::any_tensor const& a, gr::any_tensor const& b) {
    REQUIRE(a.shape() == b.shape());
    for (std::size_t i = 0; i < a.values<double>().size(); ++i) CHECK(std::abs(a.values<double>()[i] - b.values<double>()[i]) < exact);
}

// Both layers have six inputs: they are one class for the compiler.
using both_ways = nn::lstm<double, 6, 3, nn::recurrent_options{.layers = 2, .bidirectional = true}>;

}  // namespace

TEST_CASE("pack_padded_sequence: two layers of lstm in both directions are those of each sequence alone, with all derivatives") {
    gr::random random(1);
    both_ways const f(random);
    auto const x = gr::randn<double, gr::dyn, gr::dyn, 6>(most, count, random).requires_grad_();
    auto const weight = gr::randn<double, gr::dyn, gr::dyn, 6>(most, count, random);
    auto const [y, h, c] = f(nn::pack_padded_sequence(x, lengths));
    CHECK(y.shape() == gr::shape{most, count, 6});
    gr::tensor loss = gr::sum(y * weight) + gr::sum(gr::square(h)) + gr::sum(c);
    loss.backward();
    std::vector<gr::any_tensor> packed{x.grad().clone()};
    for (gr::any_tensor const& p : f.parameters()) packed.push_back(p.grad().clone());
    x.zero_grad();
    f.zero_grad();

    for (std::int64_t b = 0; b < count; ++b) {
        std::int64_t const n = lengths(b);
        gr::tensor<double, gr::dyn, gr::dyn, 6> const alone = x.narrow(0, n).narrow<1>(b, 1);
        auto const [of_y, of_h, of_c] = f(alone);
        check_near(y.narrow(0, n).narrow<1>(b, 1).clone(), of_y);
        for (std::int64_t s = n; s < most; ++s)
            for (std::int64_t i = 0; i < 6; ++i) CHECK(y(s, b, i) == 0);
        check_near(h.narrow<1>(b, 1).clone(), of_h);
        check_near(c.narrow<1>(b, 1).clone(), of_c);
        gr::tensor<double, gr::dyn, gr::dyn, 6> const of_weight = weight.narrow(0, n).narrow<1>(b, 1);
        gr::tensor part = gr::sum(of_y * of_weight) + gr::sum(gr::square(of_h)) + gr::sum(of_c);
        part.backward();
    }
    check_near(packed[0], x.grad());
    for (std::size_t i = 0; i < f.parameters().size(); ++i) check_near(packed[i + 1], f.parameters()[i].grad());
}
TEST_CASE("pack_padded_sequence: gru, batch first, states to begin with; what is behind the end does not count") {
    gr::random random(2);
    nn::gru<double, 2, 3, nn::recurrent_options{.batch_first = true}> const f(random);
    gr::tensor<std::int32_t, count> const ends{2, 4, 1};
    gr::tensor<double, count, most, 2> const x = gr::randn<double, count, most, 2>(random);
    auto const first = gr::randn<double, 1, count, 3>(random);
    for (std::int64_t b = 0; b < count; ++b)
        for (std::int64_t s = lengths(b); s < most; ++s) x.data()[(b * most + s) * 2] = std::numeric_limits<double>::quiet_NaN();
    auto const [y, h] = f(nn::pack_padded_sequence(x, ends), first);
    for (std::int64_t b = 0; b < count; ++b) {
        gr::tensor<double, 1, gr::dyn, 2> const alone = x.narrow(b, 1).narrow<1>(0, lengths(b));
        gr::tensor<double, 1, 1, 3> const begin = first.narrow<1>(b, 1);
        auto const [of_y, of_h] = f(alone, begin);
        check_near(y.narrow(b, 1).narrow<1>(0, lengths(b)).clone(), of_y);
        check_near(h.narrow<1>(b, 1).clone(), of_h);
    }
    for (std::int64_t s = 1; s < most; ++s) CHECK(y(2, s, 0) == 0);
}
TEST_CASE("pack_padded_sequence: lengths that are not right are refused") {
    gr::random random(3);
    both_ways const f(random);
    auto const x = gr::zeros<double, gr::dyn, gr::dyn, 6>(4, 3);
    auto const complaint = [&](gr::tensor<std::int64_t, gr::dyn> const& n) {
        return messages::of<gr::error>([&] { f(nn::pack_padded_sequence(x, n)); });
    };
    CHECK(complaint({2, 5, 1}).find("a length is 5, of 4 steps") != std::string::npos);
    CHECK(complaint({2, 0, 1}).find("a length is 0, of 4 steps") != std::string::npos);
    CHECK(complaint({2, 1}).find("2 lengths for 3 sequences") != std::string::npos);
}
TEST_CASE("pack_padded_sequence: in compiled programs, both directions and all derivatives are those of tensors") {
    constexpr auto steps = gr::var<"steps", double, "steps", "n", 6>;
    constexpr auto n = gr::var<"n", std::int64_t, "n">;
    constexpr auto loss = [](auto const& net, auto const& x, auto const& ends) {
        return gr::mean(gr::square(std::get<0>(net(nn::pack_padded_sequence(x, ends)))));
    };
    using net = nn::lstm<double, 6, 3, nn::recurrent_options{.bidirectional = true}>;
    auto const inputs = drawn<gr::dyn, gr::dyn, 6>(3, most, count);
    check_training<net, gr::optim::sgd>(loss, steps, n, inputs, lengths);
}
