// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

// Recurrent layers against loops over plain doubles, by the formulas of PyTorch's documentation.

namespace gr = gradus;
namespace nn = gr::nn;

namespace {

using numbers = std::vector<double>;
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// One step of one sequence: gates of the input and of the state, row by row.
struct gates {
    numbers x, h;
    gates(auto const& w, numbers const& in, numbers const& state) {
        for (std::int64_t r = 0; r < w.weight_ih.size(0); ++r) {
            double a = w.bias_ih(r), b = w.bias_hh(r);
            for (std::size_t k = 0; k < in.size(); ++k) a += w.weight_ih(r, static_cast<std::int64_t>(k)) * in[k];
            for (std::size_t k = 0; k < state.size(); ++k) b += w.weight_hh(r, static_cast<std::int64_t>(k)) * state[k];
            x.push_back(a);
            h.push_back(b);
        }
    }
};
void lstm_step(auto const& w, numbers const& in, numbers& h, numbers& c) {
    std::size_t const n = h.size();
    gates const g(w, in, h);
    auto const gate = [&](std::size_t k, std::size_t i) { return g.x[k * n + i] + g.h[k * n + i]; };
    for (std::size_t i = 0; i < n; ++i) {
        c[i] = logistic(gate(1, i)) * c[i] + logistic(gate(0, i)) * std::tanh(gate(2, i));
        h[i] = logistic(gate(3, i)) * std::tanh(c[i]);
    }
}
void gru_step(auto const& w, numbers const& in, numbers& h) {
    std::size_t const n = h.size();
    gates const g(w, in, h);
    for (std::size_t i = 0; i < n; ++i) {
        double const r = logistic(g.x[i] + g.h[i]), z = logistic(g.x[n + i] + g.h[n + i]);
        h[i] = (1 - z) * std::tanh(g.x[2 * n + i] + r * g.h[2 * n + i]) + z * h[i];
    }
}
// some ten roundings of doubles below 1 per step
constexpr double tolerance = 1e-14;

}  // namespace

