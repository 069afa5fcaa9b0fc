// SPDX-License-Identifier: BSL-1.0
// A transformer learns a poem by its letters, goes on from a checkpoint with the same bits, and writes with a cache of keys and values.
//
//     ./20_char_gpt --steps 1000    until it knows the poem
#include <gradus.hpp>
#include <gradus/io.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace gr = gradus;
namespace nn = gr::nn;
namespace optim = gr::optim;

constexpr std::string_view poem =  // W. Shakespeare, sonnet 18 (1609)
    "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\nRough winds do shake the darling buds of May,\n"
    "And summer's lease hath all too short a date;\nSometime too hot the eye of heaven shines,\nAnd often is his gold complexion dimm'd;\n"
    "And every fair from fair sometime declines,\nBy chance or nature's changing course untrimm'd;\n";

constexpr std::int64_t letters = 128, positions = 32, width = 32, heads = 4, layers = 2, texts = 8;  // a letter is its ASCII number
constexpr nn::encoder_options options{.dropout = 0.1, .norm_first = true, .gelu = true, .causal = true, .batch_first = true};
using block = nn::transformer_encoder_layer<float, width, heads, 4 * width, options>;
using scores = gr::tensor<float, gr::dyn, positions, letters>;

struct gpt : nn::module<gpt> {
    nn::embedding<float, letters, width> token;
    nn::embedding<float, positions, width> position;
    std::vector<block> blocks;
    nn::layer_norm<float, width> norm;
    nn::linear<float, width, letters> head;

    explicit gpt(gr::random& random) : token(random), position(random), head(random) {
        for (std::int64_t i = 0; i < layers; ++i) blocks.emplace_back(random);
        for (auto const& [name, p] : named_parameters())
            if (p.rank() > 1) nn::init::normal_(p, random, 0, 0.05);
    }
    scores operator()(gr::tensor<std::int64_t, gr::dyn, positions> const& text) const {
        gr::tensor x = token(text) + position.weight;
        for (block const& b : blocks) x = b(x);
        return head(norm(x));
    }
    /// The scores of what follows one letter, behind those that the caches have seen.
    gr::tensor<float, letters> next(std::int64_t letter, std::vector<block::cache>& seen) const {
        gr::tensor<std::int64_t, 1, 1> const now{{letter}}, at{{seen[0].length()}};
        gr::tensor x = token(now) + position(at);
        for (std::size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, seen[i]);
        return gr::reshape<letters>(head(norm(x)));
    }
    auto members() const { return nn::members("token", token, "position", position, "blocks", blocks, "norm", norm, "head", head); }
};
/// Biases and norms do not decay.
static std::vector<optim::adamw::group> groups_of(gpt const& net) {
    std::vector<gr::any_tensor> matrices, rest;
    for (auto const& [name, p] : net.named_parameters()) (p.rank() > 1 ? matrices : rest).push_back(p);
    return {{matrices, {.lr = 5e-3, .weight_decay = 0.1}}, {rest, {.lr = 5e-3, .weight_decay = 0}}};
}

struct training {
    gpt net;
    optim::adamw adam;
    optim::scheduler<optim::adamw, optim::warmup<optim::cosine_annealing_lr>> rate;

    training(gr::random random, std::int64_t steps) : net(random), adam(groups_of(net)), rate(adam, {10, {steps - 10}}) {}

    /// Steps up to `last`; the mean loss of the last ten. What a step sees and drops depends on its number alone.
    float run_to(std::int64_t last) {
        float total = 0;
        for (std::int64_t t = rate.steps(); t < last; ++t) {
            gr::random random(static_cast<std::uint64_t>(t));
            auto const x = gr::empty<std::int64_t, texts, positions>(), y = gr::empty<std::int64_t, texts, positions>();
            for (std::int64_t b = 0; b < texts; ++b) {
                auto const from = poem.begin() + static_cast<std::ptrdiff_t>(random.next() % (poem.size() - positions));
                std::copy_n(from, positions, x.data() + b * positions);
                std::copy_n(from + 1, positions, y.data() + b * positions);
            }
            nn::manual_seed(net, static_cast<std::uint64_t>(t));
            adam.zero_grad();
            gr::tensor loss = gr::cross_entropy(net(x), y);
            loss.backward();
            double const norm = nn::clip_grad_norm_(adam.parameters(), 1.0);
            adam.step();
            rate.step();
            if (t % 25 == 24)
                std::printf("step %d: loss %.3f, gradient %.2f, rate %.5f\n", static_cast<int>(t + 1), loss.item(), norm, rate.lr());
            if (t >= last - 10) total += loss.item() / 10;
        }
        return total;
    }
    void save(std::string const& path) const {
        gr::io::save_npz(path, nn::joined({{"model", net.state_dict()}, {"adam", adam.state_dict()}, {"rate", rate.state_dict()}}));
    }
    void load(std::string const& path) {
        auto const saved = gr::io::load_npz(path);
        net.load_state_dict(nn::part(saved, "model"));
        adam.load_state_dict(nn::part(saved, "adam"));
        rate.load_state_dict(nn::part(saved, "rate"));
    }
};

/// Writes `start` and what follows; the largest difference of its scores from those of one call without a cache.
static float write(gpt const& net, std::string const& start) {
    gr::no_grad guard;
    net.eval();
    gr::random random(1);
    std::vector<block::cache> seen(layers);
    gr::tensor<std::int64_t, 1, positions> text = gr::zeros<std::int64_t, 1, positions>();
    std::vector<gr::tensor<float, letters>> all;
    for (std::int64_t i = 0; i < positions; ++i) {
        if (i < static_cast<std::int64_t>(start.size())) text.data()[i] = start[static_cast<std::size_t>(i)];
        else text.data()[i] = gr::multinomial(gr::tensor(gr::softmax(all.back() / 0.5f)), 1, false, random).item();
        all.push_back(net.next(text(0, i), seen));
        std::putchar(static_cast<int>(text(0, i)));
    }
    std::putchar('\n');
    scores const whole = net(text);
    float worst = 0;
    for (std::int64_t i = 0; i < positions; ++i)
        for (std::int64_t k = 0; k < letters; ++k) worst = std::max(worst, std::abs(all[static_cast<std::size_t>(i)](k) - whole(0, i, k)));
    return worst;
}

int main(int argc, char** argv) {
    std::int64_t steps = 100;
    CLI::App app("Learns a poem, character by character.");
    app.add_option("--steps", steps, "Steps of training")->check(CLI::Range(20, 1'000'000))->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    training run(gr::random(1), steps), resumed(gr::random(2), steps);
    float const first = run.run_to(std::min<std::int64_t>(10, steps / 2));
    run.run_to(steps / 2);
    run.save("char_gpt.npz");
    float const last = run.run_to(steps);
    resumed.load("char_gpt.npz");
    float const again = resumed.run_to(steps);
    auto const a = run.net.parameters(), b = resumed.net.parameters();
    bool same = last == again;
    for (std::size_t i = 0; i < a.size(); ++i) same = same && std::ranges::equal(a[i].values<float>(), b[i].values<float>());
    float const difference = write(run.net, "Shall ");
    bool const good = same && difference < 1e-4f && last < first;  // sums of 128 floats in another order
    std::printf("loss %.3f, then %.3f; the resumed run has %s; with and without the cache scores differ by %.0e: %s\n", first, last,
                same ? "the same bits" : "OTHER BITS", difference, good ? "ok" : "WRONG");
    return good ? 0 : 1;
}
