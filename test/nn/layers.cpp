// SPDX-License-Identifier: BSL-1.0
#include "../golden/cases.hpp"
#include "../tensor/messages.hpp"

// Layers against values and derivatives from PyTorch, and against loops where there are none.

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

template <gr::extent... E>
using t = gr::tensor<double, E...>;

golden::test_case const& found(std::string const& op, std::string const& name) {
    static std::vector<golden::test_case> const all = golden::read_cases("nn");
    for (golden::test_case const& c : all)
        if (c.op == op && c.name.starts_with(name)) return c;
    throw std::runtime_error("no golden case " + op + ", " + name);
}
double difference(gr::any_tensor const& a, std::vector<double> const& expected) {
    REQUIRE(a.size() == static_cast<std::int64_t>(expected.size()));
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) largest = std::max(largest, std::abs(a.values<double>()[i] - expected[i]));
    return largest;
}
/// The layer has the parameters of the file in its own order; its result on x and all derivatives are those of the file.
template <class X, class Layer>
void check(std::string const& op, std::string const& name, Layer const& layer) {
    CAPTURE(op);
    CAPTURE(name);
    golden::test_case const& c = found(op, name);
    auto const parameters = nn::parameters(layer);
    REQUIRE(c.inputs.size() == parameters.size() + 1);
    for (std::size_t i = 0; i < parameters.size(); ++i)
        std::copy(c.inputs[i + 1].data.begin(), c.inputs[i + 1].data.end(), parameters[i].template values<double>().begin());
    X const x(c.inputs[0].data);
    x.requires_grad_();
    gr::tensor y = layer(x);
    // doubles after sums of up to 36 products of numbers near 1, as in test/golden
    CHECK(difference(y, c.output.data) < 1e-12);
    decltype(y) g(c.cotangent.data);
    y.backward(g);
    CHECK(difference(x.grad(), c.vjp[0].data) < 1e-11);
    for (std::size_t i = 0; i < parameters.size(); ++i) CHECK(difference(parameters[i].grad(), c.vjp[i + 1].data) < 1e-11);
}

}  // namespace

TEST_CASE("golden: layers with parameters") {
    check<t<4, 6>>("layer_norm", "[4,6] affine", nn::layer_norm<double, 6>());
    check<t<4, 6>>("rms_norm", "[4,6]", nn::basic_rms_norm<1e-6, double, 6>());
    check<t<8, 3>>("batch_norm", "training", nn::batch_norm<double, 3>());
    check<t<2, 4, 3, 3>>("group_norm", "2 groups", nn::group_norm<double, 2, 4>());
}
TEST_CASE("layers and losses without parameters: each is the expression of its function") {
    t<2, 3> const x{{-2, -0.5, 0}, {0.25, 1, 3}}, y = x;
    t<1, 1, 4, 4> const image;
    gr::tensor<std::int64_t, 2> const label;
    auto const same = [](auto const& a, auto const& b) { return std::is_same_v<decltype(a), decltype(b)>; };
    CHECK(same(nn::identity{}(x), x));
    CHECK(same(nn::relu{}(x), gr::relu(x)));
    CHECK(same(nn::selu{}(x), gr::selu(x)));
    CHECK(same(nn::gelu{}(x), gr::gelu(x)));
    CHECK(same(nn::gelu_tanh{}(x), gr::gelu_tanh(x)));
    CHECK(same(nn::silu{}(x), gr::silu(x)));
    CHECK(same(nn::mish{}(x), gr::mish(x)));
    CHECK(same(nn::sigmoid{}(x), gr::sigmoid(x)));
    CHECK(same(nn::logsigmoid{}(x), gr::logsigmoid(x)));
    CHECK(same(nn::tanh{}(x), gr::tanh(x)));
    CHECK(same(nn::hardtanh{}(x), gr::hardtanh(x)));
    CHECK(same(nn::softplus{}(x), gr::softplus(x)));
    CHECK(same(nn::softmax<>{}(x), gr::softmax<-1>(x)));
    CHECK(same(nn::log_softmax<0>{}(x), gr::log_softmax<0>(x)));
    CHECK(same(nn::flatten<>{}(image), gr::flatten<1, -1>(image)));
    CHECK(same(nn::max_pool2d<2>{}(image), gr::max_pool2d<2>(image)));
    CHECK(same(nn::avg_pool2d<gr::pool{.size = 2, .stride = 1}>{}(image), gr::avg_pool2d<2, 1>(image)));
    CHECK(same(nn::adaptive_avg_pool2d<2, 1>{}(image), gr::adaptive_avg_pool2d<2, 1>(image)));
    CHECK(same(nn::adaptive_max_pool2d<3>{}(image), gr::adaptive_max_pool2d<3, 3>(image)));
    gr::random random(1);
    t<1, 4, 5, 5> const channels;
    nn::conv2d<double, 4, 6, 3, gr::windows{.padding = 1, .groups = 2}> const grouped(random);
    CHECK(same(grouped(channels), gr::conv2d<gr::windows{.padding = 1, .groups = 2}>(channels, grouped.weight, grouped.bias)));
    nn::conv2d<double, 4, 6, gr::height_width(1, 2), gr::windows{.stride = 2}, false> const plain(random);
    CHECK(same(plain(channels), gr::conv2d<gr::windows{.stride = 2}>(channels, plain.weight)));
    t<2, 4, 8> const signal;
    nn::conv1d<double, 4, 2, 3, gr::windows{.padding = 1}> const line(random);
    CHECK(same(line(signal), gr::conv1d<gr::windows{.padding = 1}>(signal, line.weight, line.bias)));
    nn::conv_transpose2d<double, 4, 2, 2, gr::windows{.stride = 2}> const up(random);
    CHECK(same(up(channels), gr::conv_transpose2d<gr::windows{.stride = 2}>(channels, up.weight, up.bias)));
    CHECK(same(nn::mse_loss{}(x, y), gr::mse_loss(x, y)));
    CHECK(same(nn::l1_loss{}(x, y), gr::l1_loss(x, y)));
    CHECK(same(nn::huber_loss<0.5>{}(x, y), gr::huber_loss<0.5>(x, y)));
    CHECK(same(nn::smooth_l1_loss<>{}(x, y), gr::smooth_l1_loss<1.0>(x, y)));
    CHECK(same(nn::bce_loss{}(x, y), gr::binary_cross_entropy(x, y)));
    CHECK(same(nn::bce_with_logits_loss{}(x, y), gr::binary_cross_entropy_with_logits(x, y)));
    CHECK(same(nn::kl_div_loss{}(x, y), gr::kl_div(x, y)));
    CHECK(same(nn::gaussian_nll_loss{}(x, y, y), gr::gaussian_nll_loss(x, y, y)));
    CHECK(same(nn::cross_entropy_loss<>{}(x, label), gr::cross_entropy<gr::labels{}>(x, label)));
    CHECK(same(nn::nll_loss<gr::labels{.ignore_index = 0}>{}(x, label), gr::nll_loss<gr::labels{.ignore_index = 0}>(x, label)));
    CHECK(nn::parameters(nn::relu{}, nn::elu{}, nn::softmax<>{}, nn::max_pool2d<2>{}).empty());
}

