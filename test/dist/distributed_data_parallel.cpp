// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <gradus/data.hpp>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

// Training on several ranks, against the same training on one.

namespace gr = gradus;
namespace nn = gr::nn;
namespace dist = gr::dist;
using ranks::world;

namespace {

using rows = gr::tensor<float, gr::dyn, 3>;
using hidden = gr::tensor<float, gr::dyn, 8>;
using column = gr::tensor<float, gr::dyn, 1>;
struct network : nn::module<network> {
    nn::linear<float, 3, 8> first;
    nn::linear<float, 8, 8> second;
    nn::linear<float, 8, 1> head;

    explicit network(gr::random& random) : first(random), second(random), head(random) {}
    column operator()(rows const& x) const {
        hidden const h = gr::tanh(first(x));
        hidden const g = gr::tanh(second(h));
        return head(g);
    }
    auto members() const { return nn::members("first", first, "second", second, "head", head); }
};
network begun(std::uint64_t seed = 1) {
    gr::random random(seed);
    return network(random);
}
constexpr std::int64_t samples = 48;  // of 1, 2, 3 or 4 ranks
rows const& inputs() {
    static rows const all = [] {
        gr::random random(7);
        return rows(gr::randn<float, samples, 3>(random));
    }();
    return all;
}
column const& targets() {
    static column const all = gr::sin(gr::narrow<1, 0, 1>(inputs()) * 2.0f);
    return all;
}
/// The mean loss of some samples, differentiated.
void learn(network const& net, std::int64_t from, std::int64_t count, float scale = 1) {
    rows const x = inputs().slice(from, from + count);
    column const y = targets().slice(from, from + count);
    gr::tensor loss = gr::mse_loss(net(x), y) * scale;
    loss.backward();
}
std::vector<float> all_gradients(network const& net) {
    std::vector<float> all;
    for (gr::any_tensor const& p : net.parameters())
        for (float g : p.grad().values<float>()) all.push_back(g);
    return all;
}
std::vector<float> all_parameters(network const& net) {
    std::vector<float> all;
    for (gr::any_tensor const& p : net.parameters())
        for (float x : p.values<float>()) all.push_back(x);
    return all;
}
bool near(std::vector<float> const& a, std::vector<float> const& b, float tolerance) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!(std::abs(a[i] - b[i]) <= tolerance)) return false;
    return a.size() == b.size();
}
bool are_alike(std::vector<float> const& x) {
    std::vector<float> least = x, most = x;
    dist::all_reduce_(world(), least, {.op = dist::reduction::min});
    dist::all_reduce_(world(), most, {.op = dist::reduction::max});
    return least == most;
}

}  // namespace

TEST_CASE("distributed_data_parallel: the gradients of all ranks are those of the whole batch") {
    int const n = world().size(), r = world().rank();
    network const alone = begun(), net = begun(static_cast<std::uint64_t>(1 + r));
    // buckets of a few numbers, so that there are several
    for (std::int64_t bytes : {1, 200, 1 << 20}) {
        CAPTURE(bytes);
        dist::distributed_data_parallel parallel(net, world(), {.bucket_bytes = bytes, .first_bucket_bytes = bytes});
        CHECK(parallel.buckets() == (bytes == 1 ? 6u : bytes == 200 ? 3u : 1u));
        CHECK(all_parameters(net) == all_parameters(alone));  // rank 0's
        alone.zero_grad(), net.zero_grad();
        learn(alone, 0, samples);
        learn(net, r * samples / n, samples / n);
        // sums of 48 samples in another order: some units in the last place of numbers below 1
        CHECK(near(all_gradients(net), all_gradients(alone), 1e-6f));
        CHECK(are_alike(all_gradients(net)));
        // once more: added to what was there
        learn(net, r * samples / n, samples / n);
        std::vector<float> twice = all_gradients(alone);
        for (float& g : twice) g *= 2;
        CHECK(near(all_gradients(net), twice, 2e-6f));
    }
    // without it gradients are the rank's own again
    net.zero_grad();
    learn(net, r * samples / n, samples / n);
    CHECK((n == 1 || !are_alike(all_gradients(net))));
}

