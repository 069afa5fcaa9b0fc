// SPDX-License-Identifier: BSL-1.0
#include "list.hpp"

// The elementwise operations of the list, by their place in it; the last file ends where the list does.
TEST_CASE("compiled kernels: elementwise operations 24 to the end in double, with first and second derivatives") {
    compare::check_operations<gradus::dtype::float64, 24, gradus::op::elementwise_list::size>();
}
