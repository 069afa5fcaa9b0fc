// SPDX-License-Identifier: BSL-1.0
// Trains a network to read handwritten digits.
//
//     ./06_digits                                       on digits that the program draws itself
//     ./06_digits --mnist DIR --report report.svg       on the MNIST files, unpacked, in DIR
//     ./06_digits --save digits.bin && ./06_digits --load digits.bin
//
// 28 x 28 grey values -> 128 relu -> 10 scores. The whole training step, from the pictures to the updated parameters and
// their momenta, is one program: compiled by the C++ compiler, it allocates nothing and knows its memory beforehand.
#include <gradus.hpp>

#define STB_IMAGE_WRITE_IMPLEMENTATION  // the bodies of the functions that pack the report's pictures
#include "digits/confusion.hpp"
#include "digits/dataset.hpp"
#include "digits/draw.hpp"
#include "digits/mnist.hpp"
#include "digits/picture.hpp"
#include "digits/splitmix.hpp"

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <boost/timer/progress_display.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

// ---- the model

constexpr int inputs = static_cast<int>(digits::pixels), hidden_units = 128, classes = digits::classes;

constexpr auto image = gr::var<"image", float, "batch", inputs>;  // any batch size, the same for both
constexpr auto label = gr::var<"label", std::int32_t, "batch">;
constexpr auto w1 = gr::var<"w1", float, inputs, hidden_units>;
constexpr auto b1 = gr::var<"b1", float, hidden_units>;
constexpr auto w2 = gr::var<"w2", float, hidden_units, classes>;
constexpr auto b2 = gr::var<"b2", float, classes>;

constexpr auto hidden = gr::let([] { return gr::relu(gr::matmul(image, w1) + b1); });
constexpr auto scores = gr::let([] { return gr::matmul(hidden, w2) + b2; });
constexpr auto loss = gr::cross_entropy(scores, label);

// ---- training: gradient descent with momentum, v <- 0.9 v + gradient, p <- p - rate v

constexpr auto rate = gr::var<"rate", float>;
constexpr auto v_w1 = gr::var<"v_w1", float, inputs, hidden_units>;
constexpr auto v_b1 = gr::var<"v_b1", float, hidden_units>;
constexpr auto v_w2 = gr::var<"v_w2", float, hidden_units, classes>;
constexpr auto v_b2 = gr::var<"v_b2", float, classes>;

template <class P, class V>
constexpr auto momentum(P p, V v) {
    return 0.9_c * v + gr::grad(loss, p);
}
template <class P, class V>
constexpr auto descend(P p, V v) {
    return gr::update(p, p - rate * momentum(p, v));
}
template <class P, class V>
constexpr auto remember(P p, V v) {
    return gr::update(v, momentum(p, v));
}

constexpr auto step = gr::compile(loss, descend(w1, v_w1), descend(b1, v_b1), descend(w2, v_w2), descend(b2, v_b2), remember(w1, v_w1),
                                  remember(b1, v_b1), remember(w2, v_w2), remember(b2, v_b2));
constexpr auto test = gr::compile(loss, gr::argmax<1>(scores));
static_assert(gr::graph_of(loss, gr::grad(loss, w1), gr::grad(loss, w2)).count("matmul") == 5);  // two forward, three backward

// ---- parameters and their file

struct network {
    gr::array<float, inputs, hidden_units> w1{};
    gr::array<float, hidden_units> b1{};
    gr::array<float, hidden_units, classes> w2{};
    gr::array<float, classes> b2{};

    /// Calls f with each parameter, in the order of the file.
    static void each(auto& net, auto f) { f(net.w1), f(net.b1), f(net.w2), f(net.b2); }
    bool operator==(network const&) const = default;
};

/// Normal with variance 2 / inputs, so that relu keeps the size of signals. Source: K. He, X. Zhang, S. Ren, J. Sun,
/// "Delving deep into rectifiers", ICCV 2015.
static network initial_network(std::uint64_t seed) {
    gr::random random(seed);
    network net;
    net.w1 = decltype(net.w1)::normal(random, 0.0F, std::sqrt(2.0F / inputs));
    net.w2 = decltype(net.w2)::normal(random, 0.0F, std::sqrt(2.0F / hidden_units));
    return net;
}

