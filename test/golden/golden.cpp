// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include <gradus/graph/check.hpp>
#include <gradus/graph/interpret.hpp>
#include <gradus/op/marker.hpp>
#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/differentiate.hpp>
#include <gradus/transform/materialize.hpp>
#include <gradus/transform/reciprocals.hpp>
#include <gradus/transform/simplify.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

// Values, first and second derivatives of every operation against PyTorch (float64), after every pipeline of passes.
namespace {

using golden::array;
using golden::test_case;
using gradus::graph;
using gradus::value;

struct pipeline {
    std::string name;
    std::vector<graph (*)(graph const&)> passes;
};
std::vector<pipeline> const pipelines{
    {"differentiate", {gradus::pass::differentiate}},
    {"differentiate, dead_code", {gradus::pass::differentiate, gradus::pass::dead_code}},
    {"differentiate, simplify, reciprocals, materialize",
     {gradus::pass::differentiate, gradus::pass::simplify, gradus::pass::reciprocals, gradus::pass::materialize}},
};

// Both sides are doubles rounded after a handful of operations, a few times 1e-16 each; sums of up to 33 products and
// derivatives that cancel multiply that by some hundred. 1e-12 is far above and far below what a wrong formula gives.
constexpr double tolerance = 1e-12;

/// Equal up to tolerance times the larger of |expected| and `floor`; infinities and NaN exactly.
bool agrees(double actual, double expected, double floor) {
    if (std::isnan(expected) || std::isinf(expected)) return std::isnan(expected) ? std::isnan(actual) : actual == expected;
    return std::abs(actual - expected) <= tolerance * std::max(std::abs(expected), floor);
}
void compare(test_case const& c, std::string const& quantity, std::vector<double> const& actual, array const& expected) {
    INFO(quantity);
    REQUIRE(actual.size() == expected.data.size());
    // an edge is about tiny and huge results: there every digit counts
    double floor = c.family == "edges" ? 0 : 1;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (deviates(c, quantity, i)) continue;
        INFO("element " << i << ": " << actual[i] << ", PyTorch: " << expected.data[i] << ", difference " << actual[i] - expected.data[i]);
        CHECK(agrees(actual[i], expected.data[i], floor));
    }
}

/// A case as a graph: its symbols with their values, its results with what PyTorch says of them.
struct program {
    graph g;
    gradus::symbol_values<double> symbols;
    std::vector<std::pair<std::string, array>> expected;

    value symbol(std::string_view name, array const& a, bool integer = false) {
        gradus::tensor_type type{integer ? gradus::dtype::int64 : gradus::dtype::float64, a.shape};
        gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, type.type, type.shape, {}};
        n.attr.n[0] = g.symbol_index(name, type);
        symbols.emplace(name, a.data);
        return {g, g.intern(n)};
    }
    void result(std::string const& quantity, value v, array const& what) {
        g.outputs.push_back({v.id(), -1});
        expected.emplace_back(quantity, what);
    }
};

value total(value v) { return v.sum(golden::all_axes(v), false); }
value grad(value f, value x) { return value::emit<gradus::op::grad>(x.owner(), {}, {}, {f, x}); }
value jvp(value f, value x, value t) { return value::emit<gradus::op::jvp>(x.owner(), {}, {}, {f, x, t}); }

// The files' definitions, over the floating-point inputs x_i: vjp_i = d<f, cotangent>/dx_i; jvp = sum of df/dx_i tangents_i;
// hvp_i = d(sum of <vjp_k, direction_k>)/dx_i.
void write(program& p, test_case const& c) {
    constexpr std::string_view names[4][3] = {{"x0", "x1", "x2"}, {"d0", "d1", "d2"}, {"t0", "t1", "t2"}, {"i0", "i1", "i2"}};
    std::vector<value> x, all;
    for (array const& a : c.inputs) {
        REQUIRE(all.size() < 3);
        all.push_back(p.symbol(names[a.integer ? 3 : 0][all.size()], a, a.integer));
        if (!a.integer) x.push_back(all.back());
    }
    value y = golden::build(c, all);
    p.result("output", y, c.output);
    CHECK(y.shape() == c.output.shape);

    value loss = total(y * p.symbol("cotangent", c.cotangent));
    std::vector<value> vjp;
    REQUIRE(c.vjp.size() == x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        vjp.push_back(grad(loss, x[i]));
        p.result("vjp " + std::to_string(i), vjp[i], c.vjp[i]);
    }
    if (c.jvp.data.empty()) return;
    value tangent = 0, slope = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        value along = jvp(y, x[i], p.symbol(names[2][i], c.tangents.at(i)));
        value part = total(vjp[i] * p.symbol(names[1][i], c.direction.at(i)));
        tangent = i ? tangent + along : along;
        slope = i ? slope + part : part;
    }
    p.result("jvp", tangent, c.jvp);
    for (std::size_t i = 0; i < x.size(); ++i) p.result("hvp " + std::to_string(i), grad(slope, x[i]), c.hvp.at(i));
}

