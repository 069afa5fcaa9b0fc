// SPDX-License-Identifier: BSL-1.0
// Norms, embeddings and residual connections in compiled training steps: the numbers of eager training, for two optimisers.
#include "compiled.hpp"

using namespace compiled;

namespace {

constexpr auto x = gr::var<"x", double, "n", 4>;
constexpr auto y = gr::var<"y", double, "n", 4>;

/// Layers one after the other, made from a source of random numbers.
struct normalized : nn::module<normalized> {
    nn::linear<double, 4, 4> first, last;
    nn::batch_norm<double, 4> norm;
    explicit normalized(gr::random& random) : first(random), last(random) {}
    auto operator()(gr::operand auto const& in) const { return last(gr::relu(norm(first(in)))); }
    auto members() const { return nn::members("first", first, "norm", norm, "last", last); }
};
/// Residual connections around norms.
struct tower : nn::module<tower> {
    nn::residual<nn::sequential<nn::linear<double, 4, 4>, nn::layer_norm<double, 4>, nn::tanh>> first;
    nn::residual<nn::rms_norm<double, 4>> second;
    explicit tower(gr::random& random)
        : first(nn::sequential(nn::linear<double, 4, 4>(random), nn::layer_norm<double, 4>(), nn::tanh())), second(nn::rms_norm<double, 4>()) {}
    auto operator()(gr::operand auto const& in) const { return second(first(in)); }
    auto members() const { return nn::members("first", first, "second", second); }
};
struct groups : nn::module<groups> {
    nn::residual<nn::sequential<nn::group_norm<double, 2, 4>, nn::linear<double, 4, 4>, nn::dropout<0.25>>> all;
    explicit groups(gr::random& random)
        : all(nn::sequential(nn::group_norm<double, 2, 4>(), nn::linear<double, 4, 4>(random), nn::dropout<0.25>(random))) {}
    auto operator()(gr::operand auto const& in) const { return all(in); }
    auto members() const { return nn::members("all", all); }
};
struct words : nn::module<words> {
    nn::embedding<double, 7, 4> table;
    nn::linear<double, 4, 4> head;
    explicit words(gr::random& random) : table(random), head(random) {}
    auto operator()(gr::operand auto const& in) const { return head(table(in)); }
    auto members() const { return nn::members("table", table, "head", head); }
};

}  // namespace

TEST_CASE("batch_norm: parameters and running statistics") {
    check_layer<normalized>(squares, x, y, drawn<gr::dyn, 4>(3, 6), drawn<gr::dyn, 4>(4, 6));

    gr::random one(1), same(1);
    normalized const compiled(one), eager(same);
    auto const predict = gr::compile(compiled(x));  // training: it counts
    auto const inputs = drawn<gr::dyn, 4>(5, 6);
    gr::tensor const wanted = eager(inputs);
    auto const [got] = predict(x = inputs);
    CHECK(gr::allclose(got, wanted, rounding, rounding));
    check_states(compiled, eager);
    compiled.eval();
    eager.eval();
    auto const evaluate = gr::compile(compiled(x));
    auto const [evaluated] = evaluate(x = inputs);
    gr::tensor const expected = eager(inputs);
    CHECK(gr::allclose(evaluated, expected, rounding, rounding));
    check_states(compiled, eager);
}
TEST_CASE("batch_norm: one value per channel leaves the running statistics") {
    gr::random random(1);
    normalized const net(random);
    auto step = gr::compile(nn::train_step(net, [](auto const& m) { return squares(m, x, y); }, gr::optim::sgd(net.parameters(), {})));
    auto const [loss] = step(net, x = drawn<gr::dyn, 4>(3, 1), y = drawn<gr::dyn, 4>(4, 1));
    CHECK(std::isfinite(loss));
    for (double m : net.norm.running_mean) CHECK(m == 0);
    for (double v : net.norm.running_var) CHECK(v == 1);
}
TEST_CASE("layer and rms norm in residual connections") {
    check_layer<tower>(squares, x, y, drawn<gr::dyn, 4>(3, 6), drawn<gr::dyn, 4>(4, 6));
}
TEST_CASE("group norm in a residual connection, with dropout") {
    check_layer<groups>(squares, x, y, drawn<gr::dyn, 4>(3, 6), drawn<gr::dyn, 4>(4, 6));
}
TEST_CASE("embedding: rows by symbols of integers") {
    constexpr auto index = gr::var<"index", std::int64_t, "n">;
    gr::tensor<std::int64_t, gr::dyn> const inputs{3, 0, 3, 6, 2};
    check_layer<words>(squares, index, y, inputs, drawn<gr::dyn, 4>(4, 5));
}
