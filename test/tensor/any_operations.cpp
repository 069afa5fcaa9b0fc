// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <numeric>

// Tensors of run-time type compute: PyTorch's rules and numbers in closed form.

namespace gr = gradus;
using messages::contains;

namespace {

using floats = std::vector<float>;

gr::any_tensor matrix() { return gr::tensor<float, 2, 3>{{1, 2, 3}, {4, 5, 6}}; }
template <class T = float>
std::vector<T> elements(gr::any_tensor const& t) {
    gr::any_tensor const c = t.contiguous();
    auto const v = c.values<T>();
    return {v.begin(), v.end()};
}
bool near(gr::any_tensor const& t, std::initializer_list<double> expected, double tolerance = 1e-6) {
    gr::any_tensor const c = t.to(gr::dtype::float64).contiguous();
    auto const v = c.values<double>();
    bool good = v.size() == expected.size();
    for (std::size_t i = 0; good && i < v.size(); ++i) good = std::abs(v[i] - expected.begin()[i]) <= tolerance;
    return good;
}

}  // namespace

TEST_CASE("arithmetic, functions and products of the language; typed tensors and numbers beside them") {
    gr::any_tensor a = matrix();
    CHECK(elements(a + a) == floats{2, 4, 6, 8, 10, 12});
    CHECK(elements(1 - a / 2) == floats{0.5f, 0, -0.5f, -1, -1.5f, -2});
    CHECK(elements(a * gr::tensor<float, 3>{1, 10, 100}) == floats{1, 20, 300, 4, 50, 600});
    CHECK(near(gr::log(gr::exp(a)), {1, 2, 3, 4, 5, 6}));
    CHECK(elements(gr::matmul(a, a.t())) == floats{14, 32, 32, 77});
    CHECK(elements<bool>(a > 3.5) == std::vector<bool>{false, false, false, true, true, true});
    CHECK(elements(gr::where(a > 3.5, a, gr::zeros<float>())) == floats{0, 0, 0, 4, 5, 6});
    CHECK(near(gr::tan(a.slice(1, 0, 1)), {1.5574077246549023, 1.1578212823495777}));  // no kernel of its own
    gr::tensor<float, gr::dyn, 3> const typed = (a + 1).as<float, gr::dyn, 3>();
    CHECK(typed(1, 2) == 7);
    CHECK(contains(messages::of<gr::shape_error>([&] { a + a.t(); }), "gradus::add(a, b): "));
    CHECK(contains(messages::of<gr::shape_error>([&] { gr::matmul(a, a); }), "gradus::matmul(a, b): "));
    CHECK(contains(messages::of<gr::error>([&] { a + gr::any_tensor(); }), "undefined"));
}

TEST_CASE("an axis broadcasts where its extent turns out to be 1") {
    gr::tensor<float, gr::dyn, gr::dyn> row{{1, 2, 3}}, column{{10}, {20}};
    gr::any_tensor const sum = gr::any_tensor(row) + gr::any_tensor(column);
    CHECK(sum.shape() == gr::shape{2, 3});
    CHECK(elements(sum) == floats{11, 12, 13, 21, 22, 23});
    CHECK(gr::any_tensor(row).broadcast_to({2, 2, 3}).shape() == gr::shape{2, 2, 3});
}

TEST_CASE("reductions over axes that run time tells") {
    gr::any_tensor a = matrix();
    CHECK(a.sum().item() == 21);
    CHECK(elements(a.sum(0)) == floats{5, 7, 9});
    CHECK(a.sum({-1}, true).shape() == gr::shape{2, 1});
    CHECK(elements(a.mean(1)) == floats{2, 5});
    CHECK(elements(a.amax({0, 1})) == floats{6});
    CHECK(elements(a.amin(0)) == floats{1, 2, 3});
    CHECK(elements<std::int64_t>(a.argmax(1, true)) == std::vector<std::int64_t>{2, 2});
    CHECK(near(a.variance(1), {1, 1}));
    CHECK(near(a.norm(1, 1), {6, 15}));
    CHECK(near(a.softmax(0).sum(0), {1, 1, 1}));
    CHECK(near(a.logsumexp(0), {4.048587351573742, 5.048587351573742, 6.048587351573742}));
    CHECK(elements(a.cumsum(1)) == floats{1, 3, 6, 4, 9, 15});
    CHECK(messages::of<gr::shape_error>([&] { a.sum(2); }) ==
          "gradus::any_tensor::sum(axes): no such axis: the tensor is float[2,3], the axis is 2");
    CHECK(contains(messages::of<gr::shape_error>([&] { a.sum({1, -1}); }), "axis -1 is given twice"));
}

