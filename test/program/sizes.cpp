// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// Reductions of numbers whose squares or powers overflow or vanish. f(s x) = s f(x), so that the gradient at s x is the one at x
// and the second derivative that of x divided by s.
namespace gr = gradus;

namespace {

template <class T>
constexpr auto x = gr::var<"x", T, 3>;
template <class T>
constexpr auto t = gr::var<"t", T, 3>;

struct euclidean {
    static constexpr auto of(auto v) { return gr::norm(v); }
};
struct cubic {
    static constexpr auto of(auto v) { return gr::norm<gr::order<3>>(v); }
};
struct deviation {
    static constexpr auto of(auto v) { return gr::stddev(v); }
};
/// At (3, -4, 12): value, gradient, and the gradient's derivative along (1, -1/2, 1/4); computed with 40 digits.
struct reference {
    double value, gradient[3], second[3];
};
constexpr reference of_euclidean{13,
                                 {0.23076923076923076923, -0.30769230769230769231, 0.92307692307692307692},
                                 {0.065999089667728720983, -0.02389622212107419208, -0.024465179790623577606}};
constexpr reference of_cubic{12.207054953820638155,
                             {0.060397743037045488399, -0.10737376539919197938, 0.96636388859272781438},
                             {0.03674555742770588629, -0.020586366510702695331, -0.01604851152716070335}};
constexpr reference of_deviation{8.0208062770106431073,
                                 {-0.041558581746169135271, -0.47792369008094505562, 0.51948227182711419089},
                                 {0.048449123797347437492, -0.027252632136007933589, -0.021196491661339503903}};

/// The sizes: near the ends of the exponents, around the changes of the scale, and ordinary ones.
template <class T>
std::vector<double> sizes() {
    if constexpr (std::is_same_v<T, float>) return {1e-37, 1e-30, 1e-20, 3e-13, 1e-8, 1, 1e8, 1e15, 1e20, 1e30, 1e36};
    else return {1e-305, 1e-160, 1e-121, 1e-30, 1, 1e30, 1e136, 1e160, 1e306};
}

template <class T, class F>
void check(reference const& expected) {
    static constexpr auto f = F::of(x<T>);
    static constexpr auto slope = gr::grad(f, x<T>);
    static constexpr auto program =
        gr::compile(f, slope, gr::jvp(f, x<T>, t<T>), gr::grad(gr::sum(slope * t<T>), x<T>), gr::jvp(slope, x<T>, t<T>));
    // Sixteen roundings on the way to a slope. Of a second derivative digits cancel: the second components are a twentieth of their terms.
    double const near = 16 * double{std::numeric_limits<T>::epsilon()}, near_second = 8 * near;
    T const along[3] = {1, T(-0.5), T(0.25)};
    for (double size : sizes<T>()) {
        CAPTURE(size);
        T const s = static_cast<T>(size), at[3] = {3 * s, -4 * s, 12 * s};
        auto [value, gradient, tangent, second, forward] = program((x<T>) = at, (t<T>) = along);
        CHECK(static_cast<double>(value) / static_cast<double>(s) == doctest::Approx(expected.value).epsilon(near));
        double slope_along = 0;
        for (int i = 0; i < 3; ++i) {
            CHECK(static_cast<double>(gradient(i)) == doctest::Approx(expected.gradient[i]).epsilon(near));
            CHECK(static_cast<double>(second(i)) * static_cast<double>(s) == doctest::Approx(expected.second[i]).epsilon(near_second));
            CHECK(static_cast<double>(forward(i)) * static_cast<double>(s) == doctest::Approx(expected.second[i]).epsilon(near_second));
            slope_along += expected.gradient[i] * static_cast<double>(along[i]);
        }
        CHECK(static_cast<double>(tangent) == doctest::Approx(slope_along).epsilon(near));

        auto v = gr::tensor<T, 3>(at).requires_grad_();
        gr::tensor y = F::of(v);
        y.backward();
        CHECK(static_cast<double>(y.item()) / static_cast<double>(s) == doctest::Approx(expected.value).epsilon(near));
        for (int i = 0; i < 3; ++i) CHECK(static_cast<double>(v.grad()(i)) == doctest::Approx(expected.gradient[i]).epsilon(near));
    }
}

}  // namespace

