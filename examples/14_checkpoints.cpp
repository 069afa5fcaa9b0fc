// SPDX-License-Identifier: BSL-1.0
// Batches, checkpoints and going on: a network learns digits from a loader whose thread moves the pictures about, and writes all it needs
// into a file after every epoch. The file is replaced whole or not at all, so a program that is stopped goes on where it was.
//
//     ./14_checkpoints                                on digits that the program draws itself
//     ./14_checkpoints --mnist DIR                    on the MNIST files, unpacked, in DIR
//     ./14_checkpoints --epochs 2 --save a.npz; ./14_checkpoints --epochs 4 --load a.npz --save b.npz
//
// Four epochs, or two and two, give the same file to the bit: the order of samples and what moves them depend on seed and epoch alone.
#include <gradus.hpp>
#include <gradus/data.hpp>
#include <gradus/io.hpp>
#include "digits/draw.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace gr = gradus;

constexpr std::int64_t side = 28, pixels = side * side, hidden = 64, classes = 10;
using pictures = gr::tensor<float, gr::dyn, pixels>;
using labels = gr::tensor<std::int64_t, gr::dyn>;
using samples = gr::data::tensor_dataset<pictures, labels>;

/// Each picture moved by up to two pixels in both directions; what moves in is paper. Real hands do not centre their digits.
static std::tuple<pictures, labels> moved(pictures const& x, labels const& y, gr::random& random) {
    pictures const to = gr::zeros<float, gr::dyn, pixels>(x.size(0));
    for (std::int64_t i = 0; i < x.size(0); ++i) {
        std::int64_t const down = static_cast<std::int64_t>(random.next() % 5) - 2,
                           right = static_cast<std::int64_t>(random.next() % 5) - 2;
        std::int64_t const first = std::max<std::int64_t>(0, right), width = side - std::abs(right);
        for (std::int64_t row = std::max<std::int64_t>(0, down); row < side + std::min<std::int64_t>(0, down); ++row)
            std::copy_n(x.data() + i * pixels + (row - down) * side + first - right, width, to.data() + i * pixels + row * side + first);
    }
    return {to, y};
}

/// 784-64-10 with the momentum of its parameters, and how many epochs it has learned.
struct network {
    gr::tensor<float, pixels, hidden> w1;
    gr::tensor<float, hidden> b1 = gr::zeros<float, hidden>();
    gr::tensor<float, hidden, classes> w2;
    gr::tensor<float, classes> b2 = gr::zeros<float, classes>();
    gr::tensor<std::int64_t> epochs = gr::zeros<std::int64_t>();
    gr::io::state_dict momentum;

    explicit network(std::uint64_t seed) {
        gr::random random(seed);
        w1 = gr::array<float, pixels, hidden>::normal(random, 0.0f, std::sqrt(2.0f / pixels));
        w2 = gr::array<float, hidden, classes>::normal(random, 0.0f, std::sqrt(2.0f / hidden));
        for (auto const& [name, p] : parameters()) {
            p.requires_grad_();
            momentum.emplace_back("momentum." + name, gr::empty(p.shape(), p.dtype()));
            std::ranges::fill(momentum.back().second.values<float>(), 0.0f);
        }
    }
    gr::io::state_dict parameters() const { return {{"w1", w1}, {"b1", b1}, {"w2", w2}, {"b2", b2}}; }
    auto scores(pictures const& x) const { return gr::matmul(gr::relu(gr::matmul(x, w1) + b1), w2) + b2; }

    /// m = 0.9 m + g, p = p - rate m, parameters as rows of numbers.
    void step(float rate) const {
        gr::no_grad guard;
        auto const all = parameters();
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const [p, g, m] =
                std::tuple(all[i].second.values<float>(), all[i].second.grad().values<float>(), momentum[i].second.values<float>());
            for (std::size_t k = 0; k < p.size(); ++k) p[k] -= rate * (m[k] = 0.9f * m[k] + g[k]);
            gr::increment_version(all[i].second);
            all[i].second.zero_grad();
        }
    }
    /// Everything that training needs, by name.
    gr::io::state_dict state() const {
        gr::io::state_dict all = parameters();
        all.insert(all.end(), momentum.begin(), momentum.end());
        all.emplace_back("epochs", epochs);
        return all;
    }
    void load(std::string const& file) const {
        auto const read = gr::io::load_npz(file);
        for (auto const& [name, to] : state()) {
            auto const found = std::ranges::find(read, name, &std::pair<std::string, gr::any_tensor>::first);
            if (found == read.end() || found->second.shape() != to.shape() || found->second.dtype() != to.dtype())
                throw gr::io_error(file + ": no parameter " + name + " of this network");
            std::memcpy(to.data(), found->second.data(), static_cast<std::size_t>(to.size() * gr::size_of(to.dtype())));
            gr::increment_version(to);
        }
    }
};

static double accuracy(network const& net, auto& loader) {
    gr::no_grad guard;
    std::int64_t right = 0, all = 0;
    for (auto const& [x, y] : loader) {
        gr::tensor const best = gr::argmax<1>(net.scores(x));
        for (std::int64_t i = 0; i < y.size(); ++i) right += best(i) == y(i);
        all += y.size();
    }
    return 100.0 * static_cast<double>(right) / static_cast<double>(all);
}

static samples drawn(std::size_t count, std::uint64_t seed) {
    auto const digits = digits::draw(count, seed);
    return samples(pictures(digits.images), labels(digits.labels.begin(), digits.labels.end()));
}

int main(int argc, char** argv) {
    std::string mnist, save, load;
    std::int64_t epochs = 3;
    CLI::App app("Learns digits, with checkpoints.");
    app.add_option("--mnist", mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--epochs", epochs, "Epochs in all, those of the file among them")->capture_default_str();
    app.add_option("--save", save, "Write a checkpoint after every epoch")->type_name("FILE.npz");
    app.add_option("--load", load, "Go on from a checkpoint")->type_name("FILE.npz");
    CLI11_PARSE(app, argc, argv);
    try {
        samples const all = mnist.empty() ? drawn(5000, 1) : gr::data::mnist<pixels>(mnist);
        auto const [train, validate] = gr::data::random_split(all, {0.9, 0.1}, 1);
        gr::data::data_loader loader(gr::data::transformed(train, moved), {.batch_size = 32, .shuffle = true, .seed = 1, .prefetch = 4});
        gr::data::data_loader held_back(validate, {.batch_size = 256});
        network net(1);
        if (!load.empty()) net.load(load);
        loader.set_epoch(static_cast<std::uint64_t>(net.epochs.item()));
        for (std::int64_t epoch = net.epochs.item(); epoch < epochs; ++epoch) {
            double total = 0;
            for (auto const& [x, y] : gr::data::progress(loader)) {
                gr::tensor loss = gr::cross_entropy(net.scores(x), y);
                loss.backward();
                net.step(0.02f);
                total += static_cast<double>(loss.item()) / static_cast<double>(loader.size());
            }
            net.epochs.fill_(epoch + 1);
            if (!save.empty()) gr::io::save_npz(save, net.state());
            std::printf("epoch %d: loss %.4f, %.2f %% of %d digits held back\n", static_cast<int>(epoch + 1), total,
                        accuracy(net, held_back), static_cast<int>(validate.size()));
        }
        if (!mnist.empty()) {
            gr::data::data_loader test(gr::data::mnist<pixels>(mnist, false), {.batch_size = 256});
            std::printf("%.2f %% of the test digits\n", accuracy(net, test));
        }
    } catch (std::exception const& error) {
        std::fprintf(stderr, "14_checkpoints: %s\n", error.what());
        return 1;
    }
}
