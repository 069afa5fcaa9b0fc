// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/pass/access.hpp>

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
    std::string text = std::to_string(a.base) + "+" + number(a.offset) + " [";
    for (int i = 0; i < v.shape().rank(); ++i) text += (i ? "," : "") + number(a.stride[i]);
    return text + "]";
}
gr::attributes ranges(std::int64_t start0, std::int64_t step0, std::int64_t start1, std::int64_t step1) {
    gr::attributes a;
    a.n[0] = op::pack_range(start0, step0);
    a.n[1] = op::pack_range(start1, step1);
    return a;
}

}  // namespace

TEST_CASE("access: views are strides into the memory below") {
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}); }) == "0+0 [6,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).transposed(); }) == "0+0 [1,6]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).reshape({2, 12}); }) == "0+0 [12,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 1, 6}).transposed().reshape({4, 6}); }) == "0+0 [6,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).slice(ranges(1, 2, 3, 1), {2, 3}); }) == "0+9 [12,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).transposed().slice(ranges(2, 1, 1, 3), {3, 1}); }) == "0+8 [1,0]");
    CHECK(access_of([](builder& b) { return b.symbol("v", {6}).broadcast_to({4, 6}); }) == "0+0 [0,1]");
    CHECK(access_of([](builder& b) { return b.symbol("v", {6}).reshape({6, 1}).broadcast_to({6, 4}).transposed(); }) == "0+0 [0,1]");
    CHECK(access_of([](builder& b) { return gr::apply<op::exp>(b.symbol("m", {4, 6})).transposed(); }) == "1+0 [1,6]");
}
TEST_CASE("access: named dimensions are factors") {
    CHECK(access_of([](builder& b) { return b.symbol("m", {"n", 6}).transposed(); }) == "0+0 [1,6]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {6, "n"}); }) == "0+0 [1n,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {2, 3, "n"}).reshape({6, "n"}); }) == "0+0 [1n,1]");
    CHECK(access_of([](builder& b) { return b.symbol("m", {"n", "n"}).transposed(); }) == "0+0 [1,1n]");
}
TEST_CASE("access: where no strides do, there is none") {
    CHECK(access_of([](builder& b) { return b.symbol("m", {4, 6}).transposed().reshape({24}); }) == "none");
    CHECK(access_of([](builder& b) { return b.symbol("v", {6}).broadcast_to({4, 6}).reshape({24}); }) == "none");
}
TEST_CASE("monomial: a number times powers of dimensions") {
    constexpr std::int64_t sizes[] = {5, 7};
    constexpr gr::monomial n{1, 1}, m{1, 16};
    static_assert((n * n * m * gr::monomial{3, 0}).at(sizes) == 3 * 5 * 5 * 7);
    static_assert((n * gr::monomial{}).is_static() && gr::monomial{4, 0}.at(nullptr) == 4 && !n.is_static());
}
