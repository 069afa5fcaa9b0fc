// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/pass/backward.hpp>
#include <gradus/pass/simplify.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

std::string backward_of(auto build, std::uint64_t constants = 0) {
    return text_after([=](gr::graph const& g) { return gr::pass::backward(g, true, constants); }, made(build));
}
/// What the symbols of the backward graph are, and `of`: where derivatives are to be found, what is saved.
std::string symbols_of(auto build, std::uint64_t constants = 0, bool save = true) {
    std::string all;
    for (gr::symbol_entry const& s : gr::pass::backward(made(build), save, constants).symbols) {
        std::string of = s.of >= gr::core::identity_gradient ? "cotangent " + std::to_string(s.of - gr::core::identity_gradient) : std::to_string(s.of);
        all += std::string(s.name) + ": " + of + "\n";
    }
    return all;
}
value softmax(value x) {
    gr::attributes last;
    last.n[0] = std::int64_t{1} << (x.shape().rank() - 1);
    return op::softmax::expand(last, x);
}

constexpr auto product = [](builder& b) {
    value a = b.symbol("a", {3}), c = b.symbol("c", {3});
    b.result(a * c);
};
constexpr auto sum = [](builder& b) {
    value a = b.symbol("a", {3}), c = b.symbol("c", {2, 3});
    b.result(a + c);
};

}  // namespace

