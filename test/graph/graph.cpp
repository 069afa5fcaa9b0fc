// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/graph.hpp>

#include <gradus/graph/build.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/op/exponential.hpp>
#include <gradus/op/trigonometric.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

namespace gr = gradus;
namespace op = gradus::op;

namespace {

constexpr gr::tensor_type vector{gr::dtype::float32, {"n"}};

constexpr gr::value input(gr::graph& g, std::string_view name, gr::tensor_type type = vector) {
    gr::node n{&gr::info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, {}};
    n.attr.n[0] = g.symbol_index(name, type);
    return {g, g.intern(n)};
}

}  // namespace

TEST_CASE("graph: equal nodes are one node") {
    constexpr auto body = [] {
        gr::graph g;
        auto x = input(g, "x"), y = input(g, "y");
        auto once = gr::apply<op::tanh>(x + y);
        int size = g.size();
        auto twice = gr::apply<op::tanh>(input(g, "x") + input(g, "y"));
        return g.size() == size && once.id() == twice.id() && (y + x).id() != (x + y).id();
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("graph: nodes differ by operation, operand, dtype, shape and attributes") {
    constexpr auto body = [] {
        gr::graph g;
        auto x = input(g, "x");
        gr::value values[] = {x,
                              input(g, "y"),
                              input(g, "z", {gr::dtype::float64, {"n"}}),
                              gr::value::constant(g, 0, gr::dtype::float32),
                              gr::value::constant(g, -0.0, gr::dtype::float32),
                              gr::value::constant(g, 0, gr::dtype::float64),
                              x.cast(gr::dtype::float64),
                              x.cast(gr::dtype::int32),
                              x.sum(1, false),
                              x.sum(1, true),
                              x.amax(1, false),
                              x.reshape({1, "n"}),
                              x.reshape({"n", 1}),
                              x.broadcast_to({2, "n"}),
                              x.broadcast_to({3, "n"}),
                              gr::apply<op::exp>(x),
                              gr::apply<op::tanh>(x)};
        for (auto const& a : values)
            for (auto const& b : values)
                if (&a != &b && (a.id() == b.id() || a.at() == b.at())) return false;
        return g.size() == 17;
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("graph: finds nodes again after its table has grown many times") {
    gr::graph g;
    auto x = input(g, "x");
    gr::value chain = x;
    for (int i = 0; i < 5000; ++i) chain = gr::apply<op::tanh>(chain);
    CHECK(g.size() == 5001);
    gr::value again = x;
    for (int i = 0; i < 5000; ++i) again = gr::apply<op::tanh>(again);
    CHECK(g.size() == 5001);
    CHECK(again.id() == chain.id());
    for (int i = 1; i < g.size(); ++i) REQUIRE(g[i].in[0] == i - 1);
}

TEST_CASE("graph: a copy shares nothing") {
    constexpr auto body = [] {
        gr::graph g;
        auto x = input(g, "x");
        gr::graph copy = g;
        auto y = gr::apply<op::exp>(x);
        return g.size() == 2 && copy.size() == 1 && copy.intern(y.at()) == 1 && copy.size() == 2;
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("graph: symbols are numbered by first use, and a name has one type") {
    constexpr auto body = [] {
        gr::graph g;
        return g.symbol_index("b", vector) == 0 && g.symbol_index("a", vector) == 1 && g.symbol_index("b", vector) == 0 &&
               g.symbols.size() == 2;
    };
    static_assert(body());
    CHECK(body());
    gr::graph g;
    g.symbol_index("b", vector);
    CHECK_THROWS_AS(g.symbol_index("b", {gr::dtype::float32, {5}}), std::logic_error);
    CHECK_THROWS_AS(g.symbol_index("b", {gr::dtype::float64, {"n"}}), std::logic_error);
}

TEST_CASE("node: counts its operands and knows its operation") {
    constexpr auto body = [] {
        gr::graph g;
        auto x = input(g, "x");
        auto sum = x + x;
        return x.at().operands() == 0 && sum.at().operands() == 2 && sum.at().is<op::add>() && !sum.at().is<op::sub>() &&
               sum.at().result() == vector;
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("print: is a line per node and per result") {
    constexpr auto body = [] {
        gr::graph g;
        auto x = input(g, "x", {gr::dtype::float32, {"n", 4}}), w = input(g, "w", {gr::dtype::float32, {4}});
        auto total = gr::apply<op::tanh>(x + w).sum(1, true);
        g.outputs.push_back({total.id(), -1});
        g.outputs.push_back({(w * gr::value(0.5)).id(), 1});
        return print(g) ==
               "%0 = symbol x : float[n,4]\n"
               "%1 = symbol w : float[4]\n"
               "%2 = add %0 %1 : float[n,4]\n"
               "%3 = tanh %2 : float[n,4]\n"
               "%4 = sum axes=0 keepdim %3 : float[1,4]\n"
               "%5 = constant 0.5 : float\n"
               "%6 = mul %1 %5 : float[4]\n"
               "return %4\n"
               "update w = %6\n";
    };
    static_assert(body());
    CHECK(body());
}
