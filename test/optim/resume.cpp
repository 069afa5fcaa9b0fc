// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

// Training that is saved and resumed has the same bits as training that goes on.

namespace gr = gradus;
namespace optim = gr::optim;
namespace nn = gr::nn;

namespace {

using weights = gr::tensor<float, gr::dyn>;

weights fresh(int n, std::uint64_t seed) {
    gr::random random(seed);
    return weights(gr::randn<float, gr::dyn>(n, random)).requires_grad_();
}
void steps(auto& optimizer, std::initializer_list<weights> all, int from, int to) {
    for (int t = from; t < to; ++t) {
        for (weights const& p : all) p.set_grad(fresh(static_cast<int>(p.size()), 100 + static_cast<std::uint64_t>(t)).detach());
        optimizer.step();
    }
}
/// As a file would: no memory is shared.
nn::tensor_dict copied(nn::tensor_dict dict) {
    for (auto& [name, value] : dict) value = value.clone();
    return dict;
}
bool same_bits(weights const& a, weights const& b) { return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0; }

template <class Optimizer>
void check(auto options) {
    using group = typename Optimizer::group;
    weights const a = fresh(5, 1), b = fresh(3, 2);
    auto other = options;
    other.lr *= 0.5;
    Optimizer whole(std::vector<group>{{{a}, options}, {{b}, other}});
    steps(whole, {a, b}, 0, 3);
    nn::tensor_dict const saved = copied(whole.state_dict());
    weights const c = a.clone().detach().requires_grad_(), d = b.clone().detach().requires_grad_();
    steps(whole, {a, b}, 3, 6);

    Optimizer resumed(std::vector<group>{{{c}, {}}, {{d}, {}}});
    resumed.load_state_dict(saved);
    CHECK(resumed.options_of(1).lr == other.lr);
    steps(resumed, {c, d}, 3, 6);
    CHECK(same_bits(a, c));
    CHECK(same_bits(b, d));

    // without the state it would be other numbers
    weights const e = a.clone().detach();
    Optimizer forgetful(std::vector<group>{{{e.requires_grad_()}, options}});
    Optimizer again(std::vector<group>{{{c}, options}, {{d}, other}});
    again.load_state_dict(copied(resumed.state_dict()));
    steps(again, {c, d}, 6, 7);
    steps(forgetful, {e}, 6, 7);
    CHECK(!same_bits(c, e));
}

}  // namespace

