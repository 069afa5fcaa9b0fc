// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/graph/interpret.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

// Loops and choices under gr::vmap, with their derivatives: what each instance gives alone.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto h0 = gr::var<"h0", double, 2>;
constexpr auto xs = gr::var<"xs", double, "time", 2>;
constexpr auto w = gr::var<"w", double, 2, 2>;
constexpr auto v = gr::var<"v", double, 2, 2>;
constexpr auto starts = gr::var<"starts", double, "n", 2>;
constexpr auto series = gr::var<"series", double, "time", "n", 2>;
constexpr auto weights = gr::var<"weights", double, "n", 2, 2>;

constexpr int N = 3, T = 4;
std::vector<double> const H{0.5, -0.25, 0.1, 0.7, -0.6, 0.3}, W{0.3, -0.4, 0.2, 0.6}, V{1, 0.5, -0.5, 0.25};
std::vector<double> drawn(int count) {
    std::vector<double> made;
    for (int i = 0; i < count; ++i) made.push_back((i * 37 % 83) / 41.0 - 1);
    return made;
}
std::vector<double> const X = drawn(T * N * 2), WS = drawn(N * 4);
std::vector<double> row(std::vector<double> const& all, int i) {
    auto const width = static_cast<std::ptrdiff_t>(all.size()) / N;
    return {all.begin() + i * width, all.begin() + (i + 1) * width};
}
std::vector<double> one_series(int i) {
    std::vector<double> made;
    for (int t = 0; t < T; ++t)
        for (int j = 0; j < 2; ++j) made.push_back(X[static_cast<std::size_t>((t * N + i) * 2 + j)]);
    return made;
}

/// The last carry, all outputs and derivatives of a loss with respect to what the loop takes and what it captures.
constexpr auto loop = [](auto start, auto rows, auto matrix) {
    auto const both = gr::scan(
        [=](auto h, auto x) {
            auto next = gr::tanh(gr::matmul(h, matrix) + x);
            return std::pair{next, gr::sum(next * x)};
        },
        start, rows);
    auto const loss = gr::sum(gr::square(both.first)) + gr::sum(both.second);
    return std::tuple{
        both.first, both.second, gr::grad(loss, matrix), gr::grad(loss, start), gr::grad(loss, rows), gr::jvp(loss, matrix, v)};
};
using data = gr::symbol_values<double>;
using results = std::vector<std::vector<double>>;
/// Values of expressions, by the interpreter on what the passes make of them: no program is compiled for each.
template <class... E>
auto values_of(std::tuple<E...> const&) {
    return [](data const& symbols) {
        gr::graph const written = gr::core::lower<E...>(), ready = gr::pass::simplify(gr::pass::differentiation(written));
        REQUIRE(gr::check(ready).str() == "");
        return gr::interpret(ready, symbols, {{"n", N}, {"time", T}});
    };
}
void require_each(results const& all, std::function<results(int)> const& alone) {
    for (int i = 0; i < N; ++i) {
        results const expected = alone(i);
        REQUIRE(all.size() == expected.size());
        for (std::size_t r = 0; r < all.size(); ++r) {
            REQUIRE(all[r].size() == N * expected[r].size());
            for (std::size_t k = 0; k < expected[r].size(); ++k) {
                double const x = all[r][static_cast<std::size_t>(i) * expected[r].size() + k];
                // sums of some terms of order 1 in another order
                CHECK(std::abs(x - expected[r][k]) <= 1e-13 * std::max(1.0, std::abs(expected[r][k])));
            }
        }
    }
}
auto const alone = values_of(loop(h0, xs, w));

}  // namespace

