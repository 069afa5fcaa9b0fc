// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/expand.hpp>
#include <gradus/transform/materialize.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

gr::attributes ranges(std::int64_t start, std::int64_t step = 1) { return op::range_along(1, 0, start, step); }
value at(value v, std::int64_t i) { return v.slice(ranges(i), {1}).reshape({}); }
value stack(value a, value b) { return a.reshape({1}).concatenate(b.reshape({1}), {}); }
bool is_left(auto build) {
    gr::graph const g = made(build);
    return gr::print(gr::pass::expand(g)).str() == gr::print(g).str();
}

}  // namespace

TEST_CASE("expand: sums of pads, as gradients by elements are, become their elements side by side") {
    CHECK(text_after(gr::pass::expand, made([](builder& b) {
                         value x = b.symbol("x", {3}), y = at(x, 0) * at(x, 2), z = at(x, 2) * 2;
                         b.result(y.reshape({1}).pad(ranges(0), {3}) + z.reshape({1}).pad(ranges(2), {3}));
                     })) == R"(
%0 = symbol x : double[3]
%1 = slice 0:1 %0 : double[1]
%2 = reshape %1 : double
%3 = slice 2:3 %0 : double[1]
%4 = reshape %3 : double
%5 = mul %2 %4 : double
%6 = constant 2 : double
%7 = mul %6 %4 : double
%8 = constant 0 : double
%9 = reshape %5 : double[1]
%10 = reshape %8 : double[1]
%11 = reshape %7 : double[1]
%12 = concatenate axis=0 %9 %10 : double[2]
%13 = concatenate axis=0 %12 %11 : double[3]
return %13
)");
}
TEST_CASE("expand: products and sums of stacks are formulas of their elements") {
    CHECK(text_after(gr::pass::expand, made([](builder& b) {
                         value s = b.symbol("s", {}), t = b.symbol("t", {}), m = b.symbol("m", {2, 2});
                         value v = m.matmul(stack(s, t));
                         b.result(v.sum(1, false));
                     })) == R"(
%0 = symbol s : double
%1 = symbol t : double
%2 = symbol m : double[2,2]
%3 = slice 0:1,0:1 %2 : double[1,1]
%4 = reshape %3 : double
%5 = mul %0 %4 : double
%6 = slice 0:1,1:2 %2 : double[1,1]
%7 = reshape %6 : double
%8 = mul %1 %7 : double
%9 = add %5 %8 : double
%10 = slice 1:2,0:1 %2 : double[1,1]
%11 = reshape %10 : double
%12 = mul %0 %11 : double
%13 = slice 1:2,1:2 %2 : double[1,1]
%14 = reshape %13 : double
%15 = mul %1 %14 : double
%16 = add %12 %15 : double
%17 = add %9 %16 : double
return %17
)");
}
TEST_CASE("expand: elements are found through views and other assemblies") {
    auto moved = [](auto look) {
        return text_after(gr::pass::expand, made([&](builder& b) {
                              value const s = b.symbol("s", {}), t = b.symbol("t", {});
                              b.result(look(stack(s, t)));
                          }));
    };
    std::string const swapped = R"(
%0 = symbol s : double
%1 = symbol t : double
%2 = reshape %1 : double[1]
%3 = reshape %0 : double[1]
%4 = concatenate axis=0 %2 %3 : double[2]
return %4
)";
    CHECK(moved([](value v) { return v.slice(ranges(1, -1), {2}); }) == swapped);
    CHECK(moved([](value v) { return v.pad(ranges(2, 1), {4}).slice(ranges(3, -1), {2}); }) == swapped);
    CHECK(moved([](value v) {
              return v.reshape({2, 1}).concatenate(v.reshape({2, 1}), {}).slice(op::range_along(2, 0, 1, 1), {2, 1}).reshape({2});
          }) == swapped);
}
TEST_CASE("expand: arrays for each instance become vectors of all instances, by element") {
    auto column = [](value x, std::int64_t i) { return x.slice(op::range_along(2, 1, i, 1), {x.shape()[0], 1}); };
    for (gr::extent const rows : {gr::extent("n"), gr::extent(100)}) {
        std::string const n = rows.is_static() ? "100" : "n";
        auto filled = [&](std::string text) {
            for (std::size_t at; (at = text.find('#')) != text.npos;) text.replace(at, 1, n);
            if (rows.is_static()) text.replace(text.find(":,"), 1, "0:100");
            return text;
        };
        CHECK(text_after(gr::pass::expand, made([&](builder& b) {
                             value x = b.symbol("x", {rows, 3}), w = b.symbol("w", {2});
                             value y = column(x, 0).pad(op::range_along(2, 1, 0, 1), {rows, 2}) + w;
                             b.result(gr::apply<op::square>(y));
                             b.result(y.sum(2, false));
                         })) == filled(R"(
%0 = symbol x : double[#,3]
%1 = symbol w : double[2]
%2 = slice :,0:1 %0 : double[#,1]
%3 = reshape %2 : double[#]
%4 = slice 0:1 %1 : double[1]
%5 = add %3 %4 : double[#]
%6 = slice 1:2 %1 : double[1]
%7 = reshape %6 : double
%8 = square %5 : double[#]
%9 = square %7 : double
%10 = add %5 %6 : double[#]
%11 = reshape %8 : double[#,1]
%12 = broadcast_to %9 : double[#]
%13 = copy %12 : double[#]
%14 = reshape %13 : double[#,1]
%15 = concatenate axis=1 %11 %14 : double[#,2]
return %15
return %10
)"));
    }
    // rows that are read across, or short ones by many columns
    CHECK(is_left([&](builder& b) { b.result(column(b.symbol("x", {"n", 3}), 1).pad(op::range_along(2, 1, 0, 1), {"n", 40})); }));
    CHECK(is_left([&](builder& b) { b.result(b.symbol("x", {"n", 3}).concatenate(b.symbol("y", {"m", 3}), {})); }));
    CHECK(is_left([&](builder& b) { b.result(b.symbol("x", {20, 2}).concatenate(b.symbol("y", {20, 1}), op::range_along(2, 1, 0, 1))); }));
}
TEST_CASE("expand: leaves what loops have vectors for, what is large, and what is put together already") {
    CHECK(is_left([](builder& b) { b.result(b.symbol("a", {8}) * b.symbol("c", {8})); }));
    CHECK(is_left([](builder& b) { b.result(b.symbol("a", {8}).concatenate(b.symbol("c", {8}), {})); }));
    CHECK(is_left([](builder& b) { b.result(at(b.symbol("a", {8}), 3).reshape({1}).pad(ranges(5), {300})); }));
    CHECK(is_left([](builder& b) { b.result(stack(b.symbol("s", {}), b.symbol("t", {})).reshape({2, 1})); }));
    CHECK(is_left([](builder& b) {
        value s = b.symbol("s", {}), four = stack(s, s).concatenate(stack(s, s + 1), {});
        b.result(gr::apply<op::exp>(four.concatenate(four, {})));  // a function of eight elements
    }));
    CHECK(is_left([](builder& b) { b.result(b.symbol("a", {"n", 6, 1}) * stack(b.symbol("s", {}), b.symbol("t", {}))); }));
}
TEST_CASE("assemblies: one element of each instance") {
    auto kind = [](gr::extent rows, int columns, int of_second) {
        gr::graph const g = made([&](builder& b) {
            value const one = b.symbol("x", {rows, 1}), more = b.symbol("y", {rows, of_second});
            value all = one;
            for (int k = 1; k < columns; ++k) all = op::joined(all, k == 1 ? more : one, 1);
            b.result(all);
        });
        return gr::core::find_assemblies(g)[g.outputs[0].node];
    };
    using enum gr::core::assembly;
    CHECK(kind("n", 3, 1) == instances);
    CHECK(kind(100, 3, 1) == instances);
    CHECK(kind(20, 3, 1) == none);
    CHECK(kind("n", 3, 2) == none);
    CHECK(kind("n", 65, 1) == none);
}
TEST_CASE("assemblies: single elements by any number of concatenations, in the order of memory") {
    auto last = [](auto build) {
        gr::graph const g = made([&](builder& b) { b.result(build(b)); });
        return gr::core::find_assemblies(g)[g.outputs[0].node] != gr::core::assembly::none;
    };
    auto two = [](builder& b) { return stack(b.symbol("s", {}), b.symbol("t", {})); };
    auto joined = [](value a, value c, int axis) { return op::joined(a, c, axis); };
    CHECK(last([&](builder& b) { return joined(two(b), two(b), 0); }));
    CHECK(last([&](builder& b) { return joined(two(b).reshape({1, 2}), two(b).reshape({1, 2}), 1); }));
    CHECK(!last([&](builder& b) { return joined(two(b).reshape({2, 1}), two(b).reshape({2, 1}), 1); }));
    CHECK(!last([&](builder& b) { return joined(two(b), b.symbol("a", {2}), 0); }));
    CHECK(!last([&](builder& b) { return joined(two(b), b.symbol("none", {0}), 0); }));
}
