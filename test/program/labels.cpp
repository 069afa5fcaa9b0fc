// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

// Losses by labels, against their definition written as loops: values, both modes, second order, symbols and tensors.
namespace gr = gradus;

namespace {

constexpr int rows = 4, classes = 3;
constexpr double scores[rows][classes] = {{0.5, -1.25, 2}, {40, 0, -3}, {-0.75, 0.25, 1.5}, {3, 3, -2}};
constexpr double direction[rows][classes] = {{1, -0.5, 0.25}, {2, 1, -1}, {-1.5, 0.5, 0.75}, {0.125, -2, 1}};
constexpr double weights[classes] = {0.5, 2, 1.25};

/// The loss, its gradient by the scores, its derivative along the direction and the second derivative along it.
struct expected {
    double loss = 0, along = 0, gradient[rows][classes]{}, second[rows][classes]{};

    expected(std::vector<std::int64_t> const& label, double const* w, std::int64_t ignored, double smoothing) {
        double count = 0;
        for (std::int64_t y : label) count += y == ignored ? 0 : w[y];
        for (int i = 0; i < rows; ++i) {
            if (label[static_cast<std::size_t>(i)] == ignored) continue;
            auto const y = static_cast<int>(label[static_cast<std::size_t>(i)]);
            double sum = 0, all = 0, along_row = 0;
            for (int c = 0; c < classes; ++c) sum += std::exp(scores[i][c]), all += w[c];
            double const pull = (1 - smoothing) * w[y] + smoothing / classes * all;
            for (int c = 0; c < classes; ++c) along_row += std::exp(scores[i][c]) / sum * direction[i][c];
            for (int c = 0; c < classes; ++c) {
                double const p = std::exp(scores[i][c]) / sum, share = (c == y ? (1 - smoothing) * w[y] : 0) + smoothing / classes * w[c];
                loss += share * (std::log(sum) - scores[i][c]) / count;
                gradient[i][c] = (pull * p - share) / count;
                along += gradient[i][c] * direction[i][c];
                second[i][c] = pull * p * (direction[i][c] - along_row) / count;
            }
        }
    }
};
/// A dozen roundings of numbers up to 40, in T.
template <class T>
bool near(double got, double want) {
    return std::abs(got - want) <= 12 * 40 * static_cast<double>(std::numeric_limits<T>::epsilon()) ||
           (std::isnan(got) && std::isnan(want));
}

template <class T>
gr::array<T, rows, classes> as_array(double const (&from)[rows][classes]) {
    gr::array<T, rows, classes> made;
    for (int i = 0; i < rows; ++i)
        for (int c = 0; c < classes; ++c) made(i, c) = static_cast<T>(from[i][c]);
    return made;
}
template <class T>
bool are_near(auto const& got, double const (&want)[rows][classes]) {
    bool same = true;
    for (int i = 0; i < rows; ++i)
        for (int c = 0; c < classes; ++c) same = same && near<T>(static_cast<double>(got(i, c)), want[i][c]);
    return same;
}

template <class T>
constexpr auto x = gr::var<"x", T, "rows", classes>;
template <class T>
constexpr auto v = gr::var<"v", T, "rows", classes>;
template <class T>
constexpr auto w = gr::var<"w", T, classes>;
template <class I>
constexpr auto y = gr::var<"y", I, "rows">;

template <class T, class I>
struct plain {
    static constexpr auto loss = gr::let([] { return gr::cross_entropy(x<T>, y<I>); });
};
template <class T, class I>
struct weighted {
    static constexpr auto loss =
        gr::let([] { return gr::cross_entropy<gr::labels{.ignore_index = 1, .label_smoothing = 0.25}>(x<T>, y<I>, w<T>); });
};
template <class Loss, class T>
constexpr auto all_of = [] {
    constexpr auto g = gr::let([] { return gr::grad(Loss::loss, x<T>); });
    return gr::compile(Loss::loss, g, gr::jvp(Loss::loss, x<T>, v<T>), gr::grad(gr::sum(g * v<T>), x<T>), gr::jvp(g, x<T>, v<T>));
}();

template <class T>
void check(auto const& results, expected const& e) {
    auto const& [loss, gradient, along, second, forward] = results;
    CHECK(near<T>(static_cast<double>(loss), e.loss));
    CHECK(near<T>(static_cast<double>(along), e.along));
    CHECK(are_near<T>(gradient, e.gradient));
    CHECK(are_near<T>(second, e.second));
    CHECK(are_near<T>(forward, e.second));
}

constexpr double ones[classes] = {1, 1, 1}, zeros[rows][classes] = {};

}  // namespace

