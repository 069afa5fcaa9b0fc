// SPDX-License-Identifier: BSL-1.0
// A day's training: modules, an optimiser with groups, a schedule, clipping, an average of the weights, and a run that is resumed.
//
//     ./13_training                on digits that the program draws itself
//     ./13_training --mnist DIR    on the MNIST files, unpacked, in DIR
//
// The network is one struct; nobody lists its parameters. After half of the epochs everything is copied, as a file would keep it, into a
// new network, optimiser and schedule: both go on, and end with the same bits.
#include <gradus.hpp>

#include "digits/dataset.hpp"
#include "digits/draw.hpp"
#include "digits/mnist.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace gr = gradus;
namespace nn = gr::nn;
namespace optim = gr::optim;

constexpr int pixels = static_cast<int>(digits::pixels), hidden = 128;
constexpr std::size_t batch = 64;

struct network : nn::module<network> {
    nn::linear<float, pixels, hidden> body;
    nn::dropout<0.1> drop;
    nn::linear<float, hidden, digits::classes> head;

    explicit network(gr::random& random) : body(random), drop(random), head(random) {}
    /// Ten scores per picture. A tensor, so that training and testing share the program of the last layer.
    gr::tensor<float, gr::dyn, digits::classes> operator()(gr::tensor<float, gr::dyn, pixels> const& x) const {
        return head(drop(gr::relu(body(x))));
    }
    auto members() const { return nn::members("body", body, "drop", drop, "head", head); }
};

/// All that a run is made of.
struct training {
    network net;
    optim::adamw step;
    optim::scheduler<optim::adamw, optim::warmup<optim::cosine_annealing_lr>> rate;
    optim::exponential_moving_average average;

    training(gr::random& random, std::int64_t steps)
        : net(random),
          step({{{net.body.weight, net.head.weight}, {.lr = 3e-3, .weight_decay = 0.05}},
                {{net.body.bias, net.head.bias}, {.lr = 3e-3, .weight_decay = 0}}}),
          rate(step, {20, {steps - 20}}),
          average(net.parameters(), 0.98) {}

    /// One walk through all digits; the mean loss.
    double epoch(digits::dataset const& data, std::uint64_t seed) {
        net.train();
        net.drop.key = static_cast<std::int64_t>(seed) << 16;  // what is dropped depends on the epoch alone
        auto const order = digits::shuffled_order(data.size(), seed);
        double total = 0;
        for (std::size_t from = 0; from < order.size(); from += batch) {
            digits::dataset const some = digits::take(data, std::span(order).subspan(from, std::min(batch, order.size() - from)));
            step.zero_grad();
            gr::tensor loss = gr::cross_entropy(net(gr::from_span<float, gr::dyn, pixels>(some.images, some.size())),
                                                gr::from_span<std::int32_t, gr::dyn>(some.labels, some.size()));
            loss.backward();
            nn::clip_grad_norm_(step.parameters(), 1.0);
            step.step();
            rate.step();
            average.update();
            total += static_cast<double>(loss.item()) * static_cast<double>(some.size());
        }
        return total / static_cast<double>(data.size());
    }
    double accuracy(digits::dataset const& data) const {
        gr::no_grad guard;
        net.eval();
        gr::tensor best = gr::argmax<1>(net(gr::from_span<float, gr::dyn, pixels>(data.images, data.size())));
        std::size_t right = 0;
        for (std::size_t i = 0; i < data.size(); ++i) right += best.data()[i] == data.labels[i];
        return static_cast<double>(right) / static_cast<double>(data.size());
    }
    void restore(training const& from) {
        net.load_state_dict(from.net.state_dict());  // copies; a file would stand in between
        step.load_state_dict(from.step.state_dict());
        rate.load_state_dict(from.rate.state_dict());
        average.load_state_dict(from.average.state_dict());
    }
};

int main(int argc, char** argv) {
    std::string mnist;
    int samples = 4'000, epochs = 6;
    std::uint64_t seed = 1;
    CLI::App app("Trains a network on digits, and resumes the run half way.");
    app.add_option("--mnist", mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--samples", samples, "Digits to draw, a fifth of them to test on")->check(CLI::Range(1'000, 1'000'000));
    app.add_option("--epochs", epochs, "Walks through all digits")->check(CLI::Range(2, 1'000));
    app.add_option("--seed", seed, "Seed of everything random");
    CLI11_PARSE(app, argc, argv);
    try {
        auto const data =
            mnist.empty() ? digits::split(digits::draw(static_cast<std::size_t>(samples), seed), 0.2, seed) : digits::load_mnist(mnist);
        auto const steps = static_cast<std::int64_t>((data.train.size() + batch - 1) / batch) * epochs;
        gr::random random(seed);
        training run(random, steps), resumed(random, steps);
        std::printf("%s", nn::summary(run.net).c_str());
        for (int e = 0; e < epochs; ++e) {
            if (e == epochs / 2) resumed.restore(run);
            double const loss = run.epoch(data.train, seed + static_cast<std::uint64_t>(e));
            if (e >= epochs / 2) resumed.epoch(data.train, seed + static_cast<std::uint64_t>(e));
            std::printf("epoch %d: loss %.4f, rate %.5f, %.2f %% of %zu test digits read rightly\n", e + 1, loss, run.rate.lr(),
                        100 * run.accuracy(data.test), data.test.size());
        }
        run.average.swap();
        double const averaged = run.accuracy(data.test);
        run.average.swap();
        bool const same = std::equal(run.net.body.weight.begin(), run.net.body.weight.end(), resumed.net.body.weight.begin());
        bool const good = same && averaged > 0.9;
        std::printf("the average of the weights: %.2f %%; the resumed run has %s: %s\n", 100 * averaged,
                    same ? "the same bits" : "OTHER BITS", good ? "ok" : "WRONG");
        return good ? 0 : 1;
    } catch (std::exception const& error) {
        std::fflush(stdout);
        std::fprintf(stderr, "13_training: %s\n", error.what());
        return 1;
    }
}