TEST_CASE("backward: a derivative per symbol, in terms of symbols and cotangents") {
    CHECK(backward_of(product) == R"(
%0 = symbol a : double[3]
%1 = symbol c : double[3]
%2 = symbol cotangent : double[3]
%3 = mul %2 %1 : double[3]
%4 = mul %2 %0 : double[3]
return %3
return %4
)");
    CHECK(symbols_of(product) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: constants have no derivative, and what only theirs would read is gone") {
    CHECK(backward_of(product, 0b10) == R"(
%0 = symbol c : double[3]
%1 = symbol cotangent : double[3]
%2 = mul %1 %0 : double[3]
return %2
)");
    CHECK(symbols_of(product, 0b10) == "a: 0\nc: -1\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: a derivative that is the cotangent itself is no output") {
    CHECK(backward_of(sum) == R"(
%0 = symbol cotangent : double[2,3]
%1 = sum axes=0 %0 : double[3]
return %1
)");
    CHECK(symbols_of(sum) == "a: 0\nc: cotangent 0\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: results are read, not computed again") {
    CHECK(backward_of([](builder& b) { b.result(gr::apply<op::exp>(b.symbol("a", {3}))); }) == R"(
%0 = symbol result : double[3]
%1 = symbol cotangent : double[3]
%2 = mul %1 %0 : double[3]
return %2
)");
    // also those that the result is a view of
    CHECK(backward_of([](builder& b) { b.result(gr::apply<op::exp>(b.symbol("a", {2, 3})).reshape({6})); }) == R"(
%0 = symbol result : double[6]
%1 = reshape %0 : double[2,3]
%2 = symbol cotangent : double[6]
%3 = reshape %2 : double[2,3]
%4 = mul %3 %1 : double[2,3]
return %4
)");
}
TEST_CASE("backward: elementwise values in between are computed again, sums are saved") {
    auto build = [](builder& b) {
        value row = gr::apply<op::exp>(b.symbol("a", {2, 3})).sum(2, false);
        b.result(total(row * row));
    };
    CHECK(backward_of(build) == R"(
%0 = symbol a : double[2,3]
%1 = exp %0 : double[2,3]
%2 = symbol saved : double[2]
%3 = symbol cotangent : double
%4 = reshape %3 : double[1]
%5 = broadcast_to %4 : double[2]
%6 = mul %5 %2 : double[2]
%7 = add %6 %6 : double[2]
%8 = reshape %7 : double[2,1]
%9 = broadcast_to %8 : double[2,3]
%10 = mul %9 %1 : double[2,3]
return %10
)");
    CHECK(symbols_of(build) == "a: 0\nresult: 0\ncotangent: 0\nsaved: 2\n");  // node 2 of the forward graph is the sum
    CHECK(symbols_of(build, 0, false) == "a: 0\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: several results have a cotangent each") {
    auto build = [](builder& b) {
        value a = b.symbol("a", {3}), c = b.symbol("c", {3}), y = gr::apply<op::tanh>(a);
        b.result(y);
        b.result(y * c);
    };
    CHECK(text_after([](gr::graph const& g) { return gr::pass::simplify(gr::pass::backward(g, true)); }, made(build)) == R"(
%0 = symbol c : double[3]
%1 = symbol result : double[3]
%2 = symbol cotangent : double[3]
%3 = symbol cotangent : double[3]
%4 = mul %0 %3 : double[3]
%5 = mul %1 %3 : double[3]
%6 = add %2 %4 : double[3]
%7 = square %1 : double[3]
%8 = constant 1 : double
%9 = sub %8 %7 : double[3]
%10 = mul %6 %9 : double[3]
return %10
return %5
)");
    CHECK(symbols_of(build) == "a: 0\nc: 1\nresult: 0\nresult: 1\ncotangent: 0\ncotangent: 1\n");
}
TEST_CASE("backward: integers and symbols that nothing depends on have none") {
    auto build = [](builder& b) {
        value a = b.symbol("a", {3}), unused = b.symbol("unused", {3}), n = b.symbol("n", {3}, gr::dtype::int32);
        static_cast<void>(unused);
        b.result(a * gr::apply<op::stop_gradient>(a));
        b.result(n + n);
    };
    CHECK(symbols_of(build) == "a: 0\nunused: -1\nn: -1\nresult: 0\nresult: 1\ncotangent: 0\ncotangent: 1\n");
}
TEST_CASE("backward: a softmax is differentiated in terms of its value") {
    auto build = [](builder& b) { b.result(softmax(b.symbol("a", {2, 3}))); };
    CHECK(backward_of(build) == R"(
%0 = symbol result : double[2,3]
%1 = symbol cotangent : double[2,3]
%2 = mul %1 %0 : double[2,3]
%3 = sum axes=1 keepdim %2 : double[2,1]
%4 = sub %1 %3 : double[2,3]
%5 = mul %0 %4 : double[2,3]
return %5
)");
    CHECK(symbols_of([](builder& b) { b.result(total(softmax(b.symbol("a", {2, 3})))); }) == "a: 0\nresult: 0\ncotangent: 0\nsaved: 6\n");
}
TEST_CASE("softmax forms: what looks like one and is none") {
    gr::graph g = made([](builder& b) {
        value x = b.symbol("x", {2, 3}), e = gr::apply<op::exp>(x), other = gr::apply<op::exp>(-x);
        b.result(softmax(x));
        b.result(e / other.sum(2, true));           // another sum
        b.result(e / e.sum(2, true).reshape({2, 1}));  // the same, reshaped in vain
        b.result(e / e.sum(1, true).broadcast_to({2, 3}));
        b.result(x - gr::apply<op::log>(other.sum(2, true)));
        b.result(x - gr::apply<op::log>(e.sum(2, true)));
        b.result(e.sum(2, true) / e);
    });
    auto kind = [&](int output) { return gr::core::softmax_form_of(g, g.outputs[output].node).kind; };
    using form = gr::core::softmax_form;
    CHECK(kind(0) == form::softmax);
    CHECK(kind(1) == form::none);
    CHECK(kind(2) == form::softmax);
    CHECK(kind(3) == form::none);
    CHECK(kind(4) == form::none);
    CHECK(kind(5) == form::log_softmax);
    CHECK(kind(6) == form::none);
}
TEST_CASE("simplify: stop_gradient stays where a derivative is yet to be taken") {
    auto g = made([](builder& b) {
        value a = b.symbol("a", {3});
        b.result(a * gr::apply<op::stop_gradient>(a * 1));
    });
    CHECK(text_after(gr::pass::simplify_differentiable, g) == R"(
%0 = symbol a : double[3]
%1 = stop_gradient %0 : double[3]
%2 = mul %0 %1 : double[3]
return %2
)");
    CHECK(text_after(gr::pass::simplify, g) == R"(
%0 = symbol a : double[3]
%1 = square %0 : double[3]
return %1
)");
}
