// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <gradus/kernel/math/hyperbolic.hpp>

#include <cmath>

namespace {

namespace simd = gradus::simd;
using vector = simd::vec<float, simd::native_width<float>>;

}  // namespace

TEST_CASE("arch: a formula with the names of <cmath> computes on numbers and on vectors") {
    auto const ours = [](auto x) {
        using std::tanh;
        return tanh(x);
    };
    auto const theirs = [](auto x) {
        using std::atan, std::sqrt;
        return atan(sqrt(x));
    };  // xsimd's: we have no atan
    vector const x(0.5f);
    float y[vector::size], z[vector::size];
    simd::store<float, vector::size>(y, ours(x));
    simd::store<float, vector::size>(z, theirs(x));
    CHECK(y[0] == doctest::Approx(ours(0.5)));
    CHECK(z[0] == doctest::Approx(theirs(0.5)));
}

TEST_CASE("arch: a vector's tanh is ours, to the bit, whoever calls") {
    vector const x(0.7f);
    float found[vector::size], named[vector::size];
    simd::store<float, vector::size>(found, tanh(x));
    simd::store<float, vector::size>(named, gradus::math::tanh(x));
    for (std::size_t i = 0; i < vector::size; ++i) CHECK(found[i] == named[i]);
}
