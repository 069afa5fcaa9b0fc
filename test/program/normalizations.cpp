// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

// Normalizations of numbers whose squares overflow or vanish. f(s x) = f(x) where epsilon is nothing beside the squares, so that the
// gradient at s x is that at x divided by s; where the squares are nothing beside epsilon, f is linear.
namespace gr = gradus;

namespace {

/// Two rows, each normalized for itself: one of the size at hand, one ordinary.
template <class T>
constexpr auto x = gr::var<"x", T, 2, 3>;
template <class T>
constexpr auto t = gr::var<"t", T, 2, 3>;
template <class T>
constexpr auto c = gr::var<"c", T, 2, 3>;
template <class T, int N>
constexpr auto w = gr::var<"w", T, N>;

struct layer {
    static constexpr int size = 3;
    static constexpr bool centers = true;
    template <double Epsilon>
    static constexpr auto of(auto const& v, auto const& scale) {
        return gr::layer_norm<Epsilon>(v, scale, scale - scale);
    }
};
struct root_mean_square {
    static constexpr int size = 3;
    static constexpr bool centers = false;
    template <double Epsilon>
    static constexpr auto of(auto const& v, auto const& scale) {
        return gr::rms_norm<Epsilon>(v, scale);
    }
};
struct batch {
    static constexpr int size = 2;
    static constexpr bool centers = true;
    template <double Epsilon>
    static constexpr auto of(auto const& v, auto const& scale) {
        return gr::transpose(gr::batch_norm<Epsilon>(gr::transpose(v), scale, scale - scale));
    }
};
struct group {
    static constexpr int size = 3;
    static constexpr bool centers = true;
    template <double Epsilon>
    static constexpr auto of(auto const& v, auto const& scale) {
        return gr::group_norm<1, Epsilon>(v, scale, scale - scale);
    }
};

constexpr double numbers[2][3] = {{3, -4, 12}, {1, 2, 5}}, along[2][3] = {{1, -0.5, 0.25}, {2, 1, -1}},
                 weight[2][3] = {{0.5, 2, -1}, {1, -3, 0.25}};
struct results {
    double value[2][3], slope[2][3], second[2][3];
};
/// The same in double, of the formula as it stands in books.
template <class F, double Epsilon>
results expected() {
    static constexpr auto v = x<double>;
    static constexpr auto distance = [] {
        if constexpr (F::centers) return v - gr::mean<1, gr::keepdim>(v);
        else return v + gr::constant<0>;
    }();
    static constexpr auto y = distance * gr::rsqrt(gr::mean<1, gr::keepdim>(gr::square(distance)) + gr::constant<Epsilon>);
    static constexpr auto slope = gr::grad(gr::sum(y * c<double>), v);
    static constexpr auto program = gr::compile(y, slope, gr::jvp(slope, v, t<double>));
    auto [a, b, d] = program(x<double> = numbers, t<double> = along, c<double> = weight);
    results r;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j) r.value[i][j] = a(i, j), r.slope[i][j] = b(i, j), r.second[i][j] = d(i, j);
    return r;
}

