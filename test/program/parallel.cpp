// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <gradus.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

// Programs on threads that the caller lends: the same bits as on one thread, whoever runs the tasks and in whatever order.
namespace {

namespace gr = gradus;

/// All tasks at the same time.
void at_once(int n, auto const& f) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < n; ++i) threads.emplace_back([&f, i] { f(i); });
}
/// One after the other, from the last: nobody may wait for anybody.
void backwards(int n, auto const& f) {
    for (int i = n; i-- > 0;) f(i);
}

template <class T>
struct network {
    static constexpr auto x = gr::var<"x", T, "n", 90>;
    static constexpr auto w1 = gr::var<"w1", T, 90, 300>;
    static constexpr auto b1 = gr::var<"b1", T, 300>;
    static constexpr auto w2 = gr::var<"w2", T, 300, 280>;
    static constexpr auto b2 = gr::var<"b2", T, 280>;
    static constexpr auto labels = gr::var<"labels", std::int64_t, "n">;
    static constexpr auto h = gr::let([] { return gr::relu(gr::matmul(x, w1) + b1); });
    static constexpr auto loss = gr::cross_entropy(gr::matmul(h, w2) + b2, labels);
    static constexpr auto descend(auto p) { return gr::update(p, p - gr::constant<0.5> * gr::grad(loss, p)); }
};

}  // namespace

TEST_CASE("parallel: a training step has the same bits on any number of threads") {
    using T = float;
    using r = network<T>;
    constexpr auto step =
        gr::compile(r::loss, gr::softmax(r::h), r::descend(r::w1), r::descend(r::b1), r::descend(r::w2), r::descend(r::b2));
    std::size_t const n = 250;
    gr::random random(5);
    std::vector<T> const X = [&] {
        auto drawn = gr::array<T, 250, 90>::uniform(random, T(-1), T(1));
        return std::vector<T>(drawn.data(), drawn.data() + drawn.size());
    }();
    std::vector<std::int64_t> L(n);
    for (std::size_t i = 0; i < n; ++i) L[i] = static_cast<std::int64_t>(i * 7 % 280);
    auto const W1 = gr::array<T, 90, 300>::uniform(random, T(-0.2), T(0.2));
    auto const W2 = gr::array<T, 300, 280>::uniform(random, T(-0.2), T(0.2));
    struct state {
        gr::array<T, 90, 300> w1;
        gr::array<T, 300, 280> w2;
        gr::array<T, 300> b1 = gr::array<T, 300>::full(T(0.1));
        gr::array<T, 280> b2 = gr::array<T, 280>::full(T(-0.1));
        std::vector<T> soft = std::vector<T>(250 * 300);
        T loss = 0;
    };
    auto bytes_equal = [](auto const& a, auto const& b) { return std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0; };
    auto run = [&](auto&&... how) {
        state s{W1, W2};
        for (int i = 0; i < 2; ++i)
            step(gr::out(s.loss, s.soft), r::x = X, r::labels = L, r::w1 = s.w1, r::w2 = s.w2, r::b1 = s.b1, r::b2 = s.b2, how...);
        return s;
    };
    state const one = run();
    CHECK(one.loss > T(1));
    CHECK(!bytes_equal(one.w1, W1));
    auto same = [&](state const& s) {
        CHECK(s.loss == one.loss);
        CHECK(bytes_equal(s.w1, one.w1));
        CHECK(bytes_equal(s.w2, one.w2));
        CHECK(bytes_equal(s.b1, one.b1));
        CHECK(bytes_equal(s.b2, one.b2));
        CHECK(bytes_equal(s.soft, one.soft));
    };
    auto together = [](int tasks, auto f) { at_once(tasks, f); };
    auto in_turn = [](int tasks, auto f) { backwards(tasks, f); };
    gr::workspace scratch;
    for (int threads : {1, 2, 3, 7}) {
        CAPTURE(threads);
        same(run(gr::parallel(threads, together)));
        same(run(gr::parallel(threads, in_turn), scratch));
    }
}

