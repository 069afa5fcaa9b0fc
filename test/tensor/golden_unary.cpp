// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include <doctest/doctest.h>

// Every elementwise operation of one operand. One statement on vectors of any length serves all shapes.
namespace {

namespace gr = gradus;
using golden_tensors::check;
using vector = gr::tensor<double, gr::dyn>;

/// Values and derivatives on ordinary operands, values and first derivatives on zeros, huge, tiny, infinite ones and NaN.
template <class F>
void unary(std::string const& op, F f) {
    check<vector>("unary", op, "", f);
    check<vector>("edges", op, "", f);
}

}  // namespace

TEST_CASE("golden: tensors, one operand: algebra") {
    unary("neg", [](auto const& x) { return -x; });
    unary("abs", [](auto const& x) { return gr::abs(x); });
    unary("square", [](auto const& x) { return gr::square(x); });
    unary("relu", [](auto const& x) { return gr::relu(x); });
    unary("sqrt", [](auto const& x) { return gr::sqrt(x); });
    unary("rsqrt", [](auto const& x) { return gr::rsqrt(x); });
}
TEST_CASE("golden: tensors, one operand: transcendental functions") {
    unary("exp", [](auto const& x) { return gr::exp(x); });
    unary("expm1", [](auto const& x) { return gr::expm1(x); });
    unary("log", [](auto const& x) { return gr::log(x); });
    unary("log1p", [](auto const& x) { return gr::log1p(x); });
    unary("sin", [](auto const& x) { return gr::sin(x); });
    unary("cos", [](auto const& x) { return gr::cos(x); });
    unary("tanh", [](auto const& x) { return gr::tanh(x); });
    unary("sigmoid", [](auto const& x) { return gr::sigmoid(x); });
    unary("softplus", [](auto const& x) { return gr::softplus(x); });
    unary("erf", [](auto const& x) { return gr::erf(x); });
}
