// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <coroutine>
#include <stdexcept>
#include <thread>
#include <tuple>

// Rows 45 to 54 of what PyTorch's users expect: grad modes.

namespace gr = gradus;

namespace {

using vector = gr::tensor<float, 2>;

vector squared(vector const& x) { return x * x; }

/// A coroutine that holds a guard while it waits.
struct task {
    struct promise_type {
        task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { throw; }
    };
    std::coroutine_handle<promise_type> handle;
};
task waits_under_no_grad() {
    gr::no_grad guard;
    co_await std::suspend_always{};
}
task ends_under_no_grad() {
    gr::no_grad guard;
    co_return;
}

bool returns_early(bool early) {
    gr::no_grad guard;
    if (early) return gr::is_grad_enabled();
    return true;
}

}  // namespace

TEST_CASE("45 no_grad: results do not require a gradient") {
    auto x = gr::ones<float, 5>();
    auto w = gr::zeros<float, 5, 3>().requires_grad_();
    auto b = gr::zeros<float, 3>().requires_grad_();
    auto model = [&] { return gr::tensor(gr::matmul(x, w) + b); };
    CHECK(model().requires_grad());
    gr::no_grad guard;
    auto z = model();
    CHECK_FALSE(z.requires_grad());
    CHECK_FALSE(z.grad_fn());
    CHECK(z.is_leaf());
}

TEST_CASE("46 guards: nesting restores the outer mode") {
    CHECK(gr::is_grad_enabled());
    {
        gr::no_grad outer;
        CHECK_FALSE(gr::is_grad_enabled());
        {
            gr::enable_grad inner;
            CHECK(gr::is_grad_enabled());
            {
                gr::set_grad_enabled off(false);
                CHECK_FALSE(gr::is_grad_enabled());
                gr::set_grad_enabled on(true);
                CHECK(gr::is_grad_enabled());
            }
            CHECK(gr::is_grad_enabled());
        }
        CHECK_FALSE(gr::is_grad_enabled());
    }
    CHECK(gr::is_grad_enabled());
}

TEST_CASE("47 guards: leaving by an exception, a return or the end of a coroutine restores the mode") {
    auto throws = [] {
        gr::no_grad guard;
        throw std::runtime_error("out");
    };
    CHECK_THROWS_AS(throws(), std::runtime_error);
    CHECK(gr::is_grad_enabled());
    CHECK_FALSE(returns_early(true));
    CHECK(gr::is_grad_enabled());
    task done = ends_under_no_grad();
    CHECK(gr::is_grad_enabled());
    done.handle.destroy();
    // while a coroutine waits its guard holds for the thread: the mode is the thread's, not the frame's
    task waiting = waits_under_no_grad();
    CHECK_FALSE(gr::is_grad_enabled());
    waiting.handle.destroy();
    CHECK(gr::is_grad_enabled());
    task resumed = waits_under_no_grad();
    resumed.handle.resume();
    CHECK(gr::is_grad_enabled());
    resumed.handle.destroy();
}

TEST_CASE("48 threads: a thread starts with recording on") {
    gr::no_grad guard;
    bool in_thread = false, recorded = false, after = true;
    auto x = gr::ones<float, 2>().requires_grad_();
    std::thread([&] {
        in_thread = gr::is_grad_enabled();
        recorded = squared(x).requires_grad();
        gr::no_grad inner;
        after = squared(x).requires_grad();
    }).join();
    CHECK(in_thread);
    CHECK(recorded);
    CHECK_FALSE(after);
    CHECK_FALSE(gr::is_grad_enabled());
}

TEST_CASE("49 factories: requires_grad_ under no_grad makes a leaf that requires a gradient") {
    vector x;
    {
        gr::no_grad guard;
        x = gr::ones<float, 2>().requires_grad_();
        CHECK(x.requires_grad());
    }
    squared(x).backward(gr::ones<float, 2>());
    CHECK(x.grad()(0) == 2);
}

TEST_CASE("50 no_grad: a step on a leaf is allowed and it stays a leaf") {
    vector w{1, 2};
    w.requires_grad_();
    squared(w).backward(gr::ones<float, 2>());
    auto step = [&] { w -= 0.25f * w.grad(); };
    CHECK_THROWS_AS(step(), gr::autograd_error);
    CHECK(w(1) == 2);
    {
        gr::no_grad guard;
        step();
    }
    CHECK(w(0) == 0.5f);  // 1 - 0.25 * 2
    CHECK(w(1) == 1);     // 2 - 0.25 * 4
    CHECK(w.is_leaf());
    CHECK(w.requires_grad());
    CHECK(w.grad().defined());
}

TEST_CASE("51 no_grad: an in-place operation is still seen by graphs that saved the tensor") {
    auto x = gr::ones<float, 2>().requires_grad_();
    vector y = squared(x);
    {
        gr::no_grad guard;
        x *= 2.0f;
    }
    CHECK_THROWS_WITH_AS(y.backward(gr::ones<float, 2>()), doctest::Contains("is at version 1; expected version 0"), gr::autograd_error);
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("52 backward: runs with recording off, on with create_graph, and restores it after passes inside of hooks") {
    auto x = gr::ones<float, 2>().requires_grad_();
    bool seen = true, after_inner = true;
    vector y = squared(x);
    y.register_hook([&](vector const&) { seen = gr::is_grad_enabled(); });
    y.backward(gr::ones<float, 2>(), {.retain_graph = true});
    CHECK_FALSE(seen);
    CHECK(gr::is_grad_enabled());
    auto dx = gr::autograd::grad(y, x, {.grad_outputs = {gr::ones<float, 2>()}, .create_graph = true});
    CHECK(seen);
    CHECK(dx.requires_grad());

    vector z = squared(x);
    float inner = 0;
    z.register_hook([&](vector const&) {
        {
            gr::enable_grad on;
            auto u = gr::full<float, 2>(3.0f).requires_grad_();
            squared(u).backward(gr::ones<float, 2>());
            inner = u.grad()(0);
            CHECK(gr::is_grad_enabled());
        }
        after_inner = gr::is_grad_enabled();
    });
    z.backward(gr::ones<float, 2>());
    CHECK(inner == 6);
    CHECK_FALSE(after_inner);
    CHECK(gr::is_grad_enabled());

    // a hook that throws leaves the thread as it was
    vector v = squared(x);
    v.register_hook([](vector const&) { throw std::runtime_error("hook"); });
    CHECK_THROWS_AS(v.backward(gr::ones<float, 2>()), std::runtime_error);
    CHECK(gr::is_grad_enabled());
}
