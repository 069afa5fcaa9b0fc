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
TEST_CASE("expand: leaves what loops have vectors for, what is large, and what is put together already") {
    CHECK(is_left([](builder& b) { b.result(b.symbol("a", {8}) * b.symbol("c", {8})); }));
    CHECK(is_left([](builder& b) { b.result(b.symbol("a", {8}).concatenate(b.symbol("c", {8}), {})); }));
    CHECK(is_left([](builder& b) { b.result(at(b.symbol("a", {8}), 3).reshape({1}).pad(ranges(5), {300})); }));
    CHECK(is_left([](builder& b) { b.result(stack(b.symbol("s", {}), b.symbol("t", {})).reshape({2, 1})); }));
    CHECK(is_left([](builder& b) {
        value s = b.symbol("s", {}), four = stack(s, s).concatenate(stack(s, s + 1), {});
        b.result(gr::apply<op::exp>(four.concatenate(four, {})));  // a function of eight elements
    }));
    CHECK(is_left([](builder& b) { b.result(b.symbol("a", {"n", 2}) * stack(b.symbol("s", {}), b.symbol("t", {}))); }));
}
TEST_CASE("assemblies: single elements by any number of concatenations, in the order of memory") {
    auto last = [](auto build) {
        gr::graph const g = made([&](builder& b) { b.result(build(b)); });
        return gr::core::find_assemblies(g)[g.outputs[0].node] != 0;
    };
    auto two = [](builder& b) { return stack(b.symbol("s", {}), b.symbol("t", {})); };
    auto joined = [](value a, value c, int axis) { return op::joined(a, c, axis); };
    CHECK(last([&](builder& b) { return joined(two(b), two(b), 0); }));
    CHECK(last([&](builder& b) { return joined(two(b).reshape({1, 2}), two(b).reshape({1, 2}), 1); }));
    CHECK(!last([&](builder& b) { return joined(two(b).reshape({2, 1}), two(b).reshape({2, 1}), 1); }));
    CHECK(!last([&](builder& b) { return joined(two(b), b.symbol("a", {2}), 0); }));
    CHECK(!last([&](builder& b) { return joined(two(b), b.symbol("none", {0}), 0); }));
}
