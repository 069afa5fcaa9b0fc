// SPDX-License-Identifier: BSL-1.0
// A residual network of BLOCKS blocks, h = h + tanh(matmul(h, w) + b), with the gradients and updates of all its
// parameters in one program: how the compiler's work grows.
#include <gradus.hpp>

#include <cstdio>
#include <utility>

#ifndef BLOCKS
#define BLOCKS 12
#endif

namespace gr = gradus;

template <int I>
constexpr auto name(char letter) {
    gr::fixed_string<4> s;
    s.text[0] = letter;
    s.text[1] = static_cast<char>('0' + I / 10);
    s.text[2] = static_cast<char>('0' + I % 10);
    return s;
}
template <int I>
constexpr auto w = gr::var<name<I>('w'), float, 64, 64>;
template <int I>
constexpr auto b = gr::var<name<I>('b'), float, 64>;
constexpr auto x = gr::var<"x", float, "batch", 64>;
constexpr auto y = gr::var<"y", float, "batch", 64>;
constexpr auto rate = gr::var<"rate", float>;

template <int I>
constexpr auto block(auto h) {
    if constexpr (I == 0) return h;
    else {
        auto before = block<I - 1>(h);
        return gr::let([=] { return before + gr::tanh(gr::matmul(before, w<I - 1>) + b<I - 1>); });
    }
}
constexpr auto loss = gr::let([] { return gr::mse_loss(block<BLOCKS>(x), y); });

template <class P>
constexpr auto descend(P p) {
    return gr::update(p, p - rate * gr::grad(loss, p));
}

template <int... I>
constexpr auto make(std::integer_sequence<int, I...>) {
    return gr::compile(loss, descend(w<I>)..., descend(b<I>)...);
}
constexpr auto step = make(std::make_integer_sequence<int, BLOCKS>{});

template <int... I>
float train(std::integer_sequence<int, I...>) {
    gr::random random(1);
    gr::array<float, 64, 64> weights[BLOCKS];
    gr::array<float, 64> biases[BLOCKS];
    for (auto& a : weights) a = gr::array<float, 64, 64>::normal(random, 0.0f, 0.05f);
    auto in = gr::array<float, gr::dyn, 64>::uniform(32, random, -1.0f, 1.0f),
         out = gr::array<float, gr::dyn, 64>::uniform(32, random, -1.0f, 1.0f);
    float first = 0, last = 0;
    for (int i = 0; i < 50; ++i) {
        auto [l] = step(x = in, y = out, rate = 0.5f, (w<I> = weights[I])..., (b<I> = biases[I])...);
        (i ? last : first) = l;
    }
    std::printf("%d blocks, %d kernels: loss %.4f -> %.4f\n", BLOCKS, step.kernels(), static_cast<double>(first),
                static_cast<double>(last));
    return last / first;
}

int main() { return train(std::make_integer_sequence<int, BLOCKS>{}) < 0.9f ? 0 : 1; }
