// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/interpret.hpp>
#include <program/structural_operations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>
#include <vector>

// Operations of users' that move, fold and compute elements their own way, in programs: values by hand-written loops, derivatives in closed
// form. Small whole numbers, which are exact in float too.
namespace {

using namespace structural;
using namespace gr::literals;

template <class T>
void check_views() {
    static constexpr auto x = gr::var<"x", T, "rows", 4>;
    static constexpr auto w = gr::var<"w", T, "rows", 4>;
    static constexpr auto f = gr::sum(gr::square(gr::apply<backwards>(x)) * w);
    static constexpr auto df = gr::grad(f, x);
    static constexpr auto moved = gr::compile(gr::apply<backwards>(x), gr::apply<pairs>(2_c * x), df, gr::jvp(f, x, w), gr::jvp(df, x, w),
                                              gr::grad(gr::sum(df * w), x), gr::grad(gr::sum(gr::square(gr::apply<pairs>(x))), x));
    T const X[12] = {1, 2, 3, 4, -1, 5, 7, 2, 0, 6, -3, 8}, W[12] = {2, 1, 3, 5, 4, 1, 2, 6, 1, 1, 7, 2};
    auto [back, pair, slope, along, curvature, reverse, pair_slope] = moved(x = X, w = W);
    T sum = 0;
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 4; ++j) {
            T const here = X[4 * i + j], weight = W[4 * i + 3 - j], other = W[4 * i + j];
            CHECK(back(i, 3 - j) == here);
            CHECK(pair(i, j / 2, j % 2) == 2 * here);
            CHECK(slope(i, j) == 2 * here * weight);
            CHECK(curvature(i, j) == 2 * weight * other);
            CHECK(reverse(i, j) == 2 * weight * other);
            CHECK(pair_slope(i, j) == 2 * here);
            sum += 2 * here * weight * other;
        }
    CHECK(along == sum);
}

/// Elements that are in several windows have the sum of the derivatives there.
template <class T>
void check_windows() {
    static constexpr auto x = gr::var<"x", T, 6>;
    static constexpr auto w = gr::var<"w", T, 4, 3>;
    static constexpr auto v = gr::var<"v", T, 6>;
    static constexpr auto f = gr::sum(gr::square(gr::apply<windows>(x)) * w);
    static constexpr auto df = gr::grad(f, x);
    static constexpr auto all = gr::compile(gr::apply<windows>(x), df, gr::jvp(f, x, v), gr::grad(gr::sum(df * v), x),
                                            gr::sum<1>(gr::apply<windows>(gr::apply<backwards>(x))));
    static constexpr auto in_place = gr::compile(gr::sum<1>(gr::apply<windows>(x) * w));
    static_assert(in_place.kernels() == 1, "a loop reads the windows where they are");
    T const X[6] = {1, 2, 3, -4, 5, 6}, V[6] = {1, 3, -2, 1, 4, 2};
    T W[4][3];
    for (int i = 0; i < 12; ++i) W[i / 3][i % 3] = static_cast<T>(1 + i % 5);
    auto [values, slope, along, curvature, sums] = all(x = X, w = W, v = V);
    T weight[6]{}, total = 0;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 3; ++j) {
            CHECK(values(i, j) == X[i + j]);
            weight[i + j] += W[i][j];
        }
    for (int k = 0; k < 6; ++k) {
        CHECK(slope(k) == 2 * X[k] * weight[k]);
        CHECK(curvature(k) == 2 * V[k] * weight[k]);
        total += 2 * X[k] * weight[k] * V[k];
    }
    CHECK(along == total);
    for (int i = 0; i < 4; ++i) CHECK(sums(i) == X[5 - i] + X[4 - i] + X[3 - i]);
    auto [products] = in_place(x = X, w = W);
    for (int i = 0; i < 4; ++i) CHECK(products(i) == W[i][0] * X[i] + W[i][1] * X[i + 1] + W[i][2] * X[i + 2]);
}

