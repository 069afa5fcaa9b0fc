// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/graph/interpret.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// Elements of 16 bits: a program on them gives what the same program gives in float on the same numbers, rounded once.
namespace {

namespace gr = gradus;
using namespace gr::literals;
using gr::bfloat16;
using gr::float16;

template <class T, gr::extent... E>
gr::array<T, E...> numbers(int seed) {
    gr::array<T, E...> a;
    for (T& x : a) {
        seed = (seed * 1103 + 12345) % 65521;
        x = T(static_cast<float>(seed) / 16384 - 2);
    }
    return a;
}
template <class T, gr::extent... E>
gr::array<float, E...> in_float(gr::array<T, E...> const& a) {
    gr::array<float, E...> wide;
    std::copy(a.begin(), a.end(), wide.begin());
    return wide;
}

/// Is x the number of 16 bits nearest to y, or to what is a few roundings of float away from it?
template <gr::half_element T>
bool is_rounded(T x, float y) {
    if (y != y) return std::isnan(static_cast<float>(x));
    float const error = std::abs(y) * 0x1p-20F;
    return !std::isnan(static_cast<float>(x)) && T(y - error) <= x && x <= T(y + error);
}
template <class T>
bool is_rounded(T x, T y) {  // bool and integers
    return x == y;
}
template <class A, class B>
void check_rounded(A const& got, B const& expected, int result) {
    CAPTURE(result);
    if constexpr (gr::element<A>) CHECK(is_rounded(got, expected));
    else {
        REQUIRE(got.size() == expected.size());
        int wrong = 0;
        for (std::int64_t i = 0; i < got.size(); ++i) wrong += !is_rounded(got.data()[i], expected.data()[i]);
        CHECK(wrong == 0);
    }
}
template <class T, class U>
void check_all(T const& got, U const& expected) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (check_rounded(std::get<I>(got), std::get<I>(expected), static_cast<int>(I)), ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>{});
}

/// Symbols of a dtype; each family is a program on them.
template <class T>
struct symbols {
    static constexpr auto x = gr::var<"x", T, 3, 37>;
    static constexpr auto y = gr::var<"y", T, 3, 37>;
    static constexpr auto row = gr::var<"row", T, 37>;
    static constexpr auto w = gr::var<"w", T, 37, 5>;
};
template <class T>
struct elementwise : symbols<T> {
    using s = symbols<T>;
    static constexpr auto mixed = gr::where(s::x > s::y, gr::tanh(s::x) * s::row, gr::maximum(s::x, s::row) / (gr::square(s::y) + 1_c));
    static constexpr auto program =
        gr::compile(s::x + s::y * s::row, gr::exp(s::x), gr::log(gr::abs(s::x)), gr::sigmoid(s::x) - 0.1_c, gr::gelu(s::x), mixed,
                    gr::grad(gr::sum(mixed), s::x), gr::grad(gr::sum(mixed* s::y), s::row), gr::jvp(mixed, s::x, s::y),
                    gr::grad(gr::sum(gr::square(gr::grad(gr::sum(mixed), s::x))), s::y));
    static auto run(auto const& x, auto const& y, auto const& row, auto const&) { return program(s::x = x, s::y = y, s::row = row); }
};
template <class T>
struct reductions : symbols<T> {
    using s = symbols<T>;
    static constexpr auto normal = gr::layer_norm(s::x, s::row, s::row), soft = gr::softmax<1>(s::x * s::row);
    static constexpr auto program = gr::compile(
        gr::sum(s::x), gr::sum<0>(s::x), gr::mean<1>(s::x), gr::amax<1>(s::x), gr::matmul(s::x, s::w), normal, soft, gr::logsumexp<1>(s::x),
        gr::variance<1>(s::x), gr::grad(gr::sum(normal* s::y), s::x), gr::grad(gr::sum(normal* s::y), s::row),
        gr::grad(gr::sum(soft* s::y), s::x), gr::grad(gr::sum(gr::tanh(gr::matmul(s::x, s::w))), s::w),
        gr::grad(gr::sum(gr::tanh(gr::matmul(s::x, s::w))), s::x), gr::grad(gr::sum(gr::amax<1>(s::x)), s::x));
    static auto run(auto const& x, auto const& y, auto const& row, auto const& w) {
        return program(s::x = x, s::y = y, s::row = row, s::w = w);
    }
};
template <class T>
struct whole_numbers : symbols<T> {
    using s = symbols<T>;
    static constexpr auto program = gr::compile(s::x < s::y, s::x == s::x, gr::isnan(s::x), gr::argmax<1>(s::x),
                                                gr::cast<std::int32_t>(s::x), gr::cast<std::int64_t>(s::y), gr::cast<bool>(s::x),
                                                gr::argsort<1>(s::x), gr::cast<float>(s::x), gr::cast<double>(s::x));
    static auto run(auto const& x, auto const& y, auto const&, auto const&) { return program(s::x = x, s::y = y); }
};
template <class T>
struct moves {
    static constexpr auto x = gr::var<"x", T, "n", 5>;
    static constexpr auto label = gr::var<"label", std::int32_t, 4>;
    static constexpr auto table = gr::var<"table", T, 6, 3>;
    static constexpr auto program = gr::compile(gr::transpose(x), gr::concatenate<1>(x, x), gr::pad<1, 2, 1>(x), gr::slice<1, 5, 2, 1>(x),
                                                x, gr::embedding(table, label), gr::sort<0>(table));
    static constexpr auto sums = gr::compile(gr::grad(gr::sum(gr::embedding(table, label)), table), gr::pad<1, 1, 1>(x) * 3_c);
};
template <class T>
struct casts {
    static constexpr auto f = gr::var<"f", float, 9>;
    static constexpr auto h = gr::var<"h", T, 9>;
    static constexpr auto program =
        gr::compile(gr::cast<float>(gr::cast<T>(f)) - f, gr::cast<T>(f), gr::cast<float>(h* h) - gr::cast<float>(h) * gr::cast<float>(h),
                    gr::cast<T>(gr::cast<double>(h)), gr::cast<bfloat16>(h) + gr::cast<bfloat16>(f));
};
template <template <class> class Family, class T>
void check_family() {
    using half = Family<T>;
    using wide = Family<float>;
    auto const X = numbers<T, 3, 37>(1), Y = numbers<T, 3, 37>(2);
    auto const R = numbers<T, 37>(3);
    auto const W = numbers<T, 37, 5>(4);
    check_all(half::run(X, Y, R, W), wide::run(in_float(X), in_float(Y), in_float(R), in_float(W)));
}

}  // namespace

