// SPDX-License-Identifier: BSL-1.0
#include "../transform/small_graph.hpp"

#include <gradus.hpp>

#include <memory>
#include <string>
#include <vector>

// The compiler's work grows with the nodes, no faster than n log n. Graphs of n and of 8 n parts are built at run time, and the elements
// of lists that each pass looks at are counted (counted/gradus/core/list.hpp): numbers, the same on every machine.
namespace {

using namespace small_graph;
using gr::core::steps_taken;

constexpr int capacity = 1 << 14;
using plan_type = gr::program_plan<capacity>;

struct stage {
    std::string name;
    std::int64_t steps, nodes;  ///< nodes before and after: what a pass makes is its work
};

/// All passes, the plan, and the text of every loop.
std::vector<stage> work_on(gr::graph g) {
    std::vector<stage> stages;
    auto run = [&](std::string_view name, auto pass) {
        std::int64_t const before = steps_taken, nodes = g.size();
        g = pass(std::as_const(g));
        stages.push_back({std::string(name), steps_taken - before, nodes + g.size()});
        CHECK(gr::check(g).str() == "");
    };
    for (gr::pass::graph_pass const& p : gr::pass::pipeline) run(p.name, p.run);
    REQUIRE(g.size() < capacity);
    std::int64_t const nodes = 2 * g.size();
    std::int64_t last = steps_taken;
    auto note = [&](char const* name) { stages.push_back({name, steps_taken - std::exchange(last, steps_taken), nodes}); };
    gr::fusion f = gr::pass::fuse(g);
    note("fuse");
    f = gr::pass::fuse_rows(g, std::move(f));
    note("fuse_rows");
    gr::schedule_result const s = gr::pass::schedule(g, f);
    note("schedule");
    gr::dimension_table dimensions;
    gr::pass::plan_memory(g, f, s, dimensions);
    note("plan_memory");
    auto const plan = std::make_unique<plan_type>(gr::core::make_plan<capacity>(g));
    note("make_plan");
    auto const& ops = gr::core::op_ids<gr::op::kernel_list>;
    for (int k = 0; k < plan->group_count; ++k)
        if (plan->groups[k].kind == gr::kernel_kind::loop)
            gr::core::describing<gr::graph, plan_type>(g, *plan, k, ops.data(), static_cast<int>(ops.size())).run();
    note("describe");
    return stages;
}

/// Steps for each node where a graph has eight times as many. Tables that double and logarithms make up to 1.5 times as many of them; a
/// quadratic part that matters makes eight times as many.
void check_growth(auto family, int n) {
    auto const of = [&](int size) { return work_on(made([&](builder& b) { family(b, size); })); };
    std::vector<stage> const small = of(n), large = of(8 * n);
    for (std::size_t i = 0; i < small.size(); ++i) {
        double const before = static_cast<double>(small[i].steps) / static_cast<double>(small[i].nodes),
                     after = static_cast<double>(large[i].steps) / static_cast<double>(large[i].nodes);
        CHECK_MESSAGE(after <= 1.5 * before, large[i].name << ": " << before << " steps for each of " << small[i].nodes << " nodes, "
                                                           << after << " for each of " << large[i].nodes);
    }
}

std::string_view name(int i) {
    static std::vector<std::string> names = [] {
        std::vector<std::string> made;
        for (int k = 0; k < 2000; ++k) made.push_back("x" + std::to_string(k));
        return made;
    }();
    return names[static_cast<std::size_t>(i)];
}
value part(value v, int i) { return gr::op::part_of(v, 0, i, 1).reshape({}); }

}  // namespace

TEST_CASE("growth: a chain of formulas of a scalar beside a vector") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {}), v = b.symbol("v", {64}), s = x;
            for (int i = 0; i < n; ++i) s = s * (1 - s);
            value f = total(v * s);
            b.result(f);
            b.result(grad(f, x));
        },
        40);
}
TEST_CASE("growth: a recurrence of two scalars beside a vector, with the derivatives of all") {
    check_growth(
        [](builder& b, int n) {
            value rate = b.symbol("rate", {}), x = b.symbol("x", {}), v = b.symbol("v", {64}), s = x;
            for (int i = 0; i < n; ++i) s = rate * s * (1 - s);
            value f = total(v * s);
            b.result(f);
            for (value of : {rate, x, v}) b.result(grad(f, of));
        },
        16);
}
TEST_CASE("growth: links of a chain of scalars, each used by a vector of its own") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {}), s = x;
            for (int i = 0; i < n; ++i) {
                s = gr::apply<gr::op::tanh>(s * (1 - s));
                b.result(b.symbol(name(i), {16 + i % 7}) * s);
            }
        },
        40);
}
TEST_CASE("growth: residual blocks") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {8, 16}), h = x;
            std::vector<value> weights;
            for (int i = 0; i < n; ++i) {
                weights.push_back(b.symbol(name(i), {16, 16}));
                h = h + gr::apply<gr::op::tanh>(h.matmul(weights.back()));
                h = h / (1 + gr::apply<gr::op::square>(h).sum(2, true));
            }
            value loss = total(h * h);
            b.result(loss);
            for (value w : weights) b.update(w, w - 0.1 * grad(loss, w));
        },
        12);
}
TEST_CASE("growth: a wide sum of subexpressions that are shared") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {32}), y = b.symbol("y", {32}), e = gr::apply<gr::op::exp>(x), sum = e;
            for (int i = 0; i < n; ++i) sum = sum + gr::apply<gr::op::tanh>(e * (i + 2.0) + y) * y;
            b.result(total(sum));
            b.result(grad(total(sum), x));
        },
        40);
}
TEST_CASE("growth: rows of a Jacobian") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {n});
            for (int i = 0; i + 1 < n; ++i) b.result(grad(part(x, i) * gr::apply<gr::op::sin>(part(x, i + 1)), x));
        },
        16);
}
TEST_CASE("growth: stacks of scalars") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {}), stack = x.reshape({1}), s = x;
            for (int i = 0; i < n; ++i) {
                s = gr::apply<gr::op::sin>(s + i);
                stack = gr::op::joined(stack, s.reshape({1}), 0);
            }
            b.result(stack);
            b.result(grad(total(stack), x));
        },
        20);
}
TEST_CASE("growth: reductions and broadcasts by turns") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {8, 16}), h = x;
            for (int i = 0; i < n; ++i) h = gr::apply<gr::op::tanh>(h - h.sum(1 + i % 2, true) / 16) * h.amax(2 - i % 2, true);
            b.result(h);
            b.result(grad(total(h), x));
        },
        10);
}
TEST_CASE("growth: where within where") {
    check_growth(
        [](builder& b, int n) {
            value x = b.symbol("x", {16}), y = x;
            for (int i = 0; i < n; ++i) y = gr::where(x > i * 0.01, y, gr::apply<gr::op::exp>(y) * x);
            b.result(y);
            b.result(grad(total(y), x));
        },
        20);
}
TEST_CASE("growth: many parameters of one program, updated") {
    check_growth(
        [](builder& b, int n) {
            value rate = b.symbol("rate", {});
            value loss = rate;
            std::vector<value> all;
            for (int i = 0; i < n; ++i) {
                all.push_back(b.symbol(name(i), {16}));
                loss = loss + total(gr::apply<gr::op::square>(all.back()));
            }
            b.result(loss);
            for (value p : all) b.update(p, p - rate * grad(loss, p));
        },
        30);
}
