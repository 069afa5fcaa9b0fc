// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/trigonometric.hpp>

namespace {

// Without fma each step of the reduction and of the polynomial rounds twice.
constexpr double limit = gradus::math::detail::has_fma ? 2 : 2.5;

}  // namespace

TEST_CASE("sin: at most 2 ulp with fma, special values right") {
    auto const f = [](auto x) {
        using std::sin;
        return sin(x);
    };
    accuracy::check<float>(limit, f, f);
    accuracy::check<double>(limit, f, f);
}

TEST_CASE("cos: at most 2 ulp with fma, special values right") {
    auto const f = [](auto x) {
        using std::cos;
        return cos(x);
    };
    accuracy::check<float>(limit, f, f);
    accuracy::check<double>(limit, f, f);
}