TEST_CASE("shapes that run time tells: views of the same memory") {
    gr::any_tensor a = matrix();
    CHECK(a.reshape({3, -1}).shape() == gr::shape{3, 2});
    CHECK(a.view({-1}).data() == a.data());
    CHECK(elements(a.permute({1, 0})) == floats{1, 4, 2, 5, 3, 6});
    CHECK(a.unsqueeze(-1).shape() == gr::shape{2, 3, 1});
    CHECK(a.unsqueeze(0).squeeze(0).shape() == gr::shape{2, 3});
    CHECK(elements(a.index(gr::ellipsis, gr::range{0, gr::to_end, 2})) == floats{1, 3, 4, 6});
    CHECK(elements(a.index(a > 2.5)) == floats{3, 4, 5, 6});
    CHECK(elements(gr::cat({a, a.slice(0, 0, 1)}, 0)) == floats{1, 2, 3, 4, 5, 6, 1, 2, 3});
    CHECK(messages::of<gr::shape_error>([&] { a.reshape({4, -1}); }) ==
          "gradus::any_tensor::reshape(shape): the tensor is float[2,3], which has 6 elements; the shape is [4,dyn]");
    CHECK(contains(messages::of<gr::error>([&] { a.t().view({6}); }), "use reshape, which copies"));
    a.select(0, 1).fill_(0);
    CHECK(elements(a) == floats{1, 2, 3, 0, 0, 0});
}

TEST_CASE("dtypes are promoted by PyTorch's table; integers are summed in 64 bits") {
    gr::any_tensor i = gr::tensor<std::int32_t, 2>{1, 2}, l = gr::tensor<std::int64_t, 2>{3, 4}, b = gr::tensor<bool, 2>{true, false};
    gr::any_tensor f = gr::tensor<float, 2>{0.5f, 1.5f}, d = gr::tensor<double, 2>{1, 2},
                   h = gr::tensor(gr::cast<gr::float16>(gr::ones<float, 2>()));
    CHECK((i + l).dtype() == gr::dtype::int64);
    CHECK((i + f).dtype() == gr::dtype::float32);
    CHECK((l * d).dtype() == gr::dtype::float64);
    CHECK((b + i).dtype() == gr::dtype::int32);
    CHECK((h + f).dtype() == gr::dtype::float32);
    CHECK((h * 2.5).dtype() == gr::dtype::float16);
    CHECK((h + l).dtype() == gr::dtype::float16);
    CHECK((i + 1).dtype() == gr::dtype::int32);
    CHECK((i * 0.5).dtype() == gr::dtype::float32);
    CHECK((i / l).dtype() == gr::dtype::float32);
    CHECK(gr::exp(i).dtype() == gr::dtype::float32);
    CHECK(i.sum().dtype() == gr::dtype::int64);
    CHECK(b.sum().item() == 1);
    CHECK(elements(f + i) == floats{1.5f, 3.5f});
    gr::any_tensor const large = gr::tensor<std::int32_t, 2>{2'000'000'000, 2'000'000'000};
    CHECK(large.sum().item() == 4e9);
}

TEST_CASE("on the tape: gradients, names, derivatives of derivatives, versions, no_grad") {
    gr::any_tensor w = matrix().requires_grad_();
    gr::any_tensor x = gr::tensor<float, 3, 1>{{1}, {2}, {3}};
    gr::any_tensor const y = gr::matmul(w, x);
    gr::any_tensor const loss = (y * y).sum();
    CHECK(loss.requires_grad());
    loss.backward();
    CHECK(elements(w.grad()) == floats{28, 56, 84, 64, 128, 192});  // 2 y x^T, y = 14, 32
    CHECK(contains(messages::of<gr::autograd_error>([&] { loss.backward(); }), "Specify retain_graph=true"));
    w.zero_grad();
    gr::any_tensor const sum = (w + 1.0).sum();
    sum.backward();
    sum.backward();  // nothing was saved
    CHECK(elements(w.grad()) == floats{2, 2, 2, 2, 2, 2});
    w.zero_grad();
    (w + 1.0).sum({0, 1}).backward();
    CHECK(elements(w.grad()) == floats{1, 1, 1, 1, 1, 1});
    w.zero_grad();
    (w * gr::tensor<float, 2, 1>{{1}, {2}}).permute({1, 0}).slice(0, 1).backward(gr::any_tensor(gr::ones<float, 2, 2>()));
    CHECK(elements(w.grad()) == floats{0, 1, 1, 0, 2, 2});
    w.zero_grad();

    gr::tensor<double> t = gr::full<double>(2.0).requires_grad_();
    gr::any_tensor const a = t, cube = a * a * a;
    auto const first = gr::autograd::grad(cube.as<double>(), t, {.create_graph = true});
    CHECK(first.item() == 12);
    CHECK(gr::autograd::grad(first, t).item() == 12);

    gr::any_tensor v = w * 2.0;
    gr::any_tensor const square = v * v;
    v += 1;
    CHECK(contains(messages::of<gr::autograd_error>([&] { square.backward(gr::any_tensor(gr::ones<float, 2, 3>())); }),
                   "modified by an inplace operation: [float[2,3]]"));
    gr::no_grad guard;
    CHECK(!(w * w).requires_grad());
}

