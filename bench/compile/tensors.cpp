// SPDX-License-Identifier: BSL-1.0
// A program on tensors of the tutorial's size: nine statements, each a fused program with its derivatives, and what reads results.
#include <gradus.hpp>

#include <cstdio>
#include <iostream>

namespace gr = gradus;

int main() {
    gr::random random(7);
    auto x = gr::randn<float, 6, 4>(random);
    auto t = gr::zeros<float, 6, 2>();
    auto w = gr::randn<float, 4, 2>(random).requires_grad_();
    auto b = gr::zeros<float, 2>().requires_grad_();

    gr::tensor z = gr::matmul(x, w) + b;
    gr::tensor error = z - t;
    gr::tensor loss = gr::mean(gr::square(error));
    loss.backward();
    auto first = w.grad().clone();
    for (int i = 0; i < 3; ++i) {
        gr::tensor again = gr::mean(gr::square(gr::matmul(x, w) + b - t));
        again.backward();
    }
    std::printf("%d\n", gr::allclose(w.grad(), 4.0f * first));
    w.zero_grad();
    {
        gr::no_grad guard;
        gr::tensor inference = gr::sigmoid(gr::matmul(x, w) + b);
        std::printf("%d\n", inference.requires_grad());
    }
    gr::tensor hidden = gr::tanh(gr::matmul(x, w));
    auto constant = hidden.detach();
    gr::tensor penalty = gr::sum(gr::square(constant)) + gr::sum(gr::square(w));
    penalty.backward();
    gr::tensor<float, gr::dyn, 4> rows = gr::ones<float, gr::dyn, 4>(9);
    gr::tensor out = gr::matmul(rows, w) + b;
    gr::tensor(gr::sum(gr::exp(out))).backward();
    std::cout << z << '\n' << w.grad() << '\n';
}
