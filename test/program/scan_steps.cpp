// SPDX-License-Identifier: BSL-1.0
#include "compare.hpp"

// Loops of no step, of one and of many; derivatives beside differences; a loop in a training step.
namespace {

namespace gr = gradus;
using namespace gr::literals;

constexpr auto h0 = gr::var<"h0", double, 2>;
constexpr auto w = gr::var<"w", double, 2, 2>;
constexpr auto v = gr::var<"v", double, 2, 2>;
constexpr auto xs = gr::var<"xs", double, "time", 2>;
constexpr auto both = gr::scan(
    [](auto h, auto x) {
        auto next = gr::tanh(gr::matmul(h, w) + x);
        return std::pair{next, gr::sum(next * x)};
    },
    h0, xs);
constexpr auto loss = gr::sum(gr::square(both.first)) + gr::sum(both.second);
constexpr auto program = gr::compile(both.first, both.second, loss, gr::grad(loss, w), gr::grad(loss, h0), gr::grad(loss, xs),
                                     gr::jvp(loss, w, v), gr::grad(gr::jvp(loss, w, v), w));

constexpr double H[2] = {0.5, -0.25}, W[2][2] = {{0.3, -0.4}, {0.2, 0.6}}, V[2][2] = {{1, 0.5}, {-0.5, 0.25}};
std::vector<double> rows(int count) {
    std::vector<double> x;
    for (int i = 0; i < 2 * count; ++i) x.push_back((i * 37 % 83) / 41.0 - 1);
    return x;
}

}  // namespace

TEST_CASE("scan: no steps give the first carry and sums of nothing") {
    auto const [last, ys, l, dw, dh, dx, along, second] = program(h0 = H, w = W, v = V, xs = rows(0), gr::dim<"time"> = 0);
    CHECK(last(0) == 0.5);
    CHECK(last(1) == -0.25);
    CHECK(ys.size() == 0);
    CHECK(l == 0.3125);
    CHECK(dw(1, 0) == 0);
    CHECK(dh(0) == 1);
    CHECK(dx.size() == 0);
    CHECK(along == 0);
    CHECK(second(0, 1) == 0);
}
TEST_CASE("scan: one step, two and many against a loop, derivatives against differences") {
    for (int count : {1, 2, 7, 100}) {
        CAPTURE(count);
        auto const X = rows(count);
        auto const value = [&](double step) {
            double h[2] = {H[0], H[1]}, sum = 0;
            for (int t = 0; t < count; ++t) {
                double next[2];
                for (int j = 0; j < 2; ++j) {
                    next[j] = X[static_cast<std::size_t>(2 * t + j)];
                    for (int k = 0; k < 2; ++k) next[j] += h[k] * (W[k][j] + step * V[k][j]);
                    next[j] = std::tanh(next[j]);
                    sum += next[j] * X[static_cast<std::size_t>(2 * t + j)];
                }
                h[0] = next[0], h[1] = next[1];
            }
            return h[0] * h[0] + h[1] * h[1] + sum;
        };
        auto const [last, ys, l, dw, dh, dx, along, second] = program(h0 = H, w = W, v = V, xs = X);
        // sums of at most 200 products of either order: 200 roundings of 1e-16 and as many again through tanh
        CHECK(l == doctest::Approx(value(0)).epsilon(1e-12));
        CHECK(ys.size() == count);
        double dot = 0, twice = 0;
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 2; ++j) dot += dw(i, j) * V[i][j], twice += second(i, j) * V[i][j];
        CHECK(dot == doctest::Approx(along).epsilon(1e-12));  // <vjp, v> and jvp
        // central differences of step h: h^2 f''' / 6, and rounding 1e-14 / h = 1e-9; / h^2 = 1e-6 for the second
        CHECK(along == doctest::Approx((value(1e-5) - value(-1e-5)) / 2e-5).epsilon(1e-6));
        CHECK(twice == doctest::Approx((value(1e-4) - 2 * value(0) + value(-1e-4)) / 1e-8).epsilon(1e-4));
    }
}
TEST_CASE("scan: a training step with updates in place finds the weights of a recurrence") {
    constexpr auto weight = gr::var<"weight", float>;
    constexpr auto inputs = gr::var<"inputs", float, "time">;
    constexpr auto wanted = gr::var<"wanted", float, "time">;
    constexpr auto outputs = gr::scan(
                                 [=](auto h, auto x) {
                                     auto next = h * weight + x;
                                     return std::pair{next, next};
                                 },
                                 gr::cast<float>(0_c), inputs)
                                 .second;
    constexpr auto cost = gr::mse_loss(outputs, wanted);
    constexpr auto train = gr::compile(cost, gr::update(weight, weight - 0.1_c * gr::grad(cost, weight)));
    float x[20], target[20], state = 0, found = 0;
    for (int t = 0; t < 20; ++t) {
        x[t] = static_cast<float>(t * 7 % 5) / 2 - 1;
        target[t] = state = state * 0.75f + x[t];
    }
    gr::workspace scratch;
    float first = 0, last = 0;
    for (int i = 0; i < 200; ++i) {
        auto const [l] = train(weight = found, inputs = x, wanted = target, scratch);
        if (i == 0) first = l;
        last = l;
    }
    CHECK(first > 0.1f);
    CHECK(last < 1e-6f);                                  // the square of a residual a thousandth of the inputs, far above float's rounding
    CHECK(found == doctest::Approx(0.75).epsilon(1e-3));  // as near as that cost asks
}
TEST_CASE("scan: a derivative that reads nothing of a loop over integers") {
    static constexpr auto root = gr::var<"root", double>;
    constexpr auto first = gr::var<"first", std::int64_t>;
    constexpr auto squares = gr::scan<5>([](auto k) { return std::pair{k + gr::cast<std::int64_t>(gr::constant<1>), root * root}; }, first);
    constexpr auto count = gr::compile(squares.first, gr::grad(gr::sum(squares.second), root));
    auto const [last, slope] = count(root = 3.0, first = std::int64_t{2});
    CHECK(last == 7);
    CHECK(slope == 5 * 2 * 3.0);
}
