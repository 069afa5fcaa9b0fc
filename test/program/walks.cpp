// SPDX-License-Identifier: BSL-1.0
#include "reductions.hpp"

#include <cmath>

// Kernels that walk over blocks of rows, and that follow a product's blocks.
using namespace compare;

namespace {

template <class T>
struct rows {
    static constexpr auto x = gr::var<"x", T, 70, 300>;         // two blocks of rows, the second one shorter
    static constexpr auto wide = gr::var<"wide", T, "n", 400>;  // less than a block, or more
    static constexpr auto w = gr::var<"w", T, 300, 17>;
    static constexpr auto b = gr::var<"b", T, 17>;
    static constexpr auto v = gr::var<"v", T, 300>;
    static constexpr auto y = gr::var<"y", T, 70>;
    static constexpr auto c = gr::var<"c", T, 70, 300>;
    static constexpr auto t = gr::var<"t", T, 70, 300>;
};

}  // namespace

TEST_CASE_TEMPLATE("walks: softmax by rows, its derivatives, sums over the rows beside", T, float, double) {
    using r = rows<T>;
    check<source<[] {
        return std::tuple{gr::softmax(r::x), gr::sum<0>(gr::log_softmax(r::wide)), gr::logsumexp<1>(r::wide),
                          gr::grad(gr::sum(gr::softmax(r::x) * r::c), r::x)};
    }>>();
}
TEST_CASE("walks: rows whose number is given at run time, less than a block and more") {
    using r = rows<float>;
    subject const program = subject_of<source<[] {
        return std::tuple{gr::softmax(r::wide), gr::sum<0>(gr::softmax(r::wide)), gr::sum(gr::amax<1>(gr::tanh(r::wide)))};
    }>>();
    for (std::int64_t n : {1, 15, 16, 17, 40}) running(program, n, 41).check(inputs::signed_values);
}
TEST_CASE_TEMPLATE("walks: a matrix times a vector, a loop, and the matrix again", T, float, double) {
    using r = rows<T>;
    static constexpr auto loss = gr::mean(gr::square(gr::tanh(gr::matmul(r::x, r::v)) - r::y));
    check<source<[] { return std::tuple{loss, gr::grad(loss, r::v), gr::grad(loss, r::y)}; }>>();
}
TEST_CASE_TEMPLATE("walks: bias, activation and sums over the rows behind a product", T, float, double) {
    using r = rows<T>;
    static constexpr auto h = gr::let([] { return gr::tanh(gr::matmul(r::x, r::w) + r::b); });
    check<source<[] { return std::tuple{gr::sum<0>(h), gr::softmax(h), gr::grad(gr::sum(gr::square(h)), r::b)}; }>>();
    static_assert(gr::compile(gr::softmax(h)).kernels() == 1);
}
TEST_CASE("walks: many blocks behind a product that packs its operands into scratch memory") {
    static constexpr auto x = gr::var<"x", double, "n", 150>;
    static constexpr auto w = gr::var<"w", double, 140, 150>;
    static constexpr auto b = gr::var<"b", double, 140>;
    static constexpr auto h = gr::let([] { return gr::tanh(gr::matmul(x, gr::transpose(w)) + b); });
    static constexpr auto loss = gr::mean(gr::square(h));
    subject const program =
        subject_of<source<[] { return std::tuple{gr::sum<0>(h), loss, gr::grad(loss, x), gr::grad(loss, w), gr::grad(loss, b)}; }>>();
    for (std::int64_t n : {20, 97, 200}) running(program, n, 43).check(inputs::signed_values);
}
TEST_CASE("walks: labels are converted for the rows that read them") {
    static constexpr auto x = gr::var<"x", float, "n", 300>;
    constexpr auto labels = gr::var<"labels", std::int64_t, "n">;
    constexpr auto loss = gr::cross_entropy(x, labels);
    constexpr auto step = gr::compile(loss, gr::grad(loss, x));
    static_assert(step.kernels() == 2, "how many labels count, then all the rest");
    std::vector<float> X(300 * 40);
    std::vector<std::int64_t> L(40);
    for (std::size_t i = 0; i < X.size(); ++i) X[i] = static_cast<float>(i * 37 % 101) / 50;
    for (std::size_t i = 0; i < L.size(); ++i) L[i] = static_cast<std::int64_t>(i * 53 % 300);
    auto [value, slope] = step(x = X, labels = L);
    double expected = 0;
    for (std::size_t i = 0; i < 40; ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < 300; ++k) sum += std::exp(double{X[300 * i + k]});
        auto const label = static_cast<std::size_t>(L[i]);
        expected += (std::log(sum) - X[300 * i + label]) / 40;
        for (std::size_t k = 0; k < 300; ++k)
            CHECK(std::abs(slope(i, k) - (std::exp(double{X[300 * i + k]}) / sum - (k == label)) / 40) < 1e-8);  // 1/40 in float: 2e-9
    }
    CHECK(std::abs(value - expected) < 40 * 1.2e-7 * expected);  // a sum of forty
}
TEST_CASE("walks: no rows, sums of nothing") {
    constexpr auto x = gr::var<"x", float, "n", 64>;
    constexpr auto v = gr::var<"v", float, 64>;
    constexpr auto s = gr::sum(gr::exp(gr::matmul(x, v)));
    constexpr auto step = gr::compile(s, gr::grad(s, v), gr::softmax(x));
    float const V[64] = {};
    auto [value, slope, rows] = step(x = std::span<float const>{}, v = V, gr::dim<"n"> = 0);
    CHECK(value == 0);
    for (int i = 0; i < 64; ++i) CHECK(slope(i) == 0);
    CHECK(rows.size() == 0);
}
TEST_CASE("walks: the training step of a classifier with two layers") {
    static constexpr auto x = gr::var<"x", float, "batch", 784>;
    static constexpr auto labels = gr::var<"labels", std::int64_t, "batch">;
    static constexpr auto w1 = gr::var<"w1", float, 784, 128>;
    static constexpr auto b1 = gr::var<"b1", float, 128>;
    static constexpr auto w2 = gr::var<"w2", float, 128, 10>;
    static constexpr auto b2 = gr::var<"b2", float, 10>;
    static constexpr auto h = gr::let([] { return gr::relu(gr::matmul(x, w1) + b1); });
    static constexpr auto loss = gr::let([] { return gr::cross_entropy(gr::matmul(h, w2) + b2, labels); });
    constexpr auto descent = [](auto p) { return gr::update(p, p - gr::constant<0.1> * gr::grad(loss, p)); };
    constexpr auto step = gr::compile(loss, descent(w1), descent(b1), descent(w2), descent(b2));
    static_assert(step.kernels() == 6,
                  "how many labels count, two layers, the loss by rows, and the products of the gradients: with all updates");
    std::string const table = step.explain(gr::dim<"batch"> = 64).str();
    CAPTURE(table);
    CHECK(table.find("1 | matmul; add relu |") != std::string::npos);
    CHECK(table.find("2 | matmul; maximum minimum cast; add amax equal where sum; abs less where; sub exp sum; ") != std::string::npos);
    CHECK(table.find("5 | matmul; mul sub |") != std::string::npos);
}

