// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

namespace gr = gradus;
using messages::contains;

TEST_CASE("empty(shape, dtype): a tensor of a type that run time tells") {
    gr::any_tensor const t = gr::empty(gr::shape{2, 3}, gr::dtype::int64);
    CHECK(t.dtype() == gr::dtype::int64);
    CHECK(t.shape() == gr::shape{2, 3});
    CHECK(t.is_contiguous());
    t.as<std::int64_t, 2, 3>().fill_(7);
    CHECK(t.values<std::int64_t>()[5] == 7);
    CHECK(gr::empty({}, gr::dtype::boolean).size() == 1);
    CHECK(gr::empty({0, 5}, gr::dtype::bfloat16).size() == 0);
    CHECK(messages::of<gr::shape_error>([] { gr::empty({2, gr::dyn}, gr::dtype::float32); }) ==
          "gradus::empty(shape, dtype): the type of a tensor is known when it is made: float[2,dyn]");
    CHECK(contains(messages::of<gr::shape_error>([] { gr::empty({2}, gr::dtype::number); }), "is known when it is made"));
    CHECK(contains(messages::of<gr::shape_error>([] { gr::empty({std::int64_t{1} << 40, std::int64_t{1} << 40}, gr::dtype::float32); }),
                   "too many elements"));
    // strides of an empty tensor are products of its extents too
    CHECK(contains(messages::of<gr::shape_error>([] { gr::empty({0, std::int64_t{1} << 40, std::int64_t{1} << 40}, gr::dtype::float32); }),
                   "too many elements"));
}

TEST_CASE("from_blob(data, shape, dtype, deleter): shows the caller's memory, and lets it go once") {
    double memory[6] = {1, 2, 3, 4, 5, 6};
    int let_go = 0;
    {
        gr::any_tensor const t = gr::from_blob(memory, {3, 2}, gr::dtype::float64, [&](void* data) { let_go += data == memory; });
        gr::tensor<double, 3, 2> const typed = t.as<double, 3, 2>();
        CHECK(typed(2, 1) == 6);
        typed.copy_(0.0);
        CHECK(memory[0] == 0);
    }
    CHECK(let_go == 1);
    CHECK_THROWS_AS(gr::from_blob(nullptr, {3, 2}, gr::dtype::float64, [&](void*) { ++let_go; }), gr::error);
    CHECK_THROWS_AS(gr::from_blob(memory, {3, gr::dyn}, gr::dtype::float64, [&](void*) { ++let_go; }), gr::shape_error);
    CHECK(let_go == 1);  // refused: the memory is still the caller's
}