TEST_CASE("lstm: two layers in both directions are the loop's; names are PyTorch's") {
    gr::random random(1);
    constexpr nn::recurrent_options options{.layers = 2, .bidirectional = true};
    nn::lstm<double, 2, 3, options> const f(random);
    std::string names;
    for (auto const& [name, value] : f.named_parameters()) names += name + ' ';
    CHECK(names.starts_with("weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0 weight_ih_l0_reverse "));
    CHECK(names.ends_with("bias_hh_l1 weight_ih_l1_reverse weight_hh_l1_reverse bias_ih_l1_reverse bias_hh_l1_reverse "));
    CHECK(f.weights<1, true>().weight_ih.shape() == gr::shape{12, 6});
    for (double v : f.weights().weight_hh) CHECK(std::abs(v) <= 1 / std::sqrt(3.0));

    auto const x = gr::randn<double, gr::dyn, gr::dyn, 2>(4, 2, random);
    auto const [y, h, c] = f(x);
    CHECK(y.shape() == gr::shape{4, 2, 6});
    CHECK(h.shape() == gr::shape{4, 2, 3});
    for (std::int64_t b = 0; b < 2; ++b) {
        std::vector<numbers> rows(4);
        for (std::int64_t s = 0; s < 4; ++s) rows[static_cast<std::size_t>(s)] = {x(s, b, 0), x(s, b, 1)};
        std::int64_t stack = 0;
        auto const layer = [&](auto const& there, auto const& back) {
            std::vector<numbers> made(4, numbers(6));
            for (bool reverse : {false, true}) {
                numbers hidden(3), memory(3);
                for (std::size_t i = 0; i < 4; ++i) {
                    std::size_t const s = reverse ? 3 - i : i;
                    reverse ? lstm_step(back, rows[s], hidden, memory) : lstm_step(there, rows[s], hidden, memory);
                    std::copy(hidden.begin(), hidden.end(), made[s].begin() + (reverse ? 3 : 0));
                }
                for (std::int64_t i = 0; i < 3; ++i) {
                    CHECK(std::abs(h(stack, b, i) - hidden[static_cast<std::size_t>(i)]) < tolerance);
                    CHECK(std::abs(c(stack, b, i) - memory[static_cast<std::size_t>(i)]) < tolerance);
                }
                ++stack;
            }
            rows = made;
        };
        layer(f.weights<0>(), f.weights<0, true>());
        layer(f.weights<1>(), f.weights<1, true>());
        for (std::int64_t s = 0; s < 4; ++s)
            for (std::int64_t i = 0; i < 6; ++i)
                CHECK(std::abs(y(s, b, i) - rows[static_cast<std::size_t>(s)][static_cast<std::size_t>(i)]) < tolerance);
    }
}
TEST_CASE("gru and rnn: batch first, states to begin with, and derivatives") {
    gr::random random(2);
    nn::gru<double, 2, 3, nn::recurrent_options{.batch_first = true}> const f(random);
    auto const x = gr::randn<double, 2, 4, 2>(random);
    auto const first = gr::randn<double, 1, 2, 3>(random);
    auto const [y, h] = f(x, first);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(y)>, gr::tensor<double, 2, 4, 3>>);
    for (std::int64_t b = 0; b < 2; ++b) {
        numbers state{first(0, b, 0), first(0, b, 1), first(0, b, 2)};
        for (std::int64_t s = 0; s < 4; ++s) {
            gru_step(f.weights(), {x(b, s, 0), x(b, s, 1)}, state);
            for (std::int64_t i = 0; i < 3; ++i) CHECK(std::abs(y(b, s, i) - state[static_cast<std::size_t>(i)]) < tolerance);
        }
        for (std::int64_t i = 0; i < 3; ++i) CHECK(h(0, b, i) == y(b, 3, i));
    }
    CHECK(messages::of<gr::error>([&] { f(gr::zeros<double, gr::dyn, gr::dyn, 2>(3, 0)); }).find("needs a step") != std::string::npos);

    nn::rnn<double, 1, 2> const g(random);
    auto const [z, last] = g(gr::tensor<double, 2, 1, 1>{0.5, -1});
    numbers state(2);
    for (double in : {0.5, -1.0}) {
        gates const all(g.weights(), {in}, state);
        for (std::size_t i = 0; i < 2; ++i) state[i] = std::tanh(all.x[i] + all.h[i]);
    }
    CHECK(std::abs(last(0, 0, 1) - state[1]) < tolerance);
    CHECK(z(1, 0, 0) == last(0, 0, 0));
}
TEST_CASE("lstm: derivatives are those of differences, by the input, states and all weights") {
    gr::random random(3);
    nn::lstm<double, 2, 2> const f(random);
    gr::tensor<double, 3, 1, 2> const x = gr::randn<double, 3, 1, 2>(random);
    gr::tensor<double, 1, 1, 2> const h = gr::randn<double, 1, 1, 2>(random), c = gr::randn<double, 1, 1, 2>(random);
    std::vector<gr::any_tensor> all = f.parameters();
    all.insert(all.end(), {x, h, c});
    for (gr::any_tensor const& p : all) p.requires_grad_();
    auto const loss = [&] {
        auto const [y, hidden, memory] = f(x, h, c);
        return gr::tensor(gr::sum(gr::square(y)) + gr::sum(hidden * memory));
    };
    loss().backward();
    gr::no_grad guard;
    for (gr::any_tensor const& p : all)
        for (std::size_t i = 0; i < p.values<double>().size(); ++i) {
            double& at = p.values<double>()[i];
            double const kept = at, step = 1e-5;
            at = kept + step;
            double const up = loss().item();
            at = kept - step;
            double const down = loss().item();
            at = kept;
            // step^2 times third derivatives below 10, and 1e-16 / step
            CHECK(p.grad().values<double>()[i] == doctest::Approx((up - down) / (2 * step)).epsilon(1e-8).scale(1));
        }
}