TEST_CASE_TEMPLATE("labels: rows of label -100 do not count, in any derivative", T, float, double) {
    using I = std::conditional_t<std::is_same_v<T, float>, std::int64_t, std::int32_t>;
    gr::array<T, rows, classes> X = as_array<T>(scores), V = as_array<T>(direction);
    for (std::vector<I> const& label : {std::vector<I>{2, 0, 0, 1}, {2, -100, 0, -100}, {-100, -100, 1, -100}})
        check<T>(all_of<plain<T, I>, T>(x<T> = X, v<T> = V, y<I> = label), expected({label.begin(), label.end()}, ones, -100, 0));
    auto const [loss, gradient, along, second, forward] = all_of<plain<T, I>, T>(x<T> = X, v<T> = V, y<I> = std::vector<I>(4, -100));
    CHECK(std::isnan(loss));
    CHECK(are_near<T>(gradient, zeros));
}
TEST_CASE_TEMPLATE("labels: weights, smoothing and another label to ignore", T, float, double) {
    using I = std::conditional_t<std::is_same_v<T, float>, std::int32_t, std::int64_t>;
    gr::array<T, rows, classes> X = as_array<T>(scores), V = as_array<T>(direction);
    T const W[classes] = {T(0.5), T(2), T(1.25)};
    for (std::vector<I> const& label : {std::vector<I>{2, 1, 0, 2}, {1, 0, 1, 1}})
        check<T>(all_of<weighted<T, I>, T>(x<T> = X, v<T> = V, y<I> = label, w<T> = W),
                 expected({label.begin(), label.end()}, weights, 1, 0.25));
}
TEST_CASE("labels: what an ignored row holds does not matter") {
    gr::array<double, rows, classes> X = as_array<double>(scores), V = as_array<double>(direction);
    X(1, 0) = std::numeric_limits<double>::quiet_NaN();
    X(1, 2) = std::numeric_limits<double>::infinity();
    std::vector<std::int32_t> const label{2, -100, 0, 1};
    auto const [loss, gradient, along, second, forward] =
        all_of<plain<double, std::int32_t>, double>(x<double> = X, v<double> = V, y<std::int32_t> = label);
    expected const e({label.begin(), label.end()}, ones, -100, 0);
    CHECK(near<double>(loss, e.loss));
    CHECK(near<double>(along, e.along));
    CHECK(are_near<double>(gradient, e.gradient));
    CHECK(are_near<double>(forward, e.second));
}
TEST_CASE("labels: 64 bits are 64 bits") {
    // 2^32 + 1 and its negative are no class; before they were cut to 1. Such a row contributes its logsumexp.
    gr::array<float, rows, classes> X = as_array<float>(scores), V = as_array<float>(direction);
    std::vector<std::int64_t> const label{(std::int64_t{1} << 32) + 1, -(std::int64_t{1} << 32), std::int64_t{1} << 62, -99};
    auto const [loss, gradient, along, second, forward] =
        all_of<plain<float, std::int64_t>, float>(x<float> = X, v<float> = V, y<std::int64_t> = label);
    double sum = 0;
    for (auto const& row : scores) sum += std::log(std::exp(row[0]) + std::exp(row[1]) + std::exp(row[2]));
    CHECK(near<float>(static_cast<double>(loss), sum / rows));
    CHECK(near<float>(static_cast<double>(gradient(0, 1)), std::exp(-1.25) / (std::exp(0.5) + std::exp(-1.25) + std::exp(2.0)) / rows));
}
TEST_CASE("labels: tensors, first and second order") {
    auto look = []<class T>(gr::tensor<T, rows, classes> const& X, auto const& written, expected const& e) {
        gr::tensor loss = written;
        CHECK(near<T>(static_cast<double>(loss.item()), e.loss));
        auto const g = gr::autograd::grad(loss, X, {.create_graph = true});
        CHECK(are_near<T>(g, e.gradient));
        gr::tensor along = gr::sum(g * gr::tensor<T, rows, classes>(as_array<T>(direction)));
        CHECK(are_near<T>(gr::autograd::grad(along, X), e.second));
    };
    auto const f = gr::tensor<float, rows, classes>(as_array<float>(scores)).requires_grad_();
    auto const d = gr::tensor<double, rows, classes>(as_array<double>(scores)).requires_grad_();
    gr::tensor<double, classes> const W{0.5, 2, 1.25};
    gr::tensor<std::int64_t, gr::dyn> const label(std::vector<std::int64_t>{2, 1, 0, 2}),
        padded(std::vector<std::int64_t>{2, -100, 0, -100});
    look(f, gr::cross_entropy(f, padded), expected({2, -100, 0, -100}, ones, -100, 0));
    look(d, gr::cross_entropy<gr::labels{.ignore_index = 1, .label_smoothing = 0.25}>(d, label, W),
         expected({2, 1, 0, 2}, weights, 1, 0.25));
    look(d, gr::nll_loss(gr::log_softmax(d), label, W), expected({2, 1, 0, 2}, weights, -100, 0));
}
