// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <gradus.hpp>
#include <gradus/tensor/gradcheck.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace gr = gradus;

namespace {

/// x^3, and the same with a derivative that is wrong by a third.
struct cube : gr::unary<cube> {
    static constexpr auto name = "cube";
    static constexpr auto eval(auto x) { return x * x * x; }
    static constexpr auto derivative(auto x, auto) { return 3 * x * x; }
};
struct wrong_cube : gr::unary<wrong_cube> {
    static constexpr auto name = "wrong_cube";
    static constexpr auto eval(auto x) { return x * x * x; }
    static constexpr auto derivative(auto x, auto) { return 2 * x * x; }
};
/// Its first derivative is right, the rule of the operation that this derivative is made of is not.
struct wrong_identity : gr::unary<wrong_identity> {
    static constexpr auto name = "wrong_identity";
    static constexpr auto eval(auto x) { return 1 * x; }
    static constexpr auto derivative(auto, auto) { return 2; }
};
struct half_square : gr::unary<half_square> {
    static constexpr auto name = "half_square";
    using uses = gr::op::op_list<wrong_identity>;
    static constexpr auto eval(auto x) { return 0.5 * x * x; }
    static constexpr auto derivative(auto x, auto) { return gr::apply<wrong_identity>(x); }
};

auto vector(double a, double b, double c) { return gr::tensor<double, 3>{a, b, c}; }
auto const cubed = [](auto const& x) { return gr::apply<cube>(x); };
auto const wrongly_cubed = [](auto const& x) { return gr::apply<wrong_cube>(x); };

std::vector<std::string> warnings;
void note(std::string_view text) { warnings.emplace_back(text); }

}  // namespace

TEST_CASE("85 gradcheck: the right derivative passes, a wrong one is caught with both numbers") {
    auto x = vector(1, 2, 3).requires_grad_();
    CHECK(gr::gradcheck(cubed, x));
    std::string const message = messages::of<gr::autograd_error>([&] { gr::gradcheck(wrongly_cubed, x); });
    CHECK(message.find("Jacobian mismatch for output 0 with respect to input 0") != std::string::npos);
    CHECK(message.find("numerical: 3") != std::string::npos);
    CHECK(message.find("analytical: 2") != std::string::npos);
    CHECK_FALSE(gr::gradcheck(wrongly_cubed, x, {.raise_exception = false}));
    CHECK(x(0) == 1);
    CHECK(x(2) == 3);
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("85 gradcheck: several inputs, several outputs, and inputs that require nothing") {
    auto x = vector(1, 2, 3).requires_grad_(), y = vector(4, 5, 6).requires_grad_(), constant = vector(7, 8, 9);
    auto const f = [](auto const& a, auto const& b) { return std::tuple(a * b, gr::apply<cube>(b)); };
    CHECK(gr::gradcheck(f, x, y));
    CHECK(gr::gradcheck(f, std::tuple(x, y), {.eps = 1e-4}));
    CHECK(gr::gradcheck(f, x, constant));
    auto const second_is_wrong = [](auto const& a, auto const& b) { return std::tuple(a * b, gr::apply<wrong_cube>(b)); };
    CHECK(messages::of<gr::autograd_error>([&] { gr::gradcheck(second_is_wrong, x, y); }).find("output 1 with respect to input 1") !=
          std::string::npos);
    CHECK_FALSE(gr::gradcheck(second_is_wrong, x, y, gr::gradcheck_options{.raise_exception = false}));
    CHECK(gr::gradcheck(second_is_wrong, x, constant));
    CHECK(messages::of<gr::autograd_error>([&] {
              gr::gradcheck(f, constant, constant);
          }).find("at least one input tensor to require gradient") != std::string::npos);
}

TEST_CASE("85 gradcheck: an output that is the input itself, and one that depends on nothing") {
    auto x = vector(1, 2, 3).requires_grad_();
    CHECK(gr::gradcheck([](auto const& a) { return a; }, x));
    CHECK(gr::gradcheck([](auto const&) { return vector(1, 1, 1); }, x));
    CHECK_FALSE(gr::gradcheck([](auto const& a) { return a.detach(); }, x, {.raise_exception = false}));
}

TEST_CASE("85 gradcheck: warns of single precision") {
    warnings.clear();
    gr::warning_sink sink(&note);
    auto x = gr::tensor<float, 3>{1, 2, 3}.requires_grad_();
    // float has 7 digits: a step of 1e-2 leaves 5 of a difference of values near 10
    CHECK(gr::gradcheck(cubed, x, {.eps = 1e-2, .atol = 1e-2}));
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("Input #0 requires gradient and is not a double precision floating point") != std::string::npos);
}

TEST_CASE("85 gradcheck: a backward pass that gives another result each time is found") {
    auto x = vector(1, 2, 3).requires_grad_();
    int passes = 0;
    auto const f = [&](auto const& a) {
        gr::tensor y = a * a;
        y.register_hook([&](gr::tensor<double, 3> const& g) -> gr::tensor<double, 3> { return g * (1 + 1e-9 * ++passes); });
        return y;
    };
    CHECK(messages::of<gr::autograd_error>([&] { gr::gradcheck(f, x); }).find("Backward is not reentrant") != std::string::npos);
    CHECK(gr::gradcheck(f, x, {.nondet_tol = 1e-6}));
}

TEST_CASE("86 gradgradcheck: x^3 and a product pass, a second derivative that is wrong does not") {
    auto x = vector(1, 2, 3).requires_grad_(), y = vector(4, 5, 6).requires_grad_(), constant = vector(7, 8, 9);
    CHECK(gr::gradgradcheck(cubed, x));
    auto const product = [](auto const& a, auto const& b) { return a * b; };
    CHECK(gr::gradgradcheck(product, x, y));
    CHECK(gr::gradgradcheck(product, x, constant));
    auto const f = [](auto const& a) { return gr::apply<half_square>(a); };
    CHECK(gr::gradcheck(f, x));
    CHECK(messages::of<gr::autograd_error>([&] {
              gr::gradgradcheck(f, x);
          }).find("Jacobian mismatch for output 0 with respect to input 0") != std::string::npos);
    CHECK_FALSE(gr::gradgradcheck(f, x, {.raise_exception = false}));
}

TEST_CASE("85 gradcheck: expressions on symbols with their values") {
    constexpr auto x = gr::var<"x", double, "rows", 3>;
    constexpr auto w = gr::var<"w", double, 3, 2>;
    constexpr auto labels = gr::var<"labels", std::int64_t, "rows">;
    gr::array<double, gr::dyn, 3> X(2);
    gr::array<double, 3, 2> const W{{0.1, -0.2}, {0.3, 0.5}, {-0.7, 0.4}};
    for (int i = 0; i < 6; ++i) X.data()[i] = 0.3 * i - 0.5;
    std::vector<std::int64_t> const Y{1, 0};
    CHECK(gr::gradcheck(gr::cross_entropy(gr::matmul(x, w), labels), x = X, w = W, labels = Y));
    CHECK(gr::gradcheck(gr::apply<cube>(w), w = W));
    CHECK_FALSE(gr::gradcheck(gr::apply<wrong_cube>(w), w = W, gr::gradcheck_options{.raise_exception = false}));
    CHECK(gr::gradcheck(gr::grad(gr::sum(gr::apply<cube>(w)), w), w = W));
}
