// SPDX-License-Identifier: BSL-1.0
// Recurrent layers in compiled training steps: the numbers of eager training, for two optimisers.
#include "compiled.hpp"

using namespace compiled;

namespace {

template <class Recurrent, std::int64_t Width>
struct reader : nn::module<reader<Recurrent, Width>> {
    Recurrent cells;
    nn::linear<double, Width, 4> head;
    explicit reader(gr::random& random) : cells(random), head(random) {}
    auto operator()(gr::operand auto const& in) const { return head(std::get<0>(cells(in))); }
    auto members() const { return nn::members("cells", cells, "head", head); }
};
constexpr auto steps = gr::var<"steps", double, "steps", "n", 2>;
constexpr auto wanted = gr::var<"wanted", double, "steps", "n", 4>;

}  // namespace

TEST_CASE("lstm, gru and rnn: steps and a batch that run time tells, batch first") {
    auto const inputs = drawn<gr::dyn, gr::dyn, 2>(3, 5, 3);
    auto const targets = drawn<gr::dyn, gr::dyn, 4>(4, 5, 3);
    check_layer<reader<nn::lstm<double, 2, 3>, 3>>(squares, steps, wanted, inputs, targets);
    check_training<reader<nn::gru<double, 2, 3, nn::recurrent_options{.bidirectional = true}>, 6>, gr::optim::adam>(squares, steps, wanted,
                                                                                                                inputs, targets);
    check_training<reader<nn::rnn<double, 2, 3, nn::recurrent_options{.batch_first = true}>, 3>, gr::optim::sgd>(squares, steps, wanted,
                                                                                                             inputs, targets);
}
TEST_CASE("lstm: a state to begin with, and the one after the last step") {
    gr::random random(1);
    nn::lstm<double, 2, 3> const f(random);
    auto const inputs = drawn<gr::dyn, 3, 2>(3, 5);
    auto const h = drawn<1, 3, 3>(4), c = drawn<1, 3, 3>(5);
    constexpr auto fixed = gr::var<"fixed", double, "steps", 3, 2>;
    auto const [y, last, memory] = f(inputs, h, c);
    auto const results = f(fixed, h, c);
    gr::no_grad guard;
    auto [of_last] = gr::compile(std::get<1>(results))(fixed = inputs);
    auto [of_memory] = gr::compile(std::get<2>(results))(fixed = inputs);
    CHECK(gr::allclose(of_last, last, rounding, rounding));
    CHECK(gr::allclose(of_memory, memory, rounding, rounding));
}
