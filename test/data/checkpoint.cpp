// SPDX-License-Identifier: BSL-1.0
#include "../io/files.hpp"

#include <gradus/data.hpp>
#include <gradus/io.hpp>
#include <gradus/io/safetensors.hpp>

#include <algorithm>

namespace gr = gradus;

namespace {

auto samples() {
    gr::random random(3);
    return gr::data::tensor_dataset(gr::randn<float, gr::dyn, 4>(20, random), gr::randn<float, gr::dyn>(20, random));
}
auto noisy(auto x, auto y, gr::random& random) { return std::tuple(gr::tensor(x + 0.1f * static_cast<float>(random.normal())), y); }

/// Weights, their momentum and the number of epochs; all is in the dictionary.
struct regression {
    gr::tensor<float, 4> w = gr::tensor<float, 4>{0.1f, -0.2f, 0.3f, 0};
    gr::tensor<float, 4> momentum = gr::zeros<float, 4>();
    gr::tensor<std::int64_t> epochs = gr::zeros<std::int64_t>();

    gr::io::state_dict state() const { return {{"w", w}, {"momentum", momentum}, {"epochs", epochs}}; }
    void learn(std::int64_t until, int prefetch) const {
        auto const f = [](auto x, auto y, gr::random& random) { return noisy(x, y, random); };
        gr::data::data_loader loader(gr::data::transformed(samples(), f),
                                     {.batch_size = 6, .shuffle = true, .seed = 8, .prefetch = prefetch});
        loader.set_epoch(static_cast<std::uint64_t>(epochs.item()));
        for (w.requires_grad_(); epochs.item() < until; epochs.fill_(epochs.item() + 1))
            for (auto& [x, y] : loader) {
                gr::tensor loss = gr::mean(gr::square(gr::matmul(x, w) - y));
                loss.backward();
                gr::no_grad guard;
                momentum.copy_(0.9f * momentum + w.grad());
                w -= 0.01f * momentum;
                w.zero_grad();
            }
    }
};
struct network : gr::nn::module<network> {
    gr::nn::linear<float, 4, 3> body;
    gr::nn::linear<float, 3, 1> head;

    explicit network(std::uint64_t seed) : network(gr::random(seed)) {}
    explicit network(gr::random random) : body(random), head(random) {}
    auto members() const { return gr::nn::members("body", body, "head", head); }
    void learn(gr::optim::adam& step, int from, int until) const {
        int batch = 0;
        for (auto& [x, y] : gr::data::data_loader(samples(), {.batch_size = 5})) {
            int const number = batch++;
            if (number < from || number >= until) continue;
            gr::tensor loss = gr::mean(gr::square(gr::sum<1>(head(gr::tanh(body(x)))) - y));
            loss.backward();
            step.step();
            step.zero_grad();
        }
    }
};
bool same(gr::tensor<float, 4> const& a, gr::tensor<float, 4> const& b) { return std::memcmp(a.data(), b.data(), 4 * sizeof(float)) == 0; }

}  // namespace

TEST_CASE("checkpoint: four epochs, or two and two from a file, are the same to the bit") {
    files::temporary const directory;
    regression const whole, first;
    whole.learn(4, 0);
    first.learn(2, 2);
    CHECK(!same(whole.w, first.w));
    gr::io::save_npz(directory / "x.npz", first.state());
    gr::io::save_safetensors(directory / "x.safetensors", first.state());
    for (auto const& read : {gr::io::load_npz(directory / "x.npz"), gr::io::load_safetensors(directory / "x.safetensors")}) {
        regression const second{read[0].second.as<float, 4>(), read[1].second.as<float, 4>(), read[2].second.as<std::int64_t>()};
        CHECK(second.epochs.item() == 2);
        second.learn(4, 1);
        CHECK(same(whole.w, second.w));
        CHECK(same(whole.momentum, second.momentum));
    }
}
TEST_CASE("checkpoint: a module and its optimiser go on from files to the bit") {
    files::temporary const directory;
    network const whole(1), first(1), second(2);
    gr::optim::adam all(whole.parameters(), {.lr = 0.1}), begin(first.parameters(), {.lr = 0.1}), rest(second.parameters());
    whole.learn(all, 0, 4);
    first.learn(begin, 0, 2);
    gr::io::save_safetensors(directory / "model.safetensors", first.state_dict());
    gr::io::save_npz(directory / "adam.npz", begin.state_dict());
    second.load_state_dict(gr::io::load_safetensors(directory / "model.safetensors"));
    rest.load_state_dict(gr::io::load_npz(directory / "adam.npz"));
    CHECK(second.body.weight(1, 2) == first.body.weight(1, 2));
    second.learn(rest, 2, 4);
    CHECK(second.body.weight(1, 2) != first.body.weight(1, 2));
    auto const expected = whole.state_dict(), found = second.state_dict();
    for (std::size_t k = 0; k < expected.size(); ++k) {
        CHECK(found[k].first == expected[k].first);
        CHECK(std::ranges::equal(found[k].second.values<float>(), expected[k].second.values<float>()));
    }
}
