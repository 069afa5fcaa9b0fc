// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/differentiate.hpp>

using namespace small_graph;
namespace op = gradus::op;

TEST_CASE("differentiate: reverse mode undoes broadcasts with sums") {
    auto g = made([](builder& b) {
        value a = b.symbol("a", {3}), c = b.symbol("c", {2, 3});
        b.result(grad(total(gr::apply<op::tanh>(a) * c), a));
    });
    CHECK(text_after([](gr::graph const& x) { return gr::pass::dead_code(gr::pass::differentiate(x)); }, g) == R"(
%0 = symbol a : double[3]
%1 = symbol c : double[2,3]
%2 = constant 1 : double
%3 = reshape %2 : double[1,1]
%4 = broadcast_to %3 : double[2,3]
%5 = mul %4 %1 : double[2,3]
%6 = sum axes=0 %5 : double[3]
%7 = tanh_slope %0 : double[3]
%8 = mul %6 %7 : double[3]
return %8
)");
}
TEST_CASE("differentiate: forward mode follows the direction") {
    auto g = made([](builder& b) {
        value a = b.symbol("a", {3}), t = b.symbol("t", {3});
        b.result(jvp(gr::apply<op::exp>(a) * a, a, t));
    });
    CHECK(text_after(gr::pass::differentiate, g) == R"(
%0 = symbol a : double[3]
%1 = symbol t : double[3]
%2 = exp %0 : double[3]
%3 = mul %2 %0 : double[3]
%4 = mul %1 %2 : double[3]
%5 = mul %4 %0 : double[3]
%6 = add %5 %4 : double[3]
return %6
)");
}
TEST_CASE("differentiate: what does not depend on a variable has zeros for a derivative") {
    auto g = made([](builder& b) {
        value a = b.symbol("a", {3}), t = b.symbol("t", {2});
        b.result(grad(total(t), a));
        b.result(jvp(t, a, a));
        b.result(grad(total(gr::apply<op::stop_gradient>(a)), a));
    });
    CHECK(text_after([](gr::graph const& x) { return gr::pass::dead_code(gr::pass::differentiate(x)); }, g) == R"(
%0 = constant 0 : double
%1 = broadcast_to %0 : double[3]
%2 = broadcast_to %0 : double[2]
return %1
return %2
return %1
)");
}
TEST_CASE("differentiate: one sweep serves all gradients of a loss") {
    auto count_nodes = [](int gradients) {
        return gr::pass::differentiate(made([=](builder& b) {
                   value a = b.symbol("a", {3}), c = b.symbol("c", {3});
                   value loss = total(gr::apply<op::exp>(a * c));
                   b.result(grad(loss, a));
                   if (gradients > 1) b.result(grad(loss, c));
               }))
            .size();
    };
    CHECK(count_nodes(2) == count_nodes(1));
}
TEST_CASE("differentiate: leaves no marker, whatever is nested") {
    constexpr bool clean = [] {
        gr::graph g = gr::pass::differentiate(made([](builder& b) {
            value a = b.symbol("a", {3});
            value slope = grad(total(gr::apply<op::sin>(a)), a);
            b.result(grad(total(slope * slope), a));
            b.result(jvp(slope, a, a));
        }));
        for (gr::node const& n : g.nodes)
            if (n.op->kind == gr::op_kind::marker) return false;
        return gr::check(g).empty();
    }();
    static_assert(clean);
}