TEST_CASE("state_dict: every optimiser resumes with the same bits") {
    check<optim::sgd>(optim::sgd_options{.lr = 0.1, .momentum = 0.9, .dampening = 0.1, .weight_decay = 0.01});
    check<optim::adam>(optim::adam_options{.lr = 0.1, .weight_decay = 0.01});
    check<optim::adam>(optim::adam_options{.lr = 0.1, .beta2 = 0.5, .amsgrad = true});
    check<optim::adamw>(optim::adamw_options{.lr = 0.1});
    check<optim::rmsprop>(optim::rmsprop_options{.lr = 0.1});
    check<optim::rmsprop>(optim::rmsprop_options{.lr = 0.1, .momentum = 0.5, .centered = true});
    check<optim::adagrad>(optim::adagrad_options{.lr = 0.1, .lr_decay = 0.3});
    check<optim::lion>(optim::lion_options{.lr = 0.1});
}
TEST_CASE("state_dict: names, and parameters that have no state yet") {
    weights const a = fresh(2, 1), b = fresh(3, 2);
    optim::adam step({a, b}, {.lr = 0.1});
    a.set_grad(fresh(2, 3).detach());
    step.step();
    std::string names;
    for (auto const& [name, value] : step.state_dict()) names += name + ' ';
    CHECK(names ==
          "state.0.exp_avg state.0.exp_avg_sq state.0.step param_groups.0.lr param_groups.0.beta1 param_groups.0.beta2 param_groups.0.eps "
          "param_groups.0.weight_decay param_groups.0.amsgrad ");
    CHECK(step.state_dict()[0].second.data() == step.state(0).exp_avg.data());
    optim::adam other({fresh(2, 1), fresh(3, 2)});
    other.load_state_dict(step.state_dict());
    CHECK(other.options.lr == 0.1);
    CHECK(other.state(0).steps == 1);
    CHECK(other.state(0).exp_avg.data() != step.state(0).exp_avg.data());
    CHECK(!other.state(1).has_begun());
}
TEST_CASE("load_state_dict: what does not fit is refused in one message, and nothing is changed") {
    weights const a = fresh(2, 1);
    optim::adam step({a}, {.lr = 0.1}), other({fresh(3, 1)}, {.lr = 0.2});
    a.set_grad(fresh(2, 3).detach());
    step.step();
    std::string const said = messages::of<gr::error>([&] { other.load_state_dict(step.state_dict()); });
    CHECK(said.find("state.0.exp_avg is float[3], the dict has float[2]") != std::string::npos);
    CHECK(said.find("state.0.exp_avg_sq is float[3]") != std::string::npos);
    CHECK(other.options.lr == 0.2);
    CHECK(!other.state(0).has_begun());

    optim::adam third({fresh(2, 1)}, {.lr = 0.3});
    nn::tensor_dict dict = step.state_dict();
    dict[0].first = "state.0.exp";
    dict.erase(dict.begin() + 3);
    std::string const names = messages::of<gr::error>([&] { third.load_state_dict(dict); });
    for (char const* part : {"missing in the dict: state.0.exp_avg", "unexpected: state.0.exp", "missing in the dict: param_groups.0.lr"})
        CHECK(names.find(part) != std::string::npos);
    dict = copied(step.state_dict());
    dict[4].second = gr::full<double>(2.0);  // beta1
    CHECK(messages::of<gr::error>([&] { third.load_state_dict(dict); }).find("beta1 and beta2 are in") != std::string::npos);
    CHECK(third.options.lr == 0.3);
    CHECK(!third.state(0).has_begun());
    CHECK_THROWS_AS(optim::sgd({a}).load_state_dict(step.state_dict()), gr::error);
}
TEST_CASE("a whole training: model, optimiser, schedule and average resume with the same bits") {
    struct model : nn::module<model> {
        nn::linear<float, 2, 4> body;
        nn::linear<float, 4, 1> head;
        explicit model(std::uint64_t seed) : model(gr::random(seed)) {}
        explicit model(gr::random r) : body(r), head(r) {}
        auto members() const { return nn::members("body", body, "head", head); }
    };
    struct training {
        model net;
        optim::adamw step;
        optim::scheduler<optim::adamw, optim::warmup<optim::cosine_annealing_lr>> rate;
        optim::exponential_moving_average average;
        explicit training(std::uint64_t seed)
            : net(seed), step(net.parameters(), {.lr = 0.05}), rate(step, {2, {10}}), average(net.parameters(), 0.9) {}
        float run(int n) {
            gr::tensor<float, 4, 2> const x{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
            float last = 0;
            for (int i = 0; i < n; ++i) {
                step.zero_grad();
                gr::tensor loss = gr::mse_loss(net.head(gr::tanh(net.body(x))), gr::tensor<float, 4, 1>{0, 1, 1, 0});
                loss.backward();
                nn::clip_grad_norm_(step.parameters(), 0.5);
                step.step(), rate.step(), average.update();
                last = loss.item();
            }
            return last;
        }
    };
    training first(1), second(2);
    first.run(4);
    second.net.load_state_dict(copied(first.net.state_dict()));
    second.step.load_state_dict(copied(first.step.state_dict()));
    second.rate.load_state_dict(copied(first.rate.state_dict()));
    second.average.load_state_dict(copied(first.average.state_dict()));
    float const a = first.run(4), b = second.run(4);
    CHECK(a == b);
    CHECK(first.rate.lr() == second.rate.lr());
    for (std::size_t i = 0; i < 4; ++i) {
        auto const x = first.average.averages()[i].values<float>(), y = second.average.averages()[i].values<float>();
        CHECK(std::equal(x.begin(), x.end(), y.begin()));
    }
}
