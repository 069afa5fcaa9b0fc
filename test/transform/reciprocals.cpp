// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/reciprocals.hpp>

using namespace small_graph;

TEST_CASE("reciprocals: a denominator that is shared, or smaller than the quotient, is divided by once") {
    CHECK(text_after(gr::pass::reciprocals, made([](builder& b) {
                         value a = b.symbol("a", {3}), d = b.symbol("d", {3}), e = b.symbol("e", {3}), c = b.symbol("c", {2, 3});
                         b.result(a / d);
                         b.result(e / d);
                         b.result(c / a);
                     })) == R"(
%0 = symbol a : double[3]
%1 = symbol d : double[3]
%2 = symbol e : double[3]
%3 = symbol c : double[2,3]
%4 = constant 1 : double
%5 = div %4 %1 : double[3]
%6 = mul %0 %5 : double[3]
%7 = mul %2 %5 : double[3]
%8 = div %4 %0 : double[3]
%9 = mul %3 %8 : double[2,3]
return %6
return %7
return %9
)");
}
TEST_CASE("reciprocals: leaves quotients that are rounded, or compared with anything but 0") {
    auto left = [](auto look) {
        auto const g = made([&](builder& b) { b.result(look(b.symbol("a", {2, 3}) / b.symbol("d", {3}))); });
        return gr::print(gr::pass::reciprocals(g)).str() == gr::print(g).str();
    };
    CHECK(left([](value q) { return gr::apply<gr::op::floor>(q); }));
    CHECK(left([](value q) { return gr::apply<gr::op::round>(-q.transposed()); }));
    CHECK(left([](value q) { return gr::apply<gr::op::floor>(gr::apply<gr::op::abs>(q)); }));
    CHECK(left([](value q) { return gr::apply<gr::op::fmod>(q, q.number(2)); }));
    CHECK(left([](value q) { return q >= 1; }));
    CHECK(left([](value q) { return q.cast(gr::dtype::int32); }));
    CHECK(!left([](value q) { return q > 0; }));
    CHECK(!left([](value q) { return gr::apply<gr::op::tanh>(q); }));
}
TEST_CASE("reciprocals: leaves single quotients, reciprocals and constants as they are") {
    auto g = made([](builder& b) {
        value a = b.symbol("a", {3}), d = b.symbol("d", {3});
        b.result(a / d);
        b.result(a / 3);
        b.result(d / 3);
        b.result(1 / a);
    });
    CHECK(text_after(gr::pass::reciprocals, g) == text_after([](gr::graph const& same) { return same; }, g));
}
