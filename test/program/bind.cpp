// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#endif

// What can be bound to a symbol, what the result can be written to, and what is refused at run time.
#if defined(__SANITIZE_ADDRESS__)
#define GRADUS_TEST_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRADUS_TEST_ADDRESS_SANITIZER
#endif
#endif

namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto m = gr::var<"m", double, 2, 3>;
constexpr auto v = gr::var<"v", double, 3>;
constexpr auto s = gr::var<"s", double>;
constexpr auto affine = gr::compile(s * gr::matmul(m, v));

double const m_values[6] = {1, 2, 3, 4, 5, 6};

/// m v for v = (1, 10, 100), times 2: 2 * (321, 654).
void check_affine(auto const& result) {
    CHECK(result[0] == 642);
    CHECK(result[1] == 1308);
}

constexpr auto x = gr::var<"x", double, "n", 3>;
constexpr auto y = gr::var<"y", double, "n">;
constexpr auto rows = gr::compile(gr::matmul(x, gr::broadcast_to<3>(1_c * s)) + y);

/// The text of the shape_error (or binding_error) that `f` throws.
std::string refusal(auto f) {
    try {
        f();
    } catch (gr::error const& e) { return e.what(); }
    return "no error";
}

}  // namespace

TEST_CASE("bind: dimensions whose product is no number of 64 bits") {
    constexpr auto wide = gr::compile(gr::broadcast_to<"rows", 8>(s) * s);
    CHECK(refusal([&] { wide(s = 2.0, gr::dim<"rows"> = std::int64_t{1} << 61); }) ==
          "gradus::program: a value has more bytes than 64 bits count (dimension rows is 2305843009213693952)");
#ifndef GRADUS_TEST_ADDRESS_SANITIZER  // its allocator ends the program instead of throwing
    CHECK_THROWS_AS(static_cast<void>(wide(s = 2.0, gr::dim<"rows"> = std::int64_t{1} << 50)),
                    std::bad_alloc);  // 2^56 bytes can be counted
#endif
    CHECK(std::get<0>(wide(s = 2.0, gr::dim<"rows"> = 3))(2, 7) == 4);
    CHECK(refusal([&] {
              rows(x = std::vector<double>(6), y = std::vector<double>(2), s = 1.0, gr::dim<"n"> = std::int64_t{1} << 62);
          }).find("the data has 6 elements where more are expected than 64 bits count (x is double[n,3])") != std::string::npos);
    CHECK(refusal([] { gr::zeros<float, gr::dyn, gr::dyn>(std::int64_t{1} << 40, std::int64_t{1} << 40); }) ==
          "gradus: too many elements: [1099511627776,1099511627776]");
    CHECK(refusal([] { gr::zeros<float, gr::dyn, gr::dyn, 0>(std::int64_t{1} << 40, std::int64_t{1} << 40); }) == "no error");
}
TEST_CASE("bind: std::vector, std::array, spans, C arrays, gr::array and plain numbers are the same data") {
    std::vector<double> vector_m(m_values, m_values + 6), vector_v{1, 10, 100};
    std::array<double, 6> array_m{1, 2, 3, 4, 5, 6};
    std::array<double, 3> const array_v{1, 10, 100};
    double c_v[3] = {1, 10, 100}, c_m[2][3] = {{1, 2, 3}, {4, 5, 6}}, flat_m[6] = {1, 2, 3, 4, 5, 6};
    gr::array<double, 2, 3> static_m{1, 2, 3, 4, 5, 6};
    gr::array<double, gr::dyn, 3> dynamic_m(2);
    for (int i = 0; i < 6; ++i) dynamic_m[i] = m_values[i];
    gr::array<double, gr::dyn> dynamic_v(3);
    for (int i = 0; i < 3; ++i) dynamic_v[i] = vector_v[static_cast<std::size_t>(i)];
    double two = 2;
    double const fixed_two = 2;
    gr::array<double> two_array{2.0};

    auto call = [](auto& M, auto& V, auto& S) {
        auto [r] = affine(m = M, v = V, s = S);
        static_assert(std::is_same_v<decltype(r), gr::array<double, 2>>);
        check_affine(r);
    };
    call(vector_m, vector_v, two);
    call(array_m, array_v, fixed_two);
    call(c_m, c_v, two_array);
    call(flat_m, c_v, two);
    call(static_m, vector_v, two);
    call(dynamic_m, dynamic_v, two);
    std::span<double const> dynamic_span(vector_m);
    std::span<double, 3> static_span(c_v);
    call(dynamic_span, static_span, two);
}