template <class T>
void check_reductions() {
    static constexpr auto x = gr::var<"x", T, "rows", 4>;
    static constexpr auto w = gr::var<"w", T, 4>;
    static constexpr auto clipped = gr::sum(over<clipped_total, 1>(gr::square(x)) * w);
    static constexpr auto largest = gr::sum(gr::square(over<top, 2, true>(x)));
    static constexpr auto sums = gr::compile(over<clipped_total, 1>(gr::square(x)), gr::grad(clipped, x), gr::jvp(clipped, x, x),
                                             gr::grad(gr::sum(gr::grad(clipped, x)), x));
    static constexpr auto maxima =
        gr::compile(over<top, 2, true>(x), gr::grad(largest, x), gr::jvp(largest, x, x), gr::grad(gr::sum(gr::grad(largest, x) * x), x));
    static constexpr auto alone = gr::compile(over<clipped_total, 1>(gr::square(x)));
    static_assert(alone.kernels() == 1, "squares are folded in the loop that makes them");
    T const X[12] = {1, 2, 3, 4, -1, 5, 5, 2, 8, 6, -3, 8}, W[4] = {1, -2, 4, -8};
    auto [squares, slope, along, curvature] = sums(x = X, w = W);
    T total = 0;
    for (int j = 0; j < 4; ++j) {
        T const column = X[j] * X[j] + X[4 + j] * X[4 + j] + X[8 + j] * X[8 + j], clip = std::clamp(W[j], T(-1), T(1));
        CHECK(squares(j) == column);
        total += 2 * column * W[j];
        for (int i = 0; i < 3; ++i) {
            CHECK(slope(i, j) == 2 * clip * X[4 * i + j]);
            CHECK(curvature(i, j) == 2 * clip);
        }
    }
    CHECK(along == total);  // forward mode clips nothing
    auto [most, by_x, direction, second] = maxima(x = X);
    T pushed = 0;
    for (int i = 0; i < 3; ++i) {
        T const row = *std::max_element(X + 4 * i, X + 4 * i + 4);
        CHECK(most(i, 0) == row);
        T ties = 0;
        for (int j = 0; j < 4; ++j) ties += X[4 * i + j] == row;
        pushed += 2 * row * ties * row;
        for (int j = 0; j < 4; ++j) {
            bool const tie = X[4 * i + j] == row;
            CHECK(by_x(i, j) == (tie ? 2 * row : 0));
            // sum_k 2 top x_k over the ties, by x_j: of the factor x_j, and of the largest, which each of them is
            CHECK(second(i, j) == (tie ? 2 * row + 2 * ties * row : 0));
        }
    }
    CHECK(direction == pushed);
}

