// SPDX-License-Identifier: BSL-1.0
#include "list.hpp"

// Every elementwise operation in both types, its loops run by the interpreter: the files beside this have a sample of each kind compiled.
namespace {

using namespace compare;

template <class... Op>
void check_made(gr::dtype type, gr::op::op_list<Op...>) {
    (
        [&] {
            INFO(std::string(Op::name));
            check_subject(made(operation_graph<Op>(type)), false);
        }(),
        ...);
}

}  // namespace

TEST_CASE("interpreted kernels: elementwise operations in float, with first and second derivatives") {
    check_made(gr::dtype::float32, gr::op::elementwise_list{});
}
TEST_CASE("interpreted kernels: elementwise operations in double, with first and second derivatives") {
    check_made(gr::dtype::float64, gr::op::elementwise_list{});
}
TEST_CASE("interpreted kernels: elementwise operations of integers") {
    check_subject(made(on_integers<gr::dtype::int32>::lower()), false);
    check_subject(made(on_integers<gr::dtype::int64>::lower()), false);
}
TEST_CASE("interpreted kernels: an operation of a user's, by its formula for numbers") {
    for (gr::dtype type : {gr::dtype::float32, gr::dtype::float64}) check_subject(made(operation_graph<damped>(type)), false);
}
