// SPDX-License-Identifier: BSL-1.0
#include "random_program.hpp"

TEST_CASE("random programs 108 to 143: kernels and passes agree with the interpreter") {
    random_program::check_all<108>(std::make_integer_sequence<std::uint64_t, 36>{});
}
