// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/inspect.hpp>

#include <gradus/graph/build.hpp>
#include <gradus/op/trigonometric.hpp>

#include <doctest/doctest.h>

namespace gr = gradus;
namespace op = gradus::op;

namespace {

constexpr gr::value input(gr::graph& g, std::string_view name) {
    gr::tensor_type type{gr::dtype::float32, {4, 4}};
    gr::node n{&gr::info_of<op::symbol>, {-1, -1, -1}, type.type, type.shape, {}};
    n.attr.n[0] = g.symbol_index(name, type);
    return {g, g.intern(n)};
}

/// Returns tanh(x w) + x, updates b with b - w; `dead` has a user, but none that counts.
constexpr gr::graph example() {
    gr::graph g;
    auto x = input(g, "x"), w = input(g, "w"), b = input(g, "b"), dead = input(g, "dead");
    auto result = gr::apply<op::tanh>(x.matmul(w).transposed()) + x;
    static_cast<void>(gr::apply<op::tanh>(dead));
    g.outputs.push_back({result.id(), -1});
    g.outputs.push_back({(b - w).id(), 2});
    return g;
}

}  // namespace

TEST_CASE("count: counts the nodes of an operation, whether a result needs them or not") {
    static_assert(count(example(), "matmul") == 1 && count(example(), "tanh") == 2 && count(example(), "symbol") == 4 &&
                  count(example(), "exp") == 0);
    static_assert(count(gr::graph(), "add") == 0);
    CHECK(count(example(), "tanh") == 2);
}

TEST_CASE("depends_on: follows operands of all positions from results and updates") {
    static_assert(depends_on(example(), "x") && depends_on(example(), "w") && depends_on(example(), "b"));
    CHECK(depends_on(example(), "x"));
}

TEST_CASE("depends_on: what no result reads, or nobody declared, is not depended on") {
    static_assert(!depends_on(example(), "dead") && !depends_on(example(), "nobody") && !depends_on(example(), "") &&
                  !depends_on(gr::graph(), "x"));
    constexpr auto overwritten = [] {  // an update of x with y does not read x
        gr::graph g;
        auto x = input(g, "x"), y = input(g, "y");
        g.outputs.push_back({y.id(), static_cast<int>(x.attr().n[0])});
        return depends_on(g, "y") && !depends_on(g, "x");
    };
    static_assert(overwritten());
    CHECK(overwritten());
}
