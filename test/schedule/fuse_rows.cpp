// SPDX-License-Identifier: BSL-1.0
#include "../transform/small_graph.hpp"

#include <gradus/schedule/fuse_rows.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

/// The operations of every kernel, " | " between kernels, "; " between the groups of one, and how they take turns.
std::string kernels(auto build) {
    builder b;
    build(b);
    gr::fusion f = gr::pass::fuse_rows(b.g, gr::pass::fuse(b.g));
    std::string text;
    for (gr::fused_kernel const& k : f.kernels) {
        text += text.empty() ? "" : " | ";
        for (int i = 0; i < k.groups.size(); ++i) {
            gr::kernel_group const& group = f.groups[k.groups[i]];
            text += i == 0 ? "" : group.part == gr::row_part::after ? "; after: " : group.part == gr::row_part::adds ? "; adds: " : "; ";
            for (int m = 0; m < group.members.size(); ++m) {
                text += m ? " " : "";
                text += b.g[group.members[m]].op->name;
            }
        }
        if (k.rows != gr::fused_rows::none) text += k.rows == gr::fused_rows::blocks ? " by " + std::to_string(k.block) : " behind";
    }
    return text;
}
value exp(value x) { return gr::apply<op::exp>(x); }

}  // namespace

TEST_CASE("chain: what needs a row's maximum or sum stays with the row") {
    auto softmax = [](std::int64_t rows) {
        return kernels([=](builder& p) {
            value a = p.symbol("a", {rows, 40}), e = exp(a - a.amax(2, true));
            p.result(e / e.sum(2, true));
        });
    };
    CHECK(softmax(4) == "amax; sub exp sum; div");
    CHECK(softmax(1000) == "amax; sub exp sum; div by 32");  // of a and e, and two numbers for each, 24 KiB hold 37
}
TEST_CASE("chain: sums over rows are complete when the walk ends") {
    CHECK(kernels([](builder& p) {
              value a = p.symbol("a", {4, 8});
              p.result(a / a.sum(1, true));
          }) == "sum | div");
    CHECK(kernels([](builder& p) {
              value a = p.symbol("a", {8, 8}), s = a.sum(1, false);
              p.result(a * s.reshape({8, 1}));  // as many sums as rows
          }) == "sum | mul");
    CHECK(kernels([](builder& p) {
              value a = p.symbol("a", {1000, 8}), b = p.symbol("b", {8});
              value e = exp(a / a.sum(2, true));
              p.update(b, b - e.sum(1, false));
          }) == "sum; div exp sum; after: sub by 336");
}
TEST_CASE("chain: a value is read in its own row, neither transposed nor reversed nor shifted") {
    CHECK(kernels([](builder& p) {
              value a = p.symbol("a", {8, 8}), e = a / a.sum(2, true);
              p.result(e);
              p.result(e.transposed() / e.sum(2, true));
          }) == "sum; div sum | div");
    CHECK(kernels([](builder& p) {
              value a = p.symbol("a", {8, 8}), s = a.sum(2, false);
              p.result(a + s);  // along the columns
          }) == "sum | add");
}
TEST_CASE("chain: what follows a product follows its blocks, what vectors multiply is read once") {
    CHECK(kernels([](builder& p) {
              value x = p.symbol("x", {4, 2000}), w = p.symbol("w", {2000, 8}), b = p.symbol("b", {8});
              p.result(exp(x.matmul(w) + b));
          }) == "matmul; add exp behind");
    CHECK(kernels([](builder& p) {
              value x = p.symbol("x", {4, 8}), w = p.symbol("w", {8, 8});
              p.result(exp(exp(x.matmul(w)).matmul(w)));
          }) == "matmul; exp | matmul; exp");
    CHECK(kernels([](builder& p) {
              value x = p.symbol("x", {1000, 64}), w = p.symbol("w", {64, 1}), e = exp(x.matmul(w));
              p.result(x.transposed().matmul(e));
          }) == "matmul; exp; adds: matmul by 32");
    CHECK(kernels([](builder& p) {
              value x = p.symbol("x", {16, 16}), w = p.symbol("w", {16, 1}), e = exp(x.matmul(w));
              p.result(x.matmul(e));  // every row of the result needs all of e: it grows with the blocks
          }) == "matmul; exp; adds: matmul");
}
TEST_CASE("chain: kernels do not wait for each other in a circle") {
    // The last loop could go on with the rows of s, but needs what is only known after them.
    CHECK(kernels([](builder& p) {
              value a = p.symbol("a", {8, 8}), s = a.sum(2, true), t = (a * s).sum(1, true);
              p.result(a / s + exp(t));
          }) == "sum; mul sum; after: exp | div add");
}
