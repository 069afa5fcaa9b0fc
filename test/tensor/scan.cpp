// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

// Loops and choices on tensors: the bodies of compiled programs, called step by step.
namespace {

namespace gr = gradus;

auto const rnn = [](auto w) {
    return [=](auto h, auto x) {
        auto next = gr::tanh(gr::matmul(x, w) + h * 0.5);
        return std::pair{next, gr::sum(next)};
    };
};

}  // namespace

TEST_CASE("scan: tensors, carry, outputs and derivatives") {
    gr::tensor<double, 4, 1, 2> xs{1, 0.5, -1, 2, 0.25, -0.5, 0.75, 1.5};
    gr::tensor<double, 1, 2> h{{0.5, -1}};
    gr::tensor<double, 2, 2> w{{0.1, -0.2}, {0.3, 0.4}};
    w.requires_grad_();
    h.requires_grad_();
    xs.requires_grad_();
    auto const [last, ys] = gr::scan(rnn(w), h, xs);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(last)>, gr::tensor<double, 1, 2>>);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(ys)>, gr::tensor<double, 4>>);
    gr::tensor<double, 1, 2> state = h;
    for (int t = 0; t < 4; ++t) {
        state = gr::tanh(gr::matmul(xs[t], w) + state * 0.5);
        CHECK(ys(t) == doctest::Approx(state(0, 0) + state(0, 1)));
    }
    CHECK(last(0, 1) == state(0, 1));
    CHECK(gr::gradgradcheck(
        [](auto const& a, auto const& b, auto const& c) {
            auto const both = gr::scan(rnn(c), a, b);
            return gr::tensor(gr::sum(both.first) * gr::sum(gr::square(both.second)));
        },
        h, xs, w));
    auto const back = gr::scan<gr::reverse>(rnn(w), h, xs);
    gr::tensor first_step = gr::tanh(gr::matmul(xs[3], w) + h * 0.5);
    CHECK(back.second(3) == doctest::Approx(first_step(0, 0) + first_step(0, 1)));
}
TEST_CASE("scan: tensors of a length that run time tells, no steps, and other steps than rows") {
    gr::tensor<float, gr::dyn> xs = gr::ones<float, gr::dyn>(5);
    gr::tensor<float> zero = gr::zeros<float>();
    auto const sum = [](auto a, auto x) { return std::pair{a + x, a + x}; };
    auto const [total, sums] = gr::scan(sum, zero, xs);
    CHECK(total.item() == 5);
    CHECK(sums.size() == 5);
    CHECK(sums(2) == 3);
    auto const [none, nothing] = gr::scan(sum, zero, xs.narrow(0, 0));
    CHECK(none.item() == 0);
    CHECK(nothing.size() == 0);
    gr::tensor<float> doubled = gr::scan<10>([](auto a) { return a * 2; }, gr::tensor<float>(total));
    CHECK(doubled.item() == 5 * 1024);
    CHECK_THROWS_AS(gr::scan([](auto a, auto x) { return a + std::get<0>(x) + std::get<1>(x); }, zero, std::tuple{xs, xs.narrow(0, 3)}),
                    gr::shape_error);
    CHECK_THROWS_AS(gr::scan([](auto a, auto) { return gr::cat<0>(a, a); }, xs, xs), gr::shape_error);
}
TEST_CASE("scan: a budget of memory calls segments again, with equal derivatives") {
    gr::tensor<double, 7, 1, 2> xs{1, 0.5, -1, 2, 0.25, -0.5, 0.75, 1.5, 0.1, 0.2, -0.3, 0.4, 0.5, 0.6};
    gr::tensor<double, 1, 2> h{{0.5, -1}};
    gr::tensor<double, 2, 2> w{{0.1, -0.2}, {0.3, 0.4}};
    w.requires_grad_();
    auto const derivative = [&](auto both) {
        gr::tensor loss = gr::sum(both.first) + gr::sum(gr::square(both.second));
        w.zero_grad();
        loss.backward();
        return w.grad().clone();
    };
    auto const whole = derivative(gr::scan(rnn(w), h, xs)), pieces = derivative(gr::scan<gr::memory_budget<100>>(rnn(w), h, xs));
    auto const back = derivative(gr::scan<gr::reverse>(rnn(w), h, xs)),
               back_pieces = derivative(gr::scan<gr::reverse, gr::memory_budget<100>>(rnn(w), h, xs));
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            CHECK(pieces(i, j) == doctest::Approx(whole(i, j)).epsilon(1e-14));
            CHECK(back_pieces(i, j) == doctest::Approx(back(i, j)).epsilon(1e-14));
        }
    CHECK_THROWS_AS(gr::scan<gr::memory_budget<20>>(rnn(w), h, xs), gr::error);
}
TEST_CASE("cond: tensors, one branch runs") {
    gr::tensor<double, 2> x{-1, 4};
    x.requires_grad_();
    int calls = 0;
    auto const root = [&] {
        ++calls;
        return gr::sum(gr::sqrt(x));
    };
    gr::tensor y = gr::cond(gr::sum(x) > 10, root, [&] { return gr::sum(x * x); });
    CHECK(calls == 0);
    CHECK(y.item() == 17);
    y.backward();
    CHECK(x.grad()(0) == -2);
    auto const [a, b] = gr::cond(true, [](auto v) { return std::tuple{v + 1, v * 2}; }, [](auto v) { return std::tuple{v, v}; }, x);
    CHECK(a(1) == 5);
    CHECK(b(1) == 8);
}
TEST_CASE("scan: a compiled program with a loop is a node of the tape") {
    constexpr auto xs = gr::var<"xs", double, "n", 2>;
    constexpr auto w = gr::var<"w", double, 2>;
    constexpr auto last = gr::scan([=](auto h, auto x) { return gr::tanh(h * w + x); }, w, xs);
    constexpr auto program = gr::compile(gr::sum(gr::square(last)));
    gr::tensor<double, 3, 2> X{{1, 0.5}, {-1, 2}, {0.25, -0.5}};
    gr::tensor<double, 2> W{0.5, -0.25};
    W.requires_grad_();
    CHECK(gr::gradcheck([&](auto const& weight) { return gr::tensor(std::get<0>(program(xs = X, w = weight))); }, W));
}