TEST_CASE_TEMPLATE("norms and deviations of large and small numbers, with two derivatives", T, float, double) {
    check<T, euclidean>(of_euclidean);
    check<T, cubic>(of_cubic);
    check<T, deviation>(of_deviation);
}

TEST_CASE("norms of rows scale each row for itself; zeros, infinities and NaN stay what they are") {
    static constexpr auto m = gr::var<"m", float, 6, 2>;
    static constexpr auto rows = gr::norm<1>(m);
    static constexpr auto program = gr::compile(rows, gr::grad(gr::sum(rows), m));
    constexpr float infinity = std::numeric_limits<float>::infinity();
    float const M[6][2] = {{3e30f, 4e30f}, {3e-30f, 4e-30f}, {0, 0}, {3, 4}, {infinity, 1}, {std::nanf(""), 1}};
    auto [norms, slopes] = program(m = M);
    float const expected[] = {5e30f, 5e-30f, 0, 5};
    for (int i = 0; i < 4; ++i) CHECK(norms(i) == doctest::Approx(expected[i]).epsilon(1e-6));
    CHECK(norms(4) == infinity);
    CHECK(std::isnan(norms(5)));
    for (int i : {0, 1, 3}) {
        CHECK(slopes(i, 0) == doctest::Approx(0.6).epsilon(1e-6));
        CHECK(slopes(i, 1) == doctest::Approx(0.8).epsilon(1e-6));
    }
    CHECK(slopes(2, 0) == 0);
    CHECK(slopes(2, 1) == 0);
    CHECK(slopes(4, 1) == 0);
}

// exp(x - y) of y = logsumexp(x) has lost ln 3 where x is so large that its last place is more.
TEST_CASE_TEMPLATE("logsumexp of equal large numbers shares its derivative on the tape", T, float, double) {
    for (T large : {T(1e7), T(1e30), std::numeric_limits<T>::max() / 2}) {
        T const at[3] = {large, large, large};
        auto v = gr::tensor<T, 3>(at).requires_grad_();
        gr::tensor y = gr::logsumexp(v);
        y.backward();
        for (int i = 0; i < 3; ++i) CHECK(static_cast<double>(v.grad()(i)) == doctest::Approx(1.0 / 3).epsilon(1e-6));
    }
}

// Factors that are written to keep products in the range of the type are applied where they stand.
TEST_CASE_TEMPLATE("factors of huge and tiny numbers are not collected", T, float, double) {
    static constexpr double small = std::is_same_v<T, float> ? 0x1p-90 : 0x1p-900, large = 1 / small;
    static constexpr auto a = gr::var<"a", T, 3>;
    static constexpr auto b = gr::var<"b", T, 3>;
    static constexpr auto f = gr::sum(gr::square(a * gr::constant<small>));
    static constexpr auto g = a * gr::constant<small> * (b * gr::constant<small>);
    static constexpr auto scaled = gr::constant<small> * (gr::constant<small> * a) * b;
    static constexpr auto program = gr::compile(f, gr::grad(f, a), g, gr::grad(gr::sum(g), a), scaled, gr::jvp(f, a, b));
    T const A[3] = {T(large), T(2 * large), T(-large)}, B[3] = {T(large), T(large), T(large)};
    auto [value, slope, product, slope_of_product, twice, along] = program(a = A, b = B);
    CHECK(value == 6);
    CHECK(along == 4);
    gr::tensor<T, 3> const ta = gr::tensor<T, 3>(A).requires_grad_(), tb(B);
    gr::tensor y = gr::sum(gr::square(ta * T(small)));
    y.backward();
    gr::tensor z = ta * T(small) * (tb * T(small));
    for (int i = 0; i < 3; ++i) {
        double const at = static_cast<double>(A[i]) * small;
        CHECK(static_cast<double>(slope(i)) == 2 * at * small);
        CHECK(static_cast<double>(ta.grad()(i)) == 2 * at * small);
        CHECK(static_cast<double>(product(i)) == at);
        CHECK(static_cast<double>(z(i)) == at);
        CHECK(static_cast<double>(slope_of_product(i)) == small);
        CHECK(static_cast<double>(twice(i)) == at);
    }
}
