// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/graph/interpret.hpp>
#include <gradus/transform/access.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

/// Strides, offset and base of a value, `n` being the first named dimension: "0+5 [20,1]", "base+offset [strides]".
std::string access_of(auto build) {
    builder b;
    value v = build(b);
    gr::dimension_table dimensions;
    gr::access a = gr::core::resolve(b.g, v.id(), dimensions);
    if (a.base < 0) return "none";
    auto number = [](gr::monomial m) { return std::to_string(m.c) + std::string(m.powers & 15, 'n'); };
    auto offset = [&](gr::element_offset const& o) {
        std::string sum = number(o.of[0]);
        for (int i = 1; i < gr::element_offset::most && o.of[i].c; ++i) sum += "+" + number(o.of[i]);
        return sum;
    };
    std::string text = std::to_string(a.base) + "+" + offset(a.offset) + " [";
    for (int i = 0; i < v.shape().rank(); ++i) text += (i ? "," : "") + number(a.stride[i]);
    return text + "]";
}
gr::attributes ranges(std::int64_t start0, std::int64_t step0, std::int64_t start1, std::int64_t step1) {
    gr::attributes a;
    a.n[0] = op::pack_range(start0, step0);
    a.n[1] = op::pack_range(start1, step1);
    return a;
}
/// A view that no layer knows by name: element (i, j) is element (1 + 2j, i) of a matrix.
struct odd_rows_as_columns {
    static constexpr auto name = "odd_rows_as_columns";
    static constexpr auto kind = gr::op_kind::view;
    static constexpr int arity = 1;
    static constexpr auto runs_by = gradus::own_kernel::loop;
    static constexpr gr::tensor_type infer(gr::call const& c, gr::complaint&) {
        gr::shape const& from = c.operand[0].shape;
        return {c.operand[0].type, {from[1], from[0].code / 2}};
    }
    static constexpr gr::view_axis view(gr::attributes const&, gr::shape const&, gr::shape const&, int axis) {
        return axis == 0 ? gr::view_axis{1} : gr::view_axis{0, 1, 2};
    }
    static constexpr auto vjp(auto g, auto, auto) { return g; }
    static constexpr auto jvp(auto t, auto, auto) { return gr::apply<odd_rows_as_columns>(t); }
};

}  // namespace

TEST_CASE("access: views are strides into the memory below") {
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}); }) == "0+0 [6,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).transposed(); }) == "0+0 [1,6]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).reshape({2, 12}); }) == "0+0 [12,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 1, 6}).transposed().reshape({4, 6}); }) == "0+0 [6,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).slice(ranges(1, 2, 3, 1), {2, 3}); }) == "0+9 [12,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).transposed().slice(ranges(2, 1, 1, 3), {3, 1}); }) == "0+8 [1,0]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).slice(ranges(1, 1, 0, 1), {2, 6}).reshape({12}); }) == "0+6 [1]");
    CHECK(access_of([](builder& b) { return b.symbol("v", {6}).broadcast_to({4, 6}); }) == "0+0 [0,1]");
    CHECK(access_of([](builder& b) { return b.symbol("v", {6}).reshape({6, 1}).broadcast_to({6, 4}).transposed(); }) == "0+0 [0,1]");
    CHECK(access_of([](builder& b) { return gr::apply<op::exp>(b.symbol("m", {4, 6})).transposed(); }) == "1+0 [1,6]");
}
TEST_CASE("access: named dimensions are factors") {
    CHECK(access_of([](builder& b) { return b.symbol("m", {"n", 6}).transposed(); }) == "0+0 [1,6]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {6, "n"}); }) == "0+0 [1n,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {2, 3, "n"}).reshape({6, "n"}); }) == "0+0 [1n,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {"n", "n"}).transposed(); }) == "0+0 [1,1n]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {6, "n"}).slice(ranges(2, 1, 1, 1), {4, "n - 1"}); }) == "0+2n+1 [1n,1]");
}
TEST_CASE("access: where no strides do, there is none") {
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).transposed().reshape({24}); }) == "none");
    CHECK(access_of([](builder& b) { return b.symbol("v", {6}).broadcast_to({4, 6}).reshape({24}); }) == "none");
}
TEST_CASE("access: what a view reads is stated by its operation, not found by its name") {
    auto odd = [](value x) { return gr::apply<odd_rows_as_columns>(x); };
    CHECK(access_of([&](builder& b) { return odd(b.symbol("m", {4, 6})); }) == "0+6 [1,12]");
    CHECK(access_of([&](builder& b) { return odd(b.symbol("m", {4, 6}).transposed()); }) == "0+1 [6,2]");
    CHECK(access_of([&](builder& b) { return odd(b.symbol("v", {6}).broadcast_to({4, 6})); }) == "0+0 [1,0]");
    builder b;
    b.g.outputs.push_back({odd(b.symbol("m", {4, 2})).id()});
    CHECK(gr::interpret<double>(b.g, {{"m", {0, 1, 2, 3, 4, 5, 6, 7}}})[0] == std::vector<double>{2, 6, 3, 7});
    b.g.outputs[0].node = b.symbol("m", {4, 2}).reshape({2, 4}).id();
    CHECK(gr::interpret<double>(b.g, {{"m", {0, 1, 2, 3, 4, 5, 6, 7}}})[0] == std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7});
}
TEST_CASE("monomial: a number times powers of dimensions") {
    constexpr std::int64_t sizes[] = {5, 7};
    constexpr gr::monomial n{1, 1}, m{1, 16};
    static_assert((n * n * m * gr::monomial{3, 0}).at(sizes) == 3 * 5 * 5 * 7);
    static_assert((n * gr::monomial{}).is_static() && gr::monomial{4, 0}.at(nullptr) == 4 && !n.is_static());
}