TEST_CASE("bind: temporaries live until the call has ended, in any order of the arguments") {
    auto make = [] { return std::vector<double>(m_values, m_values + 6); };
    auto [a] = affine(m = make(), v = std::array<double, 3>{1, 10, 100}, s = 2.0);
    auto [b] = affine(s = 2.0, v = std::array<double, 3>{1, 10, 100}, m = make());
    auto [c] = affine(v = std::array<double, 3>{1, 10, 100}, s = 2.0, m = std::span<double const, 6>(m_values));
    check_affine(a);
    check_affine(b);
    check_affine(c);
}

TEST_CASE("bind: results go to the caller's memory of every kind") {
    double v_values[] = {1, 10, 100};
    auto into = [&](auto& target) {
        affine(gr::out(target), m = m_values, v = v_values, s = 2.0);
        check_affine(target);
    };
    std::vector<double> vector_target(2);
    std::array<double, 2> array_target{};
    double c_target[2]{};
    gr::array<double, 2> static_target;
    gr::array<double, gr::dyn> dynamic_target(2);
    std::vector<double> behind(2);
    std::span<double> span_target(behind);
    into(vector_target);
    into(array_target);
    into(c_target);
    into(static_target);
    into(dynamic_target);
    into(span_target);

    // gr::out may stand anywhere; a number takes a rank 0 result
    constexpr auto total = gr::compile(gr::sum(s * v), gr::square(s));
    double sum = 0, squared = 0;
    total(s = 3.0, gr::out(sum, squared), v = v_values);
    CHECK(sum == 333);
    CHECK(squared == 9);
    double matrix[1][2] = {};
    affine(gr::out(matrix), m = m_values, v = v_values, s = 2.0);
    check_affine(matrix[0]);
}

TEST_CASE("bind: integers and booleans") {
    constexpr auto i = gr::var<"i", std::int32_t, 4>;
    constexpr auto j = gr::var<"j", std::int64_t, 4>;
    constexpr auto b = gr::var<"b", bool, 4>;
    constexpr auto choose = gr::compile(gr::where(b, gr::cast<std::int64_t>(i), j), i > 2_c);
    bool mask[] = {true, false, false, true};
    auto [r, greater] =
        choose(i = std::vector<std::int32_t>{1, 2, 3, 4}, j = std::vector<std::int64_t>{-1, -2, -3, std::int64_t{1} << 40}, b = mask);
    static_assert(std::is_same_v<decltype(r), gr::array<std::int64_t, 4>> && std::is_same_v<decltype(greater), gr::array<bool, 4>>);
    CHECK(r == gr::array<std::int64_t, 4>{1, -2, -3, 4});
    CHECK(greater == gr::array<bool, 4>{false, false, true, true});
}

TEST_CASE("bind: one argument tells a named dimension, the others are checked") {
    std::vector<double> X{1, 2, 3, 4, 5, 6}, Y{10, 20};
    auto [r] = rows(x = X, s = 1.0, y = Y);
    static_assert(std::is_same_v<decltype(r), gr::array<double, gr::dyn>>);
    CHECK(r.shape() == gr::shape{2});
    CHECK(r[0] == 16);
    CHECK(r[1] == 35);
    gr::array<double, gr::dyn, 3> shaped(2);
    for (int k = 0; k < 6; ++k) shaped[k] = X[static_cast<std::size_t>(k)];
    auto [q] = rows(y = Y, x = shaped, s = 1.0);
    CHECK(q[1] == 35);
    auto [none] = rows(x = std::vector<double>{}, s = 1.0, y = std::vector<double>{});
    CHECK(none.size() == 0);
}

TEST_CASE("bind: flat data of two dimensions waits until other arguments tell one of them") {
    constexpr auto a = gr::var<"a", double, "p", "q">;
    constexpr auto b = gr::var<"b", double, "q">;
    constexpr auto product = gr::compile(gr::matmul(a, b));
    std::vector<double> A{1, 2, 3, 4, 5, 6}, B{1, 1, 2};
    auto [r] = product(a = A, b = B);
    CHECK(r.size() == 2);
    CHECK(r[0] == 9);
    CHECK(r[1] == 21);

    constexpr auto square = gr::var<"c", double, "k", "k">;
    constexpr auto trace = gr::compile(gr::sum(square * gr::transpose(square)));
    auto [t] = trace(square = std::vector<double>{1, 2, 3, 4});
    CHECK(t == 29);  // 1 + 6 + 6 + 16
    CHECK(refusal([&] { trace(square = std::vector<double>{1, 2, 3}); }) ==
          "gradus::program(c = data): 3 elements do not fill equal axes (c is double[k,k])");
}

