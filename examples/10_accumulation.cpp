// SPDX-License-Identifier: BSL-1.0
// Gradient accumulation: a batch too large for memory, in pieces. backward() adds to the gradients, so that the pieces'
// gradients sum up to the batch's if each loss is divided by the number of pieces.
//
// A surface is fitted by a small network, in double so that nothing hides behind rounding: with the whole batch at once, and in
// 2, 4, ... pieces. Gradients, what the tape keeps, and the training that follows are compared.
#include <gradus.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace gr = gradus;

constexpr int examples = 64, inputs = 2, hidden_units = 16;

struct network {
    gr::tensor<double, inputs, hidden_units> w1;
    gr::tensor<double, hidden_units> b1;
    gr::tensor<double, hidden_units, 1> w2;
    gr::tensor<double, 1> b2;

    explicit network(std::uint64_t seed) {
        gr::random random(seed);
        w1 = gr::array<double, inputs, hidden_units>::normal(random, 0.0, 2.0);
        b1 = gr::randn<double, hidden_units>(random);
        w2 = gr::array<double, hidden_units, 1>::normal(random, 0.0, 0.25);
        b2 = gr::zeros<double, 1>();
        each([](auto const& p) { p.requires_grad_(); });
    }
    void each(auto f) const { f(w1), f(b1), f(w2), f(b2); }
};

/// The mean squared error of some examples, recorded as one node.
static gr::tensor<double> loss_of(network const& net, gr::tensor<double, gr::dyn, inputs> const& x,
                                  gr::tensor<double, gr::dyn, 1> const& y) {
    return gr::mse_loss(gr::matmul(gr::tanh(gr::matmul(x, net.w1) + net.b1), net.w2) + net.b2, y);
}

struct outcome {
    double loss = 0;
    std::vector<double> gradient;
    std::int64_t kept = 0;  ///< bytes that the tape holds at a time
};
/// Loss and gradient of all examples, `pieces` times a part of them.
static outcome batch_gradient(network const& net, gr::tensor<double, gr::dyn, inputs> const& x, gr::tensor<double, gr::dyn, 1> const& y,
                              int pieces) {
    net.each([](auto const& p) { p.zero_grad(); });
    outcome all;
    int const size = examples / pieces;
    for (int i = 0; i < pieces; ++i) {
        gr::tensor part = loss_of(net, x.narrow(i * size, size), y.narrow(i * size, size)) / static_cast<double>(pieces);
        all.kept = std::max(all.kept, part.grad_fn().next_functions()[0].saved_bytes());
        all.loss += part.item();
        part.backward();  // adds to the gradients, and drops what the tape has kept
    }
    net.each([&](auto const& p) { all.gradient.insert(all.gradient.end(), p.grad().begin(), p.grad().end()); });
    return all;
}

int main() {
    gr::random random(7);
    auto x = gr::rand<double, examples, inputs>(random);
    auto y = gr::empty<double, examples, 1>();
    for (int i = 0; i < examples; ++i) y.data()[i] = std::sin(3 * x(i, 0)) * (x(i, 1) - 0.5);

    network const net(1);
    outcome const whole = batch_gradient(net, x, y, 1);
    std::printf("pieces  examples   loss                 |gradient|           largest difference   kept by the tape\n");
    bool right = true;
    for (int pieces = 1; pieces <= examples; pieces *= 2) {
        outcome const parts = batch_gradient(net, x, y, pieces);
        double norm = 0, apart = std::abs(parts.loss - whole.loss);
        for (std::size_t k = 0; k < parts.gradient.size(); ++k) {
            norm += parts.gradient[k] * parts.gradient[k];
            apart = std::max(apart, std::abs(parts.gradient[k] - whole.gradient[k]));
        }
        std::printf("%6d  %8d   %.16f   %.16f   %.1e              %6lld bytes\n", pieces, examples / pieces, parts.loss, std::sqrt(norm),
                    apart, static_cast<long long>(parts.kept));
        right = right && apart < 1e-14;  // 64 numbers of order 1 added in another order: at most 64 roundings of 1e-16
    }

    // Training in pieces is training.
    network const at_once(2), in_pieces(2);
    outcome a, b;
    for (int i = 0; i <= 2000; ++i) {
        a = batch_gradient(at_once, x, y, 1);
        b = batch_gradient(in_pieces, x, y, 8);
        if (i % 500 == 0) std::printf("%sstep %4d: loss %.10f at once, %.10f in 8 pieces\n", i ? "" : "\n", i, a.loss, b.loss);
        for (network const* net_of : {&at_once, &in_pieces}) {
            gr::no_grad guard;
            net_of->each([](auto const& p) { p -= 0.05 * p.grad(); });
        }
    }
    bool const trained = a.loss < 0.02 && std::abs(a.loss - b.loss) < 1e-9;  // roundings of 1e-16, which 2000 steps let grow
    std::printf("%s\n", right && trained ? "pieces add up to the batch" : "WRONG");
    return right && trained ? 0 : 1;
}
