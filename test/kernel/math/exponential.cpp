// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/exponential.hpp>

TEST_CASE("exp: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::exp;
        return exp(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}

TEST_CASE("expm1: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::expm1;
        return expm1(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}

TEST_CASE("exp2: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::exp2;
        return exp2(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}
