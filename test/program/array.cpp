// SPDX-License-Identifier: BSL-1.0
#include <gradus/program/array.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

namespace gr = gradus;

namespace {

template <class T>
bool is_aligned(T const* p) {
    return reinterpret_cast<std::uintptr_t>(p) % 64 == 0;
}

template <class F>
std::string shape_error_of(F f) {
    try {
        f();
    } catch (gr::shape_error const& e) { return e.what(); }
    return "no error";
}

using dynamic = gr::array<float, gr::dyn, 5>;
using large = gr::array<float, 64, 65>;  // 16640 bytes

}  // namespace

TEST_CASE("array: begins as zeros") {
    constexpr auto body = [] {
        gr::array<float, 3> targets{};
        gr::array<double, 2, 2> matrix;
        gr::array<std::int32_t> scalar;
        return targets(0) == 0 && targets(2) == 0 && matrix(1, 1) == 0 && scalar() == 0 && targets == gr::array<float, 3>::zeros();
    };
    static_assert(body());
    CHECK(body());
    dynamic rows(7);
    CHECK(std::all_of(rows.begin(), rows.end(), [](float e) { return e == 0; }));
    large many;
    CHECK(std::all_of(many.begin(), many.end(), [](float e) { return e == 0; }));
}

TEST_CASE("array: knows type, rank, shape and size in the compiler where they are static") {
    using matrix = gr::array<float, 5, 3>;
    static_assert(std::is_same_v<matrix::value_type, float> && matrix::is_static && matrix::rank() == 2);
    static_assert(matrix::shape() == gr::shape{5, 3} && matrix::size() == 15 &&
                  matrix::type == gr::tensor_type{gr::dtype::float32, {5, 3}});
    static_assert(gr::array<double>::rank() == 0 && gr::array<double>::size() == 1 && gr::array<double>::shape() == gr::shape{});
    static_assert(gr::array<double, 4, 0>::size() == 0 && !dynamic::is_static && dynamic::rank() == 2);
    dynamic rows(7);
    CHECK(rows.shape() == gr::shape{7, 5});
    CHECK(rows.size() == 35);
    gr::array<bool, gr::dyn, 2, gr::dyn> cube(3, std::size_t{4});
    CHECK(cube.shape() == gr::shape{3, 2, 4});
    CHECK(cube.end() - cube.begin() == 24);
}

TEST_CASE("array: is inline and tiny, inline on a cache line, or on the heap") {
    static_assert(sizeof(gr::array<float, 3>) == 12 && alignof(gr::array<float, 3>) == 4 && sizeof(gr::array<double>) == 8 &&
                  sizeof(gr::array<bool, 3>) == 3);
    static_assert(alignof(gr::array<float, 16>) == 64 && sizeof(gr::array<float, 16>) == 64 && sizeof(gr::array<float, 17>) == 128);
    static_assert(sizeof(gr::array<float, 64, 64>) == 16384 && sizeof(large) <= 64 && sizeof(dynamic) <= 64);
    static_assert(std::is_trivially_copyable_v<gr::array<float, 5, 3>> && std::is_nothrow_move_constructible_v<large> &&
                  std::is_nothrow_move_assignable_v<dynamic>);
    gr::array<float, 16> line;
    CHECK(is_aligned(line.data()));
    CHECK(is_aligned(large().data()));
    CHECK(is_aligned(dynamic(3).data()));
}

TEST_CASE("array: is row-major") {
    constexpr auto body = [] {
        gr::array<std::int64_t, 2, 3, 4> a;
        for (std::int64_t i = 0; i < a.size(); ++i) a[i] = i;
        a(1, 2, 3) += 100;
        auto const& view = a;
        return a(0, 0, 0) == 0 && a(0, 1, 0) == 4 && view(1, 0, 2) == 14 && view[23] == 123 && view.data()[13] == 13;
    };
    static_assert(body());
    CHECK(body());
    gr::array<int, gr::dyn, 2, gr::dyn> a(3, 4);
    std::iota(a.begin(), a.end(), 0);
    CHECK(a(2, 1, 3) == 23);
    CHECK(a(1u, std::size_t{1}, 0L) == 12);
    CHECK(a.at(1, 0, 3) == 11);
}

TEST_CASE("array: takes its values in memory order, or by rows") {
    constexpr auto body = [] {
        gr::array<double, 3> v{1, 2, 3};
        gr::array<float, 2, 2> flat{1, 2, 3, 4}, rows{{1, 2}, {3, 4}}, assigned = {{1, 2}, {3, 4}};
        gr::array<float, 2, 1> column{1, 2};
        gr::array<bool, 2> marks{true, false};
        gr::array<float> scalar{2.5f};
        return v(2) == 3 && flat == rows && rows == assigned && rows(1, 0) == 3 && column(1, 0) == 2 && marks(0) && !marks(1) &&
               scalar() == 2.5f;
    };
    static_assert(body());
    CHECK(body());
    CHECK(shape_error_of([] { gr::array<double, 3>{1, 2}; }) == "gradus::array{values}: not as many values as elements: 2 for double[3]");
    CHECK(shape_error_of([] { gr::array<double, 2, 2>{{1, 2}}; }) ==
          "gradus::array{values}: not as many values as elements: 1 rows for double[2,2]");
    CHECK(shape_error_of([] { gr::array<double, 2, 2>{{1, 2}, {3}}; }) ==
          "gradus::array{values}: not as many values as elements: 1 in a row for double[2,2]");
}

