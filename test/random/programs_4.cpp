// SPDX-License-Identifier: BSL-1.0
#include "random_program.hpp"

TEST_CASE("random programs 180 to 215: kernels and passes agree with the interpreter") {
    random_program::check_all<180>(std::make_integer_sequence<std::uint64_t, 36>{});
}
