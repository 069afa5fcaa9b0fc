// SPDX-License-Identifier: BSL-1.0
#include "accuracy.hpp"

#include <gradus/kernel/math/hyperbolic.hpp>

TEST_CASE("tanh: at most 2 ulp, special values right") {
    auto const f = [](auto x) {
        using std::tanh;
        return tanh(x);
    };
    accuracy::check<float>(2, f, f);
    accuracy::check<double>(2, f, f);
}
