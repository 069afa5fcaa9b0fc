// SPDX-License-Identifier: BSL-1.0
#include <gradus/expr/structure.hpp>
#include <gradus/graph/print.hpp>
#include <gradus/lower/lower.hpp>
#include <gradus/transform/dead_code.hpp>
#include <gradus/transform/differentiate.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace gradus::literals;

constexpr auto x = gradus::var<"x", float, "batch", 3>;
constexpr auto w = gradus::var<"w", float, 3, 4>;
constexpr auto b = gradus::var<"b", float, 4>;

/// The printed graph of some expressions as they are written.
template <class... E>
constexpr gradus::text lowered(E...) {
    return gradus::print(gradus::core::lower<E...>());
}

using gradus::graph;
using gradus::value;

value symbol(graph& g, std::string_view name, gradus::shape const& s) {
    gradus::node n{&gradus::info_of<gradus::op::symbol>, {-1, -1, -1}, gradus::dtype::float32, s, {}};
    n.attr.n[0] = g.symbol_index(name, {n.type, s});
    return {g, g.intern(n)};
}

}  // namespace

TEST_CASE("print: a layer") {
    constexpr auto layer = gradus::tanh(gradus::matmul(x, w) + b);
    // x first: which operand of a product is lowered first is the compiler's choice
    static_assert(lowered(x, layer) ==
                  "%0 = symbol x : float[batch,3]\n"
                  "%1 = symbol w : float[3,4]\n"
                  "%2 = matmul %0 %1 : float[batch,4]\n"
                  "%3 = symbol b : float[4]\n"
                  "%4 = add %2 %3 : float[batch,4]\n"
                  "%5 = tanh %4 : float[batch,4]\n"
                  "return %0\n"
                  "return %5\n");
}

TEST_CASE("print: equal nodes are one line") {
    static_assert(lowered(gradus::tanh(b) * gradus::tanh(b), gradus::tanh(b)) ==
                  "%0 = symbol b : float[4]\n"
                  "%1 = tanh %0 : float[4]\n"
                  "%2 = mul %1 %1 : float[4]\n"
                  "return %2\n"
                  "return %1\n");
}

TEST_CASE("print: constants and attributes") {
    CHECK(lowered(0.5_c * b + -1e-7_c).str() ==
          "%0 = constant 0.5 : number\n"
          "%1 = symbol b : float[4]\n"
          "%2 = constant 0.5 : float\n"
          "%3 = mul %2 %1 : float[4]\n"
          "%4 = constant -1e-7 : number\n"
          "%5 = constant -1e-7 : float\n"
          "%6 = add %3 %5 : float[4]\n"
          "return %6\n");
    CHECK(lowered(gradus::sum<0, gradus::keepdim>(w), gradus::amax(w), gradus::argmax<1>(w)).str() ==
          "%0 = symbol w : float[3,4]\n"
          "%1 = sum axes=0 keepdim %0 : float[1,4]\n"
          "%2 = amax axes=0,1 %0 : float\n"
          "%3 = argmax axes=1 %0 : int64[3]\n"
          "return %1\n"
          "return %2\n"
          "return %3\n");
    CHECK(lowered(gradus::transpose(w), gradus::reshape<2, 6>(w), gradus::broadcast_to<2, 3, 4>(w), gradus::cast<double>(b)).str() ==
          "%0 = symbol w : float[3,4]\n"
          "%1 = transpose 1,0 %0 : float[4,3]\n"
          "%2 = reshape %0 : float[2,6]\n"
          "%3 = broadcast_to %0 : float[2,3,4]\n"
          "%4 = symbol b : float[4]\n"
          "%5 = cast %4 : double[4]\n"
          "return %1\n"
          "return %2\n"
          "return %3\n"
          "return %5\n");
    CHECK(lowered(gradus::slice<0, 3, 2, 1>(x), gradus::slice<0, 2>(b), gradus::concatenate<0>(b, b)).str() ==
          "%0 = symbol x : float[batch,3]\n"
          "%1 = slice :,0:4:2 %0 : float[batch,2]\n"
          "%2 = symbol b : float[4]\n"
          "%3 = slice 0:2 %2 : float[2]\n"
          "%4 = concatenate axis=0 %2 %2 : float[8]\n"
          "return %1\n"
          "return %3\n"
          "return %4\n");
}

TEST_CASE("print: an update") {
    static_assert(lowered(gradus::update(b, b - b)) ==
                  "%0 = symbol b : float[4]\n"
                  "%1 = sub %0 %0 : float[4]\n"
                  "update b = %1\n");
}

TEST_CASE("print: a gradient, before and after differentiation") {
    constexpr auto loss = gradus::sum(gradus::tanh(b));
    using gradient = decltype(gradus::grad(loss, b));
    static_assert(lowered(gradient{}) ==
                  "%0 = symbol b : float[4]\n"
                  "%1 = tanh %0 : float[4]\n"
                  "%2 = sum axes=0 %1 : float\n"
                  "%3 = grad %2 %0 : float[4]\n"
                  "return %3\n");
    static_assert(gradus::print(gradus::pass::dead_code(gradus::pass::differentiate(gradus::core::lower<gradient>()))) ==
                  "%0 = symbol b : float[4]\n"
                  "%1 = constant 1 : float\n"
                  "%2 = reshape %1 : float[1]\n"
                  "%3 = broadcast_to %2 : float[4]\n"
                  "%4 = tanh_slope %0 : float[4]\n"
                  "%5 = mul %3 %4 : float[4]\n"
                  "return %5\n");
}

TEST_CASE("print: transposed operands of a product") {
    graph g;
    value a = symbol(g, "a", {3, 2}), c = symbol(g, "c", {4, 3});
    gradus::attributes both;
    both.n[0] = both.n[1] = 1;
    g.outputs.push_back({value::emit<gradus::op::matmul>(g, both, {}, {a, c}).id(), -1});
    CHECK(gradus::print(g).str() ==
          "%0 = symbol a : float[3,2]\n"
          "%1 = symbol c : float[4,3]\n"
          "%2 = matmul a^T b^T %0 %1 : float[2,4]\n"
          "return %2\n");
}

TEST_CASE("print: numbers have six significant digits") {
    graph g;
    for (double number : {0.0, -1.0, 1.0 / 3, 123456.0, 1234567.0, 1e-5, 1e300}) value::constant(g, number, gradus::dtype::float64);
    value::constant(g, std::numeric_limits<double>::infinity(), gradus::dtype::float64);
    CHECK(gradus::print(g).str() ==
          "%0 = constant 0 : double\n"
          "%1 = constant -1 : double\n"
          "%2 = constant 0.333333 : double\n"
          "%3 = constant 123456 : double\n"
          "%4 = constant 1.23457e6 : double\n"
          "%5 = constant 1e-5 : double\n"
          "%6 = constant 1e300 : double\n"
          "%7 = constant inf : double\n");
}