TEST_CASE("losses, normalizations and tables take them; indices are checked") {
    gr::any_tensor const scores = gr::tensor<float, 2, 3>{{1, 2, 3}, {5, 0, 0}}.requires_grad_();
    gr::any_tensor const loss = gr::cross_entropy(scores, gr::any_tensor(gr::tensor<std::int64_t, 2>{0, -100}));
    CHECK(near(loss, {2.40760596444438}));
    loss.backward();
    CHECK(near(scores.grad(), {-0.909969426, 0.244728471, 0.665240956, 0, 0, 0}));
    CHECK(contains(messages::of<gr::shape_error>([&] { gr::cross_entropy(scores, gr::tensor<std::int64_t, 2>{0, 7}); }),
                   "gradus::cross_entropy(a, b): index 7 is out of bounds for axis 1 of float[2,3]"));
    gr::any_tensor const table = matrix();
    CHECK(elements(gr::embedding(table, gr::any_tensor(gr::tensor<std::int64_t, 3>{1, 0, 1}))) == floats{4, 5, 6, 1, 2, 3, 4, 5, 6});
    gr::any_tensor const ones = gr::ones<float, 3>(), zeros = gr::zeros<float, 3>();
    CHECK(near(gr::layer_norm(table, ones, zeros).slice(0, 0, 1), {-1.2247356, 0, 1.2247356}, 1e-5));  // (x - 2) / sqrt(2/3 + 1e-5)
    CHECK(near(gr::l1_loss(table, table * 2), {3.5}));
    CHECK(elements(gr::masked_fill(table, table > 4, -1)) == floats{1, 2, 3, 4, -1, -1});
}

TEST_CASE("typed tensors and run-time ones share one history") {
    auto w = gr::tensor<float, 2>{3, 4}.requires_grad_();
    gr::tensor const doubled = w * 2.0f;
    gr::any_tensor const mixed = gr::any_tensor(doubled) * doubled;  // 4 w^2
    gr::tensor<float> const loss = mixed.sum().as<float>();
    gr::tensor(loss * 0.5f).backward();
    CHECK(messages::elements(w.grad()) == floats{12, 16});
}

TEST_CASE("a network whose sizes run time tells learns") {
    gr::random random(3);
    std::vector<std::int64_t> const sizes{2, 8, 1};
    std::vector<gr::any_tensor> weights, biases;
    for (std::size_t k = 0; k + 1 < sizes.size(); ++k) {
        gr::any_tensor const w = gr::randn<float, gr::dyn, gr::dyn>(sizes[k], sizes[k + 1], random);
        weights.push_back(w.clone().requires_grad_());
        biases.push_back(gr::any_tensor(gr::zeros<float, gr::dyn>(sizes[k + 1])).requires_grad_());
    }
    gr::any_tensor const x = gr::tensor<float, 4, 2>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y = gr::tensor<float, 4, 1>{0, 1, 1, 0};
    double first = 0, last = 0;
    for (int step = 0; step < 300; ++step) {
        gr::any_tensor h = x;
        for (std::size_t k = 0; k < weights.size(); ++k) {
            h = gr::matmul(h, weights[k]) + biases[k];
            if (k + 1 < weights.size()) h = gr::tanh(h);
        }
        gr::any_tensor const loss = gr::mse_loss(h, y);
        loss.backward();
        last = loss.item();
        if (step == 0) first = last;
        gr::no_grad guard;
        for (auto* all : {&weights, &biases})
            for (gr::any_tensor const& p : *all) {
                p -= p.grad() * 0.2;
                p.zero_grad();
            }
    }
    CHECK(first > 0.1);
    CHECK(last < 0.01);
}

TEST_CASE("programs of many shapes come and go; nodes of the tape keep those that they need") {
    using column = gr::tensor<double, gr::dyn>;
    std::vector<column> leaves;
    std::vector<gr::tensor<double>> losses;
    for (std::int64_t n = 1; n <= 150; ++n) {
        column const x = gr::full<double, gr::dyn>(n, 0.5).requires_grad_();
        gr::any_tensor const a = x, cubes = a * a * a;
        leaves.push_back(x);
        losses.push_back(gr::tensor<double>(cubes.sum().as<double>()));
    }
    for (std::size_t i = 0; i < losses.size(); ++i) {
        column const first = gr::autograd::grad(losses[i], leaves[i], {.create_graph = true});
        column const second = gr::autograd::grad(gr::tensor(gr::sum(first)), leaves[i]);
        CHECK(second.size() == static_cast<std::int64_t>(i) + 1);
        CHECK(second.data()[i] == 3);
    }
}
