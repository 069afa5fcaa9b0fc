// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/error_function.hpp>

TEST_CASE("erf: at most 2 ulp, special values right") {
    auto const f = [](auto x) { using std::erf; return erf(x); };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}