// The file: 8 letters; for each parameter its rank, its extents and its elements (IEEE 754 single precision); a checksum of
// all that. Every number has 4 bytes, the lowest first, whatever the machine's own order.
constexpr std::string_view file_magic = "gradusN1";

static void put(std::string& bytes, std::uint32_t number) {
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift & 0xffU);
}
static std::uint32_t get(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    for (unsigned i = 0; i < 4; ++i) number |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << 8U * i;
    return number;
}
/// FNV-1a. Source: G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, RFC 9923.
static std::uint32_t checksum(std::string_view bytes) {
    std::uint32_t hash = 0x811c9dc5U;
    for (char const c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
    return hash;
}

static std::string to_bytes(network const& net) {
    std::string bytes(file_magic);
    network::each(net, [&bytes](auto const& parameter) {
        put(bytes, static_cast<std::uint32_t>(parameter.rank()));
        for (int axis = 0; axis < parameter.rank(); ++axis) put(bytes, static_cast<std::uint32_t>(parameter.shape()[axis].code));
        for (float const element : parameter) put(bytes, std::bit_cast<std::uint32_t>(element));
    });
    put(bytes, checksum(bytes));
    return bytes;
}

static void save(network const& net, std::filesystem::path const& file) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << to_bytes(net);
    out.close();
    if (!out) throw std::runtime_error(file.string() + ": the parameters cannot be written");
}

/// Throws std::runtime_error naming the file where it is not what save() writes.
static network load(std::filesystem::path const& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) digits::refuse(file, "a file of parameters", "no such file");
    if (!std::filesystem::is_regular_file(file, error)) digits::refuse(file, "a file of parameters", "no regular file");
    auto const size = std::filesystem::file_size(file, error);
    std::ifstream in(file, std::ios::binary);
    if (error || !in) digits::refuse(file, "a file of parameters", "one that cannot be opened");

    network net;
    std::string const wanted = to_bytes(net);
    std::string bytes(std::min<std::size_t>(wanted.size(), size), '\0');  // never more than a whole file, whatever is there
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!in) digits::refuse(file, std::to_string(bytes.size()) + " bytes", "a read error after " + std::to_string(in.gcount()));
    if (!bytes.starts_with(file_magic))
        digits::refuse(file, "a file of parameters that begins with " + std::string(file_magic),
                       bytes.empty() ? "an empty file" : "another beginning");

    std::size_t at = file_magic.size();
    auto const next = [&bytes, &at, &file, &wanted] {
        if (bytes.size() < at + 4)
            digits::refuse(file, std::to_string(wanted.size()) + " bytes", std::to_string(bytes.size()) + ", so it is cut short");
        at += 4;
        return get(bytes, at - 4);
    };
    network::each(net, [&next, &file]<class Parameter>(Parameter& parameter) {
        std::string expected = std::to_string(parameter.rank()) + " axes", found = std::to_string(next()) + " axes";
        for (int axis = 0; axis < parameter.rank() && expected == found; ++axis) {
            expected += ", " + std::to_string(parameter.shape()[axis].code);
            found += ", " + std::to_string(next());
        }
        if (found != expected) digits::refuse(file, "a parameter of " + expected, found);
        for (float& element : parameter) element = std::bit_cast<float>(next());
    });
    if (next() != checksum(std::string_view(bytes).substr(0, at - 4)))
        digits::refuse(file, "bytes that fit the checksum", "others: the file is damaged");
    if (size != wanted.size())
        digits::refuse(file, std::to_string(wanted.size()) + " bytes", std::to_string(size) + ", so bytes are left over");
    return net;
}

// ---- data

/// Copies a picture moved by (dx, dy) pixels; what moves in is paper. Real hands do not centre their digits.
static void copy_shifted(std::span<float const> from, float* to, int dx, int dy) {
    constexpr int side = static_cast<int>(digits::side);
    std::fill_n(to, digits::pixels, 0.0F);
    int const first = std::max(0, dx), width = side - std::abs(dx);
    for (int row = std::max(0, dy); row < side + std::min(0, dy); ++row)
        std::copy_n(from.data() + (row - dy) * side + first - dx, width, to + row * side + first);
}

