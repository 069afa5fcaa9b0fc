// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

// Choices: kernels against the interpreter, and what the branch that is not taken leaves alone.
namespace {

namespace gr = gradus;
using namespace gr::literals;

using compare::check_all;
constexpr auto p = gr::var<"p", double>;
constexpr auto x = gr::var<"x", double, "n", 3>;
constexpr auto w = gr::var<"w", double, 3>;

constexpr auto chosen = gr::cond(p > 0_c, [] { return gr::sum(gr::tanh(x * w)); }, [] { return gr::sum(gr::square(x)); });

}  // namespace

TEST_CASE("compiled kernels: a choice and its derivatives") {
    constexpr auto loss = chosen * chosen;
    check_all(chosen, gr::grad(loss, w), gr::grad(loss, x), gr::grad(gr::sum(gr::grad(loss, w) * w), x), gr::jvp(loss, w, w));
}
TEST_CASE("compiled kernels: branches with operands that return several values, on a predicate that is computed") {
    constexpr auto two = gr::cond(
        gr::sum(x), [](auto y) { return std::tuple{gr::exp(y), gr::sum(y) * w}; }, [](auto y) { return std::tuple{y, gr::sum(y * y) + w}; },
        gr::sin(x));
    constexpr auto loss = gr::sum(std::get<0>(two)) + gr::sum(gr::square(std::get<1>(two)));
    check_all(std::get<0>(two), std::get<1>(two), gr::grad(loss, w), gr::grad(loss, x));
}
TEST_CASE("compiled kernels: a choice in every step of a scan") {
    constexpr auto body = [](auto h, auto row) {
        auto next = gr::cond(gr::sum(row) > 0_c, [=] { return gr::tanh(h * w + row); }, [=] { return h * 0.5_c; });
        return std::pair{next, gr::sum(next)};
    };
    constexpr auto both = gr::scan(body, w, x);
    constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second);
    check_all(both.first, both.second, gr::grad(loss, w), gr::grad(loss, x));
}
TEST_CASE("cond: the branch that is not taken leaves no NaN in values and derivatives") {
    constexpr auto v = gr::var<"v", float, 2>;
    constexpr auto take_root = gr::var<"take_root", bool>;
    constexpr auto y = gr::cond(take_root, [=] { return gr::sum(gr::sqrt(v)); }, [=] { return gr::sum(v * v); });
    constexpr auto step = gr::compile(y, gr::grad(y, v), gr::jvp(y, v, v));
    auto const [value, slope, along] = step(take_root = false, v = std::array{-1.0f, -2.0f});
    CHECK(value == 5);
    CHECK(slope(0) == -2);
    CHECK(slope(1) == -4);
    CHECK(along == 10);
    auto const [root, root_slope, root_along] = step(take_root = true, v = std::array{4.0f, 16.0f});
    CHECK(root == 6);
    CHECK(root_slope(0) == 0.25f);
    CHECK(root_slope(1) == 0.125f);
    CHECK(root_along == 3);
}
