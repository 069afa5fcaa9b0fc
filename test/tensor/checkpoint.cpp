// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <string>

namespace gr = gradus;

namespace {

using vector = gr::tensor<double, 4>;

vector start() { return vector{0.1, -0.4, 0.7, 1.2}.requires_grad_(); }
vector hidden(vector const& x, vector const& w) { return gr::tanh(x * w); }
gr::tensor<double> total(vector const& x) { return gr::sum(x * x); }
bool equal(vector const& a, vector const& b) {
    for (int i = 0; i < 4; ++i)
        if (a(i) != b(i)) return false;
    return true;
}
/// Two statements that save something.
vector layers(vector const& x, vector const& w) { return hidden(hidden(x, w), w); }

}  // namespace

TEST_CASE("83 checkpoint: the gradients are those without it, and the function runs twice") {
    vector x = start(), w = start(), plain_x = start(), plain_w = start();
    total(layers(plain_x, plain_w)).backward();

    int runs = 0;
    auto f = [&](vector const& a, vector const& b) { return ++runs, layers(a, b); };
    vector y = gr::checkpoint(f, x, w);
    CHECK(runs == 1);
    CHECK(y.grad_fn().name() == "TanhBackward0");
    CHECK(y.grad_fn().saved_count() == 0);
    CHECK(equal(y, layers(x, w)));
    total(y).backward();
    CHECK(runs == 2);
    CHECK(equal(x.grad(), plain_x.grad()));  // bit by bit: the same kernels on the same values
    CHECK(equal(w.grad(), plain_w.grad()));
}

TEST_CASE("83 checkpoint: parameters that the function captures have their gradients") {
    vector x = start(), w = start(), plain_w = start();
    vector const data = x.detach();
    total(layers(data, plain_w)).backward();
    vector y = gr::checkpoint([w](vector const& a) { return layers(a, w); }, data);
    CHECK(y.requires_grad());
    total(y).backward();
    CHECK(equal(w.grad(), plain_w.grad()));

    // a captured tensor that was computed: the derivative goes on through what computed it
    vector plain_x = start();
    vector const before = hidden(plain_x, data);
    total(layers(data, before)).backward();
    vector const captured = hidden(x, data);
    total(gr::checkpoint([captured](vector const& a) { return layers(a, captured); }, data)).backward();
    CHECK(equal(x.grad(), plain_x.grad()));
}

TEST_CASE("83 checkpoint: works in a checkpoint, and its arguments are not kept by the outer one's") {
    vector x = start(), w = start(), plain_x = start(), plain_w = start();
    total(layers(layers(plain_x, plain_w), plain_w)).backward();
    int inner_runs = 0, outer_runs = 0;
    std::string inner_name;
    auto inner = [&](vector const& a) { return ++inner_runs, layers(a, w); };
    auto outer = [&](vector const& a) {
        ++outer_runs;
        vector const h = gr::checkpoint(inner, a);
        return vector(gr::checkpoint(inner, h));
    };
    total(gr::checkpoint(outer, x)).backward();
    CHECK(outer_runs == 2);
    CHECK(inner_runs == 6);  // two inner calls: forward, the outer one again, their own second
    CHECK(equal(x.grad(), plain_x.grad()));
    CHECK(equal(w.grad(), plain_w.grad()));
}

TEST_CASE("83 checkpoint: works with autograd::grad, with derivatives of derivatives, with a retained graph") {
    vector x = start(), w = start();
    int runs = 0;
    auto f = [&](vector const& a) { return ++runs, layers(a, w); };
    auto const loss = total(gr::checkpoint(f, x));
    auto const plain = total(layers(x, w));
    auto [dx, dw] = gr::autograd::grad(loss, std::tuple(x, w), {.retain_graph = true});
    CHECK(runs == 2);
    auto [plain_dx, plain_dw] = gr::autograd::grad(plain, std::tuple(x, w), {.retain_graph = true});
    CHECK(equal(dx, plain_dx));
    CHECK(equal(dw, plain_dw));
    CHECK(!x.grad().defined());
    CHECK(equal(gr::autograd::grad(loss, x), plain_dx));  // what was retained is still there
    CHECK(runs == 2);
    CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("retain_graph=true"), gr::autograd_error);

    auto second = [&](gr::tensor<double> const& l) {
        vector const first = gr::autograd::grad(l, x, {.create_graph = true});
        return gr::autograd::grad(total(first), x);
    };
    CHECK(equal(second(total(gr::checkpoint(f, x))), second(total(layers(x, w)))));
}

TEST_CASE("83 checkpoint: nothing is recorded and nothing kept where nothing requires a gradient") {
    vector x = start();
    int runs = 0;
    auto f = [&](vector const& a, double k) { return ++runs, vector(k * a); };
    {
        gr::no_grad guard;
        CHECK(!gr::checkpoint(f, x, 2.0).requires_grad());
    }
    CHECK(!gr::checkpoint(f, x.detach(), 2.0).requires_grad());
    CHECK(runs == 2);
}

TEST_CASE("83 checkpoint: a function that does not do the same again, and operands that changed, are refused") {
    vector x = start(), w = start();
    bool twice = true;
    auto changes = [&](vector const& a) { return twice ? layers(a, w) : hidden(a, w); };
    auto loss = total(gr::checkpoint(changes, x));
    twice = false;
    CHECK_THROWS_WITH_AS(loss.backward({.retain_graph = true}), doctest::Contains("A different number of tensors was saved"),
                         gr::autograd_error);
    twice = true;
    loss.backward();  // the failed second run took nothing
    CHECK(x.grad().defined());

    auto f = [&](vector const& a) { return layers(a, w); };
    loss = total(gr::checkpoint(f, x));
    {
        gr::no_grad guard;
        w.zero_();
    }
    CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("has been modified by an inplace operation"), gr::autograd_error);
    loss = total(gr::checkpoint(f, x));
    {
        gr::no_grad guard;
        x.zero_();
    }
    CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("is at version 1; expected version 0"), gr::autograd_error);
}

TEST_CASE("83 checkpoint: a captured view whose base was written to") {
    vector x = start(), w = start();
    auto run = [&](bool checkpointed) {
        vector base = x.clone();
        vector view = base.reshape<4>();
        base *= base;
        auto f = [&](vector const& a) { return layers(a, view); };
        x.zero_grad();
        total(checkpointed ? gr::checkpoint(f, w) : f(w)).backward();
        return x.grad();
    };
    CHECK(equal(run(true), run(false)));
}

TEST_CASE("83 checkpoint: a chain of 20,000 checkpoints is passed back and destroyed without recursion") {
    vector w = start();
    vector h = start().detach();
    for (int i = 0; i < 20000; ++i) h = gr::checkpoint([w](vector const& a) { return hidden(a, w); }, h);
    CHECK(total(h).requires_grad());
    total(h).backward();
    CHECK(w.grad().defined());
    h = gr::checkpoint([w](vector const& a) { return hidden(a, w); }, h);
}
