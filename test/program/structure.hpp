// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "compare.hpp"

// Structural operations and composites, written in the language: the value, the gradient of sum(value * c), the derivative
// along t, and the derivative of the gradient along t.
namespace compare {

/// A program over expressions: `Make()` returns a tuple of them.
template <auto Make>
struct source {
    template <class... E>
    static constexpr gr::graph lower_all(std::tuple<E...>) {
        return gr::core::lower<E...>();
    }
    static constexpr gr::graph lower() { return lower_all(Make()); }
};

/// sum(y * c): what a gradient is taken of. `c` is a symbol like y.
constexpr auto weighted(auto y, auto c) { return gr::sum(y * c); }

/// y, its gradient with respect to x, its derivative along t, and the derivative of the gradient along t.
constexpr auto derivatives(auto y, auto c, auto x, auto t) {
    auto slope = gr::grad(weighted(y, c), x);
    return std::tuple{y, slope, gr::jvp(y, x, t), gr::grad(gr::sum(slope * t), x)};
}
/// The same for two operands; the second derivative is the whole of it, mixed terms too.
constexpr auto derivatives(auto y, auto c, auto a, auto ta, auto b, auto tb) {
    auto slope_a = gr::grad(weighted(y, c), a);
    auto slope_b = gr::grad(weighted(y, c), b);
    auto along = gr::sum(slope_a * ta) + gr::sum(slope_b * tb);
    return std::tuple{y, slope_a, slope_b, gr::jvp(y, a, ta) + gr::jvp(y, b, tb), gr::grad(along, a), gr::grad(along, b)};
}

}  // namespace compare
