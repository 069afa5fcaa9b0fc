// SPDX-License-Identifier: BSL-1.0
// libtorch's side of the comparison, in its quickest spelling (addmm where it applies).
#include "workload.hpp"

#include <torch/torch.h>

#include <memory>

static torch::Tensor constant(std::vector<float> values, std::vector<int64_t> const& shape) {
    return torch::from_blob(values.data(), shape).clone();
}
static torch::Tensor parameter(std::vector<float> values, std::vector<int64_t> const& shape) {
    return constant(std::move(values), shape).set_requires_grad(true);
}
static void append(std::vector<float>& all, torch::Tensor const& t) {
    all.insert(all.end(), t.data_ptr<float>(), t.data_ptr<float>() + t.numel());
}

template <class Model>
static workload make(std::string name, Model model, std::vector<torch::Tensor> parameters, torch::Tensor given = {}) {
    auto kept = std::make_shared<torch::Tensor>();
    return {std::move(name),
            [=] {
                for (auto& p : parameters) p.mutable_grad().reset();
                model().backward(given);
            },
            [=] { *kept = model(); }, [=] { kept->reset(); },
            [=] {
                std::vector<float> all;
                append(all, model());
                for (auto& p : parameters) append(all, p.grad().contiguous());
                return all;
            }};
}
static workload elementwise(std::string name, int n) {
    auto a = parameter(numbers(n, 1), {n}), c = parameter(numbers(n, 2), {n});
    return make(
        std::move(name), [=] { return at::tanh(a * c + 0.5) * at::exp(-a) + c / (1.0 + at::square(a)); }, {a, c},
        constant(numbers(n, 3), {n}));
}

std::vector<workload> torch_workloads() {
    at::set_num_threads(1);
    std::vector<workload> all;
    {
        auto x = torch::ones({5}), y = torch::zeros({3}), w = parameter(numbers(15, 1), {5, 3}), b = parameter(numbers(3, 2), {3});
        auto model = [=] { return at::binary_cross_entropy_with_logits(at::matmul(x, w) + b, y); };
        all.push_back(make("tutorial 5x3, one statement", model, {w, b}));
        all.push_back(make("tutorial 5x3, three statements", model, {w, b}));
    }
    all.push_back(elementwise("ten elementwise operations, 64", elements_few));
    all.push_back(elementwise("ten elementwise operations, 10^6", elements_many));
    {
        auto x = constant(numbers(pictures * pixels, 1), {pictures, pixels});
        auto given = labels();
        auto y = torch::from_blob(given.data(), {pictures}, torch::kInt64).clone();
        auto w1 = parameter(numbers(pixels * hidden, 2, 0.05f), {pixels, hidden}), b1 = parameter(numbers(hidden, 3, 0.05f), {hidden});
        auto w2 = parameter(numbers(hidden * classes, 4, 0.1f), {hidden, classes}), b2 = parameter(numbers(classes, 5, 0.1f), {classes});
        all.push_back(make("network 784-128-10, batch 64",
                           [=] {
                               auto h = at::relu(at::addmm(b1, x, w1));
                               return at::cross_entropy_loss(at::addmm(b2, h, w2), y);
                           },
                           {w1, b1, w2, b2}));
    }
    {
        std::vector<torch::Tensor> x;
        for (int t = 0; t < steps; ++t)
            x.push_back(constant(numbers(sequences * features, static_cast<unsigned>(10 + t)), {sequences, features}));
        auto w = parameter(numbers(state * state, 1, 0.2f), {state, state}),
             u = parameter(numbers(features * state, 2, 0.2f), {features, state}), b = parameter(numbers(state, 3, 0.2f), {state});
        auto start = torch::zeros({sequences, state});
        all.push_back(make("recurrent, 100 steps",
                           [=] {
                               auto h = start;
                               for (auto const& now : x) h = at::tanh(at::addmm(at::addmm(b, now, u), h, w));
                               return at::square(h).mean();
                           },
                           {w, u, b}));
    }
    {
        auto y = parameter({1}, {});
        all.push_back(make("chain of 150,000, per node",
                           [=] {
                               auto end = y;
                               for (int i = 0; i < chain; ++i) end = end + 1e-6;
                               return end;
                           },
                           {y}));
        all.back().parts = chain;
    }
    return all;
}
