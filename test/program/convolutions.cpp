// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

#include <thread>

// Convolutions in programs: values and derivatives of both orders and both modes against the interpreter, for named batches, on threads, in
// elements of 16 bits.
namespace {

namespace gr = gradus;

template <class T>
struct layer {
    static constexpr auto x = gr::var<"x", T, "n", 2, 7, 19>;
    static constexpr auto w = gr::var<"w", T, 4, 1, 3, 2>;
    static constexpr auto t = gr::var<"t", T, "n", 2, 7, 19>;
    static constexpr auto b = gr::var<"b", T, 4>;
    static constexpr auto y = gr::let([] { return gr::conv2d<gr::windows{.stride = 2, .padding = 1, .groups = 2}>(x, w, b); });
    static constexpr auto loss = gr::let([] { return gr::mean(gr::square(gr::relu(y))); });
};

constexpr auto image = gr::var<"image", float, 32, 1, 28, 28>;
constexpr auto w1 = gr::var<"w1", float, 8, 1, 3, 3>;
constexpr auto b1 = gr::var<"b1", float, 8>;
constexpr auto w2 = gr::var<"w2", float, 16, 8, 3, 3>;
constexpr auto b2 = gr::var<"b2", float, 16>;
constexpr gr::windows same_size{.padding = 1};
constexpr auto hidden = gr::let([] { return gr::relu(gr::conv2d<same_size>(image, w1, b1)); });
constexpr auto last = gr::let([] { return gr::relu(gr::conv2d<same_size>(hidden, w2, b2)); });
constexpr auto loss = gr::let([] { return gr::mean(gr::square(last)); });
constexpr auto step = gr::compile(loss, gr::grad(loss, w1), gr::grad(loss, b1), gr::grad(loss, w2), gr::grad(loss, b2));

void fill(auto& a, int seed) {
    for (std::size_t i = 0; auto& v : a) v = static_cast<float>((i++ * 7919 + static_cast<std::size_t>(seed)) % 101) / 100 - 0.5F;
}

}  // namespace

TEST_CASE_TEMPLATE("convolutions: values, derivatives, second derivatives", T, float, double) {
    using l = layer<T>;
    compare::check<gr::expressions<std::remove_cvref_t<decltype(l::y)>, decltype(gr::grad(l::loss, l::x)), decltype(gr::grad(l::loss, l::w)),
                                   decltype(gr::grad(l::loss, l::b)), decltype(gr::jvp(gr::grad(l::loss, l::w), l::x, l::t))>>();
}
TEST_CASE("convolutions: a network of two is few kernels and little memory, with the same bits on threads") {
    static_assert(step.kernels() <= 12);
    static_assert(step.workspace_bytes() <= 6000000);
    gr::array<float, 32, 1, 28, 28> x;
    gr::array<float, 8, 1, 3, 3> u, du[2];
    gr::array<float, 8> p, dp[2];
    gr::array<float, 16, 8, 3, 3> v, dv[2];
    gr::array<float, 16> q, dq[2];
    fill(x, 0), fill(u, 1), fill(p, 2), fill(v, 3), fill(q, 4);
    float l[2]{};
    auto const run = [](int n, auto f) {
        std::vector<std::thread> all;
        for (int i = 0; i < n; ++i) all.emplace_back(f, i);
        for (std::thread& t : all) t.join();
    };
    step(gr::out(l[0], du[0], dp[0], dv[0], dq[0]), image = x, w1 = u, b1 = p, w2 = v, b2 = q);
    step(gr::out(l[1], du[1], dp[1], dv[1], dq[1]), image = x, w1 = u, b1 = p, w2 = v, b2 = q, gr::parallel(3, run));
    CHECK(l[0] > 0);
    CHECK(l[0] == l[1]);
    CHECK(std::equal(du[0].begin(), du[0].end(), du[1].begin()));
    CHECK(std::equal(dp[0].begin(), dp[0].end(), dp[1].begin()));
    CHECK(std::equal(dv[0].begin(), dv[0].end(), dv[1].begin()));
    CHECK(std::equal(dq[0].begin(), dq[0].end(), dq[1].begin()));
}
TEST_CASE("convolutions: elements of 16 bits are multiplied as floats") {
    constexpr auto x = gr::var<"x", gr::bfloat16, 1, 2, 4, 4>;
    constexpr auto w = gr::var<"w", gr::bfloat16, 1, 2, 3, 3>;
    gr::array<gr::bfloat16, 1, 2, 4, 4> of;
    gr::array<gr::bfloat16, 1, 2, 3, 3> by;
    for (auto& e : of) e = gr::bfloat16(1.0F);
    for (auto& e : by) e = gr::bfloat16(0.5F);
    auto const [y, dw] = gr::compile(gr::conv2d(x, w), gr::grad(gr::sum(gr::conv2d(x, w)), w))(x = of, w = by);
    CHECK(static_cast<float>(y(0, 0, 1, 1)) == 9);
    CHECK(static_cast<float>(dw(0, 1, 2, 2)) == 4);
}