namespace {
/// The distances of points to the nearest of centres, of which each stands twice: two minima share the derivative.
template <class T, std::int64_t D>
struct nearest {
    static constexpr auto x = gr::var<"x", T, "n", D>;
    static constexpr auto c = gr::var<"c", T, 11, D>;
    static constexpr auto v = gr::var<"v", T, 11, D>;
    static constexpr auto distances = gr::let([] { return gr::sum<2>(gr::square(gr::unsqueeze<1>(x) - c)); });
    static constexpr auto loss = gr::sum(gr::amin<1, 2>(gr::stack<2>(distances, distances)));
    static constexpr auto least = gr::sum(gr::amin<1>(distances) * gr::select<1, 0>(x));
};
}  // namespace

TEST_CASE_TEMPLATE("walks: the derivatives of minima are sums of the rows that are selected", T, float, double) {
    using p = nearest<T, 3>;
    using q = nearest<T, 8>;
    subject const of_3 = subject_of<
        source<[] { return std::tuple{p::loss, gr::grad(p::loss, p::c), gr::grad(p::loss, p::x), gr::hvp(p::loss, p::c, p::v)}; }>>();
    subject const of_8 = subject_of<source<[] { return std::tuple{q::least, gr::grad(q::least, q::c), gr::hvp(q::least, q::c, q::v)}; }>>();
    for (std::int64_t n : {1, 5, 40}) {
        running(of_3, n, 47).check(inputs::distinct);
        running(of_8, n, 47).check(inputs::distinct);
    }
}
