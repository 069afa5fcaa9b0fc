// SPDX-License-Identifier: BSL-1.0
#include <gradus/exec/openmp.hpp>

#include "same_bits.hpp"

TEST_CASE("openmp: programs on OpenMP's threads have the bits of one thread") { check_same_bits(gradus::openmp); }
