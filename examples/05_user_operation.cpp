// SPDX-License-Identifier: BSL-1.0
// Operations of your own, written in the form of the library's, outside of the library.
//
// An operation is a name, a formula and a derivative. The one formula serves plain numbers, SIMD registers and the
// interpreter; from the one derivative follow reverse mode, forward mode and derivatives of any order. Nothing is lost:
// the operation fuses like the built-in ones. Below, everything is compared with finite differences.
#include <gradus.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <tuple>

namespace gr = gradus;
using namespace gr::literals;

// 1. One operand. y is the operation's own result: use it where it saves work.
/// x / (1 + |x|): a cheap relative of tanh.
struct softsign : gr::unary<softsign> {
    static constexpr auto name = "softsign";
    static auto eval(auto x) {
        using std::abs;
        return x / (1 + abs(x));
    }
    static constexpr auto derivative(auto, auto y) {
        using std::abs;
        return (1 - abs(y)) * (1 - abs(y));  // 1 / (1 + |x|)^2
    }
};

// 2. Two operands: one partial derivative for each.
/// sqrt(a^2 + b^2).
struct hypotenuse : gr::binary<hypotenuse> {
    static constexpr auto name = "hypotenuse";
    static auto eval(auto a, auto b) {
        using std::sqrt;
        return sqrt(a * a + b * b);
    }
    static constexpr auto partials(auto a, auto b, auto y) { return std::tuple{a / y, b / y}; }
};

// 3. A derivative that is an operation itself. A derivative may use any operation of the library; one of the user's is
//    named in `uses`, because the compiler finds the operations of a program in its expressions.
/// The density of the normal distribution, exp(-x^2 / 2) / sqrt(2 pi).
struct normal_density : gr::unary<normal_density> {
    static constexpr auto name = "normal_density";
    static auto eval(auto x) {
        using std::exp;
        return 0.3989422804014327 * exp(-0.5 * (x * x));
    }
    static constexpr auto derivative(auto x, auto y) { return -(x * y); }
};
/// Its integral, (1 + erf(x / sqrt(2))) / 2.
struct normal_distribution : gr::unary<normal_distribution> {
    using uses = gr::op::op_list<normal_density>;
    static constexpr auto name = "normal_distribution";
    static auto eval(auto x) {
        using std::erf;
        return 0.5 * (1 + erf(0.7071067811865476 * x));
    }
    static constexpr auto derivative(auto x, auto) { return gr::apply<normal_density>(x); }
};

// A name to call each by; `softsign{}(x)` and `gr::apply<softsign>(x)` are the same.
inline constexpr softsign soft_sign{};
inline constexpr hypotenuse root_sum_square{};
inline constexpr normal_distribution cdf{};

constexpr int n = 37;  // no multiple of any SIMD width
constexpr auto x = gr::var<"x", double, n>;
constexpr auto v = gr::var<"v", double, n>;

constexpr auto f1 = gr::sum(soft_sign(2_c * x) * gr::exp(-x * x));
constexpr auto f2 = gr::sum(root_sum_square(x, gr::sin(x) + 2_c) * x);
constexpr auto f3 = gr::sum(cdf(x) * cdf(-0.5_c * x));

template <class F>
struct checked {
    static constexpr F f{};
    static constexpr auto df = gr::grad(f, x);
    static constexpr auto all = gr::compile(f, df, gr::grad(gr::sum(df* v), x), gr::jvp(df, x, v));
    static constexpr auto value_and_gradient = gr::compile(f, df);
    static_assert(all.kernels() == 1, "own operations fuse: value, gradient and both second derivatives are one loop");
};

/// Compares with central differences: the gradient with those of the value, H v with those of the gradient along v.
template <class F>
static bool check(std::string_view name, F) {
    using c = checked<F>;
    gr::array<double, n> at, direction;
    for (int i = 0; i < n; ++i) {
        at(i) = 0.1 * (i - 18) + 0.03;
        direction(i) = std::cos(0.7 * i);
    }
    auto const [value, gradient, reverse, forward] = c::all(x = at, v = direction);

    double const h = 1e-5;
    auto ahead = at, behind = at;
    double gradient_error = 0, product_error = 0, modes_differ = 0;
    for (int i = 0; i < n; ++i) {
        ahead(i) = at(i) + h;
        behind(i) = at(i) - h;
        auto const up = std::get<0>(c::value_and_gradient(x = ahead)), down = std::get<0>(c::value_and_gradient(x = behind));
        gradient_error = std::max(gradient_error, std::abs((up - down) / (2 * h) - gradient(i)));
        ahead(i) = behind(i) = at(i);
    }
    for (int i = 0; i < n; ++i) {
        ahead(i) = at(i) + h * direction(i);
        behind(i) = at(i) - h * direction(i);
    }
    auto const up = std::get<1>(c::value_and_gradient(x = ahead)), down = std::get<1>(c::value_and_gradient(x = behind));
    for (int i = 0; i < n; ++i) {
        product_error = std::max(product_error, std::abs((up(i) - down(i)) / (2 * h) - reverse(i)));
        modes_differ = std::max(modes_differ, std::abs(forward(i) - reverse(i)));
    }
    bool const right = gradient_error < 1e-7 && product_error < 1e-7 && modes_differ < 1e-12;
    std::printf("%-20.*s %10.6f   %.1e   %.1e   %.1e   %d kernel   %s\n", static_cast<int>(name.size()), name.data(), value, gradient_error,
                product_error, modes_differ, c::all.kernels(), right ? "ok" : "WRONG");
    return right;
}

int main() {
    std::printf("operation                 value   largest error of\n");
    std::printf("                                  gradient  H v       reverse - forward\n");
    bool right = check(softsign::name, f1);
    right = check(hypotenuse::name, f2) && right;
    right = check(normal_distribution::name, f3) && right;
    return right ? 0 : 1;
}