TEST_CASE_TEMPLATE("half: elementwise programs and derivatives are those in float, rounded once", T, bfloat16, float16) {
    check_family<elementwise, T>();
}
TEST_CASE_TEMPLATE("half: sums, products of matrices, softmax and normalization add up in float", T, bfloat16, float16) {
    check_family<reductions, T>();
}
TEST_CASE_TEMPLATE("half: comparisons and integers are those of float", T, bfloat16, float16) { check_family<whole_numbers, T>(); }
TEST_CASE_TEMPLATE("half: what only moves elements leaves their bits as they are", T, bfloat16, float16) {
    using m = moves<T>;
    gr::array<T, gr::dyn, 5> X(3);
    for (int i = 0; i < 15; ++i) X.data()[i] = T::from_bits(static_cast<std::uint16_t>(0x3c00 + i));
    X(1, 1) = std::numeric_limits<T>::infinity();
    X(2, 2) = std::numeric_limits<T>::denorm_min();
    gr::array<T, 6, 3> const rows = numbers<T, 6, 3>(9);
    std::int32_t const labels[] = {5, 0, 5, 2};
    auto const [t, twice, padded, cut, same, picked, sorted] = m::program(m::x = X, m::label = labels, m::table = rows);
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 5; ++k) {
            std::uint16_t const bits = X(i, k).bits;
            CHECK(t(k, i).bits == bits);
            CHECK(twice(i, k + 5).bits == bits);
            CHECK(padded(i, k + 1).bits == bits);
            CHECK(padded(i, k == 4 ? 7 : 0).bits == 0);
            if (k % 2 == 1) CHECK(cut(i, k / 2).bits == bits);
            CHECK(same(i, k).bits == bits);
        }
    for (int i = 0; i < 4; ++i)
        for (int k = 0; k < 3; ++k) CHECK(picked(i, k).bits == rows(labels[i], k).bits);
    for (int i = 0; i < 5; ++i)
        for (int k = 0; k < 3; ++k) CHECK(sorted(i, k) <= sorted(i + 1, k));
    auto const [counts, scaled] = m::sums(m::x = X, m::label = labels, m::table = rows);
    CHECK(static_cast<float>(counts(5, 1)) == 2);
    CHECK(static_cast<float>(counts(1, 1)) == 0);
    CHECK(scaled(0, 3) == T(3 * static_cast<float>(X(0, 2))));
    CHECK(static_cast<float>(scaled(0, 0)) == 0);
}
TEST_CASE_TEMPLATE("half: a cast in a program rounds there, what has no cast at the end", T, bfloat16, float16) {
    using c = casts<T>;
    gr::array<float, 9> F;
    for (int i = 0; i < 9; ++i) F(i) = 1 + static_cast<float>(i) * 0.137F;
    gr::array<T, 9> const H = numbers<T, 9>(5);
    auto const [lost, narrow, nothing, same, sum] = c::program(c::f = F, c::h = H);
    for (int i = 0; i < 9; ++i) {
        CHECK(narrow(i) == T(F(i)));
        CHECK(lost(i) == static_cast<float>(T(F(i))) - F(i));
        CHECK(nothing(i) == 0);
        CHECK(same(i) == H(i));
        CHECK(sum(i) == bfloat16(static_cast<float>(bfloat16(H(i))) + static_cast<float>(bfloat16(F(i)))));
    }
}
TEST_CASE("half: overflow is infinity, NaN stays NaN, ties go to even") {
    constexpr auto x = gr::var<"x", float16, "n">;
    constexpr auto y = gr::var<"y", bfloat16, "n">;
    constexpr auto program = gr::compile(x * x, y + y, gr::sum(x), gr::sum(y), gr::nan_to_num(x / (x - x)), gr::nan_to_num(y / (y - y)));
    float16 const X[3] = {float16(65504), float16(1 + 0x1p-10), std::numeric_limits<float16>::quiet_NaN()};
    bfloat16 const Y[3] = {std::numeric_limits<bfloat16>::max(), bfloat16(0x1p-133), std::numeric_limits<bfloat16>::quiet_NaN()};
    auto const [squares, doubles, total, sum, most, largest] = program(x = X, y = Y);
    CHECK(squares(0) == std::numeric_limits<float16>::infinity());
    CHECK(squares(1) == float16(1 + 0x1p-9));  // 1 + 2^-9 + 2^-20
    CHECK(std::isnan(static_cast<float>(squares(2))));
    CHECK(doubles(0) == std::numeric_limits<bfloat16>::infinity());
    CHECK(static_cast<float>(doubles(1)) == 0x1p-132F);
    CHECK(std::isnan(static_cast<float>(doubles(2))));
    CHECK(std::isnan(static_cast<float>(total)));
    CHECK(std::isnan(static_cast<float>(sum)));
    CHECK(most(0) == std::numeric_limits<float16>::max());
    CHECK(largest(0) == std::numeric_limits<bfloat16>::max());
    CHECK(static_cast<float>(most(2)) == 0);
}
TEST_CASE("half: long sums add up in float") {
    constexpr auto x = gr::var<"x", bfloat16, "n">;
    constexpr auto program = gr::compile(gr::sum(x), gr::mean(x));
    std::vector<bfloat16> const ones(10000, bfloat16(1));
    auto const [sum, mean] = program(x = ones);
    CHECK(static_cast<float>(sum) == 9984);  // 10000 rounded once; in bfloat16 the sum would end at 256
    CHECK(static_cast<float>(mean) == 1);
}
TEST_CASE("half: updates in place and scans round what they store") {
    constexpr auto p = gr::var<"p", bfloat16, 20>;
    constexpr auto rate = gr::var<"rate", bfloat16>;
    constexpr auto step = gr::compile(gr::update(p, p - rate * p));
    gr::array<bfloat16, 20> P = numbers<bfloat16, 20>(7);
    auto const before = P;
    bfloat16 const half(0.3);
    step(p = P, rate = half);
    for (int i = 0; i < 20; ++i)
        CHECK(P(i) == bfloat16(static_cast<float>(before(i)) - static_cast<float>(half) * static_cast<float>(before(i))));

    constexpr auto carry = gr::var<"carry", bfloat16>;
    constexpr auto xs = gr::var<"xs", bfloat16, "time">;
    constexpr auto last = gr::scan([](auto c, auto x) { return c * 1.01_c + x; }, carry, xs);
    constexpr auto program = gr::compile(last, gr::grad(last, carry), gr::grad(gr::sum(last), xs));
    std::vector<bfloat16> const X(30, bfloat16(0.25));
    auto const [end, slope, slopes] = program(carry = bfloat16(1), xs = X);
    bfloat16 expected(1), factor(1);
    for (bfloat16 x : X) expected = bfloat16(std::fma(static_cast<float>(expected), 1.01F, static_cast<float>(x)));
    for (std::size_t i = 0; i < X.size(); ++i) factor = bfloat16(static_cast<float>(factor) * 1.01F);
    CHECK(end == expected);
    CHECK(slope == factor);
    CHECK(static_cast<float>(slopes(29)) == 1);
}
TEST_CASE("half: the interpreter rounds results and casts") {
    constexpr auto x = gr::var<"x", bfloat16, 4>;
    constexpr auto expression = gr::sum(x * x) + gr::cast<bfloat16>(0.1_c);
    constexpr auto graph = gr::graph_of(expression, gr::cast<float>(gr::cast<float16>(x)) * 3_c);
    constexpr auto program = gr::compile(expression, gr::cast<float>(gr::cast<float16>(x)) * 3_c);
    bfloat16 const X[4] = {bfloat16(0.1), bfloat16(-1.7), bfloat16(1e6), bfloat16(3)};
    auto const interpreted = gr::interpret<double>(graph.graph(), {{"x", {X[0], X[1], X[2], X[3]}}});
    auto const finished = gr::interpret<double>(program.graph(), {{"x", {X[0], X[1], X[2], X[3]}}});
    auto const [sum, tripled] = program(x = X);
    CHECK(interpreted[0][0] == static_cast<double>(sum));
    CHECK(finished[0][0] == static_cast<double>(sum));
    for (int i = 0; i < 4; ++i) {
        CHECK(interpreted[1][static_cast<std::size_t>(i)] == static_cast<double>(tripled(i)));
        CHECK(finished[1][static_cast<std::size_t>(i)] == static_cast<double>(tripled(i)));
    }
}