/// Kernels of their own, on rows of a named dimension.
template <class T>
void check_running_sums() {
    static constexpr auto x = gr::var<"x", T, "rows", 4>;
    static constexpr auto w = gr::var<"w", T, "rows", 4>;
    static constexpr auto v = gr::var<"v", T, "rows", 4>;
    static constexpr auto f = gr::sum(gr::square(gr::apply<running_sums>(x)) * w);
    static constexpr auto df = gr::grad(f, x);
    static constexpr auto all =
        gr::compile(gr::apply<running_sums>(x), df, gr::jvp(f, x, v), gr::jvp(df, x, v), gr::grad(gr::sum(df * v), x));
    T const X[8] = {1, 2, -3, 4, 5, -6, 7, 1}, W[8] = {1, 2, 1, 3, -1, 2, 1, 4}, V[8] = {2, 1, 1, -1, 3, 1, -2, 1};
    auto [sums, slope, along, forward, reverse] = all(x = X, w = W, v = V);
    T total = 0;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) {
            T sum = 0, gradient = 0, curvature = 0;
            for (int k = 0; k <= j; ++k) sum += X[4 * i + k];
            for (int k = j; k < 4; ++k) {
                T to_k = 0, moved = 0;
                for (int l = 0; l <= k; ++l) to_k += X[4 * i + l], moved += V[4 * i + l];
                gradient += 2 * W[4 * i + k] * to_k;
                curvature += 2 * W[4 * i + k] * moved;
            }
            CHECK(sums(i, j) == sum);
            CHECK(slope(i, j) == gradient);
            CHECK(forward(i, j) == curvature);
            CHECK(reverse(i, j) == curvature);
            total += gradient * V[4 * i + j];
        }
    CHECK(along == total);
}
/// Operands that are views do not stand in order: the kernel reads copies.
template <class T>
void check_order_of_operands() {
    static constexpr auto x = gr::var<"x", T, 3, 4>;
    static constexpr auto all = gr::compile(gr::apply<running_sums>(gr::transpose(x)), gr::apply<running_sums>(gr::apply<backwards>(x)),
                                            gr::apply<running_sums>(gr::apply<pairs>(x)), gr::apply<running_sums>(gr::slice<1, 2>(x)));
    T X[3][4];
    for (int i = 0; i < 12; ++i) X[i / 4][i % 4] = static_cast<T>(i * i % 7);
    auto [columns, back, pair, part] = all(x = X);
    for (int j = 0; j < 4; ++j) CHECK(columns(j, 2) == X[0][j] + X[1][j] + X[2][j]);
    for (int i = 0; i < 3; ++i) {
        CHECK(back(i, 1) == X[i][3] + X[i][2]);
        CHECK(pair(i, 1, 1) == X[i][2] + X[i][3]);
    }
    for (int j = 0; j < 4; ++j) CHECK(part(0, j) == (j > 0 ? part(0, j - 1) : 0) + X[1][j]);
}
/// Two operands; sums of b are powers of two, so that quotients are exact.
template <class T>
void check_shares() {
    static constexpr auto a = gr::var<"a", T, "rows", 3>;
    static constexpr auto b = gr::var<"b", T, "rows", 3>;
    static constexpr auto w = gr::var<"w", T, "rows", 3>;
    static constexpr auto f = gr::sum(gr::apply<shares>(a, b) * w);
    static constexpr auto by_b = gr::grad(f, b);
    static constexpr auto all = gr::compile(gr::apply<shares>(a, b), gr::grad(f, a), by_b, gr::jvp(f, b, w), gr::jvp(by_b, b, w),
                                            gr::grad(gr::sum(by_b * w), b), gr::jvp(gr::grad(f, a), b, w));
    T const A[6] = {1, -2, 4, 3, 5, -1}, B[6] = {1, 2, 1, 3, 6, -1}, W[6] = {2, 1, 3, -1, 4, 1};
    auto [y, slope_a, slope_b, along, forward, reverse, mixed] = all(a = A, b = B, w = W);
    T total = 0;
    for (int i = 0; i < 2; ++i) {
        T const *ra = A + 3 * i, *rb = B + 3 * i, *rw = W + 3 * i;
        T const sum = rb[0] + rb[1] + rb[2], moved = rw[0] + rw[1] + rw[2], product = ra[0] * rw[0] + ra[1] * rw[1] + ra[2] * rw[2];
        for (int j = 0; j < 3; ++j) {
            CHECK(y(i, j) == ra[j] / sum);
            CHECK(slope_a(i, j) == rw[j] / sum);
            CHECK(slope_b(i, j) == -product / (sum * sum));
            CHECK(forward(i, j) == 2 * product * moved / (sum * sum * sum));
            CHECK(reverse(i, j) == 2 * product * moved / (sum * sum * sum));
            CHECK(mixed(i, j) == -rw[j] * moved / (sum * sum));
        }
        total -= product * moved / (sum * sum);
    }
    CHECK(along == total);
}
/// A float stays a float: 2^24 + 1 is 2^24. What has no kernel for its type is computed in double: integers here, exactly.
void check_element_types() {
    static constexpr auto x = gr::var<"x", float, 3>;
    static constexpr auto d = gr::var<"d", double, 3>;
    static constexpr auto n = gr::var<"n", std::int32_t, 3>;
    static constexpr auto sums = gr::compile(gr::apply<running_sums>(x), gr::apply<running_sums>(d), gr::apply<running_sums>(n));
    float const X[3] = {16777216, 1, 1};
    double const D[3] = {16777216, 1, 1};
    std::int32_t const N[3] = {16777216, 1, 1};
    auto [of_float, of_double, of_int] = sums(x = X, d = D, n = N);
    CHECK(of_float(2) == 16777216);
    CHECK(of_double(2) == 16777218);
    CHECK(of_int(2) == 16777218);
    static constexpr auto alone = gr::compile(gr::apply<running_sums>(x));
    static_assert(alone.workspace_bytes() == 0, "an own kernel reads its operand where it is");
}

