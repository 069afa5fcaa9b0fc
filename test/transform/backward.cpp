// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/backward.hpp>
#include <gradus/transform/simplify.hpp>

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
        if (s.name == "unselected") continue;  // one per cotangent, always the last
        std::string of =
            s.of >= gr::core::identity_gradient ? "cotangent " + std::to_string(s.of - gr::core::identity_gradient) : std::to_string(s.of);
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
%3 = symbol unselected : double
%4 = is_reached %2 %3 : bool[3]
%5 = constant 0 : double
%6 = mul %2 %1 : double[3]
%7 = mul %2 %0 : double[3]
%8 = where %4 %6 %5 : double[3]
%9 = where %4 %7 %5 : double[3]
return %8
return %9
)");
    CHECK(symbols_of(product) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: constants have no derivative, and what only theirs would read is gone") {
    CHECK(backward_of(product, 0b10) == R"(
%0 = symbol c : double[3]
%1 = symbol cotangent : double[3]
%2 = symbol unselected : double
%3 = is_reached %1 %2 : bool[3]
%4 = constant 0 : double
%5 = mul %1 %0 : double[3]
%6 = where %3 %5 %4 : double[3]
return %6
)");
    CHECK(symbols_of(product, 0b10) == "a: 0\nc: -1\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: a derivative that is the cotangent itself is no output") {
    CHECK(backward_of(sum) == R"(
%0 = symbol cotangent : double[2,3]
%1 = symbol unselected : double
%2 = is_reached %0 %1 : bool[2,3]
%3 = constant 0 : double
%4 = where %2 %0 %3 : double[2,3]
%5 = sum axes=0 %4 : double[3]
%6 = is_reached %5 %1 : bool[3]
%7 = where %6 %5 %3 : double[3]
return %7
)");
    CHECK(symbols_of(sum) == "a: 0\nc: cotangent 0\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: the cotangents of a value that is two results add up, the second's symbol is its own") {
    auto twice = [](builder& b) {
        value a = b.symbol("a", {3}), y = a * 2;
        b.result(y);
        b.result(y);
    };
    CHECK(backward_of(twice) == R"(
%0 = constant 2 : double
%1 = symbol cotangent : double[3]
%2 = symbol unselected : double
%3 = is_reached %1 %2 : bool[3]
%4 = constant 0 : double
%5 = where %3 %1 %4 : double[3]
%6 = symbol cotangent : double[3]
%7 = symbol unselected : double
%8 = is_reached %6 %7 : bool[3]
%9 = where %8 %6 %4 : double[3]
%10 = either %3 %8 : bool[3]
%11 = add %5 %9 : double[3]
%12 = mul %11 %0 : double[3]
%13 = where %10 %12 %4 : double[3]
return %13
)");
    auto second = [](builder& b) {
        value a = b.symbol("a", {3}), c = b.symbol("c", {3});
        b.result(a * 2);
        b.result(c + 1);
    };
    CHECK(symbols_of(second) == "a: 0\nc: cotangent 1\nresult: 0\nresult: 1\ncotangent: 0\ncotangent: 1\n");
}
TEST_CASE("backward: results are read, not computed again") {
    CHECK(backward_of([](builder& b) { b.result(gr::apply<op::exp>(b.symbol("a", {3}))); }) == R"(
%0 = symbol result : double[3]
%1 = symbol cotangent : double[3]
%2 = symbol unselected : double
%3 = is_reached %1 %2 : bool[3]
%4 = constant 0 : double
%5 = mul %1 %0 : double[3]
%6 = where %3 %5 %4 : double[3]
return %6
)");
    // also those that the result is a view of
    CHECK(backward_of([](builder& b) { b.result(gr::apply<op::exp>(b.symbol("a", {2, 3})).reshape({6})); }) == R"(
%0 = symbol result : double[6]
%1 = reshape %0 : double[2,3]
%2 = symbol cotangent : double[6]
%3 = symbol unselected : double
%4 = constant 0 : double
%5 = reshape %2 : double[2,3]
%6 = is_reached %5 %3 : bool[2,3]
%7 = mul %5 %1 : double[2,3]
%8 = where %6 %7 %4 : double[2,3]
return %8
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
%4 = symbol unselected : double
%5 = is_reached %3 %4 : bool
%6 = constant 0 : double
%7 = reshape %3 : double[1]
%8 = broadcast_to %7 : double[2]
%9 = mul %8 %2 : double[2]
%10 = add %9 %9 : double[2]
%11 = reshape %10 : double[2,1]
%12 = broadcast_to %11 : double[2,3]
%13 = mul %12 %1 : double[2,3]
%14 = where %5 %13 %6 : double[2,3]
return %14
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
%0 = symbol a : double[3]
%1 = symbol c : double[3]
%2 = symbol result : double[3]
%3 = symbol cotangent : double[3]
%4 = symbol unselected : double
%5 = is_reached %3 %4 : bool[3]
%6 = constant 0 : double
%7 = symbol cotangent : double[3]
%8 = symbol unselected : double
%9 = is_reached %7 %8 : bool[3]
%10 = mul %1 %7 : double[3]
%11 = mul %2 %7 : double[3]
%12 = where %9 %10 %6 : double[3]
%13 = where %9 %11 %6 : double[3]
%14 = either %5 %9 : bool[3]
%15 = add %3 %12 : double[3]
%16 = tanh_slope %0 : double[3]
%17 = mul %15 %16 : double[3]
%18 = where %14 %17 %6 : double[3]
return %18
return %13
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
%2 = symbol unselected : double
%3 = is_reached %1 %2 : bool[2,3]
%4 = constant 0 : double
%5 = where %3 %1 %4 : double[2,3]
%6 = mul %1 %0 : double[2,3]
%7 = where %3 %6 %4 : double[2,3]
%8 = sum axes=1 keepdim %7 : double[2,1]
%9 = sub %5 %8 : double[2,3]
%10 = is_reached %9 %2 : bool[2,3]
%11 = mul %9 %0 : double[2,3]
%12 = where %10 %11 %4 : double[2,3]
return %12
)");
    CHECK(symbols_of([](builder& b) { b.result(total(softmax(b.symbol("a", {2, 3})))); }) == "a: 0\nresult: 0\ncotangent: 0\nsaved: 6\n");
}
TEST_CASE("softmax forms: what looks like one and is none") {
    gr::graph g = made([](builder& b) {
        value x = b.symbol("x", {2, 3}), e = gr::apply<op::exp>(x), other = gr::apply<op::exp>(-x);
        b.result(softmax(x));
        b.result(e / other.sum(2, true));              // another sum
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
TEST_CASE("backward: what a derivative compares is saved, not computed again with another last bit") {
    auto quotient = [](builder& b) {
        value a = b.symbol("a", {2, 3}), c = b.symbol("c", {3});
        return a / c;
    };
    // node 2 is the quotient, node 3 its maximum
    CHECK(symbols_of([=](builder& b) { b.result(quotient(b).amax(2, false)); }) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\nsaved: 2\n");
    CHECK(symbols_of([=](builder& b) { b.result((-quotient(b)).transposed().amax(1, false) * 2); }) ==
          "a: 0\nc: 1\nresult: 0\ncotangent: 0\nsaved: 2\nsaved: 5\n");
    CHECK(symbols_of([=](builder& b) {
              value q = quotient(b);
              b.result(gr::apply<op::maximum>(q, b.symbol("d", {2, 3})));
          }) == "a: 0\nc: 1\nd: 2\nresult: 0\ncotangent: 0\nsaved: 2\n");
    // through choices: windows of a pool read one operand
    CHECK(symbols_of([=](builder& b) {
              gr::attributes pairs;
              op::pooled_axis{2, 1, 0}.pack(pairs, 2);
              b.result(op::max_pool::expand(pairs, quotient(b).reshape({1, 2, 3})));
          }) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\nsaved: 2\n");
    // what is an operand of the statement or saved anyway is there already
    CHECK(symbols_of([](builder& b) { b.result(b.symbol("a", {2, 3}).amax(2, false)); }) == "a: 0\nresult: 0\ncotangent: 0\n");
    CHECK(symbols_of([](builder& b) {
              value a = b.symbol("a", {2, 3}), c = b.symbol("c", {3, 4});
              b.result(a.matmul(c).amax(2, false));
          }) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\nsaved: 2\n");
    // the maximum of a softmax only scales
    CHECK(symbols_of([=](builder& b) { b.result(softmax(quotient(b))); }) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\n");
}
TEST_CASE("backward: a condition is saved as it is, where nothing else compares what it compares") {
    auto build = [](builder& b) {
        value a = b.symbol("a", {3}), c = b.symbol("c", {3});
        b.result(gr::where(a * c > a, a, c));
    };
    CHECK(symbols_of(build) == "a: 0\nc: 1\nresult: 0\ncotangent: 0\nsaved: 3\n");  // node 3 is the comparison
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