TEST_CASE("array: full, zeros and ones take the run-time extents first") {
    static_assert(gr::array<float, 5>::full(2.0f)(4) == 2 && gr::array<std::int32_t, 2, 2>::ones()(1, 1) == 1 &&
                  gr::array<bool, 2>::ones()(0));
    auto a = dynamic::full(7, 1.5f);
    CHECK(a.shape() == gr::shape{7, 5});
    CHECK(std::all_of(a.begin(), a.end(), [](float e) { return e == 1.5f; }));
    CHECK(gr::array<double, gr::dyn, gr::dyn>::ones(2, 3) == gr::array<double, gr::dyn, gr::dyn>::full(2, 3, 1.0));
    CHECK(dynamic::zeros(0).size() == 0);
    CHECK(large::full(3).at(63, 64) == 3);
}

TEST_CASE("array: uniform is in [low, high), whatever the type") {
    gr::random random(1);
    auto a = gr::array<float, gr::dyn>::uniform(20000, random, -0.5f, 0.25f);
    CHECK(*std::min_element(a.begin(), a.end()) == doctest::Approx(-0.5).epsilon(0.01));
    CHECK(*std::max_element(a.begin(), a.end()) == doctest::Approx(0.25).epsilon(0.01));
    CHECK(std::all_of(a.begin(), a.end(), [](float e) { return e >= -0.5f && e < 0.25f; }));
    auto dice = gr::array<std::int32_t, 6000>::uniform(random, -2, 4);
    for (int face = -2; face < 4; ++face) CHECK(std::abs(std::count(dice.begin(), dice.end(), face) - 1000) < 150);
    CHECK(std::all_of(dice.begin(), dice.end(), [](int e) { return e >= -2 && e < 4; }));

    using limits = std::numeric_limits<std::int64_t>;
    auto wide = gr::array<std::int64_t, 1000>::uniform(random, limits::min(), limits::max());
    CHECK(std::count_if(wide.begin(), wide.end(), [](std::int64_t e) { return e < 0; }) > 400);
    float next = std::nextafter(1.0f, 2.0f);  // half of the doubles between round to the upper end
    auto tight = gr::array<float, 100>::uniform(random, 1.0f, next);
    CHECK(tight == gr::array<float, 100>::ones());
    CHECK(gr::array<double, 2>::uniform(random, 3, 3) == gr::array<double, 2>::full(3));
}

TEST_CASE("array: normal has the mean and the deviation asked for, in memory order of the generator") {
    gr::random random(1), same(1);
    auto a = gr::array<double, gr::dyn, 10>::normal(5000, random, 3.0, 0.5);
    CHECK(a[0] == 3.0 + 0.5 * same.normal());
    CHECK(a[1] == 3.0 + 0.5 * same.normal());
    double mean = std::accumulate(a.begin(), a.end(), 0.0) / static_cast<double>(a.size()), variance = 0;
    for (double e : a) variance += (e - mean) * (e - mean) / static_cast<double>(a.size());
    CHECK(mean == doctest::Approx(3).epsilon(0.005));
    CHECK(variance == doctest::Approx(0.25).epsilon(0.03));
    auto w = gr::array<float, 64, 32>::normal(random, 0.0f, 0.125f);
    CHECK(w(0, 0) != w(0, 1));
}

TEST_CASE("array: copies are independent") {
    dynamic a = dynamic::ones(4), b = a;
    b(0, 0) = 5;
    CHECK(a(0, 0) == 1);
    CHECK(b.shape() == gr::shape{4, 5});
    large c = large::ones(), d;
    d = c;
    c.fill(2);
    CHECK(d(0, 0) == 1);
    CHECK(!(c == d));
}

TEST_CASE("array: assignment reuses memory that is large enough and follows the shape") {
    dynamic a = dynamic::ones(8), b = dynamic::full(3, 2.0f);
    auto* memory = a.data();
    a = b;
    CHECK(a.data() == memory);
    CHECK(a == b);
    a = dynamic::full(50, 3.0f);
    CHECK(a.shape() == gr::shape{50, 5});
    CHECK(a(49, 4) == 3);
    auto& same = a;
    a = same;
    CHECK(a(49, 4) == 3);
    a = dynamic();
    CHECK(a.size() == 0);
    b = a;
    CHECK(b.shape() == gr::shape{0, 5});
}

