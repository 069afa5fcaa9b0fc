// SPDX-License-Identifier: BSL-1.0
#include "structure.hpp"

// Gradients of slices: pads that the loop which adds them reads through windows.
namespace {

namespace gr = gradus;
using compare::check;
using compare::derivatives;
using compare::source;

template <class T>
struct windows {
    static constexpr auto v = gr::var<"v", T, 75>;
    static constexpr auto tv = gr::var<"tv", T, 75>;
    static constexpr auto c = gr::var<"c", T, 50>;
    static constexpr auto n = gr::var<"x", T, "n", 6, 11>;
    static constexpr auto tn = gr::var<"tx", T, "n", 6, 11>;
    static constexpr auto cn = gr::var<"cn", T, "n", 4, 9>;
    static constexpr auto one = gr::var<"one", T>;
    static constexpr auto element(auto x, auto i) { return gr::reshape<>(gr::slice<i.value, i.value + 1>(x)); }
    template <int I>
    static constexpr auto at = element(gr::sin(v), std::integral_constant<int, I>{});
};

}  // namespace

TEST_CASE_TEMPLATE("windows: parts of vectors that overlap, single elements", T, float, double) {
    using r = windows<T>;
    check<source<[] {
        return derivatives(gr::sin(gr::slice<0, 50>(r::v)) * gr::slice<25, 75>(r::v) + gr::square(gr::slice<13, 63>(r::v)), r::c, r::v,
                           r::tv);
    }>>();
    check<source<[] {
        return derivatives(r::template at<0> * r::template at<7> + r::template at<8> * r::template at<74>, r::one, r::v, r::tv);
    }>>();
}
TEST_CASE_TEMPLATE("windows: on outer and inner axes, beside a named dimension", T, float, double) {
    using r = windows<T>;
    check<source<[] {
        return derivatives(gr::sin(gr::slice<gr::range{0, 4}, gr::range{1, 10}>(gr::reshape<6, 11, -1>(gr::transpose<1, 2, 0>(r::n)))),
                           gr::reshape<4, 9, -1>(gr::transpose<1, 2, 0>(r::cn)), r::n, r::tn);
    }>>();
    check<source<[] {
        return derivatives(
            gr::slice<1, 10, 1, 2>(gr::slice<2, 6, 1, 1>(gr::sin(r::n))) * gr::slice<0, 9, 1, 2>(gr::slice<0, 4, 1, 1>(r::n)), r::cn, r::n,
            r::tn);
    }>>();
}
TEST_CASE("windows: neither read memory outside of the part nor take a kernel of their own") {
    constexpr auto x = gr::var<"x", double, 8>;
    constexpr auto head = gr::slice<0, 7>(x);
    constexpr auto valley =
        gr::sum(gr::constant<100.0> * gr::square(gr::slice<1, 8>(x) - gr::square(head)) + gr::square(gr::constant<1.0> - head));
    constexpr auto step = gr::compile(valley, gr::grad(valley, x));
    static_assert(step.kernels() == 2, "the function, and one loop over both parts of its gradient");
    double at[8] = {1, 1, 1, 1, 1, 1, 1, 2};
    auto [value, slope] = step(x = at);
    CHECK(value == 100);
    for (int i = 0; i < 8; ++i) CHECK(slope(i) == (i < 6 ? 0 : i == 6 ? -400 : 200));
}