TEST_CASE("distributed_data_parallel: no_sync collects, sums, and what no rank has is left alone") {
    int const n = world().size(), r = world().rank();
    network const alone = begun(), net = begun();
    for (bool in_order : {false, true}) {
        CAPTURE(in_order);
        dist::distributed_data_parallel parallel(net, world(),
                                                 {.op = dist::reduction::sum, .in_rank_order = in_order, .first_bucket_bytes = 100});
        alone.zero_grad(), net.zero_grad();
        learn(alone, 0, samples);
        std::int64_t const part = samples / n / 2;
        {
            auto quiet = parallel.no_sync();
            learn(net, r * samples / n, part, 1.0f / static_cast<float>(2 * n));
        }
        learn(net, r * samples / n + part, part, 1.0f / static_cast<float>(2 * n));
        CHECK(near(all_gradients(net), all_gradients(alone), 1e-6f));
        CHECK(are_alike(all_gradients(net)));
        // only the last rank uses the head: all get its gradient; nobody uses the rest
        net.zero_grad();
        gr::tensor loss = gr::sum(net.second.bias * 2.0f);
        if (r == n - 1) loss = gr::sum(net.head.bias) + gr::sum(net.second.bias * 2.0f);
        loss.backward();
        CHECK(net.head.bias.grad()(0) == 1);
        CHECK(net.second.bias.grad()(7) == static_cast<float>(2 * n));
        CHECK_FALSE(net.first.weight.grad().defined());
    }
}

TEST_CASE("distributed_data_parallel: in the order of the ranks 1, 2 and 4 ranks have the same bits") {
    // Four parts of the global batch, each a pass of its own, on however many ranks; the loss is divided by the number of parts.
    int const n = world().size(), r = world().rank();
    if (4 % n) return;
    network const net = begun();
    dist::distributed_data_parallel parallel(net, world(), {.op = dist::reduction::sum, .in_rank_order = true});
    gr::optim::adam step(net.parameters(), {.lr = 1e-2});
    for (int i = 0; i < 5; ++i) {
        step.zero_grad();
        for (int part = r * 4 / n; part < (r + 1) * 4 / n; ++part) {
            auto const quiet = parallel.no_sync(part + 1 < (r + 1) * 4 / n);
            learn(net, part * 12, 12, 0.25f);
        }
        step.step();
    }
    // what one process computes with plain sums of the four gradients
    network const alone = begun();
    gr::optim::adam plain(alone.parameters(), {.lr = 1e-2});
    for (int i = 0; i < 5; ++i) {
        plain.zero_grad();
        for (int part = 0; part < 4; ++part) learn(alone, part * 12, 12, 0.25f);
        plain.step();
    }
    CHECK(all_parameters(net) == all_parameters(alone));
}

TEST_CASE("distributed_data_parallel: gradients are reduced while the backward pass still runs") {
    network const net = begun();
    dist::distributed_data_parallel parallel(net, world(), {.bucket_bytes = 1, .first_bucket_bytes = 1});
    rows const x = inputs().slice(0, 4);
    hidden const h = gr::tanh(net.first(x));
    hidden const g = gr::tanh(net.second(h));
    std::size_t begun_at_head = 9, begun_at_first = 9;
    g.register_hook([&](hidden const&) { begun_at_head = parallel.begun(); });
    h.register_hook([&](hidden const&) { begun_at_first = parallel.begun(); });
    gr::tensor loss = gr::sum(net.head(g));
    loss.backward();
    CHECK(begun_at_head == 2);   // the weight and the bias behind it
    CHECK(begun_at_first == 4);  // of six
    CHECK(parallel.begun() == 0);
}

TEST_CASE("distributed_data_parallel: what it refuses") {
    network const net = begun();
    CHECK(messages::of<gr::error>([&] {
              dist::distributed_data_parallel(net, world(), {.op = dist::reduction::max});
          }).find("gradients are added up") != std::string::npos);
    if (world().size() > 1) {
        if (world().rank() == 1) net.head.bias.requires_grad_(false);
        CHECK(messages::of<gr::error>([&] { dist::distributed_data_parallel(net, world()); }).find("the ranks have different parameters") !=
              std::string::npos);
        net.head.bias.requires_grad_();
    }
    dist::distributed_data_parallel const parallel(net, world());
    rows const x = inputs().slice(0, 4);
    gr::tensor loss = gr::sum(net(x));
    CHECK(messages::of<gr::error>([&] { loss.backward({.create_graph = true}); }).find("a gradient is recorded (create_graph)") !=
          std::string::npos);
}

