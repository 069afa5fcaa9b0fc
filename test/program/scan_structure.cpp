// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

// Loops inside of loops, from the end to the beginning, without rows, in segments.
namespace {

namespace gr = gradus;
using namespace gr::literals;

using compare::check_all;
constexpr auto s = gr::var<"s", double, 3>;
constexpr auto a = gr::var<"a", double, 3>;
constexpr auto rows = gr::var<"rows", double, "n", 3>;
constexpr auto blocks = gr::var<"blocks", double, "n", 4, 3>;
constexpr auto long_rows = gr::var<"long_rows", double, 50, 3>;

/// Cumulative sums of products with a: outputs only, the carry is not asked for.
constexpr auto running = [](auto h, auto x) { return std::pair{h * 0.5_c + x, h * a + x}; };

}  // namespace

TEST_CASE("compiled kernels: outputs of a scan alone, forwards and from the end") {
    constexpr auto there = gr::scan(running, s, rows).second;
    constexpr auto back = gr::scan<gr::reverse>(running, s, rows).second;
    constexpr auto loss = gr::sum(gr::square(there)) + gr::sum(gr::sin(back));
    check_all(there, back, gr::grad(loss, a), gr::grad(loss, s), gr::grad(loss, rows));
}
TEST_CASE("compiled kernels: a scan without rows repeats its body, what it captures is computed once") {
    constexpr auto last = gr::scan<5>([](auto h) { return gr::sin(h) * gr::exp(a) + h; }, s);
    constexpr auto loss = gr::sum(gr::square(last));
    constexpr auto step = gr::compile(last, gr::grad(loss, gr::exp(a)));
    static_assert(gr::count(step.graph(), "exp") == 1);
    check_all(last, gr::grad(loss, a), gr::grad(loss, s), gr::grad(loss, gr::exp(a)), gr::grad(gr::sum(gr::grad(loss, a)), s));
}
TEST_CASE("compiled kernels: a scan inside of a scan, and gradients inside of one") {
    constexpr auto outer = [](auto h, auto block) {
        auto inner = gr::scan([=](auto g, auto x) { return gr::tanh(g * a + x * h); }, h, block);
        return std::pair{inner, gr::sum(inner)};
    };
    constexpr auto both = gr::scan(outer, s, blocks);
    constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second);
    check_all(both.first, both.second, gr::grad(loss, a), gr::grad(loss, s), gr::grad(loss, blocks));
    // three steps of gradient descent, differentiated
    constexpr auto descent = gr::scan<3>([](auto x) { return x - 0.1_c * gr::grad(gr::sum(gr::exp(x * a)), x); }, s);
    check_all(descent, gr::grad(gr::sum(gr::square(descent)), a));
}
TEST_CASE("compiled kernels: a scan inside of a scan over the same rows from the same start") {
    constexpr auto twice = gr::scan(
        [](auto h, auto x) { return h * 0.5_c + gr::scan([=](auto g, auto y) { return 0.3_c * gr::sin(g * h + y * x); }, s, rows); }, s,
        rows);
    check_all(twice, gr::grad(gr::sum(gr::square(twice)), s));
}
TEST_CASE("scan: a budget of memory makes segments, with equal results and a smaller workspace") {
    constexpr auto body = [](auto h, auto x) { return gr::tanh(h * a + x); };
    constexpr auto program = [](auto last) {
        constexpr auto loss = gr::sum(gr::square(decltype(last){}));
        return gr::compile(loss, gr::grad(loss, a), gr::grad(loss, s), gr::grad(loss, long_rows));
    };
    constexpr auto memory = [](auto last) {  // of a program whose rows are data
        constexpr auto loss = gr::sum(gr::square(decltype(last){}));
        return gr::compile(gr::grad(loss, a), gr::grad(loss, s)).workspace_bytes();
    };
    static_assert(memory(gr::scan(body, s, long_rows)) >= 50 * 24);  // the carry before every step
    static_assert(memory(gr::scan<gr::memory_budget<600>>(body, s, long_rows)) <= 1024);
    constexpr auto whole = program(gr::scan(body, s, long_rows));
    constexpr auto pieces = program(gr::scan<gr::memory_budget<600>>(body, s, long_rows));
    constexpr auto loose = program(gr::scan<gr::memory_budget<10'000>>(body, s, long_rows));
    constexpr auto reversed = program(gr::scan<gr::memory_budget<600>, gr::reverse>(body, s, long_rows));
    constexpr auto reversed_whole = program(gr::scan<gr::reverse>(body, s, long_rows));
    static_assert(loose.workspace_bytes() == whole.workspace_bytes());
    gr::array<double, 3> const S{0.1, -0.2, 0.3}, A{0.5, 0.9, -0.7};
    gr::array<double, 50, 3> X;
    for (std::int64_t i = 0; i < X.size(); ++i) X.data()[i] = static_cast<double>(i * 37 % 83) / 41.0 - 1;
    auto const compare_programs = [&](auto one, auto other) {
        auto const [l, da, ds, dx] = one(s = S, a = A, long_rows = X);
        auto const [m, ea, es, ex] = other(s = S, a = A, long_rows = X);
        CHECK(l == m);
        for (int i = 0; i < 3; ++i) {
            CHECK(da(i) == doctest::Approx(ea(i)).epsilon(1e-14));  // its terms are added segment by segment
            CHECK(ds(i) == es(i));
        }
        for (std::int64_t i = 0; i < dx.size(); ++i) CHECK(dx.data()[i] == ex.data()[i]);
    };
    compare_programs(pieces, whole);
    compare_programs(reversed, reversed_whole);
}