TEST_CASE("parallel: large elementwise kernels and stacks of matrices are shared") {
    constexpr auto x = gr::var<"x", float, "n", 40, 50>;
    constexpr auto y = gr::var<"y", float, "n", 50, 40>;
    constexpr auto program = gr::compile(gr::sin(x) * gr::exp(x), gr::matmul(x, y), gr::softmax(x));
    std::size_t const n = 60;
    std::vector<float> X(n * 2000), Y(n * 2000);
    for (std::size_t i = 0; i < X.size(); ++i)
        X[i] = static_cast<float>(i * 37 % 101) / 50 - 1, Y[i] = static_cast<float>(i * 11 % 89) / 40 - 1;
    struct results {
        std::vector<float> of[3] = {std::vector<float>(n * 2000), std::vector<float>(n * 1600), std::vector<float>(n * 2000)};
    };
    results one, two;
    program(gr::out(one.of[0], one.of[1], one.of[2]), x = X, y = Y);
    // how many tasks are handed out at all
    int handed = 0;
    auto counting = [&](int tasks, auto f) {
        handed += tasks;
        at_once(tasks, f);
    };
    program(gr::out(two.of[0], two.of[1], two.of[2]), x = X, y = Y, gr::parallel(3, counting));
    for (int i = 0; i < 3; ++i) CHECK(one.of[i] == two.of[i]);
    CHECK(handed >= 6);
    // by value, and too small for a second thread
    handed = 0;
    auto const [e, p, s] =
        program(x = std::span<float const>(X).first(2000), y = std::span<float const>(Y).first(2000), gr::parallel(3, counting));
    CHECK(handed == 0);
    CHECK(std::memcmp(e.data(), one.of[0].data(), 2000 * sizeof(float)) == 0);
}

TEST_CASE("parallel: rows begin where they do on one thread, a single matrix is one thread's") {
    // sums along rows depend on which rows are taken together
    constexpr auto x = gr::var<"x", float, "n", 64>;
    constexpr auto v = gr::var<"v", float, 64, 1>;
    constexpr auto program = gr::compile(gr::matmul(gr::tanh(x), v));
    std::size_t const n = 10007;
    std::vector<float> X(64 * n), V(64), one(n), other(n);
    for (std::size_t i = 0; i < X.size(); ++i) X[i] = static_cast<float>(i * 37 % 1009) / 500 - 1;
    for (std::size_t i = 0; i < V.size(); ++i) V[i] = static_cast<float>(i * 11 % 13) / 7 - 1;
    auto together = [](int tasks, auto f) { at_once(tasks, f); };
    program(gr::out(one), x = X, v = V);
    for (int threads : {2, 3, 4}) {
        program(gr::out(other), x = X, v = V, gr::parallel(threads, together));
        CHECK(one == other);
    }
    // a stack of one small product
    constexpr auto a = gr::var<"a", float, "b", 1024, 64>;
    constexpr auto c = gr::var<"c", float, 64, 64>;
    constexpr auto product = gr::compile(gr::matmul(a, c));
    std::vector<float> A(65536), C(4096), first(65536), second(65536);
    std::copy_n(X.begin(), A.size(), A.begin());
    std::copy_n(X.begin(), C.size(), C.begin());
    product(gr::out(first), a = A, c = C);
    product(gr::out(second), a = A, c = C, gr::parallel(2, together));
    CHECK(first == second);
}

TEST_CASE("parallel: what the caller's threads throw reaches the caller") {
    constexpr auto x = gr::var<"x", float, 300, 300>;
    constexpr auto program = gr::compile(gr::matmul(x, gr::tanh(x)));
    auto const X = gr::array<float, 300, 300>::full(0.5f);
    auto busy = [](int, auto) { throw std::runtime_error("no threads left"); };
    CHECK_THROWS_WITH_AS(static_cast<void>(program(x = X, gr::parallel(2, busy))), "no threads left", std::runtime_error);
}
