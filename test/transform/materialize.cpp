// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/materialize.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

/// A reduction with a kernel of its own, that no layer knows by name: it states no `reduces_by`.
struct last_index : op::reduction<last_index> {
    static constexpr auto name = "last_index";
    static constexpr auto runs_by = gradus::own_kernel::argmax;
    static constexpr gr::dtype result(gr::dtype) { return gr::dtype::int64; }
};

}  // namespace

TEST_CASE("materialize: inputs, views and second results get memory of their own") {
    CHECK(text_after(gr::pass::materialize, made([](builder& b) {
                         value a = b.symbol("a", {3}), c = b.symbol("c", {2, 3}), e = gr::apply<op::exp>(a);
                         b.result(a);
                         b.result(c.transposed());
                         b.result(e);
                         b.result(e);
                         b.result(e.reshape({1, 3}));
                     })) == R"(
%0 = symbol a : double[3]
%1 = symbol c : double[2,3]
%2 = exp %0 : double[3]
%3 = transpose 1,0 %1 : double[3,2]
%4 = reshape %2 : double[1,3]
%5 = copy %0 : double[3]
%6 = copy %3 : double[3,2]
%7 = copy %2 : double[3]
%8 = copy %4 : double[1,3]
return %5
return %6
return %2
return %7
return %8
)");
}
TEST_CASE("materialize: a copy stands in front of a reshape that no strides describe, and of no other") {
    CHECK(text_after(gr::pass::materialize, made([](builder& b) {
                         value c = b.symbol("c", {2, 3});
                         b.result(gr::apply<op::exp>(c.transposed().reshape({6})));
                         b.result(gr::apply<op::exp>(c.transposed().reshape({3, 1, 2})));
                     })) == R"(
%0 = symbol c : double[2,3]
%1 = transpose 1,0 %0 : double[3,2]
%2 = copy %1 : double[3,2]
%3 = reshape %2 : double[6]
%4 = exp %3 : double[6]
%5 = reshape %1 : double[3,1,2]
%6 = exp %5 : double[3,1,2]
return %4
return %6
)");
}
TEST_CASE("materialize: kernels that are no loops find constants in memory") {
    CHECK(text_after(gr::pass::materialize, made([](builder& b) {
                         value c = b.symbol("c", {2, 3});
                         b.result(c.matmul(c.number(1).broadcast_to({3, 2})));
                     })) == R"(
%0 = symbol c : double[2,3]
%1 = constant 1 : double
%2 = broadcast_to %1 : double[3,2]
%3 = copy %2 : double[3,2]
%4 = matmul %0 %3 : double[2,2]
return %4
)");
}
TEST_CASE("materialize: a reduction is a loop where it says what it reduces by") {
    CHECK(text_after(gr::pass::materialize, made([](builder& b) {
                         value const c = b.symbol("c", {3}).number(1).broadcast_to({3});
                         b.result(c.sum(1, false));
                         b.result(value::emit<last_index>(b.g, op::reduction_attributes(1, false), {}, {c}));
                     })) == R"(
%0 = constant 1 : double
%1 = broadcast_to %0 : double[3]
%2 = sum axes=0 %1 : double
%3 = copy %1 : double[3]
%4 = last_index axes=0 %3 : int64
return %2
return %4
)");
}