TEST_CASE("array: a moved-from dynamic array is empty and usable") {
    dynamic a = dynamic::ones(4);
    auto* memory = a.data();
    dynamic b = std::move(a);
    CHECK(b.data() == memory);
    CHECK(a.shape() == gr::shape{0, 5});
    CHECK(a.size() == 0);
    CHECK(a == dynamic());
    for (float e : a) CHECK(e == 0);
    a.fill(1);
    dynamic copy = a;
    CHECK(to_string(copy) == "[]");
    a = b;
    CHECK(a == b);
    auto& same = b;
    b = std::move(same);
    CHECK(b(3, 4) == 1);
}

TEST_CASE("array: a moved-from static array on the heap can be assigned, copied and destroyed") {
    large a = large::ones(), b = std::move(a);
    CHECK(b(63, 64) == 1);
    CHECK(a.data() == nullptr);
    large copy = a;
    CHECK(copy.data() == nullptr);
    a = b;
    CHECK(a == b);
    copy = std::move(b);
    CHECK(copy == a);
}

TEST_CASE("array: at names the index, the array and the axis") {
    gr::array<float, 3, 4> a;
    a.at(2, 3) = 1;
    CHECK(a(2, 3) == 1);
    CHECK(shape_error_of([&] { a.at(3, 1) = 1; }) ==
          "gradus::array::at(3, 1): no such element: the array is float[3,4] (3 is not in [0, 3) on axis 0)");
    dynamic const rows(7);
    CHECK(shape_error_of([&] { static_cast<void>(rows.at(6, -1)); }) ==
          "gradus::array::at(6, -1): no such element: the array is float[7,5] (-1 is not in [0, 5) on axis 1)");
    CHECK(shape_error_of([&] { static_cast<void>(rows.at(~std::size_t{0}, 0)); }) != "no error");
    CHECK(gr::array<float>{4}.at() == 4);
}

TEST_CASE("array: extents that make no sense are a shape_error") {
    CHECK(shape_error_of([] { dynamic(-1); }) == "gradus::array(extents): a negative extent: -1 for float[dyn,5]");
    using cube = gr::array<double, gr::dyn, gr::dyn, gr::dyn>;
    CHECK(shape_error_of([] { cube(std::int64_t{1} << 40, std::int64_t{1} << 40, 2); }) ==
          "gradus::array(extents): too many elements: [1099511627776,1099511627776,2]");
    CHECK_THROWS_AS(cube(std::int64_t{1} << 20, std::int64_t{1} << 20, std::int64_t{1} << 20), std::bad_alloc);
}

TEST_CASE("array: is made without zeroing, from extents or a shape") {
    dynamic a(gr::uninitialized, 3);
    CHECK(a.shape() == gr::shape{3, 5});
    dynamic b(gr::uninitialized, gr::shape{2, 5});
    b.fill(1);
    CHECK(b == dynamic::ones(2));
    gr::array<float, 4> c(gr::uninitialized), d(gr::uninitialized, gr::shape{4});
    c.fill(1);
    d.fill(1);
    CHECK(c == d);
    large e(gr::uninitialized);
    CHECK(e.data() != nullptr);
    CHECK(shape_error_of([] { dynamic(gr::uninitialized, gr::shape{2, 6}); }) ==
          "gradus::array(shape): another shape than the type's: [2,6] for float[dyn,5]");
    CHECK(shape_error_of([] { dynamic(gr::uninitialized, gr::shape{"n", 5}); }) != "no error");
    CHECK(shape_error_of([] { gr::array<float, 4>(gr::uninitialized, gr::shape{4, 1}); }) != "no error");
}

TEST_CASE("array: equality is of shapes and of elements") {
    static_assert(gr::array<float, 2>{1, 2} == gr::array<float, 2>{1, 2} && gr::array<float, 2>{1, 2} != gr::array<float, 2>{1, 3});
    using matrix = gr::array<float, gr::dyn, gr::dyn>;
    CHECK(matrix::ones(2, 3) != matrix::ones(3, 2));
    CHECK(matrix::zeros(0, 3) != matrix::zeros(3, 0));
    float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(gr::array<float, 1>{nan} != gr::array<float, 1>{nan});
    CHECK(gr::array<float, 1>{-0.0f} == gr::array<float, 1>{0.0f});
}

TEST_CASE("array: prints nested by axis") {
    constexpr auto body = [] {
        return to_string(gr::array<double, 2, 2>{{1, 2}, {3, 4.5}}) == "[[1, 2], [3, 4.5]]" && to_string(gr::array<float>{0.1f}) == "0.1" &&
               to_string(gr::array<bool, 2>{true, false}) == "[true, false]" &&
               to_string(gr::array<std::int64_t, 1, 1, 2>{-1, 7}) == "[[[-1, 7]]]" && to_string(gr::array<float, 0>{}) == "[]" &&
               to_string(gr::array<float, 2, 0>{}) == "[[], []]";
    };
    static_assert(body());
    CHECK(body());
    std::ostringstream out;
    out << gr::array<float, 3>{1, 2, 3} << ' ' << dynamic::ones(1) << '\n';
    CHECK(out.str() == "[1, 2, 3] [[1, 1, 1, 1, 1]]\n");
}
