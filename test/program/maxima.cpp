// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

// Maxima and what is shifted by them, through compiled kernels.
using namespace compare;

TEST_CASE_TEMPLATE("compiled kernels: amax and logsumexp, over any axes", T, float, double) {
    reductions<T>::all(amax_of{}, true);
    reductions<T>::all(logsumexp_of{});
}
