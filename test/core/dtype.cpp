// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/dtype.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace gr = gradus;
using gr::dtype;

TEST_CASE("dtype: C++ types and dtypes map to each other") {
    static_assert(gr::dtype_of<bool> == dtype::boolean && gr::dtype_of<std::int32_t> == dtype::int32 &&
                  gr::dtype_of<std::int64_t> == dtype::int64);
    static_assert(gr::dtype_of<float> == dtype::float32 && gr::dtype_of<double> == dtype::float64);
    static_assert(std::is_same_v<gr::element_t<dtype::boolean>, bool> && std::is_same_v<gr::element_t<dtype::float32>, float>);
    static_assert(std::is_same_v<gr::element_t<dtype::int32>, std::int32_t> && std::is_same_v<gr::element_t<dtype::int64>, std::int64_t>);
    static_assert(std::is_same_v<gr::element_t<dtype::float64>, double> && std::is_same_v<gr::element_t<dtype::number>, double>);
    CHECK(gr::dtype_of<gr::element_t<dtype::int64>> == dtype::int64);
}

TEST_CASE("dtype: only seven types are elements") {
    static_assert(gr::element<bool> && gr::element<std::int32_t> && gr::element<std::int64_t> && gr::element<float> && gr::element<double> &&
                  gr::element<gr::bfloat16> && gr::element<gr::float16>);
    static_assert(!gr::element<char> && !gr::element<unsigned> && !gr::element<long double> && !gr::element<float const> &&
                  !gr::element<float&>);
    CHECK(gr::element<float>);
}

TEST_CASE("dtype: knows its name, its size and its kind") {
    static_assert(gr::name_of(dtype::boolean) == "bool" && gr::name_of(dtype::int32) == "int32" && gr::name_of(dtype::int64) == "int64");
    static_assert(gr::name_of(dtype::float32) == "float" && gr::name_of(dtype::float64) == "double" &&
                  gr::name_of(dtype::number) == "number");
    static_assert(gr::size_of(dtype::boolean) == sizeof(bool) && gr::size_of(dtype::int32) == 4 && gr::size_of(dtype::int64) == 8);
    static_assert(gr::size_of(dtype::float32) == 4 && gr::size_of(dtype::float64) == 8);
    static_assert(gr::is_floating(dtype::float32) && gr::is_floating(dtype::number) && !gr::is_floating(dtype::int32) &&
                  !gr::is_floating(dtype::boolean));
    static_assert(gr::is_integer(dtype::int64) && !gr::is_integer(dtype::boolean) && !gr::is_integer(dtype::float64));
    CHECK(gr::name_of(dtype::float32) == "float");
}
