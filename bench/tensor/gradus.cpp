// SPDX-License-Identifier: BSL-1.0
// Our side of the comparison.
#include "workload.hpp"

#include <gradus.hpp>

#include <memory>

namespace gr = gradus;

template <class T, gr::extent... E>
static gr::tensor<T, E...> parameter(std::vector<float> const& values) {
    return gr::from_span<T, E...>(values).requires_grad_();
}
static void append(std::vector<float>& all, auto const& t) {
    auto const values = t.values();
    all.insert(all.end(), values.begin(), values.end());
}

/// A model is a function from nothing to the loss, and the parameters that it captured.
template <class Model, class... Parameter>
static workload make(std::string name, Model model, Parameter... p) {
    using loss_type = decltype(model());
    auto kept = std::make_shared<loss_type>();
    return {std::move(name),
            [=] {
                (p.zero_grad(), ...);
                loss_type const loss = model();
                loss.backward();
            },
            [=] {
                gr::set_cache_limit(0);  // what it leaves behind is counted by malloc
                *kept = model();
                gr::set_cache_limit(256 << 20);
            },
            [=] { *kept = {}; },
            [=] {
                std::vector<float> all;
                append(all, model());
                (append(all, p.grad()), ...);
                return all;
            }};
}

/// The same where the result is no scalar: the derivative of a loss with respect to it is given.
template <gr::extent N>
static workload elementwise(std::string name) {
    constexpr int n = static_cast<int>(N.code);
    auto a = parameter<float, N>(numbers(n, 1)), c = parameter<float, N>(numbers(n, 2));
    auto given = gr::from_span<float, N>(std::span<float const>(numbers(n, 3)));
    auto model = [=] {
        gr::tensor y = gr::tanh(a * c + 0.5f) * gr::exp(-a) + c / (1.0f + gr::square(a));
        return y;
    };
    auto row = make(std::move(name), model, a, c);
    row.step = [=] {
        a.zero_grad();
        c.zero_grad();
        model().backward(given);
    };
    return row;
}

std::vector<workload> gradus_workloads() {
    std::vector<workload> all;
    {
        auto x = gr::ones<float, 5>();
        auto y = gr::zeros<float, 3>();
        auto w = parameter<float, 5, 3>(numbers(15, 1));
        auto b = parameter<float, 3>(numbers(3, 2));
        all.push_back(make(
            "tutorial 5x3, one statement",
            [=] {
                gr::tensor loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y);
                return loss;
            },
            w, b));
        all.push_back(make(
            "tutorial 5x3, three statements",
            [=] {
                gr::tensor product = gr::matmul(x, w);
                gr::tensor z = product + b;
                gr::tensor loss = gr::binary_cross_entropy_with_logits(z, y);
                return loss;
            },
            w, b));
    }
    all.push_back(elementwise<elements_few>("ten elementwise operations, 64"));
    all.push_back(elementwise<elements_many>("ten elementwise operations, 10^6"));
    {
        auto x = gr::from_span<float, pictures, pixels>(std::span<float const>(numbers(pictures * pixels, 1)));
        auto given = labels();
        auto y = gr::from_span<std::int64_t, pictures>(std::span<std::int64_t const>(given));
        auto w1 = parameter<float, pixels, hidden>(numbers(pixels * hidden, 2, 0.05f));
        auto b1 = parameter<float, hidden>(numbers(hidden, 3, 0.05f));
        auto w2 = parameter<float, hidden, classes>(numbers(hidden * classes, 4, 0.1f));
        auto b2 = parameter<float, classes>(numbers(classes, 5, 0.1f));
        all.push_back(make(
            "network 784-128-10, batch 64",
            [=] {
                gr::tensor h = gr::relu(gr::matmul(x, w1) + b1);
                gr::tensor loss = gr::cross_entropy(gr::matmul(h, w2) + b2, y);
                return loss;
            },
            w1, b1, w2, b2));
    }
    {
        std::vector<gr::tensor<float, sequences, features>> x;
        for (int t = 0; t < steps; ++t)
            x.push_back(gr::from_span<float, sequences, features>(
                std::span<float const>(numbers(sequences * features, static_cast<unsigned>(10 + t)))));
        auto w = parameter<float, state, state>(numbers(state * state, 1, 0.2f));
        auto u = parameter<float, features, state>(numbers(features * state, 2, 0.2f));
        auto b = parameter<float, state>(numbers(state, 3, 0.2f));
        auto start = gr::zeros<float, sequences, state>();
        all.push_back(make(
            "recurrent, 100 steps",
            [=] {
                auto h = start;
                for (auto const& now : x) h = gr::tanh(gr::matmul(h, w) + gr::matmul(now, u) + b);
                gr::tensor loss = gr::mean(gr::square(h));
                return loss;
            },
            w, u, b));
    }
    {
        auto y = parameter<float>({1});
        all.push_back(make(
            "chain of 150,000, per node",
            [=] {
                auto end = y;
                for (int i = 0; i < chain; ++i) end = end + 1e-6f;
                return end;
            },
            y));
        all.back().parts = chain;
    }
    return all;
}