TEST_CASE("layers: numbers they begin with are PyTorch's") {
    gr::random random(1);
    auto const bound_of = [](gr::any_tensor const& p) {
        double most = 0;
        for (double v : p.values<double>()) most = std::max(most, std::abs(v));
        return most;
    };
    // uniform in (-b, b): the largest of n draws is below 0.9 b with probability 0.9^n, 3e-5 for the least n, 96
    nn::conv2d<double, 4, 8, gr::height_width(3, 2), gr::windows{.groups = 2}> const conv(random);
    CHECK(conv.weight.shape() == gr::shape{8, 2, 3, 2});
    double const b = 1 / std::sqrt(12.0);
    CHECK(bound_of(conv.weight) <= b);
    CHECK(bound_of(conv.weight) > 0.9 * b);
    nn::conv_transpose2d<double, 8, 4, 3> const up(random);
    CHECK(up.weight.shape() == gr::shape{8, 4, 3, 3});
    CHECK(bound_of(up.weight) <= 1.0 / 6);  // PyTorch counts weight.size(1), 4, times the window
    CHECK(bound_of(up.weight) > 0.9 / 6);
    nn::linear<double, 3, 4, false> const plain(random);
    CHECK(plain.parameters().size() == 1);
    CHECK(!plain.bias.defined());
    gr::tensor y = plain(t<1, 3>{{1, 0, 0}});
    CHECK(y(0, 3) == plain.weight(3, 0));
    CHECK(nn::conv1d<double, 2, 2, 3, gr::windows{}, false>(random).parameters().size() == 1);

    nn::embedding<double, 100, 50> const table(random);
    double mean = 0, square = 0;
    for (double v : table.weight) mean += v / 5000, square += v * v / 5000;
    // five standard deviations of the mean, 1 / sqrt(5000), and of the mean of squares, sqrt(2 / 5000)
    CHECK(std::abs(mean) < 0.071);
    CHECK(std::abs(square - 1) < 0.1);
    gr::tensor rows = table(gr::tensor<std::int64_t, 2, 2>{{3, 4}, {99, 0}});
    CHECK(rows(1, 0, 7) == table.weight(99, 7));
    CHECK_THROWS_AS(gr::tensor(table(gr::tensor<std::int64_t, 1>{100})), gr::error);
    nn::group_norm<double, 1, 2> const norm;
    CHECK(norm.weight(1) == 1);
    CHECK(norm.bias(1) == 0);
}

