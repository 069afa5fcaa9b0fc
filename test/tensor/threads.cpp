// SPDX-License-Identifier: BSL-1.0
// Meant for -fsanitize=thread too: each test is a race if a lock is missing.
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace gr = gradus;

namespace {

using matrix = gr::tensor<double, 5, 5>;
using scalar = gr::tensor<double>;

constexpr int many = 10;

/// Runs f(0), f(1), ... at once, and begins together.
template <class F>
void at_once(F f) {
    std::atomic<int> waiting = many;
    std::vector<std::thread> threads;
    for (int i = 0; i < many; ++i)
        threads.emplace_back([&, i] {
            --waiting;
            while (waiting > 0) std::this_thread::yield();
            f(i);
        });
    for (std::thread& t : threads) t.join();
}
/// The statements of these tests, each compiled once.
matrix curve(matrix const& x) { return (x + 3) * (x + 4) * 0.5; }  // its derivative is x + 3.5
matrix square(matrix const& x) { return x * x; }
scalar total(matrix const& x) { return gr::sum(x); }
bool all(matrix const& x, double value) {
    for (double element : x.values())
        if (element != value) return false;
    return true;
}
matrix ones() { return gr::ones<double, 5, 5>(); }
/// backward, or that the graph is gone.
bool succeeds(auto const& loss) {
    try {
        loss.backward();
        return true;
    } catch (gr::autograd_error const& e) {
        if (std::string_view(e.what()).find("Trying to backward through the graph a second time") == std::string_view::npos) throw;
        return false;
    }
}

/// x x, with a backward of a few statements, or an exception, or a backward pass inside.
struct custom_square : gr::autograd::function<custom_square> {
    static matrix forward(gr::autograd::context& ctx, matrix const& x) {
        ctx.save_for_backward(x);
        return square(x);
    }
    static matrix backward(gr::autograd::context& ctx, matrix const& gradient) { return 2.0 * ctx.saved<0, double, 5, 5>() * gradient; }
};
struct failing : gr::autograd::function<failing> {
    inline static std::atomic<bool> fails = true;
    static matrix forward(gr::autograd::context&, matrix const& x) { return x.clone(); }
    static matrix backward(gr::autograd::context&, matrix const& gradient) {
        if (fails) throw std::runtime_error("no derivative today");
        return gradient;
    }
};
struct nested : gr::autograd::function<nested> {
    static scalar forward(gr::autograd::context& ctx, scalar const& x, int depth) {
        ctx.saved_data<int>() = depth;
        return x.clone();
    }
    /// The gradient times the derivative of the function one less deep, which is 1: computed by a backward pass.
    static auto backward(gr::autograd::context& ctx, scalar const& gradient) {
        int const depth = ctx.saved_data<int>();
        scalar x = gradient.detach().requires_grad_();
        if (depth > 0) {
            gr::enable_grad guard;
            nested::apply(x, depth - 1).backward();
        }
        CHECK(!gr::is_grad_enabled());
        return std::tuple(depth > 0 ? x.grad() : gradient, nothing);
    }
};

}  // namespace

TEST_CASE("87 threads: gradients of a shared leaf add up") {
    matrix x = ones().requires_grad_();
    at_once([&](int) { total(curve(x)).backward(); });
    CHECK(all(x.grad(), many * 4.5));  // exact: halves
}

TEST_CASE("87 threads: the same with gradients that are recorded, and with functions of the user's") {
    matrix x = ones().requires_grad_();
    gr::warning_sink quiet([](std::string_view) {});
    at_once([&](int i) {
        gr::warning_sink also_quiet([](std::string_view) {});
        if (i % 2) total(curve(x)).backward({.create_graph = true});
        else total(custom_square::apply(x)).backward();
    });
    CHECK(all(x.grad(), many / 2 * 4.5 + many / 2 * 2));
    x.zero_grad();
}

TEST_CASE("88 threads: autograd::grad of each thread is its own") {
    matrix x = ones().requires_grad_();
    std::atomic<int> right = 0;
    at_once([&](int) { right += all(gr::autograd::grad(total(curve(x)), x), 4.5); });
    CHECK(right == many);
    CHECK(!x.grad().defined());
}

TEST_CASE("89 threads: of several passes over a shared graph at least one succeeds, the others hear that it is gone") {
    for (int round = 0; round < 20; ++round) {
        matrix x = ones().requires_grad_();
        matrix h = curve(x);
        for (int i = 0; i < 10; ++i) h = square(h) * 0.01;
        std::atomic<int> successes = 0;
        at_once([&](int) { successes += succeeds(total(square(h))); });
        CHECK(successes >= 1);
        CHECK(x.grad().defined());
    }
}

TEST_CASE("89 threads: a graph that is retained takes all of them") {
    matrix x = ones().requires_grad_();
    scalar loss = total(square(custom_square::apply(square(x))));  // sum of x^8
    at_once([&](int) { loss.backward({.retain_graph = true}); });
    CHECK(all(x.grad(), many * 8));
}

