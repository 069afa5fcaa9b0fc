// SPDX-License-Identifier: BSL-1.0
#include <gradus/exec/onetbb.hpp>

#include "same_bits.hpp"

TEST_CASE("onetbb: programs on oneTBB's threads have the bits of one thread") { check_same_bits(gradus::onetbb); }
