// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>

// A derivative goes to the element that the value is, however the programs of both round what is compared. A quotient shows it:
// a backward program divides by the same number more often, and multiplies by its reciprocal instead.
namespace gr = gradus;
using namespace gr::literals;

namespace {

template <class T>
using row = gr::tensor<T, 8>;

template <class T>
struct drawn {
    row<T> x, d;
    explicit drawn(gr::random& random) : x(gr::randn<T, 8>(random)), d(gr::rand<T, 8>(random)) {
        for (T& e : d) e += T(0.5);
        x.requires_grad_(), d.requires_grad_();
    }
    /// The derivatives by x, each times what it is where the element is selected once, 1 / d.
    double selected(row<T> const& g) const {
        double total = 0;
        for (int i = 0; i < 8; ++i) total += std::abs(static_cast<double>(g(i)) * static_cast<double>(d(i)));
        return total;
    }
};

/// How many of 1000 derivatives do not go to `elements` elements.
template <class T>
int lost(int elements, auto f) {
    gr::random random(3);
    int count = 0;
    for (int trial = 0; trial < 1000; ++trial) {
        drawn<T> at(random);
        gr::tensor y = f(at.x, at.d);
        y.backward();
        count += std::abs(at.selected(at.x.grad()) - elements) > 1e-5;  // products of roundings of 6e-8, elements of 1
    }
    return count;
}

constexpr auto x = gr::var<"x", double, "rows", 8>;
constexpr auto d = gr::var<"d", double, "rows", 8>;
constexpr auto v = gr::var<"v", double, "rows", 8>;
constexpr auto q = gr::let([] { return x / d; });
constexpr auto largest = gr::sum(gr::amax<1>(q));
constexpr auto smaller = gr::sum(gr::minimum(gr::slice<0, 4, 1, 1>(q), gr::slice<4, 8, 1, 1>(q)));

}  // namespace

TEST_CASE("the derivative of a maximum finds the maximum") {
    CHECK(lost<double>(1, [](auto a, auto b) { return gr::amax(a / b); }) == 0);
    CHECK(lost<float>(1, [](auto a, auto b) { return gr::amax(a / b); }) == 0);
    CHECK(lost<double>(2, [](auto a, auto b) { return gr::sum(gr::amin<0>(gr::reshape<4, 2>(a / b))); }) == 0);
    CHECK(lost<float>(1, [](auto a, auto b) { return gr::norm<gr::order<std::numeric_limits<double>::infinity()>>(a / b); }) == 0);
    CHECK(lost<float>(2, [](auto a, auto b) { return gr::sum(gr::max_pool2d<2, 2>(gr::reshape<1, 1, 2, 4>(a / b))); }) == 0);
    CHECK(lost<double>(8, [](auto a, auto b) { return gr::sum(std::get<0>(gr::cummax(a / b))); }) == 0);
    CHECK(lost<double>(1, [](auto a, auto b) { return gr::sum(gr::median<0>(a / b)); }) == 0);
}
TEST_CASE("so does the derivative of its derivative") {
    gr::random random(4);
    int count = 0;
    for (int trial = 0; trial < 200; ++trial) {
        drawn<double> at(random);
        gr::tensor y = gr::amax(at.x / at.d);
        gr::tensor slope = gr::sum(gr::autograd::grad(y, at.d, {.create_graph = true}));  // -x / d^2 of one element
        slope.backward();
        double total = 0;
        for (int i = 0; i < 8; ++i) total -= at.x.grad()(i) * at.d(i) * at.d(i);
        count += std::abs(total - 1) > 1e-12;  // a few roundings of 1e-16
    }
    CHECK(count == 0);
}
TEST_CASE("what is equal in the value is equal in the derivative: half each, shares of one") {
    gr::random random(5);
    int unequal = 0;
    for (int trial = 0; trial < 500; ++trial) {
        drawn<float> at(random);
        at.x.data()[7] = at.x.data()[0] = 9;  // 9 / 0.7 is above what normal numbers are over 0.5
        at.d.data()[7] = at.d.data()[0] = 0.7f;
        gr::tensor before = gr::tensor(at.x / at.d).detach();
        gr::tensor both = gr::sum(gr::maximum(at.x / at.d, before));
        both.backward();
        unequal += std::abs(at.selected(at.x.grad()) - 4) > 1e-5;  // as above
        at.x.zero_grad();
        gr::tensor most = gr::amax(at.x / at.d);
        most.backward();
        unequal += at.x.grad()(0) != at.x.grad()(7) || std::abs(at.x.grad()(0) * 1.4f - 1) > 1e-6f;  // a few roundings of 6e-8
    }
    CHECK(unequal == 0);
}
TEST_CASE("programs of named dimensions find it in both modes") {
    constexpr auto both = largest + smaller;
    constexpr auto p = gr::compile(largest, smaller, gr::grad(both, x), gr::jvp(both, d, v), gr::grad(gr::sum(gr::grad(largest, d)), x));
    gr::random random(6);
    int count = 0;
    for (int trial = 0; trial < 500; ++trial) {
        gr::array<double, gr::dyn, 8> X(3), D(3), V(3);
        for (int i = 0; i < 24; ++i) X.data()[i] = random.normal(), D.data()[i] = 0.5 + random.uniform(), V.data()[i] = random.normal();
        auto [top, low, by_x, along_d, mixed] = p(x = X, d = D, v = V);
        double elements = 0, again = 0, value = 0, slope = 0;
        for (int i = 0; i < 24; ++i) {
            double const a = X.data()[i], b = D.data()[i], g = by_x.data()[i];
            elements += g * b;  // 3 of rows and 12 of pairs, 1 / d each
            again -= mixed.data()[i] * b * b;
            value += g * a;
            slope -= g * a / b * V.data()[i];
        }
        // a few roundings of 1e-16, of sums of 15 terms up to 10
        for (double off : {elements - 15, again - 3, value - top - low, slope - along_d}) count += std::abs(off) > 1e-12;
    }
    CHECK(count == 0);
}