TEST_CASE("bind: gr::dim tells what no argument does") {
    constexpr auto a = gr::var<"a", double, "p", "q">;
    constexpr auto both = gr::compile(gr::sum<1>(a));
    std::vector<double> A{1, 2, 3, 4, 5, 6};
    auto [r] = both(a = A, gr::dim<"p"> = 3);
    CHECK(r.size() == 3);
    CHECK(r[2] == 11);
    auto [q] = both(gr::dim<"q"> = 3, a = A);
    CHECK(q.size() == 2);
    CHECK(q[1] == 15);
    CHECK(refusal([&] { both(a = A); }) == "gradus::program: no argument tells dimension p: pass gr::dim<\"p\"> = size");
    CHECK_THROWS_AS(both(a = A), gr::binding_error);
    CHECK(refusal([&] { both(a = A, gr::dim<"p"> = 4); }) ==
          "gradus::program(a = data): the data has 6 elements, which 4 does not divide (a is double[p,q])");
    // a shape that contradicts
    gr::array<double, gr::dyn, gr::dyn> shaped(2, 3);
    CHECK(refusal([&] { both(a = shaped, gr::dim<"q"> = 2); }) ==
          "gradus::program(a = data): dimension q is 2 elsewhere and 3 here (a is double[p,q])");
}

TEST_CASE("bind: a refused call names the symbol and both sides, and has written nothing") {
    constexpr auto w = gr::var<"w", double, 3>;
    constexpr auto loss = gr::mean(gr::square(gr::matmul(x, w) - y));
    constexpr auto step = gr::compile(loss, gr::update(w, w - 0.1_c * gr::grad(loss, w)));
    std::vector<double> const X{1, 2, 3, 4, 5, 6}, Y{1, 2};
    std::vector<double> W{1, 2, 3};
    auto const before = W;
    double l = -7;
    auto refused = [&](auto&& f, std::string const& expected) {
        CHECK(refusal(f) == expected);
        CHECK_THROWS_AS(f(), gr::shape_error);
        CHECK(W == before);
        CHECK(l == -7);
    };
    std::vector<double> three{1, 2, 3}, seven(7), four(4), two{5, 6};
    refused([&] { step(gr::out(l), x = X, y = three, w = W); },
            "gradus::program(y = data): the data has 3 elements where 2 are expected (y is double[n])");
    refused([&] { step(gr::out(l), x = seven, y = Y, w = W); },
            "gradus::program(x = data): the data has 7 elements, which 3 does not divide (x is double[n,3])");
    refused([&] { step(gr::out(l), y = Y, x = three, w = W); },
            "gradus::program(x = data): the data has 3 elements where 6 are expected (x is double[n,3])");
    refused([&] { step(gr::out(four), x = X, y = Y, w = W); }, "gradus::program(gr::out(...)): target 0 has 4 elements where double has 1");
    CHECK(four == std::vector<double>(4));
    auto refused_w = [&](std::vector<double>& wrong) {
        auto const old = wrong;
        CHECK(refusal([&] { step(gr::out(l), x = X, y = Y, w = wrong); }) == "gradus::program(w = data): the data has " +
                                                                                 std::to_string(wrong.size()) +
                                                                                 " elements where 3 are expected (w is double[3])");
        CHECK(wrong == old);
        CHECK(l == -7);
    };
    refused_w(four);
    refused_w(two);
    gr::array<double, gr::dyn, gr::dyn> shaped(2, 4);
    refused([&] { step(gr::out(l), x = shaped, y = Y, w = W); },
            "gradus::program(x = data): the data has extent 4 where 3 is expected (x is double[n,3])");

    step(gr::out(l), x = X, y = Y, w = W);  // the same memory, sizes that fit
    CHECK(l != -7);
    CHECK(W != before);
}

#if __has_include(<Eigen/Core>)
TEST_CASE("bind: Eigen's row-major matrices and vectors") {
    using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using static_matrix = Eigen::Matrix<double, 2, 3, Eigen::RowMajor>;
    matrix M(2, 3);
    M << 1, 2, 3, 4, 5, 6;
    static_matrix fixed = M;
    Eigen::VectorXd V(3), target(2);
    V << 1, 10, 100;
    Eigen::Vector3d fixed_v = V;
    auto [a] = affine(m = M, v = V, s = 2.0);
    check_affine(a);
    auto [b] = affine(m = fixed, v = fixed_v, s = 2.0);
    check_affine(b);
    affine(gr::out(target), m = M, v = V, s = 2.0);
    check_affine(target);
    matrix turned(3, 2);
    CHECK(refusal([&] { affine(m = turned, v = V, s = 2.0); }) ==
          "gradus::program(m = data): the data has extent 3 where 2 is expected (m is double[2,3])");
    auto [r] = rows(x = M, y = target, s = 1.0);
    CHECK(r[0] == 648);
}
#endif
