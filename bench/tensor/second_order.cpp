// SPDX-License-Identifier: BSL-1.0
// Second derivatives on the tape beside the compiled program that computes the same, in turn, after their results have been compared.
//
//     taskset -c 1 build/bench/bench_second_order
#include "../speed/timing.hpp"

#include <gradus.hpp>

namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr gr::extent n = 128;
using matrix = gr::tensor<double, n, n>;

constexpr auto xs = gr::var<"x", double, n, n>;
constexpr auto as = gr::var<"a", double, n, n>;
constexpr auto bs = gr::var<"b", double, n, n>;

/// The loss, its gradient with respect to x, and the gradient of that gradient's sum.
template <class X>
constexpr auto twice(auto const& loss, X const& x) {
    return gr::compile(loss, gr::grad(loss, x), gr::grad(gr::sum(gr::grad(loss, x)), x));
}

matrix numbers(double from, double step) {
    matrix made = gr::zeros<double, n, n>();
    for (std::int64_t i = 0; i < made.size(); ++i) made.data()[i] = from + step * static_cast<double>(i % 1009);
    return made;
}

void measure(char const* name, auto const& program, auto const& loss_of) {
    matrix const x = numbers(-1, 0.002), a = numbers(0.5, 0.001), b = numbers(-0.3, 0.0005);
    x.requires_grad_();
    gr::array<double, n, n> gradient, second;
    matrix first_by_tape, second_by_tape;
    double value = 0;
    auto by_tape = [&] {
        gr::tensor loss = loss_of(a, x, b);
        first_by_tape = gr::autograd::grad(loss, x, {.create_graph = true});
        gr::tensor total = gr::sum(first_by_tape);
        second_by_tape = gr::autograd::grad(total, x);
    };
    auto compiled = [&] { program(gr::out(value, gradient, second), xs = x, as = a, bs = b); };
    by_tape();
    compiled();
    for (std::int64_t i = 0; i < x.size(); ++i)  // the same formulas, with sums in another order: some roundings of numbers up to 10
        if (std::abs(gradient.data()[i] - first_by_tape.data()[i]) + std::abs(second.data()[i] - second_by_tape.data()[i]) > 1e-12) {
            std::printf("%s: results differ\n", name);
            std::exit(1);
        }
    timing::print(name, static_cast<long>(n.code), timing::compare(by_tape, compiled, 201));
}

}  // namespace

int main() {
    std::printf("| second derivative | n | tape | compiled | ratio | of minima |\n|---|---|---|---|---|---|\n");
    measure("sum(tanh(a x + b) exp(-x x))", twice(gr::sum(gr::tanh(as * xs + bs) * gr::exp(-xs * xs)), xs),
            [](auto const& a, auto const& x, auto const& b) { return gr::sum(gr::tanh(a * x + b) * gr::exp(-x * x)); });
    measure("sum(sigmoid(a x) / (1 + x x) + b x)", twice(gr::sum(gr::sigmoid(as * xs) / (1.0_c + xs * xs) + bs * xs), xs),
            [](auto const& a, auto const& x, auto const& b) { return gr::sum(gr::sigmoid(a * x) / (1.0 + x * x) + b * x); });
    measure("sum(x x x a + b)", twice(gr::sum(xs * xs * xs * as + bs), xs),
            [](auto const& a, auto const& x, auto const& b) { return gr::sum(x * x * x * a + b); });
}
