// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/dead_code.hpp>

using namespace small_graph;
namespace op = gradus::op;

TEST_CASE("dead_code: drops what no result needs and keeps the order") {
    CHECK(text_after(gr::pass::dead_code, made([](builder& b) {
                         value unused = b.symbol("unused", {2}), a = b.symbol("a", {3});
                         gr::apply<op::exp>(a);
                         value c = a + a;
                         gr::apply<op::log>(c) * unused.sum(1, false);
                         b.result(c * 2);
                     })) == R"(
%0 = symbol a : double[3]
%1 = add %0 %0 : double[3]
%2 = constant 2 : double
%3 = mul %1 %2 : double[3]
return %3
)");
}
TEST_CASE("dead_code: updates are results, and the names of unused symbols stay known") {
    constexpr bool right = [] {
        gr::graph g = gr::pass::dead_code(made([](builder& b) {
            value unused = b.symbol("unused", {2}), a = b.symbol("a", {3});
            unused + 1;
            b.update(a, a * 2);
        }));
        return g.size() == 3 && g.symbols.size() == 2 && g.outputs[0].updates == 1;
    }();
    static_assert(right);
}