// ---- the program

struct options {
    std::string mnist, report, save, load;
    int epochs = 12, batch = 32, samples = 10'000;
    float rate = 0.05F;
    std::uint64_t seed = 1;
};

struct reading {
    float loss;
    std::vector<std::int64_t> digits;
    double accuracy;
};

static reading read_all(network const& net, digits::dataset const& data) {
    auto const [value, best] = test(image = data.images, label = data.labels, w1 = net.w1, b1 = net.b1, w2 = net.w2, b2 = net.b2);
    reading result{value, {best.begin(), best.end()}, 0};
    for (std::size_t i = 0; i < data.size(); ++i) result.accuracy += result.digits[i] == data.labels[i];
    result.accuracy /= static_cast<double>(data.size());
    return result;
}

static std::vector<digits::epoch> train(network& net, digits::train_test const& data, options const& given) {
    struct line {
        float training_loss, test_loss;
        double accuracy;
    };
    auto print = [number = 0](line const& l) mutable {
        std::printf("%5d  %13.4f  %9.4f  %11.2f %%\n", ++number, static_cast<double>(l.training_loss), static_cast<double>(l.test_loss),
                    100 * l.accuracy);
        std::fflush(stdout);
    };
    std::size_t const count = data.train.size(), batch = static_cast<std::size_t>(given.batch), batches = (count + batch - 1) / batch;
    auto const epochs = static_cast<std::size_t>(given.epochs);

    // On a terminal a bar grows and the table follows it; a log gets the lines as they are known.
    std::unique_ptr<boost::timer::progress_display> bar;
    if (isatty(STDOUT_FILENO)) bar = std::make_unique<boost::timer::progress_display>(epochs * batches, std::cout, "");
    char const* const head = "epoch  training loss  test loss  test accuracy\n";
    if (!bar) std::printf("%s", head);

    std::vector<float> pictures(batch * digits::pixels);
    std::vector<std::int32_t> answers(batch);
    network velocity;
    gr::workspace memory;
    digits::splitmix random(given.seed);
    std::vector<line> lines;
    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
        auto const order = digits::shuffled_order(count, random.next());
        double total = 0;
        for (std::size_t i = 0; i < batches; ++i) {
            std::size_t const begin = i * batch, size = std::min(batch, count - begin);  // the last may be smaller
            for (std::size_t k = 0; k < size; ++k) {
                int const dx = random.between(-1, 1), dy = random.between(-1, 1);
                copy_shifted(data.train.image(order[begin + k]), &pictures[k * digits::pixels], dx, dy);
                answers[k] = data.train.labels[order[begin + k]];
            }
            double const done = static_cast<double>(epoch * batches + i) / static_cast<double>(epochs * batches);
            auto const [value] =
                step(memory, image = std::span(pictures).first(size * digits::pixels), label = std::span(answers).first(size), w1 = net.w1,
                     b1 = net.b1, w2 = net.w2, b2 = net.b2, v_w1 = velocity.w1, v_b1 = velocity.b1, v_w2 = velocity.w2, v_b2 = velocity.b2,
                     rate = given.rate * static_cast<float>(1 - done));
            total += static_cast<double>(value) * static_cast<double>(size);
            if (bar) ++*bar;
        }
        auto const seen = read_all(net, data.test);
        lines.push_back({static_cast<float>(total / static_cast<double>(count)), seen.loss, seen.accuracy});
        if (!bar) print(lines.back());
        if (!std::isfinite(total))
            throw std::runtime_error("the loss is not finite in epoch " + std::to_string(epoch + 1) + ": try a smaller --rate than " +
                                     std::to_string(given.rate));
    }
    if (bar) {
        std::printf("\n%s", head);
        for (line const& l : lines) print(l);
    }
    std::vector<digits::epoch> history;
    for (line const& l : lines) history.push_back({l.training_loss, static_cast<float>(l.accuracy)});
    return history;
}

static void require_directory_of(std::string const& file) {
    if (file.empty()) return;
    auto const directory = std::filesystem::absolute(file).parent_path();
    if (!std::filesystem::is_directory(directory)) throw std::runtime_error(file + ": there is no directory " + directory.string());
}

