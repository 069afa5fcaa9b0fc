// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/error_function.hpp>

TEST_CASE("erf: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::erf;
        return erf(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}

TEST_CASE("erfc: at most 2 ulp with fma, special values right") {
    auto const f = [](auto x) {
        using std::erfc;
        return erfc(x);
    };
    double const limit = gradus::math::detail::has_fma ? 2 : 3;  // without, each step of the polynomial rounds twice
    accuracy::check<float>(limit, f, f);
    accuracy::check<double>(limit, f, f);
}
