// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/op/composite.hpp>
#include <gradus/transform/simplify.hpp>

using namespace small_graph;
namespace op = gradus::op;

namespace {

/// The simple form of what `build` adds over a, b : double[2,3] and s : double.
std::string simple(auto build) {
    return text_after(gr::pass::simplify, made([&](builder& p) {
                          value a = p.symbol("a", {2, 3}), b = p.symbol("b", {2, 3}), s = p.symbol("s", {});
                          build(p, a, b, s);
                      }));
}
std::string const a_only = "\n%0 = symbol a : double[2,3]\nreturn %0\n";

/// An operation of a user's with a rule of its own.
struct twice : gr::unary<twice> {
    static constexpr auto name = "twice";
    static constexpr auto eval(auto x) { return x + x; }
    static constexpr auto derivative(auto, auto) { return 2; }
    static constexpr auto simplify(auto y, auto x) -> decltype(y) { return op::is<op::neg>(x) ? -gr::apply<twice>(x.operand(0)) : y; }
};

}  // namespace

TEST_CASE("simplify: asks the rules of operations of users") {
    CHECK(simple([](builder& p, value a, value, value) { p.result(-gr::apply<twice>(-a)); }) == R"(
%0 = symbol a : double[2,3]
%1 = twice %0 : double[2,3]
return %1
)");
    CHECK(simple([](builder& p, value a, value, value) { p.result(gr::apply<twice>(gr::apply<op::abs>(a))); }).find("twice") !=
          std::string::npos);
}
TEST_CASE("simplify: neutral elements and double signs go") {
    CHECK(simple([](builder& p, value a, value, value) { p.result(a + 0); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(0 + a); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(a - 0); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(a * 1); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(1 * a); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(a / 1); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(-(-a)); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(gr::apply<op::pow>(a, 1)); }) == a_only);
    CHECK(simple([](builder& p, value a, value, value) { p.result(gr::apply<op::stop_gradient>(a)); }) == a_only);
    CHECK(simple([](builder& p, value a, value b, value) { p.result(gr::where(a < b, a, a)); }) == a_only);
    CHECK(simple([](builder& p, value a, value b, value) {
              p.result(gr::where(value::constant(a.owner(), 1, gr::dtype::boolean), a, b));
          }) == a_only);
    CHECK(simple([](builder& p, value a, value b, value) {
              p.result(gr::where(value::constant(a.owner(), 0, gr::dtype::boolean), b, a));
          }) == a_only);
}
TEST_CASE("simplify: minus a negative is plus") {
    CHECK(simple([](builder& p, value a, value b, value) { p.result(a - -b); }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = add %0 %1 : double[2,3]
return %2
)");
}
TEST_CASE("simplify: two permutations of axes are one, the second's of the first's") {
    CHECK(simple([](builder& p, value, value, value) {
              gr::attributes first, second;
              first.n[0] = second.n[2] = 1;
              first.n[2] = second.n[1] = 2;
              p.result(p.symbol("t", {2, 3, 4}).transpose(first).transpose(second));
          }) == R"(
%0 = symbol t : double[2,3,4]
%1 = transpose 1,2,0 %0 : double[3,4,2]
return %1
)");
}
TEST_CASE("simplify: zero times anything stays, because it may be infinite") {
    CHECK(simple([](builder& p, value a, value, value) { p.result(a * 0); }) == R"(
%0 = symbol a : double[2,3]
%1 = constant 0 : double
%2 = mul %1 %0 : double[2,3]
return %2
)");
}
TEST_CASE("simplify: a neutral element of larger shape leaves a broadcast") {
    CHECK(simple([](builder& p, value a, value, value s) { p.result(s * a.number(1).broadcast_to({2, 3})); }) == R"(
%0 = symbol s : double
%1 = broadcast_to %0 : double[2,3]
return %1
)");
}
TEST_CASE("simplify: signs move outwards, squares are squares") {
    CHECK(simple([](builder& p, value a, value b, value) {
              p.result(a * -1);
              p.result(0 - a);
              p.result(a + -b);
              p.result(a * a);
              p.result(gr::apply<op::square>(-a));
              p.result(gr::apply<op::pow>(a, 2));
              p.result(-a * b);
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = neg %0 : double[2,3]
%3 = sub %0 %1 : double[2,3]
%4 = square %0 : double[2,3]
%5 = mul %0 %1 : double[2,3]
%6 = neg %5 : double[2,3]
return %2
return %2
return %3
return %4
return %4
return %4
return %6
)");
}
TEST_CASE("simplify: sums of what one condition selects are selected once") {
    CHECK(simple([](builder& p, value a, value b, value) {
              value const c = a < b, first = gr::where(c, a, 0), second = gr::where(c, a * b, 0), other = gr::where(c, 0, b);
              p.result(first + second);
              p.result(first + other);
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = less %0 %1 : bool[2,3]
%3 = constant 0 : double
%4 = mul %0 %1 : double[2,3]
%5 = add %0 %4 : double[2,3]
%6 = where %2 %5 %3 : double[2,3]
%7 = where %2 %0 %1 : double[2,3]
return %6
return %7
)");
}
TEST_CASE("simplify: constants are computed, but never divided by zero") {
    CHECK(simple([](builder& p, value a, value, value) { p.result(a * ((a.number(2) + 3) * 4)); }) == R"(
%0 = symbol a : double[2,3]
%1 = constant 20 : double
%2 = mul %1 %0 : double[2,3]
return %2
)");
    CHECK(simple([](builder& p, value a, value, value) {
              value two = a.number(2), zero = a.number(0);
              p.result(two / zero);
          }) == R"(
%0 = constant 2 : double
%1 = constant 0 : double
%2 = div %0 %1 : double
return %2
)");
}
TEST_CASE("simplify: constant factors move outwards and meet; operands are ordered") {
    CHECK(simple([](builder& p, value a, value b, value) {
              p.result((a * 2) * (b * 3));
              p.result(b * a);
              p.result(a * b);
              p.result(-(a * 2));
              p.result((a * 2) / b);
              p.result(a * 2 + b * 2);
              p.result(a / (b * 4));
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = constant 2 : double
%3 = mul %0 %1 : double[2,3]
%4 = constant 6 : double
%5 = mul %4 %3 : double[2,3]
%6 = constant -2 : double
%7 = mul %6 %0 : double[2,3]
%8 = div %0 %1 : double[2,3]
%9 = mul %2 %8 : double[2,3]
%10 = add %0 %1 : double[2,3]
%11 = mul %2 %10 : double[2,3]
%12 = constant 0.25 : double
%13 = mul %12 %8 : double[2,3]
return %5
return %3
return %3
return %7
return %9
return %11
return %13
)");
    // 1 / 3 is no binary fraction: the division stays
    CHECK(simple([](builder& p, value a, value b, value) { p.result(a / (b * 3)); }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = constant 3 : double
%3 = mul %2 %1 : double[2,3]
%4 = div %0 %3 : double[2,3]
return %4
)");
}
TEST_CASE("simplify: factors stay where what they meet, or leave behind, could overflow or vanish") {
    auto stays = [](gr::dtype type, auto build) {
        auto const g = made([&](builder& p) {
            value const a = p.symbol("a", {3}, type), b = p.symbol("b", {3}, type);
            p.result(a);
            p.result(b);
            p.result(build(a, b));
        });
        return gr::print(gr::pass::simplify(g)).str() == gr::print(g).str();
    };
    struct range {
        gr::dtype type;
        double small;
    };
    for (auto [type, small] : {range{gr::dtype::float32, 0x1p-90}, range{gr::dtype::float64, 0x1p-900}}) {
        double const large = 1 / small;
        auto times = [](double c, value x) {
            value const factor = x.number(c);  // named: compilers evaluate operands in orders of their own
            return factor * x;
        };
        CHECK(stays(type, [=](value a, value) { return times(small, times(small, a)); }));
        CHECK(stays(type, [=](value a, value) { return times(large, times(large, a)); }));
        CHECK(!stays(type, [=](value a, value) { return times(large, times(small, a)); }));
        CHECK(stays(type, [=](value a, value b) {
            value const first = times(small, a), second = times(small, b);
            return first * second;
        }));
        CHECK(stays(type, [=](value a, value b) { return times(large, a) / b; }));
        CHECK(stays(type, [=](value a, value b) { return a / times(large, b); }));
        for (double c : {small, 0.5}) {
            CHECK(stays(type, [=](value a, value b) {
                      value const first = times(c, a), second = times(c, b);
                      return first + second;
                  }) == (c == small));
        }
    }
}
TEST_CASE("simplify: quotients that the derivative of log(a / b) makes") {
    CHECK(simple([](builder& p, value a, value b, value) {
              value x = gr::apply<op::exp>(a);
              p.result((x / (a / b)) / b);
              p.result((x / a) * (a / b));
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = exp %0 : double[2,3]
%3 = div %2 %0 : double[2,3]
%4 = div %2 %1 : double[2,3]
return %3
return %4
)");
}
TEST_CASE("simplify: forms that overflow become the stable ones") {
    CHECK(simple([](builder& p, value a, value b, value) {
              p.result(gr::apply<op::log>(1 + gr::apply<op::exp>(a)));
              p.result(gr::apply<op::log1p>(gr::apply<op::exp>(b)));
              p.result(gr::apply<op::log>(gr::apply<op::exp>(a)));
              p.result(1 / (1 + gr::apply<op::exp>(-a)));
              p.result(gr::apply<op::log>(gr::apply<op::sigmoid>(a)));
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = softplus %0 : double[2,3]
%3 = softplus %1 : double[2,3]
%4 = neg %0 : double[2,3]
%5 = sigmoid %0 : double[2,3]
%6 = softplus %4 : double[2,3]
%7 = neg %6 : double[2,3]
return %2
return %3
return %0
return %5
return %7
)");
    auto softmax = [](value x) { return op::softmax::expand(op::reduction_attributes(2, false), x); };
    auto log_softmax = [](value x) { return op::log_softmax::expand(op::reduction_attributes(2, false), x); };
    CHECK(simple([&](builder& p, value a, value, value) { p.result(gr::apply<op::log>(softmax(a))); }) ==
          simple([&](builder& p, value a, value, value) { p.result(log_softmax(a)); }));
}
TEST_CASE("simplify: views of views are one, broadcasts of scalars wait until after the operation") {
    CHECK(simple([](builder& p, value a, value b, value s) {
              p.result(a.transposed().transposed() + b);
              p.result(s.broadcast_to({2, 3}) * a);
              p.result(a.reshape({6}).reshape({3, 2}));
              p.result(gr::apply<op::exp>(s.broadcast_to({2, 3})));
              p.result(s.broadcast_to({2, 3}).sum(2, false));
              p.result(a.reshape({1, 6}).transposed());
              p.result(a.reshape({1, 2, 3}).sum(1, false));
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = symbol s : double
%3 = add %0 %1 : double[2,3]
%4 = mul %0 %2 : double[2,3]
%5 = reshape %0 : double[3,2]
%6 = exp %2 : double
%7 = broadcast_to %6 : double[2,3]
%8 = constant 3 : double
%9 = mul %8 %2 : double
%10 = broadcast_to %9 : double[2]
%11 = reshape %0 : double[6,1]
return %3
return %4
return %5
return %7
return %10
return %11
return %0
)");
}
TEST_CASE("simplify: transposes become access order of products; a product over one index is elementwise") {
    CHECK(simple([](builder& p, value a, value b, value) {
              p.result(a.transposed().matmul(b));
              p.result(a.matmul(b.transposed()));
              p.result(a.transposed().matmul(b).transposed().matmul(a.transposed()));
              p.result(a.reshape({6, 1}).matmul(b.reshape({1, 6})));
          }) == R"(
%0 = symbol a : double[2,3]
%1 = symbol b : double[2,3]
%2 = matmul a^T %0 %1 : double[3,3]
%3 = matmul b^T %0 %1 : double[2,2]
%4 = matmul a^T b^T %2 %0 : double[3,2]
%5 = reshape %0 : double[6,1]
%6 = reshape %1 : double[1,6]
%7 = mul %5 %6 : double[6,6]
return %2
return %3
return %4
return %7
)");
}
TEST_CASE("simplify: runs in the compiler") {
    constexpr int nodes = gr::pass::simplify(made([](builder& p) {
                              value a = p.symbol("a", {2, 3});
                              p.result((a * 2 + 0) * (a / 1));
                          })).size();
    static_assert(nodes == 4);  // a, its square, 2, the product
}
TEST_CASE("simplify: sums of selections by one condition are one selection") {
    auto build = [](builder& b) {
        value x = b.symbol("x", {3}), y = b.symbol("y", {3}), c = x > y, upper = gr::where(c, x, 0), lower = gr::where(c, 0, y),
              both = gr::where(c, x, y);
        b.result(upper + lower);
        b.result(both + lower);
        value other = x > 1, apart = gr::where(other, 0, y);
        b.result(upper + apart);
    };
    CHECK(text_after(gr::pass::simplify, made(build)) == R"(
%0 = symbol x : double[3]
%1 = symbol y : double[3]
%2 = greater %0 %1 : bool[3]
%3 = constant 0 : double
%4 = where %2 %0 %3 : double[3]
%5 = where %2 %0 %1 : double[3]
%6 = add %1 %1 : double[3]
%7 = where %2 %0 %6 : double[3]
%8 = constant 1 : double
%9 = greater %0 %8 : bool[3]
%10 = where %9 %3 %1 : double[3]
%11 = add %4 %10 : double[3]
return %5
return %7
return %11
)");
}
