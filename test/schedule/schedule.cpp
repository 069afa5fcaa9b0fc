// SPDX-License-Identifier: BSL-1.0
#include "../transform/small_graph.hpp"

#include <gradus/schedule/schedule.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

struct outcome {
    std::string order;     ///< the last operation of every kernel
    std::string in_place;  ///< a digit per result
};
outcome scheduled(auto build) {
    builder b;
    build(b, b.symbol("a", {4, 4}), b.symbol("b", {4, 4}), b.symbol("s", {}));
    gr::fusion f = gr::pass::fuse(b.g);
    gr::schedule_result s = gr::pass::schedule(b.g, f);
    outcome result;
    for (int k : s.order) result.order += (result.order.empty() ? "" : " ") + std::string(b.g[f.groups[k].members.back()].op->name);
    for (char c : s.in_place) result.in_place += c ? '1' : '0';
    return result;
}

}  // namespace

TEST_CASE("schedule: an update waits for the symbol's other readers") {
    auto r = scheduled([](builder& p, value a, value b, value) {
        p.update(a, a * 2);
        p.result(a.matmul(b));
    });
    CHECK(r.order == "matmul mul");
    CHECK(r.in_place == "10");
}
TEST_CASE("schedule: of two symbols that are swapped one is written at the end") {
    auto r = scheduled([](builder& p, value a, value b, value) {
        p.update(a, gr::apply<op::copy>(b));
        p.update(b, gr::apply<op::copy>(a));
    });
    CHECK(r.in_place == "01");
}
TEST_CASE("schedule: a symbol that is read elsewhere than where it is written is written at the end") {
    auto in_place = [](auto build) { return scheduled(build).in_place; };
    CHECK(in_place([](builder& p, value a, value b, value) { p.update(a, a + b); }) == "1");
    CHECK(in_place([](builder& p, value a, value b, value) { p.update(a, b.transposed() + b); }) == "1");
    CHECK(in_place([](builder& p, value a, value b, value) { p.update(a, a.transposed() + b); }) == "0");
    CHECK(in_place([](builder& p, value a, value, value) { p.update(a, a.matmul(a)); }) == "0");
    CHECK(in_place([](builder& p, value a, value b, value) { p.update(a, a / b.sum(2, true)); }) == "1");
    CHECK(in_place([](builder& p, value a, value, value) { p.update(a, a / a.sum(2, true)); }) == "1");
    CHECK(in_place([](builder& p, value a, value, value s) { p.update(s, s + total(a * s)); }) == "1");
    CHECK(in_place([](builder& p, value a, value, value s) {
              p.update(s, s * 2);
              p.update(a, a * s);
          }) == "11");
}
TEST_CASE("schedule: operands come first, and what frees memory comes early") {
    auto r = scheduled([](builder& p, value a, value b, value) {
        value big = a.reshape({16, 1}).broadcast_to({16, 64}), small = gr::apply<op::exp>(b);
        value wide = gr::apply<op::copy>(big);
        p.result(small.matmul(a));
        p.result(gr::apply<op::sin>(wide.matmul(wide.transposed())));
    });
    // the wide product is opened and closed before, or after, the small one: never left open
    CHECK((r.order == "exp matmul copy matmul sin" || r.order == "copy matmul sin exp matmul"));
}
