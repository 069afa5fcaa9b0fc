// SPDX-License-Identifier: BSL-1.0
// A network learns the digits 0 to 4 and is saved; its body is loaded, frozen, and a new head on it learns 5 to 9 from few digits. Then
// the body learns too, at a smaller rate.
//
//     ./08_fine_tuning                on digits that the program draws itself
//     ./08_fine_tuning --mnist DIR    on the MNIST files, unpacked, in DIR
//
// What is frozen requires no gradient, so the tape ends there: nothing of the body is kept or run backward. The same on a body that has
// learned nothing shows what the transfer is worth. The file is what safetensors' own libraries read, in Python and elsewhere.
#include <gradus.hpp>
#include <gradus/io/safetensors.hpp>

#include "digits/samples.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace gr = gradus;
namespace nn = gr::nn;

constexpr std::int64_t pixels = 28 * 28, features = 64, half = digits::classes / 2;
using pictures = gr::tensor<float, gr::dyn, pixels>;
using samples = decltype(digits::samples_of<pixels>(digits::dataset{}));

struct network : nn::module<network> {
    nn::linear<float, pixels, features> body;
    nn::linear<float, features, half> head;

    explicit network(gr::random& random) : body(random), head(random) {}
    auto operator()(pictures const& x) const { return head(gr::relu(body(x))); }
    auto members() const { return nn::members("body", body, "head", head); }
};

/// The first digits from `from` to `from` + 4, labelled from 0.
static samples half_of(digits::dataset const& all, std::int32_t from, std::size_t at_most = static_cast<std::size_t>(-1)) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < all.size() && rows.size() < at_most; ++i)
        if (all.labels[i] >= from && all.labels[i] < from + half) rows.push_back(i);
    digits::dataset some = digits::take(all, rows);
    for (std::int32_t& label : some.labels) label -= from;
    return digits::samples_of<pixels>(some);
}
static double accuracy(network const& net, samples const& test) {
    gr::no_grad guard;
    auto const& [x, label] = test.tensors();
    gr::tensor const best = gr::argmax<1>(net(x));
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < label.size(); ++i) right += best(i) == label(i);
    return 100 * static_cast<double>(right) / static_cast<double>(label.size());
}
static void train(char const* what, network const& net, gr::optim::sgd step, samples const& data, samples const& test, int epochs) {
    gr::data::data_loader loader(data, {.batch_size = 20, .shuffle = true, .seed = 1});
    double total = 0;
    for (int e = 0; e < epochs; ++e) {
        total = 0;
        for (auto const& [x, label] : loader) {
            step.zero_grad();
            gr::tensor loss = gr::cross_entropy(net(x), label);
            loss.backward();
            step.step();
            total += static_cast<double>(loss.item()) / static_cast<double>(loader.size());
        }
    }
    std::printf("%-34s %4d digits, %2d epochs: loss %.4f, %.2f %% of %d test digits\n", what, static_cast<int>(data.size()), epochs, total,
                accuracy(net, test), static_cast<int>(test.size()));
}

static int run(digits::train_test const& data, std::size_t few, std::string const& file) {
    gr::random random(1);
    samples const first = half_of(data.train, 0), first_test = half_of(data.test, 0);
    samples const second = half_of(data.train, half, few), second_test = half_of(data.test, half);
    network const taught(random);
    train("0 to 4, all of the network:", taught, gr::optim::sgd(taught.parameters(), {.lr = 0.1}), first, first_test, 4);
    gr::io::save_safetensors(file, taught.state_dict(), {{"digits", "0 to 4"}});

    network const tuned(random), untaught(random);
    nn::tensor_dict const saved = gr::io::load_safetensors(file);
    tuned.body.load_state_dict(nn::part(saved, "body"));  // the head stays a new one
    for (network const& net : {tuned, untaught}) net.body.requires_grad_(false);
    auto const step_of = [](network const& net) { return gr::optim::sgd(net.parameters(), {.lr = 0.1}); };
    train("5 to 9, a head on the frozen body:", tuned, step_of(tuned), second, second_test, 40);
    train("5 to 9, on one that learned nothing:", untaught, step_of(untaught), second, second_test, 40);
    double const transferred = accuracy(tuned, second_test), without = accuracy(untaught, second_test);
    bool const untouched = !tuned.body.weight.grad().defined() && gr::allclose(tuned.body.weight, taught.body.weight, 0, 0);

    tuned.body.requires_grad_(true);
    gr::optim::sgd const both({{tuned.body.parameters(), {.lr = 0.02}}, {tuned.head.parameters(), {.lr = 0.1}}});
    train("5 to 9, body and head:", tuned, both, second, second_test, 40);
    bool const good = untouched && transferred > without && accuracy(tuned, second_test) > without;
    std::printf("frozen, the body %s; what it learned of other digits is worth %+.1f points: %s\n",
                untouched ? "kept its bits" : "HAS CHANGED", transferred - without, good ? "ok" : "WRONG");
    return good ? 0 : 1;
}

int main(int argc, char** argv) {
    std::string mnist, file = "digits.safetensors";
    std::size_t count = 3'000, few = 100;
    CLI::App app("Trains a network on the digits 0 to 4, then a new head for 5 to 9 on its body.");
    app.add_option("--mnist", mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--samples", count, "Digits to draw, a fifth of them to test on")->check(CLI::Range(200, 1'000'000));
    app.add_option("--few", few, "Digits 5 to 9 that the new head is shown")->check(CLI::Range(5, 100'000));
    app.add_option("--save", file, "The file between")->type_name("FILE.safetensors");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(digits::load_or_draw(mnist, count), few, file);
    } catch (std::exception const& error) {
        std::fflush(stdout);
        std::fprintf(stderr, "08_fine_tuning: %s\n", error.what());
        return 1;
    }
}