/// Program and tape at numbers of those sizes. Sixteen roundings on the way to a slope; of a second derivative digits cancel.
template <class T, class F, double Epsilon>
void check(std::vector<double> const& sizes) {
    static constexpr auto v = x<T>;
    static constexpr auto scale = w<T, F::size>;
    static constexpr auto y = F::template of<Epsilon>(v, scale);
    static constexpr auto slope = gr::grad(gr::sum(y * c<T>), v);
    static constexpr auto program = gr::compile(y, slope, gr::jvp(slope, v, t<T>), gr::grad(gr::sum(slope * t<T>), v), gr::jvp(y, v, t<T>));
    results r = expected<F, Epsilon>();
    if (results const without = expected<F, 0.0>(); Epsilon > 0)
        for (int j = 0; j < 3; ++j)
            r.value[0][j] = without.value[0][j], r.slope[0][j] = without.slope[0][j], r.second[0][j] = without.second[0][j];
    double const near = 16 * double{std::numeric_limits<T>::epsilon()}, near_second = 16 * near;
    T C[2][3], ones[F::size];
    for (T& one : ones) one = 1;
    for (double size : sizes) {
        CAPTURE(size);
        T X[2][3], direction[2][3];
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 3; ++j) {
                double const by = i == 0 ? size : 1;
                X[i][j] = static_cast<T>(by * numbers[i][j]), direction[i][j] = static_cast<T>(by * along[i][j]);
                C[i][j] = static_cast<T>(weight[i][j]);
            }
        auto [a, b, second, reversed, tangent] = program(v = X, t<T> = direction, c<T> = C, scale = ones);
        gr::tensor<T, 2, 3> const leaf = gr::tensor<T, 2, 3>(X).requires_grad_(), weights(C), directions(direction);
        gr::tensor<T, F::size> const factor(ones);
        gr::tensor loss = gr::sum(F::template of<Epsilon>(leaf, factor) * weights);
        gr::tensor g = gr::autograd::grad(loss, leaf, {.create_graph = true});
        gr::tensor h = gr::autograd::grad(gr::tensor(gr::sum(g * directions)), leaf);
        double of_tangent = 0, of_slope = 0;
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 3; ++j) {
                CAPTURE(i);
                CAPTURE(j);
                double const by = i == 0 ? size : 1;
                auto is = [&](T found, double exact, double tolerance) {
                    CHECK(static_cast<double>(found) * by == doctest::Approx(exact).epsilon(tolerance).scale(1));
                };
                CHECK(static_cast<double>(a(i, j)) == doctest::Approx(r.value[i][j]).epsilon(near));
                is(b(i, j), r.slope[i][j], near);
                is(second(i, j), r.second[i][j], near_second);
                is(reversed(i, j), r.second[i][j], near_second);
                is(g(i, j), r.slope[i][j], near);
                is(h(i, j), r.second[i][j], near_second);
                of_tangent += static_cast<double>(tangent(i, j)) * weight[i][j];
                of_slope += r.slope[i][j] * along[i][j];
            }
        CHECK(of_tangent == doctest::Approx(of_slope).epsilon(near));
    }
}
template <class T>
std::vector<double> large() {
    if constexpr (std::is_same_v<T, float>) return {1e15, 1e20, 1e30};
    else return {1e130, 1e160, 1e290};
}
template <class T>
std::vector<double> all_sizes() {
    if constexpr (std::is_same_v<T, float>) return {1e-30, 1e-20, 1e-9, 1, 1e15, 1e20, 1e30};
    else return {1e-290, 1e-160, 1e-120, 1, 1e130, 1e160, 1e290};
}

}  // namespace

TEST_CASE_TEMPLATE("layer_norm of huge and tiny numbers", T, float, double) {
    check<T, layer, 0.0>(all_sizes<T>());
    check<T, layer, 1e-5>(large<T>());
}
TEST_CASE_TEMPLATE("rms_norm of huge and tiny numbers", T, float, double) { check<T, root_mean_square, 0.0>(all_sizes<T>()); }
TEST_CASE_TEMPLATE("batch_norm of huge numbers", T, float, double) { check<T, batch, 1e-5>(large<T>()); }
TEST_CASE_TEMPLATE("group_norm of huge numbers", T, float, double) { check<T, group, 1e-5>(large<T>()); }

TEST_CASE_TEMPLATE("normalizations of tiny numbers are linear beside epsilon, those of equal huge ones are 0", T, float, double) {
    static constexpr auto v = x<T>;
    static constexpr auto y = gr::layer_norm<1e-4>(v, w<T, 3>, w<T, 3> - w<T, 3>);
    static constexpr auto slope = gr::grad(gr::sum(y * c<T>), v);
    static constexpr auto program = gr::compile(y, slope, gr::jvp(slope, v, t<T>));
    T const size = std::is_same_v<T, float> ? T(1e-20) : T(1e-160), large = std::is_same_v<T, float> ? T(0x1p70) : T(0x1p570);
    T const X[2][3] = {{size, 2 * size, 6 * size}, {large, large, large}}, ones[3] = {1, 1, 1}, C[2][3] = {{1, 2, 6}, {1, 2, 6}};
    auto [a, b, second] = program(v = X, w<T, 3> = ones, c<T> = C, t<T> = C);
    for (int j = 0; j < 3; ++j) {
        double const distance[] = {-2, -1, 3};
        CHECK(static_cast<double>(a(0, j) / size) == doctest::Approx(100 * distance[j]).epsilon(1e-6));
        CHECK(a(1, j) == 0);
        for (int i = 0; i < 2; ++i) {
            CHECK(static_cast<double>(b(i, j)) == doctest::Approx(100 * distance[j]).epsilon(1e-6));
            CHECK(std::abs(static_cast<double>(second(i, j))) <= 1e9 * static_cast<double>(i == 0 ? size : 0));
        }
    }
}
