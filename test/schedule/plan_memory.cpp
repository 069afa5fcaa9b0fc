// SPDX-License-Identifier: BSL-1.0
#include "../transform/small_graph.hpp"

#include <gradus/schedule/plan_memory.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

struct outcome {
    std::string places;  ///< of every value that is stored: "%4@128", "%5=a" in the memory of a symbol, "%6=0" of a result
    std::string peaks;   ///< per section
    int copied_back = 0;
};
constexpr gr::memory_plan plan_of(gr::graph const& g) {
    gr::fusion f = gr::pass::fuse(g);
    gr::schedule_result s = gr::pass::schedule(g, f);
    gr::dimension_table dimensions;
    return gr::pass::plan_memory(g, f, s, dimensions);
}
outcome planned(auto build) {
    builder b;
    build(b, b.symbol("a", {4, 4}), b.symbol("b", {4, 4}), b.symbol("x", {"n", 4}));
    gr::memory_plan m = plan_of(b.g);
    outcome result;
    for (int i = 0; i < b.g.size(); ++i) {
        gr::buffer const& where = m.buffers[i];
        if (where.where == gr::buffer_kind::none || b.g[i].is<op::symbol>()) continue;
        result.places += (result.places.empty() ? "%" : " %") + std::to_string(i);
        if (where.where == gr::buffer_kind::arena) result.places += "@" + std::to_string(where.offset);
        else
            result.places +=
                "=" + (where.where == gr::buffer_kind::symbol ? std::string(b.g.symbols[where.index].name) : std::to_string(where.index));
    }
    for (auto const& s : m.sections)
        result.peaks += (result.peaks.empty() ? "" : " ") + std::to_string(s.peak) + std::string(s.powers & 15, 'n');
    result.copied_back = m.copied_back.size();
    return result;
}
constexpr value tanh(value x) { return gr::apply<op::tanh>(x); }

}  // namespace

TEST_CASE("plan_memory: an elementwise kernel writes over its dying operand, a product does not") {
    auto r = planned([](builder& p, value a, value b, value) {
        value h = tanh(a.matmul(b));
        h = tanh(h.matmul(h));
        p.result(tanh(h.matmul(h)));
    });
    CHECK(r.places == "%3@0 %4@0 %5@128 %6@128 %7@0 %8=0");
    CHECK(r.peaks == "256");
}
TEST_CASE("plan_memory: an operand that is read elsewhere too, or turned, is not written over") {
    auto r = planned([](builder& p, value a, value b, value) {
        value product = a.matmul(b);
        p.result(tanh(product + product.transposed()).matmul(a));
    });
    CHECK(r.places == "%3@0 %6@128 %7=0");
    auto kept = planned([](builder& p, value a, value b, value) {
        value product = a.matmul(b), h = tanh(product);
        p.result(h.matmul(product));
    });
    CHECK(kept.places == "%3@0 %4@128 %5=0");
}
TEST_CASE("plan_memory: an operand of another type is not written over, whichever is wider") {
    auto narrower = planned([](builder& p, value a, value b, value) {
        value h = tanh(a.matmul(b)).cast(gr::dtype::float32);
        p.result(h.matmul(h));
    });
    CHECK(narrower.places == "%3@0 %5@128 %6=0");
    CHECK(narrower.peaks == "192");
    auto wider = planned([](builder& p, value a, value, value) {
        value f = a.cast(gr::dtype::float32), h = tanh(f.matmul(f)).cast(gr::dtype::float64);
        p.result(h.matmul(a));
    });
    CHECK(wider.places == "%3@0 %4@64 %6@128 %7=0");
    CHECK(wider.peaks == "256");
}
TEST_CASE("plan_memory: what dies in a loop is written over once, and not by what is larger") {
    auto twice = planned([](builder& p, value a, value b, value) {
        value product = a.matmul(b);
        p.result(tanh(product).matmul(gr::apply<op::sigmoid>(product)));
    });
    CHECK(twice.places == "%3@0 %4@0 %5@128 %6=0");
    auto larger = planned([](builder& p, value a, value b, value) {
        value sum = total(a.matmul(b));
        p.result(tanh(a * sum).matmul(b));
    });
    CHECK(larger.places == "%3@0 %4@128 %6@0 %7=0");
}
TEST_CASE("plan_memory: updates are written in place where they may be") {
    auto r = planned([](builder& p, value a, value b, value) {
        p.update(a, a + b);
        p.update(b, b.matmul(b));
    });
    CHECK(r.places == "%3=a %4@0");
    CHECK(r.copied_back == 1);
}
TEST_CASE("plan_memory: sizes of one kind share a section, which counts in their dimensions") {
    auto r = planned([](builder& p, value a, value b, value x) {
        value h = tanh(x.matmul(a));
        p.result(tanh(h.matmul(b)));
        p.result(tanh(a.matmul(b)).matmul(b));
    });
    CHECK(r.peaks == "128 64n");
}
TEST_CASE("plan_memory: runs in the compiler") {
    constexpr std::int64_t peak = plan_of(made([](builder& b) {
                                      value a = b.symbol("a", {4, 4});
                                      b.result(tanh(a.matmul(a)).matmul(a));
                                  }))
                                      .sections[0]
                                      .peak;
    static_assert(peak == 128);
}
