// SPDX-License-Identifier: BSL-1.0
#include "../transform/small_graph.hpp"

#include <gradus/op/composite.hpp>
#include <gradus/schedule/fuse.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

/// The operations of every kernel, kernels separated by " | "; what ends a loop as a scalar is in brackets.
std::string kernels(auto build) {
    builder b;
    build(b, b.symbol("a", {4, 8}), b.symbol("b", {4, 8}), b.symbol("s", {}));
    gr::fusion f = gr::pass::fuse(b.g);
    std::string text;
    for (int k = 0; k < f.groups.size(); ++k) {
        text += k ? " |" : "";
        for (int m : f.groups[k].members) {
            std::string name(b.g[m].op->name);
            text += (text.empty() ? "" : " ") + (f.epilogue[m] ? "(" + name + ")" : name);
        }
    }
    return text;
}
value exp(value x) { return gr::apply<op::exp>(x); }

}  // namespace

TEST_CASE("fuse: an elementwise region and the reductions that end it are one loop") {
    CHECK(kernels([](builder& p, value a, value b, value s) {
              value e = exp(a * s) - b;
              p.result(e);
              p.result(e.sum(1, false));
              p.result(e.amax(2, true));
          }) == "mul exp sub sum amax");
}
TEST_CASE("fuse: scalars of inputs are computed in place, scalars of full sums at the end of their loop") {
    CHECK(kernels([](builder& p, value a, value, value s) { p.result(exp(a * (s * 2 + 1)).sum(1, false)); }) == "mul exp sum");
    CHECK(kernels([](builder& p, value a, value b, value) {
              value squares = total(a * a), sum = total(b);
              p.result(gr::apply<op::sqrt>(squares / sum) + 1);
          }) == "mul sum sum (div) (sqrt) (add)");
    CHECK(kernels([](builder& p, value a, value b, value) {
              value products = total(a * b), sum = total(b);
              p.result(products / sum);
          }) == "mul sum sum (div)");
}
TEST_CASE("fuse: what needs a finished reduction waits for the next loop") {
    CHECK(kernels([](builder& p, value a, value, value) { p.result(a - a.amax(2, true)); }) == "amax | sub");
    CHECK(kernels([](builder& p, value a, value, value) { p.result(a / total(a)); }) == "sum | div");
}
TEST_CASE("fuse: loops that read the same memory are one, other domains are not") {
    CHECK(kernels([](builder& p, value a, value, value) {
              p.result(exp(a));
              p.result(gr::apply<op::sin>(a));
          }) == "exp sin");
    CHECK(kernels([](builder& p, value a, value b, value) {
              p.result(exp(a));
              p.result(gr::apply<op::sin>(b));
          }) == "exp | sin");
    CHECK(kernels([](builder& p, value a, value, value) {
              p.result(exp(a));
              p.result(exp(a.transposed()));
          }) == "exp | exp");
}
TEST_CASE("fuse: products and movements stand alone, views cost nothing") {
    CHECK(kernels([](builder& p, value a, value b, value) { p.result(gr::apply<op::tanh>(exp(a).matmul(b.transposed())) * 2); }) ==
          "exp | matmul | tanh mul");
    CHECK(kernels([](builder& p, value a, value b, value) {
              gr::attributes axis;
              p.result(exp(exp(a).concatenate(b, axis)));
          }) == "exp | concatenate | exp");
    CHECK(kernels([](builder& p, value a, value b, value) { p.result(exp(a.transposed().reshape({8, 4})) + b.reshape({8, 4})); }) ==
          "exp add");
}
TEST_CASE("fuse: one of several sums is no scalar of the loop's end") {
    CHECK(kernels([](builder& p, value a, value, value) {
              gr::attributes second;
              second.n[0] = gr::op::pack_range(1, 1);
              value const sums = a.sum(1, false);
              p.result(gr::apply<op::sin>(sums.slice(second, {1})));
          }) == "sum | sin");
}
TEST_CASE("fuse: what only a later loop uses is computed there") {
    CHECK(kernels([](builder& p, value a, value b, value) {
              value e = exp(a);
              p.result(e * b.amax(2, true));
          }) == "exp mul | amax");
}
TEST_CASE("fuse: a scalar that is compared is computed once, in memory") {
    auto build = [](bool compared) {
        return kernels([=](builder& p, value a, value b, value s) {
            value limit = s * 2 + 1;
            p.result(compared ? gr::where(a > limit, a, 0).sum(1, false) : (a * limit).sum(1, false));
            p.result((b * limit).sum(2, false));
        });
    };
    CHECK(build(false) == "mul sum | mul sum");
    CHECK(build(true) == "add | greater where sum | mul sum");
}
TEST_CASE("fuse: arrays that have more axes than what they are computed of are computed by each loop") {
    auto memory = [](bool result) {
        builder b;
        value const column = b.symbol("column", {4, 1}), row = b.symbol("row", {8}), difference = column - row;
        value const sums = exp(difference).sum(2, false);
        b.result((gr::where(sums.reshape({4, 1}) > column, difference, 0) * difference).sum(1, false));
        if (result) b.result(difference);
        gr::fusion const f = gr::pass::fuse(b.g);
        CHECK(f.groups.size() == 3);  // the comparison too
        return !f.inlined[difference.id()];
    };
    CHECK_FALSE(memory(false));
    CHECK(memory(true));
}
