// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

// Sums and means, through compiled kernels.
using namespace compare;

TEST_CASE_TEMPLATE("compiled kernels: sum and mean, over any axes", T, float, double) {
    reductions<T>::all(sum_of{});
    reductions<T>::all(mean_of{});
}
