// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/check.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/op/list.hpp>
#include <gradus/schedule/schedule_kernels.hpp>
#include <gradus/transform/pipeline.hpp>

#include <doctest/doctest.h>

#include <string>

// What an operation's facets make of all instances, as it is written. test/law/batching.cpp has values and derivatives of all operations.
namespace {

using gradus::attributes;
using gradus::shape;
using gradus::value;
namespace op = gradus::op;

/// A function of instances of xs [n,2,3], which shares w [3].
class function {
public:
    function() {
        xs_ = symbol("xs", {"n", 2, 3});
        w = symbol("w", {3});
        x = value::emit<op::instance>(g, {}, {}, {xs_});
    }
    std::string of_all(value y) {
        g.outputs = {};
        g.outputs.push_back({value::emit<op::vmap>(g, {}, {}, {y, xs_}).id(), -1});
        gradus::graph const all = gradus::pass::differentiation(g);
        CHECK(gradus::check(all).str() == "");
        return gradus::print(all).str();
    }
    std::string missing(value y) {
        g.outputs.push_back({value::emit<op::vmap>(g, {}, {}, {y, xs_}).id(), -1});
        gradus::text said;
        static_cast<void>(gradus::core::without_markers(g, &said));
        return said.str();
    }
    gradus::graph g;
    value x = 0, w = 0;

private:
    value symbol(std::string_view name, shape const& s) {
        gradus::node n{&gradus::info_of<op::symbol>, {-1, -1, -1}, gradus::dtype::float64, s, {}};
        n.attr.n[0] = g.symbol_index(name, {n.type, s});
        return {g, g.intern(n)};
    }
    value xs_ = 0;
};
/// Reads its operand's rows along both axes: no facet says what becomes of that.
struct twice {
    static constexpr auto name = "twice";
    static constexpr auto kind = gradus::op_kind::view;
    static constexpr int arity = 1;
    static constexpr gradus::tensor_type infer(gradus::call const& c, gradus::complaint&) { return {c.operand[0].type, {1, 2, 3}}; }
    static constexpr gradus::view_axis view(attributes const&, shape const&, shape const&, int axis) { return {axis == 2 ? 1 : 0}; }
    static constexpr auto vjp(auto g, auto, auto) { return g; }
};

}  // namespace

TEST_CASE("vectorize: elementwise operations broadcast, what is shared stays") {
    function f;
    value const factor = apply<op::tanh>(f.w),
                sums = f.x.sum(2, false).reshape({2, 1});  // named: compilers differ in the order of operands
    value const product = f.x * factor;
    CHECK(f.of_all(product + sums) ==
          "%0 = symbol xs : double[n,2,3]\n"
          "%1 = symbol w : double[3]\n"
          "%2 = tanh %1 : double[3]\n"
          "%3 = sum axes=2 %0 : double[n,2]\n"
          "%4 = reshape %3 : double[n,2,1]\n"
          "%5 = mul %0 %2 : double[n,2,3]\n"
          "%6 = add %5 %4 : double[n,2,3]\n"
          "return %6\n");
}
TEST_CASE("vectorize: a view reads the same of every instance") {
    function f;
    attributes exchanged;
    exchanged.n[0] = 1;
    CHECK(f.of_all(op::part_of(f.x, 1, 2, 2, -1).transpose(exchanged).reshape({2, 1, 2}).broadcast_to({2, 5, 2})) ==
          "%0 = symbol xs : double[n,2,3]\n"
          "%1 = slice :,0:2,2:0:-1 %0 : double[n,2,2]\n"
          "%2 = transpose 0,2,1 %1 : double[n,2,2]\n"
          "%3 = reshape %2 : double[n,2,1,2]\n"
          "%4 = broadcast_to %3 : double[n,2,5,2]\n"
          "return %4\n");
}
TEST_CASE("vectorize: rows of all instances go through one product, and so do columns") {
    function f;
    value const row = op::part_of(f.x, 0, 0, 1), square = f.w.reshape({3, 1}) * f.w;
    CHECK(f.of_all(row.matmul(square)) ==
          "%0 = symbol xs : double[n,2,3]\n"
          "%1 = symbol w : double[3]\n"
          "%2 = reshape %1 : double[3,1]\n"
          "%3 = mul %2 %1 : double[3,3]\n"
          "%4 = slice :,0:1,0:3 %0 : double[n,1,3]\n"
          "%5 = reshape %4 : double[n,3]\n"
          "%6 = matmul %5 %3 : double[n,3]\n"
          "%7 = reshape %6 : double[n,1,3]\n"
          "return %7\n");
    function h;
    CHECK(h.of_all(h.w.reshape({1, 3}).matmul(h.x.sum(1, false).reshape({3, 1}))) ==
          "%0 = symbol xs : double[n,2,3]\n"
          "%1 = symbol w : double[3]\n"
          "%2 = reshape %1 : double[1,3]\n"
          "%3 = sum axes=1 %0 : double[n,3]\n"
          "%4 = reshape %3 : double[n,3,1]\n"
          "%5 = reshape %4 : double[n,3]\n"
          "%6 = matmul b^T %5 %2 : double[n,1]\n"
          "%7 = reshape %6 : double[n,1,1]\n"
          "return %7\n");
}
TEST_CASE("vectorize: what does not depend on an instance is repeated") {
    function f;
    CHECK(f.of_all(f.w) ==
          "%0 = symbol w : double[3]\n"
          "%1 = broadcast_to %0 : double[n,3]\n"
          "return %1\n");
}
TEST_CASE("vectorize: a view that reads an axis twice has no rule of its own, and is named") {
    function f;
    CHECK(f.missing(f.x.sum(1, false)) == "");
    CHECK(f.missing(apply<twice>(f.x)) ==
          "gradus::vmap(f)(xs...): f applies twice to an instance, which states no batching rule, batch(call, operands...)");
}
