// SPDX-License-Identifier: BSL-1.0
// The digit reader, taught by several processes: each learns from its part of every batch, and all have the same network all the time.
//
//     mpirun -n 2 ./17_distributed_digits                       on digits that the program draws itself
//     mpirun -n 2 ./17_distributed_digits --mnist DIR           on the MNIST files, unpacked, in DIR
//     mpirun -n 4 ./17_distributed_digits --in-order            1, 2 and 4 processes end with the same bits
//     mpirun -n 2 ./17_distributed_digits --save a.npz          a checkpoint after every epoch, by one process
//     mpirun -n 4 ./17_distributed_digits --load a.npz          goes on, on as many processes as you like
//
// A step of 64 digits is one of 64 digits however many processes share it. With --in-order it is made of four parts of 16 digits: what is
// added up, and in which order, no longer depends on who computes which part.
#include <gradus.hpp>
#include <gradus/data.hpp>
#include <gradus/dist.hpp>
#include <gradus/io.hpp>
#include "digits/draw.hpp"

#include <CLI/CLI.hpp>

#include <bit>
#include <chrono>
#include <cstdio>
#include <string>

namespace gr = gradus;
namespace nn = gr::nn;
namespace dist = gr::dist;

constexpr std::int64_t pixels = 28 * 28, hidden = 128, classes = 10, quarters = 4;
using pictures = gr::tensor<float, gr::dyn, pixels>;
using labels = gr::tensor<std::int64_t, gr::dyn>;
using samples = gr::data::tensor_dataset<pictures, labels>;

struct network : nn::module<network> {
    nn::linear<float, pixels, hidden> body;
    nn::linear<float, hidden, classes> head;

    explicit network(gr::random& random) : body(random), head(random) {}
    gr::tensor<float, gr::dyn, classes> operator()(pictures const& x) const {
        gr::tensor<float, gr::dyn, hidden> const h = gr::relu(body(x));  // two statements: the head's gradients leave before the body's
        return head(h);
    }
    auto members() const { return nn::members("body", body, "head", head); }
};

struct options {
    std::string mnist, save, load;
    std::int64_t samples = 4000, epochs = 3, batch = 64;
    bool in_order = false;
};

static samples read(options const& given) {
    if (!given.mnist.empty()) return gr::data::mnist<pixels>(given.mnist);
    auto const digits = digits::draw(static_cast<std::size_t>(given.samples), 1);
    return samples(pictures(digits.images), labels(digits.labels.begin(), digits.labels.end()));
}

/// All that training goes on from, by name: the network's, and what the optimiser remembers.
static gr::io::state_dict state_of(network const& net, auto const& step, gr::any_tensor const& epochs) {
    gr::io::state_dict all{{"epochs", epochs}};
    for (auto const& [name, t] : net.state_dict()) all.emplace_back("net." + name, t);
    for (auto const& [name, t] : step.state_dict()) all.emplace_back("step." + name, t);
    return all;
}
static gr::io::state_dict part(gr::io::state_dict const& all, std::string const& prefix) {
    gr::io::state_dict found;
    for (auto const& [name, t] : all)
        if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), t);
    return found;
}

/// The share of digits that are read rightly, each rank having looked at some.
static double accuracy(network const& net, auto const& all, dist::communicator const& world) {
    gr::no_grad guard;
    std::int64_t counts[2] = {};
    gr::data::data_loader loader(all, {.batch_size = 256},
                                 dist::distributed_sampler(all.size(), world, {.shuffle = false, .drop_last = true}));
    for (auto const& [x, y] : loader) {
        gr::tensor const best = gr::argmax<1>(net(x));
        for (std::int64_t i = 0; i < y.size(); ++i) counts[0] += best(i) == y(i);
        counts[1] += y.size();
    }
    dist::all_reduce_(world, counts);
    return 100.0 * static_cast<double>(counts[0]) / static_cast<double>(counts[1]);
}

