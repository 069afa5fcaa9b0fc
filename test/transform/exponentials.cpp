// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/graph/interpret.hpp>
#include <gradus/transform/exponentials.hpp>

#include <cmath>
#include <limits>

using namespace small_graph;
namespace op = gradus::op;

TEST_CASE("exponentials: softplus and sigmoid of one value share one, others keep theirs") {
    CHECK(text_after(gr::pass::exponentials, made([](builder& b) {
                         value x = b.symbol("x", {3}), y = b.symbol("y", {3});
                         b.result(gr::apply<op::softplus>(x));
                         b.result(gr::apply<op::sigmoid>(x));
                         b.result(gr::apply<op::sigmoid>(y));
                     })) == R"(
%0 = symbol x : double[3]
%1 = symbol y : double[3]
%2 = abs %0 : double[3]
%3 = neg %2 : double[3]
%4 = exp %3 : double[3]
%5 = log1p %4 : double[3]
%6 = constant 0 : double
%7 = greater %0 %6 : bool[3]
%8 = where %7 %0 %6 : double[3]
%9 = add %8 %5 : double[3]
%10 = constant 1 : double
%11 = add %10 %4 : double[3]
%12 = where %7 %10 %4 : double[3]
%13 = div %12 %11 : double[3]
%14 = sigmoid %1 : double[3]
return %9
return %13
return %14
)");
}
TEST_CASE("exponentials: values stay, at the ends of the range too") {
    auto g = made([](builder& b) {
        value x = b.symbol("x", {9});
        b.result(gr::apply<op::softplus>(x));
        b.result(gr::apply<op::sigmoid>(x));
    });
    double const infinity = std::numeric_limits<double>::infinity();
    gr::symbol_values<double> x{{"x", {0, -0.0, 0.5, -0.5, -40, 40, -infinity, infinity, std::numeric_limits<double>::quiet_NaN()}}};
    auto before = gr::interpret(g, x, {}), after = gr::interpret(gr::pass::exponentials(g), x, {});
    for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t i = 0; i < 9; ++i) {
            CAPTURE(i);
            if (i < 8) CHECK((after[k][i] == before[k][i] || std::abs(after[k][i] - before[k][i]) <= 1e-14 * before[k][i]));
            else CHECK((std::isnan(after[k][i]) && std::isnan(before[k][i])));
        }
    CHECK(after[1][4] == std::exp(-40) / (1 + std::exp(-40)));
    CHECK(after[0][7] == infinity);
}
TEST_CASE("exponentials: derivatives of sigmoid and tanh are taken from what is computed beside them") {
    CHECK(text_after(gr::pass::exponentials, made([](builder& b) {
                         value x = b.symbol("x", {3}), y = b.symbol("y", {3});
                         b.result(gr::apply<op::sigmoid>(x));
                         b.result(gr::apply<op::sigmoid_slope>(x));
                         b.result(gr::apply<op::tanh_slope>(y));
                         b.result(gr::apply<op::tanh_slope>(x));
                         b.result(gr::apply<op::tanh>(x));
                     })) == R"(
%0 = symbol x : double[3]
%1 = symbol y : double[3]
%2 = abs %0 : double[3]
%3 = neg %2 : double[3]
%4 = exp %3 : double[3]
%5 = constant 1 : double
%6 = add %5 %4 : double[3]
%7 = div %5 %6 : double[3]
%8 = constant 0 : double
%9 = greater %0 %8 : bool[3]
%10 = where %9 %5 %4 : double[3]
%11 = mul %10 %7 : double[3]
%12 = square %7 : double[3]
%13 = mul %4 %12 : double[3]
%14 = tanh_slope %1 : double[3]
%15 = tanh %0 : double[3]
%16 = tanh_slope_beside %0 %15 : double[3]
return %11
return %13
return %14
return %16
return %15
)");
}
