// SPDX-License-Identifier: BSL-1.0
// Programs on 10,000 elements, for bench/interpret/run.py, which compiles this file twice: with kernels and for the interpreter.
#include <gradus.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace gr = gradus;

namespace {

constexpr auto s = gr::var<"s", float, "n">;
constexpr auto x = gr::var<"x", float, "n", 100>;
constexpr auto y = gr::var<"y", float, "n", 10>;
constexpr auto w = gr::var<"w", float, 100, 10>;
constexpr auto b = gr::var<"b", float, 10>;
constexpr auto short_rows = gr::var<"short_rows", float, "n", 5>;
constexpr auto factors = gr::var<"factors", float, 5>;

/// Microseconds, the least of many calls.
template <class F>
void report(char const* name, F f) {
    double least = 1e9;
    for (int k = 0; k < 300; ++k) {
        auto const begin = std::chrono::steady_clock::now();
        f();
        least = std::min(least, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    std::printf("%s\t%.3f\n", name, least);
}
void fill(auto& array, float step) {
    for (std::int64_t i = 0; i < array.size(); ++i) array.data()[i] = static_cast<float>(i % 97) * step + 0.1f;
}

constexpr auto loss = gr::mean(gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y));
constexpr auto of_short_rows = gr::sum(gr::square(gr::tanh(short_rows * factors)));
constexpr auto chain = gr::compile(gr::log(s) + gr::tanh(s) * gr::exp(-s * s) + gr::sqrt(s));
constexpr auto softmax = gr::compile(gr::softmax<1>(x));
constexpr auto logistic = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));
constexpr auto sum_of_squares = gr::compile(gr::sum(gr::square(x)));
constexpr auto by_short_rows = gr::compile(of_short_rows, gr::grad(of_short_rows, factors));

}  // namespace

int main() {
    gr::array<float, gr::dyn> S(10000);
    gr::array<float, gr::dyn, 100> X(100);
    gr::array<float, gr::dyn, 10> Y(100);
    gr::array<float, 100, 10> W;
    gr::array<float, 10> B;
    gr::array<float, gr::dyn, 5> R(2000);
    gr::array<float, 5> F;
    fill(S, 0.01f), fill(X, 0.01f), fill(Y, 0.009f), fill(W, 0.001f), fill(B, 0.1f), fill(R, 0.01f), fill(F, 0.2f);
    report("elementwise chain", [&] { auto r = chain(s = S); });
    report("softmax, 100 x 100", [&] { auto r = softmax(x = X); });
    report("logistic regression and gradients, 100 x 100 x 10", [&] { auto r = logistic(x = X, y = Y, w = W, b = B); });
    report("sum of squares", [&] { auto r = sum_of_squares(x = X); });
    report("rows of 5: value and gradient", [&] { auto r = by_short_rows(short_rows = R, factors = F); });
}