TEST_CASE("vmap of scan: carries, rows and what is captured are mapped") {
    auto const all = values_of(gr::vmap<0, 1, 0>(loop)(starts, series, weights));
    require_each(all(data{{"starts", H}, {"series", X}, {"weights", WS}, {"v", V}}),
                 [](int i) { return alone(data{{"h0", row(H, i)}, {"xs", one_series(i)}, {"w", row(WS, i)}, {"v", V}}); });
}
TEST_CASE("vmap of scan: rows alone make the carry one of instances") {
    auto const all = values_of(gr::vmap<gr::unmapped, 1, gr::unmapped>(loop)(h0, series, w));
    require_each(all(data{{"h0", row(H, 0)}, {"series", X}, {"w", W}, {"v", V}}),
                 [](int i) { return alone(data{{"h0", row(H, 0)}, {"xs", one_series(i)}, {"w", W}, {"v", V}}); });
}
TEST_CASE("vmap of scan: the first carry alone; one loop, not one for each instance") {
    auto const all = values_of(gr::vmap<0, gr::unmapped, gr::unmapped>(loop)(starts, xs, w));
    require_each(all(data{{"starts", H}, {"xs", one_series(1)}, {"w", W}, {"v", V}}),
                 [](int i) { return alone(data{{"h0", row(H, i)}, {"xs", one_series(1)}, {"w", W}, {"v", V}}); });
    constexpr auto last = gr::vmap([](auto h) { return std::get<0>(loop(h, xs, w)); })(starts);
    constexpr auto program = gr::compile(last, gr::grad(gr::sum(last), w));
    auto const [value, by_w] = program(starts = H, xs = one_series(1), w = W, gr::dim<"n"> = N, gr::dim<"time"> = T);
    static_assert(gr::count(program.graph(), "scan") == 3);  // the last carry, those before each step, and the sum of what w gets
    auto const expected = values_of(std::tuple{last, gr::grad(gr::sum(last), w)})(data{{"starts", H}, {"xs", one_series(1)}, {"w", W}});
    REQUIRE(value.size() == 2 * N);
    for (std::size_t k = 0; k < 2 * N; ++k) CHECK(std::abs(value.data()[k] - expected[0][k]) <= 1e-13);
    for (std::size_t k = 0; k < 4; ++k) CHECK(std::abs(by_w.data()[k] - expected[1][k]) <= 1e-13);
}
TEST_CASE("vmap of scan: steps without rows, from the end, a loop in a loop, and a Jacobian through a loop") {
    constexpr auto f = [](auto h) {
        auto const inner = gr::scan<3>([](auto g) { return gr::scan<2>([](auto k) { return gr::sin(gr::matmul(k, w)) + k; }, g); }, h);
        auto const back = gr::scan<gr::reverse>([=](auto g, auto x) { return std::pair{g * inner + x, g}; }, h, xs);
        return std::tuple{inner, back.first, back.second, gr::jacobian(inner, h), gr::hessian(gr::sum(gr::square(inner)), h)};
    };
    auto const all = values_of(gr::vmap(f)(starts));
    auto const one = values_of(f(h0));
    require_each(all(data{{"starts", H}, {"xs", one_series(1)}, {"w", W}}),
                 [&](int i) { return one(data{{"h0", row(H, i)}, {"xs", one_series(1)}, {"w", W}}); });
}
TEST_CASE("vmap of cond: one choice for all, and one of each instance, which leaks nothing of the other branch") {
    constexpr auto p = gr::var<"p", double>;
    constexpr auto choose = [](auto predicate, auto h) {
        auto const y = gr::cond(predicate, [](auto x) { return gr::log(x) * gr::sum(w); }, [](auto x) { return gr::square(x); }, h);
        return std::tuple{y, gr::grad(gr::sum(y), h), gr::grad(gr::sum(y), w)};
    };
    auto const one = values_of(choose(p, h0));
    auto const alike = values_of(gr::vmap<gr::unmapped, 0>(choose)(p, starts));
    for (double P : {0.0, 1.0}) {
        std::vector<double> const positive{0.5, 0.25, 0.1, 0.7, 0.6, 0.3};
        require_each(alike(data{{"p", {P}}, {"starts", positive}, {"w", W}}),
                     [&](int i) { return one(data{{"p", {P}}, {"h0", row(positive, i)}, {"w", W}}); });
    }
    auto const own = values_of(gr::vmap([=](auto h) { return choose(gr::all(h > 0_c), h); })(starts));
    auto const own_one = values_of(choose(gr::all(h0 > 0_c), h0));
    require_each(own(data{{"starts", H}, {"w", W}}), [&](int i) { return own_one(data{{"h0", row(H, i)}, {"w", W}}); });
}
TEST_CASE("vmap of a scan whose body maps what it carries, and names that let gives") {
    constexpr auto f = [](auto matrix) {
        auto const last = gr::scan(
            [=](auto h, auto x) {
                auto const moved = gr::let([=] { return gr::matmul(matrix, x); });
                return gr::vmap([=](auto hi) { return gr::sin(hi + moved * hi) + gr::sum(moved); })(h);
            },
            gr::zeros<double, 3, 2>, xs);
        return std::tuple{last, gr::grad(gr::sum(gr::square(last)), matrix)};
    };
    auto const all = values_of(gr::vmap(f)(weights));
    auto const one = values_of(f(w));
    require_each(all(data{{"weights", WS}, {"xs", one_series(1)}}),
                 [&](int i) { return one(data{{"w", row(WS, i)}, {"xs", one_series(1)}}); });
}