/// Two results of one call, each with a derivative by way of both; rows that are no powers of two have sums that are.
template <class T>
void check_two_results() {
    static constexpr auto x = gr::var<"x", T, "rows", 3>;
    static constexpr auto w = gr::var<"w", T, "rows", 3>;
    static constexpr auto both = gr::apply<shares_and_total>(x);
    static constexpr auto share = std::get<0>(both);
    static constexpr auto total = std::get<1>(both);
    static constexpr auto f = gr::sum(share * w) + gr::sum(gr::square(total));
    static constexpr auto df = gr::grad(f, x);
    static constexpr auto values = gr::compile(share, total);
    static constexpr auto one = gr::compile(gr::square(total));
    static_assert(values.kernels() == 1, "one call makes both results");
    static constexpr auto all =
        gr::compile(df, gr::jvp(f, x, w), gr::jvp(df, x, w), gr::grad(gr::sum(df * w), x), gr::grad(gr::sum(total * total), x));
    T const X[6] = {1, 2, 1, 3, 6, -1}, W[6] = {2, 1, 3, -1, 4, 1};
    auto [shares, totals] = values(x = X);
    auto [squares] = one(x = X);
    auto [slope, along, forward, reverse, of_total] = all(x = X, w = W);
    T pushed = 0;
    for (int i = 0; i < 2; ++i) {
        T const *rx = X + 3 * i, *rw = W + 3 * i;
        T const s = rx[0] + rx[1] + rx[2], m = rw[0] + rw[1] + rw[2], p = rx[0] * rw[0] + rx[1] * rw[1] + rx[2] * rw[2],
                ww = rw[0] * rw[0] + rw[1] * rw[1] + rw[2] * rw[2];
        CHECK(totals(i, 0) == s);
        CHECK(squares(i, 0) == s * s);
        for (int j = 0; j < 3; ++j) {
            CHECK(shares(i, j) == rx[j] / s);
            T const gradient = rw[j] / s - p / (s * s) + 2 * s;
            CHECK(slope(i, j) == gradient);
            // of w_j / s - p / s^2 + 2 s along w: -w_j m / s^2 - w.w / s^2 + 2 p m / s^3 + 2 m
            T const curvature = -rw[j] * m / (s * s) - ww / (s * s) + 2 * p * m / (s * s * s) + 2 * m;
            CHECK(forward(i, j) == curvature);
            CHECK(reverse(i, j) == curvature);
            CHECK(of_total(i, j) == 2 * s);
            pushed += gradient * rw[j];
        }
    }
    CHECK(along == pushed);
}
/// Results of two types, one of which has no derivative.
template <class T>
void check_results_of_two_types() {
    static constexpr auto x = gr::var<"x", T, "rows", 4>;
    static constexpr auto w = gr::var<"w", T, "rows", 4>;
    static constexpr auto both = gr::apply<largest_with_index>(gr::square(x));
    static constexpr auto f = gr::sum(gr::square(std::get<0>(both)));
    static constexpr auto df = gr::grad(f, x);
    static constexpr auto all =
        gr::compile(std::get<0>(both), std::get<1>(both), df, gr::jvp(f, x, w), gr::jvp(df, x, w), gr::grad(gr::sum(df * w), x));
    static constexpr auto index_alone = gr::compile(std::get<1>(gr::apply<largest_with_index>(x)));
    T const X[12] = {1, 2, -3, 2, 5, -6, 4, 1, 0, 1, 2, 3}, W[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
    auto [value, index, slope, along, forward, reverse] = all(x = X, w = W);
    auto [alone] = index_alone(x = X);
    int const best[3] = {2, 1, 3}, largest[3] = {1, 0, 3};
    T pushed = 0;
    for (int i = 0; i < 3; ++i) {
        T const most = X[4 * i + best[i]], direction = W[4 * i + best[i]];
        CHECK(value(i, 0) == most * most);
        CHECK(index(i, 0) == best[i]);
        CHECK(alone(i, 0) == largest[i]);
        pushed += 4 * most * most * most * direction;
        for (int j = 0; j < 4; ++j) {
            CHECK(slope(i, j) == (j == best[i] ? 4 * most * most * most : 0));
            CHECK(forward(i, j) == (j == best[i] ? 12 * most * most * direction : 0));
            CHECK(reverse(i, j) == (j == best[i] ? 12 * most * most * direction : 0));
        }
    }
    CHECK(along == pushed);
}
/// The reference interpreter, which knows nothing of kernels, computes the same.
void check_reference() {
    static constexpr auto x = gr::var<"x", double, "rows", 4>;
    static constexpr auto both = gr::apply<shares_and_total>(gr::apply<running_sums>(gr::apply<backwards>(x)));
    static constexpr auto best = gr::apply<largest_with_index>(x);
    static constexpr auto f = gr::sum(gr::square(std::get<0>(both))) + gr::sum(std::get<1>(both) * std::get<0>(best));
    static constexpr auto written = gr::graph_of(std::get<0>(both), std::get<1>(best), gr::grad(f, x), over<top, 1>(gr::apply<pairs>(x)));
    static constexpr auto all = gr::compile(std::get<0>(both), std::get<1>(best), gr::grad(f, x), over<top, 1>(gr::apply<pairs>(x)));
    std::vector<double> const X{1, 2, -3, 4, 5, 6.5, 7, 1};
    auto const expected = gr::interpret<double>(written.graph(), {{"x", X}}, {{"rows", 2}});
    auto const found = all(x = X, gr::dim<"rows"> = 2);
    auto compare = [&](auto const& result, std::size_t number) {
        REQUIRE(static_cast<std::size_t>(result.size()) == expected[number].size());
        // sums of four elements in another order: a few ulp
        for (std::size_t i = 0; i < expected[number].size(); ++i)
            CHECK(static_cast<double>(result.data()[i]) == doctest::Approx(expected[number][i]).epsilon(1e-14));
    };
    compare(std::get<0>(found), 0);
    compare(std::get<1>(found), 1);
    compare(std::get<2>(found), 2);
    compare(std::get<3>(found), 3);
}

}  // namespace

TEST_CASE_TEMPLATE("structural operations of users': views are read in place", T, float, double) {
    check_views<T>();
    check_windows<T>();
}
TEST_CASE_TEMPLATE("structural operations of users': loops fold", T, float, double) { check_reductions<T>(); }
TEST_CASE_TEMPLATE("structural operations of users': kernels of their own", T, float, double) {
    check_running_sums<T>();
    check_order_of_operands<T>();
    check_shares<T>();
}
TEST_CASE("structural operations of users': kernels in the type of the elements") { check_element_types(); }
TEST_CASE_TEMPLATE("structural operations of users': several results", T, float, double) {
    check_two_results<T>();
    check_results_of_two_types<T>();
}
TEST_CASE("structural operations of users': the reference interpreter") { check_reference(); }