static void train(options const& given, dist::communicator const& world) {
    bool const talks = world.rank() == 0;
    std::int64_t const ranks = world.size();
    if (given.batch % (given.in_order ? quarters : ranks) || (given.in_order && quarters % ranks))
        throw gr::error("a batch of " + std::to_string(given.batch) + " digits cannot be parted evenly among the processes");
    // What is one pass of one process: all of its digits of a step, or those of one of the four parts.
    std::int64_t const passes = given.in_order ? quarters / ranks : 1, pass = given.batch / ranks / passes;

    auto const [learned, tested] = gr::data::random_split(read(given), {0.8, 0.2}, 1);
    gr::data::data_loader loader(
        learned, {.batch_size = pass},
        dist::distributed_sampler(learned.size(), world, {.seed = 1, .drop_last = true, .block = given.batch / ranks}));
    gr::random random(1);
    network const net(random);
    gr::optim::adamw step(net.parameters(), {.lr = 2e-3});
    auto const epochs = gr::zeros<std::int64_t>();
    if (!given.load.empty()) {
        auto const read = gr::io::load_npz(given.load);
        net.load_state_dict(part(read, "net."));
        step.load_state_dict(part(read, "step."));
        epochs.fill_(part(read, "epochs").at(0).second.as<std::int64_t>().item());
    }
    dist::distributed_data_parallel parallel(net, world, {.op = dist::reduction::sum, .in_rank_order = given.in_order});
    if (talks)
        std::printf("%d processes, steps of %d digits, %d a pass\n", world.size(), static_cast<int>(given.batch), static_cast<int>(pass));
    loader.set_epoch(static_cast<std::uint64_t>(epochs.item()));
    for (std::int64_t epoch = epochs.item(); epoch < given.epochs; ++epoch) {
        auto const begin = std::chrono::steady_clock::now();
        double total[1] = {};
        std::int64_t count = 0;
        for (auto const& [x, y] : loader) {
            bool const last = ++count % passes == 0;  // of the step
            auto const quiet = parallel.no_sync(!last);
            gr::tensor loss = gr::cross_entropy(net(x), y) * (static_cast<float>(pass) / static_cast<float>(given.batch));
            loss.backward();
            total[0] += static_cast<double>(loss.item());
            if (!last) continue;
            step.step();
            step.zero_grad();
        }
        std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - begin;
        dist::all_reduce_(world, total, {.in_rank_order = true});
        epochs.fill_(epoch + 1);
        if (!given.save.empty()) dist::on_rank(world, 0, [&] { gr::io::save_npz(given.save, state_of(net, step, epochs)); });
        double const right = accuracy(net, tested, world);
        if (talks)
            std::printf("epoch %d: loss %.4f, %.2f %% of the digits held back; %.2f s\n", static_cast<int>(epoch + 1),
                        total[0] / static_cast<double>(loader.size() / passes), right, seconds.count());
    }
    std::uint64_t bits = 0;
    for (gr::any_tensor const& p : net.parameters())
        for (float x : p.values<float>()) bits = bits * 0x100000001b3u ^ std::bit_cast<std::uint32_t>(x);
    if (talks) std::printf("the bits of all parameters, hashed: %016llx\n", static_cast<unsigned long long>(bits));
}

int main(int argc, char** argv) {
    options given;
    CLI::App app("Teaches a network digits, by several processes.");
    app.add_option("--mnist", given.mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--samples", given.samples, "Digits to draw, a fifth of them to test on")->check(CLI::Range(1'000, 1'000'000));
    app.add_option("--epochs", given.epochs, "Epochs in all, those of the file among them")->check(CLI::Range(1, 10'000));
    app.add_option("--batch", given.batch, "Digits of a step, of all processes together")->check(CLI::Range(4, 65'536));
    app.add_flag("--in-order", given.in_order, "Add gradients up in the order of four parts: 1, 2 and 4 processes have the same bits");
    app.add_option("--save", given.save, "Write a checkpoint after every epoch")->type_name("FILE.npz");
    app.add_option("--load", given.load, "Go on from a checkpoint")->type_name("FILE.npz");
    CLI11_PARSE(app, argc, argv);
    return dist::run([&](dist::communicator const& world) { train(given, world); });
}
