// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>

// What a condition does not select stays out of derivatives, in programs. Every function here is singular where its branch is not
// taken, so that a rule that multiplies by 0 shows as NaN. Expected values are closed forms.
namespace gr = gradus;
using namespace gr::literals;

namespace {

template <class T>
struct names {
    static constexpr auto u = gr::var<"u", T, 2>;
    static constexpr auto s = gr::var<"s", T>;
    static constexpr auto t = gr::var<"t", T>;
    static constexpr auto v = gr::var<"v", T, 3>;
    static constexpr auto m = gr::var<"m", T, 2, 3>;
    static constexpr auto a = gr::var<"a", T, 2, 2, 2>;
};
/// A few roundings of values near 1.
template <class T>
doctest::Approx near(double x) {
    return doctest::Approx(x).epsilon(16 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

}  // namespace

TEST_CASE_TEMPLATE("untaken branch: nested conditions, an intermediate used several times, both modes, second order", T, float, double) {
    constexpr auto u = names<T>::u;
    constexpr auto r = gr::log(u);
    constexpr auto f = gr::sum(gr::where(u > 0_c, gr::where(u > 1_c, r * r + r, gr::sqrt(r) + u), 2_c * u));
    constexpr auto p = gr::compile(gr::grad(f, u), gr::jvp(f, u, u), gr::grad(gr::sum(gr::grad(f, u)), u), gr::jvp(gr::grad(f, u), u, u));
    T U[] = {0, 4};
    auto [g, j, h, hu] = p(u = U);
    double const l = std::log(4.0);
    CHECK(g(0) == 2);
    CHECK(g(1) == near<T>((2 * l + 1) / 4));
    CHECK(j == near<T>(2 * l + 1));
    CHECK(h(0) == 0);
    CHECK(h(1) == near<T>((2 - 2 * l - 1) / 16));
    CHECK(hu(0) == 0);
    CHECK(hu(1) == near<T>((2 - 2 * l - 1) / 4));
}
TEST_CASE_TEMPLATE("untaken branch: a condition that is constant along sums, broadcasts, products and views", T, float, double) {
    constexpr auto s = names<T>::s;
    constexpr auto v = names<T>::v;
    constexpr auto m = names<T>::m;
    constexpr auto branch = gr::log(s) * v + gr::sum(gr::sqrt(s) * v) + gr::slice<0, 3>(gr::log(s) * v);
    constexpr auto f = gr::sum(gr::where(s > 0_c, branch, v));
    constexpr auto product = gr::sum(gr::where(s > 0_c, gr::matmul(gr::log(s) * m, v), gr::sum<1>(m)));
    constexpr auto rows = gr::sum(gr::where(gr::sum<1, gr::keepdim>(m) > 6_c, gr::log(gr::sum<1, gr::keepdim>(m) - 6_c) * m, m));
    constexpr auto p = gr::compile(gr::grad(f, s), gr::grad(f, v), gr::grad(gr::grad(f, s), s), gr::jvp(f, s, s + 1_c),
                                   gr::grad(product, s), gr::grad(product, m), gr::grad(rows, m));
    T V[] = {1, 2, 3}, M[] = {1, 2, 3, 4, 5, 6};
    auto [ds, dv, hs, ts, ps, pm, dm] = p(s = T(0), v = V, m = M);
    CHECK(ds == 0);
    CHECK(dv(1) == 1);
    CHECK(hs == 0);
    CHECK(ts == 0);
    CHECK(ps == 0);
    CHECK(pm(1, 1) == 1);
    CHECK(dm(0, 0) == 1);  // the sum of this row is 6: the branch is log 0 times the row
    CHECK(dm(1, 2) == near<T>(std::log(9.0) + 15.0 / 9));
}
TEST_CASE_TEMPLATE("untaken branch: forward mode through sums, maxima, padding and concatenation", T, float, double) {
    // sqrt(|z|) has the slope infinity at 0, where the tangent of z is not selected
    constexpr auto m = names<T>::m;
    constexpr auto high = gr::amax<1, gr::keepdim>(m) > 0_c;
    constexpr auto chosen = gr::where(high, m * m, 0_c);
    constexpr auto of_sum = gr::sum(gr::sqrt(gr::sum<1>(chosen)));
    constexpr auto of_kept = gr::sum(gr::sqrt(gr::sum<1, gr::keepdim>(gr::where(high, 0_c, m * m))));
    constexpr auto of_largest = gr::sum(gr::sqrt(gr::amax<1>(chosen)));
    constexpr auto masked = gr::where(m > 0_c, m, 0_c);
    constexpr auto of_padded = gr::sum(gr::sqrt(gr::pad<1, 2>(masked)));
    constexpr auto of_other = gr::sum(gr::sqrt(gr::concatenate<0>(masked, gr::where(m > 0_c, 0_c, m * m))));
    constexpr auto slope = gr::jvp(of_sum, m, m);
    constexpr auto p = gr::compile(slope, gr::jvp(of_kept, m, m), gr::jvp(of_largest, m, m), gr::jvp(of_padded, m, m),
                                   gr::jvp(of_other, m, m), gr::jvp(slope, m, m), gr::grad(slope, m));
    T const M[] = {1, 2, 2, -1, -2, -2};
    auto [sum, kept, largest, padded, other, second, reversed] = p(m = M);
    CHECK(sum == near<T>(3));  // sqrt of squares along m: itself
    CHECK(kept == near<T>(3));
    CHECK(largest == near<T>(2));
    double const roots = 1 + 2 * std::sqrt(2.0);
    CHECK(padded == near<T>(roots / 2));
    CHECK(other == near<T>(roots / 2 + 5));
    CHECK(second == near<T>(3));
    double const expected[] = {1.0 / 3, 2.0 / 3, 2.0 / 3, 0, 0, 0};
    for (int i = 0; i < 6; ++i) CHECK(reversed(i / 3, i % 3) == near<T>(expected[i]));
}
TEST_CASE_TEMPLATE("a part of a condition that does not change along a sum: of what is not to hold, none may be left out", T, float,
                   double) {
    constexpr auto v = names<T>::v;
    constexpr auto s = names<T>::s;
    constexpr auto t = names<T>::t;
    constexpr auto all = gr::logical_and(v > 0_c, s > 0_c);
    constexpr auto one = gr::logical_or(v > 0_c, s > 0_c);
    constexpr auto f = [=](auto c) { return gr::sum(gr::where(c, 0_c, t * v)); };
    constexpr auto g = [=](auto c) { return gr::sum(gr::where(c, t * v, 0_c)); };
    constexpr auto p = gr::compile(gr::grad(f(all), t), gr::jvp(f(all), t, t), gr::grad(f(one), t), gr::jvp(f(one), t, t),
                                   gr::grad(g(all), t), gr::jvp(g(all), t, t), gr::grad(g(one), t), gr::jvp(g(one), t, t));
    T const V[] = {-1, 2, -4};
    for (T at : {T(1), T(-1)}) {
        bool const holds = at > 0;
        auto [fa, fa_t, fo, fo_t, ga, ga_t, go, go_t] = p(v = V, s = at, t = T(1));
        CHECK((fa == (holds ? -5 : -3) && fa_t == fa));
        CHECK((fo == (holds ? 0 : -5) && fo_t == fo));
        CHECK((ga == (holds ? 2 : 0) && ga_t == ga));
        CHECK((go == (holds ? -3 : 2) && go_t == go));
        auto const a = gr::tensor<T, 3>(V);
        gr::tensor<T> const b{at};
        auto const w = gr::tensor<T>{T(1)}.requires_grad_();
        gr::tensor y = gr::sum(gr::where(gr::logical_and(a > T(0), b > T(0)), gr::zeros<T, 3>(), w * a));
        y.backward();
        CHECK(w.grad().item() == (holds ? -5 : -3));
    }
}
TEST_CASE_TEMPLATE("untaken branch: matrices of a batch, of which some are singular", T, float, double) {
    constexpr auto a = names<T>::a;
    constexpr auto d = gr::det(a);
    constexpr auto f = gr::sum(gr::where(gr::reshape<2, 1, 1>(d > 0_c), gr::inv(a), a));
    constexpr auto p = gr::compile(gr::grad(f, a));
    T A[] = {0, 0, 0, 0, 2, 0, 0, 1};
    auto [g] = p(a = A);
    CHECK(g(0, 1, 0) == 1);
    CHECK(g(1, 0, 0) == near<T>(-0.25));  // - a^-T 1 a^-T
    CHECK(g(1, 0, 1) == near<T>(-0.5));
}
TEST_CASE_TEMPLATE("untaken branch: bounds and masks", T, float, double) {
    constexpr auto u = names<T>::u;
    constexpr auto f =
        gr::sum(gr::maximum(gr::log(u), -5_c) + gr::clamp(gr::log(u), -5_c, 5_c) + gr::minimum(1_c / u, 4_c) + gr::relu(gr::log(u)));
    constexpr auto after = gr::sum(gr::sqrt(gr::where(u > 1_c, u, 0_c)));  // here forward mode meets the singular rule after the selection
    constexpr auto p =
        gr::compile(gr::grad(f, u), gr::jvp(f, u, u), gr::grad(gr::sum(gr::grad(f, u)), u), gr::grad(after, u), gr::jvp(after, u, u));
    T U[] = {0, 4};
    auto [g, j, h, ga, ja] = p(u = U);
    CHECK(g(0) == 0);
    CHECK(g(1) == near<T>(3.0 / 4 - 1.0 / 16));
    CHECK(j == near<T>(3 - 1.0 / 4));
    CHECK(h(0) == 0);
    CHECK(h(1) == near<T>(-3.0 / 16 + 2.0 / 64));
    CHECK(ga(0) == 0);
    CHECK(ga(1) == near<T>(0.25));
    CHECK(ja == near<T>(1.0));
}
TEST_CASE_TEMPLATE("untaken branch: inside the steps of a scan and around it, and a choice that is not selected", T, float, double) {
    constexpr auto s = names<T>::s;
    constexpr auto t = names<T>::t;
    constexpr auto v = names<T>::v;
    constexpr auto inside = gr::scan([](auto c, auto x) { return c + gr::where(x > 1_c, gr::sqrt(x - 1_c) * gr::log(x - 1_c), x); }, s, v);
    constexpr auto around = gr::where(s > 0_c, gr::scan([](auto c, auto x) { return c * x + gr::sqrt(c); }, gr::log(s), v), s);
    constexpr auto choice =
        gr::where(s > 0_c, gr::cond(t > 0_c, [](auto x) { return gr::log(x); }, [](auto x) { return gr::sqrt(x); }, s), 3_c * s);
    constexpr auto p = gr::compile(gr::grad(inside, v), gr::grad(around, s), gr::grad(choice, s), gr::jvp(choice, s, s + 1_c),
                                   gr::grad(gr::grad(choice, s), s));
    T V[] = {1, 2, 3};
    auto [gi, ga, gc, jc, hc] = p(s = T(0), t = T(1), v = V);
    CHECK(gi(0) == 1);
    CHECK(gi(1) == near<T>(1.0));  // log(1) / 2 + 1
    CHECK(ga == 1);
    CHECK(gc == 3);
    CHECK(jc == 3);
    CHECK(hc == 0);
}
