// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

// gr::update: all right-hand sides see the old values, whatever kernels compute them; programs keep no state.
namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto a = gr::var<"a", double, 5>;
constexpr auto b = gr::var<"b", double, 5>;
constexpr auto w = gr::var<"w", double, 4, 4>;
constexpr auto x = gr::var<"x", double, 7, 4>;

template <class A>
bool same_bits(A const& p, A const& q) {
    return p.size() == q.size() && std::memcmp(p.data(), q.data(), static_cast<std::size_t>(p.size()) * sizeof(*p.data())) == 0;
}
gr::array<double, 5> const ones_to_five{1, 2, 3, 4, 5}, tens{10, 20, 30, 40, 50};

gr::array<double, 4, 4> matrix() {
    gr::array<double, 4, 4> m;
    for (int i = 0; i < 16; ++i) m[i] = 0.25 * ((7 * i + 3) % 16) - 1.5;
    return m;
}

}  // namespace

TEST_CASE("update: two symbols are swapped") {
    constexpr auto swap = gr::compile(gr::update(a, b), gr::update(b, a));
    auto A = ones_to_five, B = tens;
    swap(a = A, b = B);
    CHECK(A == tens);
    CHECK(B == ones_to_five);
}

TEST_CASE("update: symbols rotate, and mix in one loop") {
    constexpr auto c = gr::var<"c", double, 5>;
    constexpr auto rotate = gr::compile(gr::update(a, b), gr::update(b, c), gr::update(c, a));
    auto A = ones_to_five, B = tens, C = gr::array<double, 5>::full(-1);
    rotate(a = A, b = B, c = C);
    CHECK(A == tens);
    CHECK(B == gr::array<double, 5>::full(-1));
    CHECK(C == ones_to_five);

    constexpr auto mix = gr::compile(gr::update(a, a + b), gr::update(b, a - b));
    A = ones_to_five, B = tens;
    mix(a = A, b = B);
    CHECK(A == gr::array<double, 5>{11, 22, 33, 44, 55});
    CHECK(B == gr::array<double, 5>{-9, -18, -27, -36, -45});
}

TEST_CASE("update: the new value may be the old one transposed, reversed in part, or shifted") {
    constexpr auto turn = gr::compile(gr::update(w, gr::transpose(w)));
    auto W = matrix();
    turn(w = W);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) CHECK(W(i, j) == matrix()(j, i));

    constexpr auto shift = gr::compile(gr::update(a, gr::concatenate<0>(gr::slice<1, 5>(a), gr::slice<0, 1>(a))));
    auto A = ones_to_five;
    shift(a = A);
    CHECK(A == gr::array<double, 5>{2, 3, 4, 5, 1});

    // the result is elementwise, but one operand reads other elements than it writes
    constexpr auto add_transposed = gr::compile(gr::update(w, w + gr::transpose(w)));
    W = matrix();
    add_transposed(w = W);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) CHECK(W(i, j) == matrix()(i, j) + matrix()(j, i));

    constexpr auto normalize =
        gr::compile(gr::update(w, w / gr::sum<1, gr::keepdim>(w)), gr::update(a, a - gr::broadcast_to<5>(gr::slice<4, 5>(a))));
    W = matrix();
    A = ones_to_five;
    normalize(w = W, a = A);
    for (int i = 0; i < 4; ++i) CHECK(std::abs(W(i, 0) + W(i, 1) + W(i, 2) + W(i, 3) - 1) < 1e-14);  // a few ulp
    CHECK(A == gr::array<double, 5>{-4, -3, -2, -1, 0});
}

TEST_CASE("update: a product reads the symbol in another kernel than the one that writes it") {
    constexpr auto multiply = gr::compile(gr::update(w, gr::matmul(w, w)));
    auto W = matrix();
    multiply(w = W);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            double sum = 0;
            for (int k = 0; k < 4; ++k) sum += matrix()(i, k) * matrix()(k, j);
            CHECK(W(i, j) == sum);  // multiples of 1/16, exact
        }

    // the gradient reads w in a product; the update, a loop, must come after it and not before
    constexpr auto loss = gr::sum(gr::square(gr::matmul(x, w)));
    constexpr auto step = gr::compile(loss, gr::update(w, w - 0.125_c * gr::grad(loss, w)), gr::sum(gr::matmul(x, gr::square(w))));
    gr::array<double, 7, 4> X;
    for (int i = 0; i < 28; ++i) X[i] = 0.5 * ((5 * i + 1) % 7) - 1;
    W = matrix();
    auto [l, read_late] = step(x = X, w = W);
    double expected_loss = 0, expected_late = 0;
    gr::array<double, 4, 4> gradient;
    for (int i = 0; i < 7; ++i)
        for (int j = 0; j < 4; ++j) {
            double y = 0;
            for (int k = 0; k < 4; ++k) y += X(i, k) * matrix()(k, j), expected_late += X(i, k) * matrix()(k, j) * matrix()(k, j);
            expected_loss += y * y;
            for (int k = 0; k < 4; ++k) gradient(k, j) += 2 * y * X(i, k);
        }
    CHECK(l == expected_loss);  // multiples of 2^-8 below 2^20: exact in any order
    CHECK(read_late == expected_late);
    for (int i = 0; i < 16; ++i) CHECK(W[i] == matrix()[i] - 0.125 * gradient[i]);
}

