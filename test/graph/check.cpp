// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/build.hpp>
#include <gradus/graph/check.hpp>

#include <doctest/doctest.h>

namespace {

using gradus::dtype;
using gradus::graph;
using gradus::node;
using gradus::shape;

constexpr int symbol(graph& g, std::string_view name, shape const& s, dtype type = dtype::float32) {
    node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, type, s, {}};
    n.attr.n[0] = g.symbol_index(name, {type, s});
    return g.intern(n);
}
template <class Op>
constexpr node make(shape const& s, int a = -1, int b = -1, int c = -1, dtype type = dtype::float32) {
    return {&gradus::info_of<Op>, {a, b, c}, type, s, {}};
}
/// What the checker says of a graph with symbols %0 = a float[3,4], %1 = b float[5,6], %2 = i int32[3,4] and one more node.
constexpr gradus::text fault(node const& n) {
    graph g;
    symbol(g, "a", {3, 4});
    symbol(g, "b", {5, 6});
    symbol(g, "i", {3, 4}, dtype::int32);
    g.nodes.push_back(n);
    return gradus::check(g);
}

}  // namespace

TEST_CASE("check: a good graph has no fault") {
    CHECK(fault(make<gradus::op::tanh>({3, 4}, 0)).empty());
    CHECK(fault(make<gradus::op::add>({3, 4}, 0, 0)).empty());
    CHECK(fault(make<gradus::op::constant>({})).empty());
    static_assert(fault(make<gradus::op::mul>({3, 4}, 0, 0)).empty());
}

TEST_CASE("check: the number of operands") {
    CHECK(fault(make<gradus::op::tanh>({3, 4})).str() == "%3 = tanh: wrong number of operands");
    CHECK(fault(make<gradus::op::tanh>({3, 4}, 0, 0)).str() == "%3 = tanh: wrong number of operands");
    CHECK(fault(make<gradus::op::add>({3, 4}, 0)).str() == "%3 = add: wrong number of operands");
    CHECK(fault(make<gradus::op::constant>({}, 0)).str() == "%3 = constant: wrong number of operands");
}

TEST_CASE("check: operands come before their user") {
    CHECK(fault(make<gradus::op::tanh>({3, 4}, 3)).str() == "%3 = tanh: operand %3 is not an earlier node");
    CHECK(fault(make<gradus::op::add>({3, 4}, 0, 7)).str() == "%3 = add: operand %7 is not an earlier node");
    CHECK(fault(make<gradus::op::add>({3, 4}, -1, 0, 1)).str() == "%3 = add: operand %-1 is not an earlier node");
}

TEST_CASE("check: the rule of the operation") {
    CHECK(fault(make<gradus::op::add>({3, 4}, 0, 1)).str() ==
          "%3 = add: shapes do not broadcast: a is float[3,4], b is float[5,6] (3 != 5)");
    CHECK(fault(make<gradus::op::matmul>({3, 6}, 0, 1)).str() ==
          "%3 = matmul: inner extents differ: a is float[3,4], b is float[5,6] (4 != 5)");
    CHECK(fault(make<gradus::op::exp>({3, 4}, 2, -1, -1, dtype::int32)).str() ==
          "%3 = exp: needs a floating-point operand: a is int32[3,4]");
    CHECK(fault(make<gradus::op::reshape>({3, 5}, 0)).str() == "%3 = reshape: sizes differ: a is float[3,4], the new shape is [3,5]");
    CHECK(fault(make<gradus::op::transpose>({3, 4}, 0)).str() == "%3 = transpose: the axes are no permutation: a is float[3,4]");
    static_assert(fault(make<gradus::op::add>({3, 4}, 0, 2)).contains("operands differ in type"));
}

TEST_CASE("check: dtype and shape of the result") {
    CHECK(fault(make<gradus::op::tanh>({4, 3}, 0)).str() == "%3 = tanh: is float[4,3], the rule says float[3,4]");
    CHECK(fault(make<gradus::op::tanh>({3, 4}, 0, -1, -1, dtype::float64)).str() == "%3 = tanh: is double[3,4], the rule says float[3,4]");
    CHECK(fault(make<gradus::op::less>({3, 4}, 0, 0)).str() == "%3 = less: is float[3,4], the rule says bool[3,4]");
    node sum = make<gradus::op::sum>({3, 4}, 0);
    sum.attr.n[0] = 2;
    CHECK(fault(sum).str() == "%3 = sum: is float[3,4], the rule says float[3]");
}

TEST_CASE("check: only the first fault is told") {
    graph g;
    symbol(g, "a", {3});
    g.nodes.push_back(make<gradus::op::tanh>({3}));
    g.nodes.push_back(make<gradus::op::exp>({3}));
    CHECK(gradus::check(g).str() == "%1 = tanh: wrong number of operands");
}

TEST_CASE("check: outputs are nodes") {
    for (int id : {-1, 1, 100}) {
        graph g;
        symbol(g, "a", {3});
        g.outputs.push_back({id, -1});
        CHECK(gradus::check(g).str() == "an output is no node");
    }
}