TEST_CASE("batch_norm: running statistics by the loop, eval by the formula") {
    nn::batch_norm<double, 2> const f;
    double mean[2] = {0, 0}, variance[2] = {1, 1};
    gr::random random(4);
    constexpr int batch = 3, height = 2, width = 2, n = batch * height * width;
    for (int step = 0; step < 3; ++step) {
        auto x = gr::randn<double, gr::dyn, 2, height, width>(batch, random);
        x.requires_grad_();
        gr::tensor y = f(2.0 * x + 1.0);
        CHECK(y.requires_grad());
        for (int c = 0; c < 2; ++c) {
            double sum = 0, squares = 0, of_y = 0;
            for (int i = 0; i < n; ++i) sum += 2 * x(i / 4, c, i / 2 % 2, i % 2) + 1, of_y += y(i / 4, c, i / 2 % 2, i % 2);
            for (int i = 0; i < n; ++i) squares += std::pow(2 * x(i / 4, c, i / 2 % 2, i % 2) + 1 - sum / n, 2);
            mean[c] = 0.9 * mean[c] + 0.1 * sum / n;
            variance[c] = 0.9 * variance[c] + 0.1 * squares / (n - 1);
            CHECK(std::abs(of_y) < 1e-13);  // standardized: twelve terms near 1
        }
    }
    for (int c = 0; c < 2; ++c) {
        CHECK(f.running_mean(c) == doctest::Approx(mean[c]).epsilon(1e-13));  // some twenty roundings of doubles
        CHECK(f.running_var(c) == doctest::Approx(variance[c]).epsilon(1e-13));
    }
    CHECK(f.num_batches_tracked.item() == 3);
    CHECK(!f.running_mean.requires_grad());
    f.eval();
    auto const one = gr::randn<double, gr::dyn, 2, height, width>(1, random);
    gr::tensor y = f(one);
    for (int c = 0; c < 2; ++c)
        CHECK(y(0, c, 0, 0) == doctest::Approx((one(0, c, 0, 0) - mean[c]) / std::sqrt(variance[c] + 1e-5)).epsilon(1e-13));
    CHECK(f.num_batches_tracked.item() == 3);
    nn::batch_norm<gr::bfloat16, 2> const of_half;
    CHECK(messages::of<gr::error>([&] {
              of_half(gr::zeros<gr::bfloat16, gr::dyn, 2>(1));
          }).find("expected more than 1 value per channel when training: x is bfloat16[1,2]") != std::string::npos);
    CHECK(of_half.num_batches_tracked.item() == 0);
    CHECK(f.num_batches_tracked.item() == 3);
    CHECK(f.state_dict().size() == 5);
    CHECK(f.state_dict()[4].first == "num_batches_tracked");
}
TEST_CASE("batch_norm: statistics of 16-bit parameters") {
    nn::batch_norm<gr::bfloat16, 2> const f;
    gr::tensor<gr::bfloat16, gr::dyn, 2> const x(
        std::vector{gr::bfloat16(1.0f), gr::bfloat16(2.0f), gr::bfloat16(3.0f), gr::bfloat16(6.0f)});
    gr::tensor y = f(x);
    CHECK(static_cast<float>(y(0, 0)) == doctest::Approx(-1).epsilon(0.01));  // 8 bits
    CHECK(static_cast<float>(f.running_mean(1)) == doctest::Approx(0.4).epsilon(0.01));
}

TEST_CASE("dropout: drops in training by a key that each call moves, hands on in eval") {
    gr::random random(3);
    nn::dropout<0.25> const drop(random);
    auto const x = gr::ones<float, 4000>().requires_grad_();
    std::int64_t const key = drop.key;
    gr::tensor a = drop(x), b = drop(x), again = drop(x, key);
    CHECK(drop.key == key + 2);
    CHECK(gr::allclose(a, again, 0, 0));
    CHECK(!gr::allclose(a, b, 0, 0));
    int kept = 0;
    for (float v : a) {
        CHECK((v == 0 || v == 1 / 0.75f));
        kept += v != 0;
    }
    CHECK(std::abs(kept - 3000) < 140);  // five standard deviations, sqrt(4000 / 4 * 3 / 4) = 27.4
    a.backward(gr::ones<float, 4000>());
    CHECK(gr::allclose(x.grad(), a, 0, 0));
    drop.eval();
    gr::tensor c = drop(x);
    CHECK(c.data() == x.data());
    CHECK(drop.key == key + 2);
    CHECK(!(nn::dropout<>(random).key == nn::dropout<>(random).key));
    CHECK(drop.parameters().empty());
}

TEST_CASE("activations with numbers; prelu's slope is learned") {
    t<2, 3> const x{{-2, -0.5, 0}, {0.25, 1, 3}};
    gr::tensor leaky = nn::leaky_relu{.negative_slope = 0.2}(x);
    gr::tensor curved = nn::elu{.alpha = 2}(x);
    CHECK(leaky(0, 0) == -0.4);
    CHECK(leaky(1, 2) == 3);
    CHECK(curved(0, 1) == doctest::Approx(2 * std::expm1(-0.5)).epsilon(1e-14));
    nn::prelu<double> const one;
    nn::prelu<double, 3> const each(0.5);
    gr::tensor loss = gr::sum(one(x)) + gr::sum(each(x));
    loss.backward();
    CHECK(loss.item() == doctest::Approx(0.25 * -2.5 + 4.25 + 0.5 * -2.5 + 4.25).epsilon(1e-14));
    CHECK(one.weight.grad()(0) == -2.5);
    CHECK(each.weight.grad()(0) == -2);
    CHECK(each.weight.grad()(1) == -0.5);
}
