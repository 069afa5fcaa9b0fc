// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/logarithm.hpp>

TEST_CASE("log: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::log;
        return log(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}

TEST_CASE("log1p: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::log1p;
        return log1p(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}
