// SPDX-License-Identifier: BSL-1.0
// LeNet reads handwritten digits, trained twice: eagerly, statement by statement, and by a step that is one compiled program.
//
//     ./15_lenet                                    on digits that the program draws itself
//     ./15_lenet --mnist DIR --epochs 10            on the MNIST files, unpacked, in DIR
//
// The network is one struct. Both runs begin with the same numbers and see the same batches; their losses are the same, up to rounding,
// which training amplifies. Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
// 1998.
#include <gradus.hpp>
#include <gradus/data.hpp>

#include "digits/dataset.hpp"
#include "digits/draw.hpp"
#include "digits/mnist.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

namespace gr = gradus;
namespace nn = gr::nn;

struct lenet : nn::module<lenet> {
    nn::conv2d<float, 1, 6, 5, gr::windows{.padding = 2}> conv1;
    nn::conv2d<float, 6, 16, 5> conv2;
    nn::linear<float, 400, 120> fc1;
    nn::linear<float, 120, 84> fc2;
    nn::linear<float, 84, digits::classes> fc3;

    explicit lenet(gr::random& random) : conv1(random), conv2(random), fc1(random), fc2(random), fc3(random) {}
    /// Ten scores per picture [n, 1, 28, 28]: an expression, on tensors and on symbols.
    auto operator()(gr::operand auto const& x) const {
        auto const a = gr::max_pool2d<2>(gr::relu(conv1(x)));
        auto const b = gr::max_pool2d<2>(gr::relu(conv2(a)));
        return fc3(gr::relu(fc2(gr::relu(fc1(gr::flatten<1>(b))))));
    }
    auto members() const { return nn::members("conv1", conv1, "conv2", conv2, "fc1", fc1, "fc2", fc2, "fc3", fc3); }
};

constexpr std::int64_t batch = 32;
constexpr auto image = gr::var<"image", float, "n", 1, 28, 28>;
constexpr auto label = gr::var<"label", std::int64_t, "n">;
using pictures = gr::tensor<float, gr::dyn, 1, 28, 28>;
using labels = gr::tensor<std::int64_t, gr::dyn>;
using samples = gr::data::tensor_dataset<pictures, labels>;

static samples samples_of(digits::dataset const& data) {
    auto const n = static_cast<std::int64_t>(data.size());
    pictures const x = gr::from_span<float, gr::dyn, 1, 28, 28>(data.images, data.size());
    labels const y = gr::empty<std::int64_t, gr::dyn>(n);
    std::copy(data.labels.begin(), data.labels.end(), y.data());
    return samples(x.clone(), y);
}

/// The share of digits that are read rightly, by a compiled program.
static double accuracy(lenet const& net, samples const& test) {
    gr::no_grad guard;
    auto const read = gr::compile(gr::argmax<1>(net(image)));
    std::int64_t right = 0;
    for (auto [x, y] : gr::data::data_loader(test, {.batch_size = 250})) {
        auto const [digit] = read(image = x);
        for (std::int64_t i = 0; i < y.size(); ++i) right += digit.data()[i] == y.data()[i];
    }
    return static_cast<double>(right) / static_cast<double>(test.size());
}

/// Calls `step(x, y)`, which returns the loss, for all batches of an epoch; prints what came of it, and the seconds. The losses.
template <class Step>
static std::vector<float> epoch(char const* how, int number, lenet const& net, samples const& train, samples const& test,
                                Step const& step) {
    using clock = std::chrono::steady_clock;
    gr::data::data_loader loader(train, {.batch_size = batch, .shuffle = true, .seed = 7});
    loader.set_epoch(static_cast<std::uint64_t>(number));
    std::vector<float> losses;
    auto const start = clock::now();
    for (auto [x, y] : loader) losses.push_back(step(x, y));
    double const seconds = std::chrono::duration<double>(clock::now() - start).count();
    double const total = std::accumulate(losses.begin(), losses.end(), 0.0);
    std::printf("epoch %2d, %s: loss %.4f, %.2f %% of %d test digits read rightly (%.2f s)\n", number + 1, how,
                total / static_cast<double>(loader.size()), 100 * accuracy(net, test), static_cast<int>(test.size()), seconds);
    return losses;
}

static int run(digits::train_test const& data, int epochs, double wanted) {
    samples const train = samples_of(data.train), test = samples_of(data.test);
    gr::random random(1), same(1);
    lenet const eager(random), compiled(same);
    std::printf("%s", nn::summary(eager).c_str());
    gr::optim::adam adam(eager.parameters(), {.lr = 1e-3});
    auto step = gr::compile(nn::train_step(
        compiled, [](lenet const& net) { return gr::cross_entropy(net(image), label); },
        gr::optim::adam(compiled.parameters(), {.lr = 1e-3})));
    bool same_numbers = true;
    for (int e = 0; e < epochs; ++e) {
        auto const losses = epoch("eager", e, eager, train, test, [&](pictures const& x, labels const& y) {
            adam.zero_grad();
            gr::tensor loss = gr::cross_entropy(eager(x), y);
            loss.backward();
            adam.step();
            return loss.item();
        });
        auto const as_well = epoch("compiled", e, compiled, train, test, [&](pictures const& x, labels const& y) {
            auto const [loss] = step(compiled, image = x, label = y);
            return loss;
        });
        for (std::size_t i = 0; e == 0 && i < 10; ++i)  // later ones drift apart: each step amplifies what was rounded
            same_numbers = same_numbers && std::abs(losses[i] - as_well[i]) < 1e-4F;
    }
    bool const good = same_numbers && accuracy(compiled, test) >= wanted;
    std::printf("the first losses of both are %s: %s\n", same_numbers ? "the same" : "NOT THE SAME", good ? "ok" : "WRONG");
    return good ? 0 : 1;
}

int main(int argc, char** argv) {
    std::string mnist;
    int count = 2'000, epochs = 2;
    CLI::App app("Trains LeNet on digits, eagerly and compiled.");
    app.add_option("--mnist", mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--samples", count, "Digits to draw, a fifth of them to test on")->check(CLI::Range(1'000, 1'000'000));
    app.add_option("--epochs", epochs, "Walks through all digits")->check(CLI::Range(1, 1'000));
    CLI11_PARSE(app, argc, argv);
    try {
        if (mnist.empty()) return run(digits::split(digits::draw(static_cast<std::size_t>(count), 1), 0.2, 1), epochs, 0.8);
        return run(digits::load_mnist(mnist), epochs, 0.9);
    } catch (std::exception const& error) {
        std::fflush(stdout);
        std::fprintf(stderr, "15_lenet: %s\n", error.what());
        return 1;
    }
}