static void run(options const& given) {
    require_directory_of(given.report);  // before the work, not after it
    require_directory_of(given.save);
    network net = given.load.empty() ? initial_network(given.seed) : load(given.load);

    auto const data = given.mnist.empty()
                          ? digits::split(digits::draw(static_cast<std::size_t>(given.samples), given.seed), 0.2, given.seed)
                          : digits::load_mnist(given.mnist);
    std::printf("%zu digits to train on, %zu to test on, %s\n", data.train.size(), data.test.size(),
                given.mnist.empty() ? "drawn by this program" : given.mnist.c_str());

    std::vector<digits::epoch> history;
    if (given.load.empty()) {
        auto const size = gr::dim<"batch"> = given.batch;
        std::printf("network %d-%d-%d; a step of %d pictures: %.1f MFLOP in %d kernels, %.0f KiB of scratch memory\n\n", inputs,
                    hidden_units, classes, given.batch, 1e-6 * static_cast<double>(step.flops(size)), step.kernels(),
                    static_cast<double>(step.workspace_bytes(size)) / 1024);
        auto const begin = std::chrono::steady_clock::now();
        history = train(net, data, given);
        std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - begin;
        std::printf("\ntrained in %.2f s, %.0f pictures per second\n", seconds.count(),
                    static_cast<double>(data.train.size() * history.size()) / seconds.count());
    } else {
        std::printf("parameters read from %s\n", given.load.c_str());
    }

    auto const seen = read_all(net, data.test);
    digits::confusion matrix;
    std::vector<digits::misread> wrong;
    for (std::size_t i = 0; i < data.test.size(); ++i) {
        int const truth = data.test.labels[i], answer = static_cast<int>(seen.digits[i]);
        matrix.add(truth, answer);
        if (answer != truth) wrong.push_back({i, truth, answer});
    }
    std::cout << '\n' << matrix << std::flush;
    std::printf("\n%zu of %zu test digits read rightly: %.2f %%\n", data.test.size() - wrong.size(), data.test.size(), 100 * seen.accuracy);

    if (!given.report.empty()) {
        digits::write_report(given.report, history, data.test, wrong, matrix);
        std::printf("report written to %s\n", given.report.c_str());
    }
    if (!given.save.empty()) {
        save(net, given.save);
        if (read_all(load(given.save), data.test).digits != seen.digits)
            throw std::runtime_error(given.save + ": the network read back gives other answers");
        std::printf("parameters written to %s; read back, they give the same answers\n", given.save.c_str());
    }
}

int main(int argc, char** argv) {
    options given;
    CLI::App app("Trains a network to read handwritten digits.");
    app.add_option("--mnist", given.mnist, "Directory with the four unpacked MNIST files (without: drawn digits)")->type_name("DIR");
    app.add_option("--samples", given.samples, "Digits to draw, a fifth of them to test on")
        ->check(CLI::Range(10, 1'000'000))
        ->capture_default_str();
    app.add_option("--epochs", given.epochs, "Passes over the training set")->check(CLI::Range(1, 10'000))->capture_default_str();
    app.add_option("--batch", given.batch, "Pictures per step")->check(CLI::Range(1, 65'536))->capture_default_str();
    app.add_option("--rate", given.rate, "Learning rate at the beginning; falls to 0")
        ->check(CLI::Range(0.0, 100.0))
        ->capture_default_str();
    app.add_option("--seed", given.seed, "Seed of everything random: the same seed gives the same network")->capture_default_str();
    app.add_option("--report", given.report, "Write learning curves, misread digits and confusion matrix here")->type_name("FILE.svg");
    auto* const saving = app.add_option("--save", given.save, "Write the trained parameters here")->type_name("FILE");
    app.add_option("--load", given.load, "Read trained parameters from here instead of training")->type_name("FILE")->excludes(saving);
    try {
        app.parse(argc, argv);
        run(given);
        return 0;
    } catch (CLI::Success const& asked) {  // --help
        return app.exit(asked);
    } catch (std::exception const& error) {
        std::fflush(stdout);
        std::fprintf(stderr, "06_digits: %s\n", error.what());
        return 1;
    }
}