TEST_CASE("89 threads: functions of the user's and checkpoints in a shared graph") {
    for (int round = 0; round < 10; ++round) {
        matrix x = ones().requires_grad_();
        matrix h = custom_square::apply(square(x));
        h = gr::checkpoint([](matrix const& a) { return square(square(a)); }, h);
        std::atomic<int> successes = 0;
        at_once([&](int) { successes += succeeds(total(square(h))); });
        CHECK(successes >= 1);
    }
    matrix x = ones().requires_grad_();
    std::atomic<int> runs = 0;
    scalar loss = total(gr::checkpoint([&](matrix const& a) { return ++runs, square(square(a)); }, x));
    at_once([&](int) { loss.backward({.retain_graph = true}); });
    CHECK(all(x.grad(), many * 4));
    CHECK(runs == 2);
}

TEST_CASE("89 threads: a result that retains its gradient may end while another thread passes its node") {
    matrix x = ones().requires_grad_();
    for (int round = 0; round < 50; ++round) {
        matrix h = curve(x);
        h.retain_grad();
        std::atomic<bool> there = false;
        h.register_hook([&](matrix const&) { there = true; });
        scalar loss = total(square(h));
        std::thread other([&] { loss.backward(); });
        while (!there) std::this_thread::yield();
        h = matrix();
        other.join();
    }
    CHECK(x.grad().defined());
}

TEST_CASE("89 threads: handles are copied and let go by all threads") {
    matrix x = ones().requires_grad_();
    matrix h = curve(x);
    at_once([&](int) {
        for (int i = 0; i < 100; ++i) {
            matrix copy = h;
            scalar loss = total(copy);
            CHECK(loss.requires_grad());
        }
    });
    total(h).backward();
    CHECK(all(x.grad(), 4.5));
}

TEST_CASE("89 threads: a view whose base was written to has one history, whoever asks") {
    for (int round = 0; round < 20; ++round) {
        matrix x = ones().requires_grad_();
        matrix h = curve(x);
        matrix view = h.t();
        h *= h;
        std::atomic<int> right = 0;
        // the derivative of curve^2 at 1 is 2 * 10 * 4.5
        at_once([&](int) { right += all(gr::autograd::grad(total(view), x, {.retain_graph = true}), 90); });
        CHECK(right == many);
    }
}

TEST_CASE("90 re-entrance: a backward pass in a hook, through nodes of the same graph") {
    matrix x = ones().requires_grad_(), w = ones().requires_grad_();
    matrix h = square(w);
    scalar side = total(square(h));
    matrix y = square(x);
    y.register_hook([&](matrix const&) { side.backward({.retain_graph = true}); });
    total(square(y)).backward();
    CHECK(all(x.grad(), 4));
    CHECK(all(w.grad(), 4));
    side.backward();
    CHECK(all(w.grad(), 8));
}

TEST_CASE("90 re-entrance: 3000 backward passes, each inside of the one before") {
    scalar x = gr::ones<double>().requires_grad_();
    nested::apply(x, 3000).backward();
    CHECK(x.grad().item() == 1);
    CHECK(gr::is_grad_enabled());
}

TEST_CASE("91 exceptions: they come out of backward, and the engine works afterwards") {
    matrix x = ones().requires_grad_();
    matrix shared = square(x);
    scalar loss = total(square(failing::apply(shared)));
    failing::fails = true;
    CHECK_THROWS_WITH_AS(loss.backward({.retain_graph = true}), "no derivative today", std::runtime_error);
    CHECK(gr::is_grad_enabled());
    CHECK(!x.grad().defined());
    failing::fails = false;
    loss.backward();
    CHECK(all(x.grad(), 4));

    // the same under no_grad, which is what it returns to, and from deep inside
    failing::fails = true;
    loss = total(failing::apply(x));
    {
        gr::no_grad guard;
        CHECK_THROWS_AS(loss.backward(), std::runtime_error);
        CHECK(!gr::is_grad_enabled());
    }
    int left = 600;  // more than share a stack
    matrix y = x.clone();
    y.register_hook([&](matrix const&) {
        gr::enable_grad guard;
        if (--left > 0) total(y).backward({.retain_graph = true});
        else loss.backward();
    });
    CHECK_THROWS_WITH_AS(total(y).backward(), "no derivative today", std::runtime_error);
    CHECK(left == 0);
    CHECK(gr::is_grad_enabled());
    failing::fails = false;
    x.zero_grad();
    total(curve(x)).backward();
    CHECK(all(x.grad(), 4.5));
}

TEST_CASE("91 exceptions: no leaf has got anything, and the pass can be made again") {
    matrix x = ones().requires_grad_(), w = ones().requires_grad_();
    // w's derivative is complete before the failing node's turn comes: it is less deep
    matrix y = failing::apply(x);
    matrix z = square(square(y));
    failing::fails = true;
    gr::tensor<double> loss = gr::sum(z * w);
    CHECK_THROWS_AS(loss.backward(), std::runtime_error);
    CHECK(!w.grad().defined());
    CHECK(!x.grad().defined());
    failing::fails = false;
    loss.backward();
    CHECK(w.grad().defined());
    CHECK(x.grad().defined());
}
