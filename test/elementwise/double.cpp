// SPDX-License-Identifier: BSL-1.0
#include "list.hpp"

// One operation of each kind, compiled: all of them are in operations.cpp.
TEST_CASE("compiled kernels: elementwise operations in double, with first and second derivatives") {
    namespace op = gradus::op;
    compare::check_compiled<gradus::dtype::float64, op::exp, op::mul, op::atan2, op::less, op::where, op::cast, compare::damped>();
}
TEST_CASE("compiled kernels: elementwise operations of int64") { compare::check<compare::on_integers<gradus::dtype::int64>>(); }
