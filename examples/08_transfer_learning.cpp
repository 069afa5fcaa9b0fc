// SPDX-License-Identifier: BSL-1.0
// Transfer learning: a network learns to tell the digits 0 to 4, then its body is frozen and a new head learns 5 to 9.
//
//     ./08_transfer_learning                on digits that the program draws itself
//     ./08_transfer_learning --mnist DIR    on the MNIST files, unpacked, in DIR
//
// The body turns a picture into features, the head features into scores. What is frozen requires no gradient, so the tape
// ends there: nothing of the body is kept or run backward. A body that has learned nothing shows what the transfer is worth.
#include <gradus.hpp>

#include "digits/dataset.hpp"
#include "digits/draw.hpp"
#include "digits/mnist.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace gr = gradus;

constexpr int pixels = static_cast<int>(digits::pixels), features = 32, half = digits::classes / 2;
using pictures = gr::tensor<float, gr::dyn, pixels>;
using labels = gr::tensor<std::int32_t, gr::dyn>;

/// p - rate * gradient, in place: one statement for parameters of every shape, seen as rows of numbers.
static void descend(gr::tensor<float, gr::dyn> const& p, gr::tensor<float, gr::dyn> const& gradient, float rate) { p -= rate * gradient; }

template <int In, int Out>
struct layer {
    gr::tensor<float, In, Out> w;
    gr::tensor<float, Out> b;

    explicit layer(gr::random& random) {
        w = gr::array<float, In, Out>::normal(random, 0.0f, std::sqrt(2.0f / In));  // relu keeps the size of signals
        b = gr::zeros<float, Out>();
        require_gradients(true);
    }
    void require_gradients(bool on) const { w.requires_grad_(on), b.requires_grad_(on); }
    void step(float rate) const {
        gr::no_grad guard;
        descend(w.flatten(), w.grad().flatten(), rate);
        descend(b.flatten(), b.grad().flatten(), rate);
        w.zero_grad();
        b.zero_grad();
    }
};
using body = layer<pixels, features>;
using head = layer<features, half>;

static gr::tensor<float, gr::dyn, features> features_of(body const& net, pictures const& x) {
    return gr::relu(gr::matmul(x, net.w) + net.b);
}
static gr::tensor<float, gr::dyn, half> scores(head const& top, gr::tensor<float, gr::dyn, features> const& h) {
    return gr::matmul(h, top.w) + top.b;
}

/// The digits from `first` to `first` + 4, labelled from 0.
static digits::dataset half_of(digits::dataset const& all, int first, std::size_t at_most) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < all.size() && rows.size() < at_most; ++i)
        if (all.labels[i] >= first && all.labels[i] < first + half) rows.push_back(i);
    digits::dataset some = digits::take(all, rows);
    for (std::int32_t& label : some.labels) label -= first;
    return some;
}
static pictures pictures_of(digits::dataset const& data) { return gr::from_span<float, gr::dyn, pixels>(data.images, data.size()); }

static double accuracy(body const& net, head const& top, digits::dataset const& data) {
    gr::no_grad guard;
    gr::tensor best = gr::argmax<1>(scores(top, features_of(net, pictures_of(data))));
    std::size_t right = 0;
    for (std::size_t i = 0; i < data.size(); ++i) right += best.data()[i] == data.labels[i];
    return static_cast<double>(right) / static_cast<double>(data.size());
}

/// Stochastic gradient descent; trains the body too if it is not frozen.
static void train(body const& net, head const& top, digits::dataset const& data, digits::dataset const& test, int epochs,
                  std::uint64_t seed) {
    constexpr std::size_t batch = 32;
    auto const begin = std::chrono::steady_clock::now();
    double total = 0;
    std::size_t steps = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
        auto const order = digits::shuffled_order(data.size(), seed + static_cast<std::uint64_t>(epoch));
        total = 0;
        for (std::size_t from = 0; from < order.size(); from += batch, ++steps) {
            digits::dataset const some = digits::take(data, std::span(order).subspan(from, std::min(batch, order.size() - from)));
            labels const answers = gr::from_span<std::int32_t, gr::dyn>(some.labels, some.size());
            auto const h = features_of(net, pictures_of(some));
            gr::tensor loss = gr::cross_entropy(scores(top, h), answers);
            loss.backward();
            top.step(0.1f);
            if (h.requires_grad()) net.step(0.1f);
            total += static_cast<double>(loss.item()) * static_cast<double>(some.size());
        }
    }
    std::chrono::duration<double, std::micro> const time = std::chrono::steady_clock::now() - begin;
    std::printf("  %2d epochs, loss %.4f, %5.1f us a step, %.2f %% of %zu test digits read rightly\n", epochs,
                total / static_cast<double>(data.size()), time.count() / static_cast<double>(steps), 100 * accuracy(net, top, test),
                test.size());
}

int main(int argc, char** argv) {
    std::string mnist;
    int samples = 6'000, few = 100;
    std::uint64_t seed = 1;
    CLI::App app("Trains a network on the digits 0 to 4, then a new head for 5 to 9 on its frozen body.");
    app.add_option("--mnist", mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--samples", samples, "Digits to draw, a fifth of them to test on")
        ->check(CLI::Range(200, 1'000'000))
        ->capture_default_str();
    app.add_option("--few", few, "Digits 5 to 9 that the new head is shown")->check(CLI::Range(5, 100'000))->capture_default_str();
    app.add_option("--seed", seed, "Seed of everything random")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        auto const data =
            mnist.empty() ? digits::split(digits::draw(static_cast<std::size_t>(samples), seed), 0.2, seed) : digits::load_mnist(mnist);
        auto const all = static_cast<std::size_t>(-1);
        auto const first = half_of(data.train, 0, all), first_test = half_of(data.test, 0, all);
        auto const second = half_of(data.train, half, static_cast<std::size_t>(few)), second_test = half_of(data.test, half, all);
        gr::random random(seed);

        body const net(random), untrained(random);
        head const old_head(random);
        std::printf("0 to 4, %zu digits, body and head learn:\n", first.size());
        train(net, old_head, first, first_test, 4, seed);

        net.require_gradients(false);  // frozen
        untrained.require_gradients(false);
        auto const frozen = net.w.clone();
        head const new_head(random), other_head(random);
        std::printf("5 to 9, %zu digits, a new head learns on the frozen body:\n", second.size());
        train(net, new_head, second, second_test, 60, seed);
        std::printf("the same on a body that has learned nothing:\n");
        train(untrained, other_head, second, second_test, 60, seed);

        bool const untouched = !net.w.grad().defined() && std::equal(frozen.begin(), frozen.end(), net.w.begin());
        double const transferred = accuracy(net, new_head, second_test), without = accuracy(untrained, other_head, second_test);
        bool const good = untouched && accuracy(net, old_head, first_test) > 0.9 && transferred > without;
        std::printf("the body %s; what it learned from other digits is worth %+.1f points: %s\n",
                    untouched ? "is untouched" : "HAS CHANGED", 100 * (transferred - without), good ? "ok" : "WRONG");
        return good ? 0 : 1;
    } catch (std::exception const& error) {
        std::fflush(stdout);
        std::fprintf(stderr, "08_transfer_learning: %s\n", error.what());
        return 1;
    }
}