void run(test_case const& c) {
    CAPTURE(c.op);
    CAPTURE(c.name);
    program p;
    write(p, c);
    REQUIRE(gradus::check(p.g).str() == "");
    for (pipeline const& line : pipelines) {
        CAPTURE(line.name);
        graph g = p.g;
        for (auto pass : line.passes) {
            g = pass(g);
            REQUIRE(gradus::check(g).str() == "");
        }
        auto actual = gradus::interpret(g, p.symbols);
        REQUIRE(actual.size() == p.expected.size());
        for (std::size_t i = 0; i < actual.size(); ++i) compare(c, p.expected[i].first, actual[i], p.expected[i].second);
    }
}

void run_family(std::string const& family) {
    auto cases = golden::read_cases(family);
    for (test_case const& c : cases) run(c);
    MESSAGE(family << ": " << cases.size() << " cases");
}

}  // namespace

TEST_CASE("golden: one operand") { run_family("unary"); }
TEST_CASE("golden: two operands and where") { run_family("binary"); }
TEST_CASE("golden: reductions and softmax") { run_family("reduction"); }
TEST_CASE("golden: shapes") { run_family("shape"); }
TEST_CASE("golden: matrix products") { run_family("contraction"); }
TEST_CASE("golden: linear algebra") { run_family("linalg"); }
TEST_CASE("golden: losses") { run_family("nn"); }
TEST_CASE("golden: the tutorial's layer") { run_family("tutorial"); }

TEST_CASE("golden: zeros, huge, tiny, infinite and NaN operands") {
    auto cases = golden::read_cases("edges");
    for (test_case& c : cases) {
        c.inputs.at(0).data.at(1) = -0.0;  // JSON lost the sign
        run(c);
    }
    MESSAGE("edges: " << cases.size() << " cases");
}

TEST_CASE("golden: trigamma and its derivatives are the sums that they are, at 1, 1/2, -1/2, 0 and -1") {
    constexpr double pi = 3.141592653589793, zeta_3 = 1.2020569031595942854, infinity = std::numeric_limits<double>::infinity();
    using gradus::op::polygamma;
    CHECK(agrees(polygamma<1>::eval(1.0), pi * pi / 6, 0));
    CHECK(agrees(polygamma<1>::eval(0.5), pi * pi / 2, 0));
    CHECK(agrees(polygamma<1>::eval(-0.5), pi * pi / 2 + 4, 0));
    CHECK(agrees(polygamma<2>::eval(1.0), -2 * zeta_3, 0));
    CHECK(agrees(polygamma<3>::eval(1.0), pi * pi * pi * pi / 15, 0));
    CHECK(agrees(polygamma<4>::eval(1.0), -24 * 1.0369277551433699263, 0));
    for (double x : {0.0, -1.0}) CHECK(polygamma<1>::eval(x) == infinity);
}

TEST_CASE("golden: the second derivative of a product with two zeros, a b c at (a, 0, 0), is a") {
    program p;
    value x = p.symbol("x", {{3}, {1.5, 0, 0}}), t = p.symbol("t", {{3}, {1, 2, 4}});
    value y = gradus::op::prod::expand(gradus::op::reduction_attributes(1, false), x);
    p.g.outputs.push_back({grad(total(grad(y, x) * t), x).id(), -1});
    CHECK(gradus::interpret(gradus::pass::differentiate(p.g), p.symbols)[0] == std::vector<double>{0, 1.5 * 4, 1.5 * 2});
}

TEST_CASE("golden: the files' hvp is d<vjp, direction>/dx: for a square 2 c d") {
    for (test_case const& c : golden::read_cases("unary")) {
        if (c.op != "square") continue;
        for (std::size_t i = 0; i < c.output.data.size(); ++i)
            CHECK(agrees(2 * c.cotangent.data[i] * c.direction[0].data[i], c.hvp[0].data[i], 1));
    }
}
