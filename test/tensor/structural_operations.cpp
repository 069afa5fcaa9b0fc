// SPDX-License-Identifier: BSL-1.0
#include <gradus/tensor/gradcheck.hpp>
#include <program/structural_operations.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <vector>

// The operations of users' of test/program/structural_operations.cpp on tensors: values by hand-written loops, derivatives of both orders
// by differences.
namespace {

using namespace structural;

/// Small whole numbers, which are exact in float too.
template <class T>
void check_values() {
    gr::tensor<T, 2, 4> const x{{1, 2, -3, 4}, {5, -6, 7, 1}};
    gr::tensor<T, gr::dyn, 4> const rows = x;
    gr::tensor<T, 2, 4> const back = gr::apply<backwards>(x);
    gr::tensor<T, 2, 2, 2> const pair = gr::apply<pairs>(x * T(2));
    gr::tensor<T, gr::dyn, 4> const sums = gr::apply<running_sums>(gr::apply<backwards>(rows));
    gr::tensor<T, 4> const squares = over<clipped_total, 1>(gr::square(x));
    gr::tensor<T, gr::dyn, 1> const largest = over<top, 2, true>(rows);
    CHECK(sums.size() == 8);
    for (int i = 0; i < 2; ++i) {
        T sum = 0, most = x(i, 0);
        for (int j = 0; j < 4; ++j) {
            CHECK(back(i, j) == x(i, 3 - j));
            CHECK(pair(i, j / 2, j % 2) == 2 * x(i, j));
            sum += x(i, 3 - j);
            CHECK(sums(i, j) == sum);
            CHECK(squares(j) == x(0, j) * x(0, j) + x(1, j) * x(1, j));
            most = x(i, j) > most ? x(i, j) : most;
        }
        CHECK(largest(i, 0) == most);
    }
    gr::tensor<T, 6> const v{1, 2, 3, -4, 5, 6};
    gr::tensor<T, 4, 3> const window = gr::apply<windows>(v);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 3; ++j) CHECK(window(i, j) == v(i + j));
}

/// What a view of users' shows is computed: writing to it leaves the operand as it is.
template <class T>
void check_memory() {
    gr::tensor<T, 4> x{1, 2, 3, 4};
    gr::tensor<T, 4> back = gr::apply<backwards>(x);
    back += T(1);
    CHECK(back(0) == 5);
    CHECK(x(3) == 4);
}

template <class T>
void check_backward() {
    gr::tensor<T, 2, 4> x{{1, 2, -3, 4}, {5, -6, 7, 1}};
    x.requires_grad_();
    gr::tensor<T> const f = gr::sum(gr::square(gr::apply<running_sums>(gr::apply<backwards>(x))));
    f.backward();
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) {
            T gradient = 0;  // x(i, j) is in the sums from 3 - j on
            for (int k = 3 - j; k < 4; ++k)
                for (int l = 0; l <= k; ++l) gradient += 2 * x(i, 3 - l);
            CHECK(x.grad()(i, j) == gradient);
        }
}

/// Results of one call are tensors of their own, with derivatives of their own.
template <class T>
void check_two_results() {
    gr::tensor<T, gr::dyn, 3> x{{1, 2, 1}, {3, 6, -1}};
    x.requires_grad_();
    auto const both = gr::apply<shares_and_total>(x);
    gr::tensor<T, gr::dyn, 3> const share = std::get<0>(both);
    gr::tensor<T, gr::dyn, 1> const total = std::get<1>(both);
    for (int i = 0; i < 2; ++i) {
        CHECK(total(i, 0) == x(i, 0) + x(i, 1) + x(i, 2));
        for (int j = 0; j < 3; ++j) CHECK(share(i, j) == x(i, j) / total(i, 0));
    }
    gr::tensor<T> const f = gr::sum(gr::square(total) * share);  // total^2 x / total: total^2 in all
    f.backward();
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j) CHECK(x.grad()(i, j) == 2 * total(i, 0));
    gr::tensor<T, 2, 3> const y{{1, 5, 2}, {3, 1, 3}};
    gr::tensor<std::int64_t, 2, 1> const index = std::get<1>(gr::apply<largest_with_index>(y));
    gr::tensor<T, 2, 1> const largest = std::get<0>(gr::apply<largest_with_index>(y));
    CHECK(index(0, 0) == 1);
    CHECK(index(1, 0) == 0);
    CHECK(largest(0, 0) == 5);
    CHECK(largest(1, 0) == 3);
}

/// A float stays a float: 2^24 + 1 is 2^24.
void check_element_types() {
    gr::tensor<float, 3> const x{16777216, 1, 1};
    gr::tensor<float, 3> const sums = gr::apply<running_sums>(x);
    CHECK(sums(2) == 16777216);
}

}  // namespace

TEST_CASE_TEMPLATE("structural operations of users' on tensors: values, gradients", T, float, double) {
    check_values<T>();
    check_memory<T>();
    check_backward<T>();
    check_two_results<T>();
}
TEST_CASE("structural operations of users' on tensors: kernels in the type of the elements") { check_element_types(); }
TEST_CASE("structural operations of users' on tensors: both orders by differences") {
    gr::tensor<double, 6> const v{0.1, 0.7, -0.3, 0.4, 1.1, -0.6};
    auto moved = [](auto const& p) {
        return gr::sum(gr::square(gr::apply<windows>(gr::sin(p))) * gr::apply<windows>(gr::apply<backwards>(p)));
    };
    CHECK(gr::gradcheck(moved, v.clone().requires_grad_()));
    CHECK(gr::gradgradcheck(moved, v.clone().requires_grad_()));
    auto folded = [](auto const& p) {
        return gr::sum(gr::exp(gr::apply<pairs>(p)) * gr::apply<pairs>(gr::apply<running_sums>(p))) + over<top, 1>(gr::square(p));
    };
    CHECK(gr::gradcheck(folded, v.clone().requires_grad_()));
    CHECK(gr::gradgradcheck(folded, v.clone().requires_grad_()));
    gr::tensor<double, gr::dyn, 3> const a{{0.5, 1.5, -0.7}, {0.2, 0.1, 0.9}}, b{{1.1, 0.3, 2.0}, {0.7, 0.4, 0.6}};
    auto ratios = [](auto const& p, auto const& q) { return gr::sum(gr::square(gr::apply<shares>(p * q, q)) * gr::exp(p)); };
    CHECK(gr::gradcheck(ratios, a.clone().requires_grad_(), b.clone().requires_grad_()));
    CHECK(gr::gradgradcheck(ratios, a.clone().requires_grad_(), b.clone().requires_grad_()));
    auto results = [](auto const& p) {
        auto const [share, total] = gr::apply<shares_and_total>(gr::exp(p));
        return gr::sum(gr::square(share) * gr::sin(total)) + gr::sum(gr::square(std::get<0>(gr::apply<largest_with_index>(p))));
    };
    CHECK(gr::gradcheck(results, a.clone().requires_grad_()));
    CHECK(gr::gradgradcheck(results, a.clone().requires_grad_()));
}