TEST_CASE("distributed_data_parallel: several types, 16 bits among them, and a list of tensors") {
    int const r = world().rank(), n = world().size();
    auto const a = gr::full<gr::bfloat16, 3>(gr::bfloat16(1)).requires_grad_();
    auto const b = gr::full<double, 2>(1).requires_grad_();
    auto const c = gr::full<float, 2>(static_cast<float>(r)).requires_grad_();
    dist::distributed_data_parallel parallel(std::vector<gr::any_tensor>{a, b, c}, world());
    CHECK(parallel.buckets() == 2);
    CHECK(c(0) == 0);
    gr::tensor(gr::sum(b * static_cast<double>(r))).backward();
    CHECK(b.grad()(1) == (n - 1) / 2.0);
    CHECK_FALSE(a.grad().defined());
    gr::tensor(gr::sum(a * gr::full<gr::bfloat16, 3>(gr::bfloat16(static_cast<float>(r))))).backward();
    CHECK(static_cast<float>(a.grad()(2)) == static_cast<float>(n - 1) / 2);
    CHECK(b.grad()(1) == (n - 1) / 2.0);
}

TEST_CASE("reduced: a compiled step whose gradients are the means of all ranks") {
    static constexpr auto x = gr::var<"x", float, "n", 3>;
    static constexpr auto y = gr::var<"y", float, "n", 1>;
    int const n = world().size(), r = world().rank();
    gr::random random(3), same(3);
    nn::sequential const model(nn::linear<float, 3, 4>(random), nn::tanh{}, nn::linear<float, 4, 1>(random));
    nn::sequential const alone(nn::linear<float, 3, 4>(same), nn::tanh{}, nn::linear<float, 4, 1>(same));
    auto const loss = [](auto const& m) { return gr::mse_loss(m(x), y); };
    gr::optim::sgd sgd(nn::parameters(model), {.lr = 0.1}), plain(nn::parameters(alone), {.lr = 0.1});
    auto step = gr::compile(nn::train_step(model, loss, dist::reduced(sgd, world())));
    auto plain_step = gr::compile(nn::train_step(alone, loss, plain));
    rows const mine = inputs().slice(r * samples / n, (r + 1) * samples / n);
    column const wanted = targets().slice(r * samples / n, (r + 1) * samples / n);
    for (int i = 0; i < 5; ++i) {
        step(model, x = mine, y = wanted);
        plain_step(alone, x = inputs(), y = targets());
    }
    auto const got = nn::parameters(model), right = nn::parameters(alone);
    for (std::size_t p = 0; p < got.size(); ++p)
        for (std::size_t k = 0; k < got[p].values<float>().size(); ++k)
            CHECK(got[p].values<float>()[k] == doctest::Approx(right[p].values<float>()[k]).epsilon(1e-5));
}

TEST_CASE("zero_redundancy_optimizer: the bits of the whole optimiser, a part of its state") {
    int const n = world().size(), r = world().rank();
    network const net = begun(), alone = begun();
    dist::distributed_data_parallel parallel(net, world(), {.in_rank_order = true});
    dist::zero_redundancy_optimizer<gr::optim::adamw> step(net.parameters(), world(), {.lr = 1e-2});
    gr::optim::adamw whole(alone.parameters(), {.lr = 1e-2});
    gr::optim::scheduler rate(step, gr::optim::exponential_lr{0.9});
    gr::optim::scheduler plain_rate(whole, gr::optim::exponential_lr{0.9});
    auto one_step = [&] {
        step.zero_grad(), whole.zero_grad();
        learn(net, r * samples / n, samples / n);
        for (std::size_t i = 0; i < alone.parameters().size(); ++i)  // the same gradients
            gr::core::replace_gradient(*alone.parameters()[i].state(), net.parameters()[i].grad().clone().state());
        step.step(), whole.step();
        rate.step(), plain_rate.step();
    };
    for (int i = 0; i < 3; ++i) one_step();
    CHECK(all_parameters(net) == all_parameters(alone));
    CHECK(are_alike(all_parameters(net)));
    // its state is the whole one's, and either goes on from it
    auto const state = step.state_dict(), wanted = whole.state_dict();
    CHECK(state.size() == wanted.size());
    for (auto const& [name, t] : wanted) {
        auto const found = std::find_if(state.begin(), state.end(), [&](auto const& entry) { return entry.first == name; });
        REQUIRE_MESSAGE(found != state.end(), name);
        CHECK(std::memcmp(found->second.data(), t.data(), static_cast<std::size_t>(t.size() * gr::size_of(t.dtype()))) == 0);
    }
    whole.load_state_dict(state);
    for (int i = 0; i < 2; ++i) one_step();
    step.load_state_dict(whole.state_dict());
    one_step();
    CHECK(all_parameters(net) == all_parameters(alone));
    // each is stepped by one rank, and none has much more than another
    std::vector<std::int64_t> load(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < net.parameters().size(); ++i) load[static_cast<std::size_t>(step.owner(i))] += net.parameters()[i].size();
    CHECK(*std::max_element(load.begin(), load.end()) <= std::max<std::int64_t>(64, (net.parameter_count() + n - 1) / n + 32));
}
