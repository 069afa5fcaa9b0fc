// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

// A long chain of formulas of a scalar, each used twice by the next, beside a vector: the compiler's work is linear in its links.
namespace deep {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto x = gr::var<"x", float>;
constexpr auto v = gr::var<"v", float, 9>;

/// K steps of y -> y (2.9 - y) from x.
template <int K>
struct after {
    static constexpr auto value = gr::let([] { return after<K - 1>::value * (2.9_c - after<K - 1>::value); });
};
template <>
struct after<0> {
    static constexpr auto value = x;
};
constexpr auto f = gr::sum(v * after<32>::value);
constexpr auto program = gr::compile(f, gr::grad(f, x));

}  // namespace deep

TEST_CASE("deep: thirty-two formulas of a scalar") {
    using namespace deep;
    float weights[9];
    for (int i = 0; i < 9; ++i) weights[i] = static_cast<float>(i - 2);
    double s = 0.3f, slope = 1;  // the chain rule, link by link
    for (int k = 0; k < 32; ++k) {
        slope *= 2.9 - 2 * s;
        s *= 2.9 - s;
    }
    auto [value, derivative] = program(x = 0.3f, v = weights);
    // the steps come to contract by 0.9, so that their errors stay below 10 roundings (6e-8), 20 with those of the sum; the derivative's
    // factor 2.9 - 2 s near -0.9 has 40 times the relative error of s, and 32 of them multiply
    CHECK(value == doctest::Approx(18 * s).epsilon(20 * 6e-8));
    CHECK(derivative == doctest::Approx(18 * slope).epsilon(2000 * 6e-8));
}