TEST_CASE("update: the new and the old value are results too") {
    constexpr auto next = a * 2_c + b;
    constexpr auto both = gr::compile(next, gr::update(a, next), a, gr::sum(a));
    auto A = ones_to_five, B = tens;
    auto [now, before, sum] = both(a = A, b = B);
    gr::array<double, 5> const expected{12, 24, 36, 48, 60};
    CHECK(now == expected);
    CHECK(A == expected);
    CHECK(before == ones_to_five);
    CHECK(sum == 15);
}

TEST_CASE("update: two symbols take one value, and a symbol a constant") {
    constexpr auto twice = gr::compile(gr::update(a, a + b), gr::update(b, a + b));
    auto A = ones_to_five, B = tens;
    twice(a = A, b = B);
    CHECK(A == gr::array<double, 5>{11, 22, 33, 44, 55});
    CHECK(B == A);
    constexpr auto clear = gr::compile(gr::sum(a), gr::update(a, gr::broadcast_to<5>(gr::cast<double>(0_c))));
    auto [sum] = clear(a = A);
    CHECK(sum == 165);
    CHECK(A == gr::array<double, 5>{});
}

TEST_CASE("update: rank 0, read by every element before it changes") {
    constexpr auto rate = gr::var<"rate", double>;
    constexpr auto decay = gr::compile(gr::update(a, a * rate), gr::update(rate, rate * 0.5_c + gr::sum(a)), gr::square(rate));
    auto A = ones_to_five;
    double r = 2;
    auto [squared] = decay(a = A, rate = r);
    CHECK(A == gr::array<double, 5>{2, 4, 6, 8, 10});
    CHECK(r == 16);
    CHECK(squared == 4);
}

TEST_CASE("update: momentum descent equals a plain loop to the last bit") {
    constexpr auto p = gr::var<"p", double, 37>;
    constexpr auto v = gr::var<"v", double, 37>;
    constexpr auto target = gr::var<"target", double, 37>;
    constexpr auto rate = gr::var<"rate", double>;
    constexpr auto loss = gr::sum(gr::square(p - target));
    constexpr auto velocity = 0.5_c * v + gr::grad(loss, p);
    constexpr auto step = gr::compile(gr::update(v, velocity), gr::update(p, p - rate * velocity));
    std::vector<double> P(37), V(37), T(37), P0, V0;
    for (std::size_t i = 0; i < 37; ++i) T[i] = 0.125 * static_cast<double>(i % 8);
    P0 = P, V0 = V;
    for (int k = 0; k < 5; ++k) {
        step(p = P, v = V, target = T, rate = 0.25);
        for (std::size_t i = 0; i < 37; ++i) {
            V0[i] = 0.5 * V0[i] + 2 * (P0[i] - T[i]);
            P0[i] -= 0.25 * V0[i];
        }
    }
    CHECK(same_bits(P, P0));  // five steps of short binary fractions: every operation is exact, in whatever order
    CHECK(same_bits(V, V0));
}

TEST_CASE("program: the same call gives the same bits, also from two threads at once") {
    constexpr auto u = gr::var<"u", float, "n", 4>;
    constexpr auto k = gr::var<"k", float, 4, 4>;
    constexpr auto loss = gr::mean(gr::square(gr::tanh(gr::matmul(u, k)) - u));
    constexpr auto step = gr::compile(loss, gr::update(k, k - 0.5_c * gr::grad(loss, k)));
    struct outcome {
        std::vector<float> losses, weights;
        bool operator==(outcome const& that) const { return losses == that.losses && weights == that.weights; }
    };
    auto run = [&](int rows) {
        std::vector<float> U(static_cast<std::size_t>(rows) * 4), K(16);
        for (std::size_t i = 0; i < U.size(); ++i) U[i] = std::sin(static_cast<float>(i + static_cast<std::size_t>(rows)));
        for (std::size_t i = 0; i < K.size(); ++i) K[i] = std::cos(static_cast<float>(i));
        outcome result;
        gr::workspace scratch;
        for (int i = 0; i < 200; ++i) {
            auto [l] = step(u = U, k = K, scratch);
            result.losses.push_back(l);
        }
        result.weights = K;
        return result;
    };
    outcome const alone_first = run(201), alone_second = run(77);
    CHECK(run(201) == alone_first);
    CHECK(alone_first.losses.back() < alone_first.losses.front());
    outcome first, second;
    std::thread one([&] { first = run(201); }), other([&] { second = run(77); });
    one.join();
    other.join();
    CHECK(first == alone_first);
    CHECK(second == alone_second);
}

TEST_CASE("update: a symbol that is updated twice is refused by the compiler") {
    using once = gr::expressions<gr::update_expr<std::remove_const_t<decltype(a)>, std::remove_const_t<decltype(b)>>>;
    using twice = gr::expressions<gr::update_expr<std::remove_const_t<decltype(a)>, std::remove_const_t<decltype(b)>>,
                                  gr::update_expr<std::remove_const_t<decltype(a)>, std::remove_const_t<decltype(a + b)>>>;
    static_assert(gr::core::symbols_complaint<once>().view() == "");
    static_assert(gr::core::symbols_complaint<twice>().view() == "gradus::compile: symbol \"a\" is updated twice");
}
