// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <gradus/optim/mixed_precision.hpp>

// Scaled gradients and float copies of 16-bit parameters: PyTorch's rules, and a small net that learns in float16 as in float.

namespace gr = gradus;
namespace nn = gr::nn;
using messages::contains;
using vector = gr::tensor<float, 2>;

namespace {

float const infinity = std::numeric_limits<float>::infinity();

/// The error of a net after 200 steps on XOR whose loss is 2^-24 of the mean square: gradients that float16 has as 0, or as a few of the
/// smallest numbers that it has.
template <class T>
double trained(bool scales) {
    gr::random random(7);
    nn::linear<T, 2, 8> const body(random);
    nn::linear<T, 8, 1> const head(random);
    gr::amp::master_weights const master(nn::parameters(body, head));
    gr::optim::sgd step(master.parameters(), {.lr = 0.25 * 16777216, .momentum = 0.9});
    gr::amp::grad_scaler scaler({.init_scale = 16777216.0 * 256, .growth_interval = 50, .enabled = scales});
    gr::tensor<T, 4, 2> const x = gr::cast<T>(gr::tensor<float, 4, 2>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
    gr::tensor<float, 4, 1> const y{0, 1, 1, 0};
    double error = 0;
    for (int i = 0; i < 200; ++i) {
        step.zero_grad();
        gr::tensor const h = gr::tanh(body(x));
        gr::tensor const out = head(h);
        gr::tensor const squares = gr::mse_loss(gr::cast<float>(out), y);
        scaler.scale(squares * 0x1p-24f).backward();
        master.take_gradients();
        scaler.step(step);
        scaler.update();
        master.copy_to_model();
        error = squares.item();
    }
    return error;
}

}  // namespace

TEST_CASE("grad_scaler: scales the loss, divides the gradients, steps; grows after an interval, shrinks after an overflow") {
    vector const w = vector{1, 2}.requires_grad_();
    gr::optim::sgd step({w}, {.lr = 0.5});
    gr::amp::grad_scaler scaler({.init_scale = 8, .growth_factor = 4, .backoff_factor = 0.25, .growth_interval = 2});
    auto const run = [&](float k) {
        step.zero_grad();
        gr::tensor const loss = gr::sum(w * k);
        scaler.scale(loss).backward();
        bool const taken = scaler.step(step);
        scaler.update();
        return taken;
    };
    CHECK(run(2));
    CHECK(messages::elements(w) == std::vector<float>{0, 1});
    CHECK(messages::elements(w.grad()) == std::vector<float>{2, 2});
    CHECK(scaler.get_scale() == 8);
    CHECK(run(0));
    CHECK(scaler.get_scale() == 32);
    CHECK(!run(infinity));
    CHECK(scaler.get_scale() == 8);
    CHECK(messages::elements(w) == std::vector<float>{0, 1});
    CHECK(!run(std::numeric_limits<float>::max()));  // overflows by the scale
    CHECK(scaler.get_scale() == 2);
    CHECK(run(0));
    CHECK(!run(infinity));  // one good step only since the last overflow
    CHECK(run(0));
    CHECK(scaler.get_scale() == 0.5);
    scaler.update(3e38);
    for (int i = 0; i < 4; ++i) CHECK(run(0));
    CHECK(scaler.get_scale() == 3e38);  // twice as much is no float
}

TEST_CASE("grad_scaler: unscale_ before clipping, several optimizers, the order of calls") {
    vector const a = vector{1, 2}.requires_grad_(), b = vector{3, 4}.requires_grad_();
    gr::optim::sgd first({a}, {.lr = 1}), second({b}, {.lr = 1});
    gr::amp::grad_scaler scaler({.init_scale = 4});
    scaler.scale(gr::sum(a * 3.0f)).backward();
    scaler.scale(gr::sum(b * infinity)).backward();
    scaler.unscale_(first);
    CHECK(messages::elements(a.grad()) == std::vector<float>{3, 3});
    CHECK(contains(messages::of<gr::error>([&] { scaler.unscale_(first); }), "unscale_() has already been called"));
    CHECK(messages::elements(a.grad()) == std::vector<float>{3, 3});
    CHECK(scaler.step(first));
    CHECK(!scaler.step(second));
    CHECK(contains(messages::of<gr::error>([&] { scaler.step(first); }), "step() has already been called"));
    CHECK(contains(messages::of<gr::error>([&] { scaler.unscale_(first); }), "after step()"));
    scaler.update();
    CHECK(scaler.get_scale() == 2);
    CHECK(messages::elements(a) == std::vector<float>{-2, -1});
    CHECK(messages::elements(b) == std::vector<float>{3, 4});
    CHECK(contains(messages::of<gr::error>([&] { scaler.update(); }), "no gradients were looked at"));
    CHECK_THROWS_AS(gr::amp::grad_scaler({.growth_factor = 1}), gr::error);

    gr::amp::grad_scaler off({.enabled = false});
    a.zero_grad();
    gr::any_tensor const run_time = a;
    off.scale((run_time * 1.0).sum()).backward();
    CHECK(off.step(first));
    CHECK(off.get_scale() == 1);
    off.update();
    CHECK(messages::elements(a) == std::vector<float>{-3, -2});
}

TEST_CASE("grad_scaler: its state is saved and restored") {
    gr::amp::grad_scaler scaler({.init_scale = 8, .growth_interval = 3}), other;
    vector const w = vector{1, 2}.requires_grad_();
    gr::optim::sgd step({w}, {.lr = 0});
    w.set_grad(vector{1, 1});
    for (int i = 0; i < 2; ++i) scaler.step(step), scaler.update();
    other.load_state_dict(scaler.state_dict());
    CHECK(other.get_scale() == 8);
    other.step(step), other.update();
    CHECK(other.get_scale() == 16);
    nn::tensor_dict wrong = scaler.state_dict();
    wrong[1].second = gr::full<double>(0.5);
    CHECK_THROWS_AS(other.load_state_dict(wrong), gr::error);
    wrong.pop_back();
    CHECK(contains(messages::of<gr::error>([&] { other.load_state_dict(wrong); }), "missing in the dict: _growth_tracker"));
    CHECK(other.get_scale() == 16);
}

TEST_CASE("master_weights: float copies of 16-bit parameters add up small steps; gradients of float16 are not unscaled") {
    gr::tensor<gr::float16, 2> const half = gr::tensor<gr::float16, 2>(gr::cast<gr::float16>(vector{1, 2})).requires_grad_();
    vector const whole = vector{5, 6}.requires_grad_();
    gr::amp::master_weights const master({half, whole});
    CHECK(master.parameters()[0].dtype() == gr::dtype::float32);
    CHECK(master.parameters()[1] == gr::any_tensor(whole));
    gr::optim::sgd step(master.parameters(), {.lr = 1e-4}), direct({half}, {.lr = 1e-4});
    gr::amp::grad_scaler scaler({.init_scale = 2});
    for (int i = 0; i < 10; ++i) {
        gr::tensor const loss = gr::cast<float>(gr::sum(half));
        scaler.scale(loss).backward();
        master.take_gradients();
        CHECK(!half.grad().defined());
        CHECK(scaler.step(step));
        scaler.update();
        master.copy_to_model();
    }
    // ten steps of 1e-4, each below half of float16's distance at 1, 2^-11
    CHECK(std::abs(master.parameters()[0].values<float>()[0] - 0.999f) < 1e-6f);
    CHECK(static_cast<float>(half(0)) == 1 - 0x1p-10f);
    CHECK(messages::elements(whole) == std::vector<float>{5, 6});
    gr::tensor const loss = gr::cast<float>(gr::sum(half));
    scaler.scale(loss).backward();
    CHECK(contains(messages::of<gr::error>([&] { scaler.step(direct); }), "gr::amp::master_weights"));

    nn::tensor_dict saved = master.state_dict();
    CHECK(saved.size() == 1);
    saved[0].second = saved[0].second.clone();
    gr::amp::master_weights const again({half, whole});
    CHECK(again.parameters()[0].values<float>()[0] != saved[0].second.values<float>()[0]);  // rounded
    again.load_state_dict(saved);
    CHECK(again.parameters()[0].values<float>()[0] == saved[0].second.values<float>()[0]);
}

TEST_CASE("a net in float16 learns as in float where its gradients are scaled, and not where they are not") {
    double const wide = trained<float>(false), scaled = trained<gr::float16>(true), plain = trained<gr::float16>(false);
    CHECK(wide < 0.01);
    CHECK(scaled < 0.01);
    CHECK(std::abs(scaled - wide) < 2e-3);  // outputs of about 1 are rounded to 2^-11
    CHECK(plain > 0.1);                     // gradients of 2^-24 times some hundredths are 0
}
