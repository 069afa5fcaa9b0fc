// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "compare.hpp"

// What tests of loops share: sequences of four steps, or of a named number, of two rows.
namespace loops {

namespace gr = gradus;

constexpr int in = 3, hidden = 2;
constexpr auto h0 = gr::var<"h0", double, 2, hidden>;
constexpr auto xs = gr::var<"xs", double, 4, 2, in>;
constexpr auto named_xs = gr::var<"xs", double, "n", 2, in>;
template <int T>
constexpr auto row(auto x) {
    return gr::reshape<2, in>(gr::slice<T, T + 1>(x));
}

/// Elements near 1 with both signs, another sequence for each seed.
template <class A>
A filled(int seed) {
    A a;
    for (std::int64_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<double>((i * 37 + seed * 53) % 83) / 41.0 - 1;
    return a;
}
inline void check_close(auto const& a, auto const& expected, double tolerance) {
    REQUIRE(a.size() == expected.size());
    for (std::int64_t i = 0; i < a.size(); ++i)
        CHECK(static_cast<double>(a.data()[i]) == doctest::Approx(static_cast<double>(expected.data()[i])).epsilon(tolerance));
}

}  // namespace loops
