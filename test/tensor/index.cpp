// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <gradus.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

// Elements picked out by indices, tensors joined.

namespace gr = gradus;

namespace {

using vector = gr::tensor<float, 3>;
using matrix = gr::tensor<float, 2, 3>;
template <int N>
using indices = gr::tensor<std::int64_t, N>;

template <class T>
bool equal(T const& t, std::initializer_list<float> expected) {
    auto const a = t.to_array();
    return a.size() == static_cast<std::int64_t>(expected.size()) && std::equal(a.begin(), a.end(), expected.begin());
}
matrix counting() { return {0, 1, 2, 3, 4, 5}; }
/// 1, 2, 3, ... as cotangent: every element of it can be found again.
void backward(auto const& y) {
    auto g = gr::tensor(y.to_array());
    std::iota(g.begin(), g.end(), 1.0f);
    y.backward(g);
}

}  // namespace

TEST_CASE("69 index_select: derivatives of elements named twice add up") {
    auto x = vector{5, 6, 7}.requires_grad_();
    auto y = gr::index_select<0>(x, indices<3>{1, 1, 2});
    CHECK(equal(y, {6, 6, 7}));
    CHECK(y.grad_fn().name() == "IndexSelectBackward0");
    y.backward(gr::ones<float, 3>());
    CHECK(equal(x.grad(), {0, 2, 1}));
    x.zero_grad();
    auto z = x[indices<3>{1, 1, 2}];
    CHECK(z.grad_fn().name() == "IndexBackward0");
    backward(z);
    CHECK(equal(x.grad(), {0, 3, 3}));
}

TEST_CASE("index_select: along any axis, of views and expressions, with run-time and 32-bit indices") {
    auto x = counting().requires_grad_();
    auto y = gr::index_select<1>(x, indices<4>{2, 0, 0, -1});
    static_assert(std::is_same_v<decltype(y), gr::tensor<float, 2, 4>>);
    CHECK(equal(y, {2, 0, 0, 2, 5, 3, 3, 5}));
    backward(y);
    CHECK(equal(x.grad(), {2 + 3, 0, 1 + 4, 6 + 7, 0, 5 + 8}));
    x.zero_grad();

    gr::tensor<std::int32_t, gr::dyn> chosen = gr::tensor<std::int32_t, 2>{1, 1};
    auto rows = gr::index_select<0>(x.t(), chosen);
    static_assert(std::is_same_v<decltype(rows), gr::tensor<float, gr::dyn, 2>>);
    CHECK(equal(rows, {1, 4, 1, 4}));
    backward(rows);
    CHECK(equal(x.grad(), {0, 1 + 3, 0, 0, 2 + 4, 0}));
    x.zero_grad();

    auto table = x[gr::tensor<std::int64_t, 2, 2>{{1, 0}, {1, 1}}];  // one row for each index
    static_assert(std::is_same_v<decltype(table), gr::tensor<float, 2, 2, 3>>);
    CHECK(table(0, 1, 2) == 2);
    CHECK(table(1, 0, 0) == 3);
    backward(table);
    CHECK(equal(x.grad(), {4, 5, 6, 1 + 7 + 10, 2 + 8 + 11, 3 + 9 + 12}));
    CHECK(equal(gr::index_select<0>(x.detach() * 2.0f, indices<1>{0}), {0, 2, 4}));
}

TEST_CASE("index_select: an index out of bounds is named, with the axis") {
    gr::tensor<float, gr::dyn, 3> x = counting();
    CHECK(messages::of<gr::error>([&] { gr::index_select<0>(x, indices<2>{1, 2}); }) ==
          "gradus::index_select(x, indices): index 2 is out of bounds for axis 0 of float[2,3]");
    CHECK(messages::of<gr::error>([&] { gr::index_select<1>(x, indices<1>{-4}); }) ==
          "gradus::index_select(x, indices): index -4 is out of bounds for axis 1 of float[2,3]");
    CHECK(messages::of<gr::error>([&] { gr::gather<1>(x, gr::tensor<std::int64_t, 2, 1>{0, 3}); }) ==
          "gradus::gather(x, indices): index 3 is out of bounds for axis 1 of float[2,3]");
    CHECK(messages::of<gr::error>([&] {
              gr::gather<1>(x, gr::tensor<std::int64_t, 3, 1>{0, 0, 0});
          }).find("reach beyond x beside axis 1") != std::string::npos);
}

TEST_CASE("indices: what is out of range is refused by every operation, and nothing is written") {
    using labels = gr::tensor<std::int64_t, gr::dyn>;
    auto const x = counting();
    gr::tensor<float, gr::dyn, 3> const rows = x;
    labels const good(std::vector<std::int64_t>{0, 1}), large(std::vector<std::int64_t>{1, (std::int64_t{1} << 32) + 1}),
        padded(std::vector<std::int64_t>{-100, 2});
    CHECK(messages::of<gr::error>([&] { gr::tensor y = gr::embedding(x, large); }) ==
          "gradus::embedding(a, b): index 4294967297 is out of bounds for axis 0 of float[2,3]");
    CHECK(messages::of<gr::error>([&] { gr::tensor y = gr::embedding(rows + rows, good + 1); }) ==
          "gradus::embedding(a, b): index 2 is out of bounds for axis 0 of float[2,3]");
    CHECK(messages::of<gr::error>([&] { gr::tensor y = gr::cross_entropy(rows, large); }) ==
          "gradus::cross_entropy(a, b): index 4294967297 is out of bounds for axis 1 of float[2,3]");
    CHECK(messages::of<gr::error>([&] { gr::tensor y = gr::nll_loss(rows, padded); }) == "nothing is thrown");
    CHECK(messages::of<gr::error>([&] { gr::tensor y = gr::nll_loss<gr::labels{.ignore_index = 2}>(rows, padded); }) ==
          "gradus::nll_loss(a, b): index -100 is out of bounds for axis 1 of float[2,3]");
    CHECK(messages::of<gr::error>([&] {
              gr::tensor y = gr::scatter_add<1>(x, gr::tensor<std::int32_t, 1, 2>{0, 3}, gr::ones<float, 1, 2>());
          }) == "gradus::scatter_add(a, b): index 3 is out of bounds for axis 1 of float[2,3]");
    auto target = counting();
    CHECK(messages::of<gr::error>([&] { target += gr::embedding(x, labels(std::vector<std::int64_t>{0, -1})); }) ==
          "gradus::embedding(a, b): index -1 is out of bounds for axis 0 of float[2,3]");
    CHECK(messages::of<gr::error>([&] { target[gr::tensor<std::int64_t, 1>{2}] = 1.0f; }) ==
          "gradus::tensor::operator[](indices): index 2 is out of bounds for axis 0 of float[2,3]");
    CHECK(equal(target, {0, 1, 2, 3, 4, 5}));
    CHECK(target.version() == 0);
}
TEST_CASE("indices: elements, axes and ranges that a tensor does not have") {
    gr::tensor<double, gr::dyn, 3> x{{0, 1, 2}, {3, 4, 5}};
    CHECK(x(1, 2) == 5);
    CHECK(messages::of<gr::error>([&] { x(2, 0); }) ==
          "gradus::tensor::operator()(i...): index 2 is out of bounds for axis 0 of double[2,3]");
    CHECK(messages::of<gr::error>([&] { x(0, -1); }) ==
          "gradus::tensor::operator()(i...): index -1 is out of bounds for axis 1 of double[2,3]");
    CHECK(messages::of<gr::error>([&] { static_cast<void>(x.size(2)); }) ==
          "gradus::tensor::size(axis): no such axis: the tensor is double[2,3] (2 is not in [-2, 2))");
    CHECK(messages::of<gr::error>([&] { static_cast<void>(gr::any_tensor(x).stride(-3)); }) ==
          "gradus::any_tensor::stride(axis): no such axis: the tensor is double[2,3] (-3 is not in [-2, 2))");
    CHECK(x.narrow<1>(-2, 2)(1, 0) == 4);
    CHECK(messages::of<gr::error>([&] { x.narrow<1>(-4, 2); }) ==
          "gradus::tensor::narrow(start, length): index -4 is out of bounds for axis 1 of double[2,3]");
    CHECK(messages::of<gr::error>([&] { x.narrow<1>(1, -1); }) ==
          "gradus::tensor::narrow(start, length): there are no -1 elements from 1 on: the tensor is double[2,3]");
    CHECK(messages::of<gr::error>([&] { x.narrow(1, INT64_MAX); }).find("there are no 9223372036854775807 elements from 1 on") !=
          std::string::npos);
}
TEST_CASE_TEMPLATE("x[indices] = v writes to x, and x[indices] += v once for each index", T, float, double) {
    auto x = gr::zeros<T, 4, 2>();
    gr::tensor<std::int64_t, gr::dyn> const at(std::vector<std::int64_t>{3, 1, -1});
    x[at] = T(5);
    CHECK(x(1, 0) == 5);
    CHECK(x(3, 1) == 5);
    x[at] += T(1);  // 3 and -1 are one row: added to once
    CHECK(x(3, 0) == 6);
    CHECK(x(0, 0) == 0);
    x[at] = gr::tensor<T, 3, 2>{{1, 2}, {3, 4}, {5, 6}} * T(2);  // of equal indices, the last
    CHECK(x(3, 0) == 10);
    x[at] -= gr::tensor<T, 2>{1, 2};
    CHECK(x(1, 1) == 6);
    CHECK(x(3, 1) == 10);
    x.transpose()[gr::tensor<std::int32_t, 1>{1}] = T(-1);  // a view
    CHECK(x(2, 1) == -1);
    CHECK(x(2, 0) == 0);
    auto part = x[at];
    part += T(100);  // a copy with a name
    CHECK(x(1, 0) == 5);
    x[at] = x[gr::tensor<std::int64_t, 3>{0, 0, 1}];
    CHECK(x(1, 0) == 0);
    CHECK(x(3, 0) == 5);
    gr::tensor<std::int64_t, 3> own{1, 2, 0};
    own[own] = std::int64_t{7};  // its own indices
    CHECK(own(0) + own(1) + own(2) == 21);
}
TEST_CASE("x[indices] = v: derivatives go to what was written and to what is left, of any order") {
    auto x = vector{1, 2, 3}.requires_grad_();
    auto v = gr::tensor<float, 3>{4, 5, 6}.requires_grad_();
    gr::tensor y = x * x;
    y[indices<3>{0, 2, 0}] = v * v;  // 36, 4, 25
    CHECK(equal(y, {36, 4, 25}));
    CHECK(y.grad_fn().name() == "IndexPutBackward0");
    gr::tensor loss = gr::sum(y * y * y);
    auto const g = gr::autograd::grad(loss, x, {.create_graph = true});
    CHECK(equal(g, {0, 6 * 32, 0}));  // 6 x^5
    CHECK(equal(gr::autograd::grad(gr::tensor(gr::sum(g)), x, {.retain_graph = true}), {0, 30 * 16, 0}));
    auto const h = gr::autograd::grad(loss, v, {.create_graph = true});
    CHECK(equal(h, {3 * 36 * 36 * 8, 6 * 3125, 6 * 7776}));             // both that were written to row 0 have its derivative, 3 y^2
    float const slope = 2 * 3 * 36 * 36, of_slope = 6 * 36 * (8 + 12);  // 2 (3 y^2), and what the row's own derivative adds, times 2 v
    CHECK(equal(gr::autograd::grad(gr::tensor(gr::sum(h)), v, {.retain_graph = true}),
                {slope + of_slope * 8, 30 * 625, slope + of_slope * 12}));

    gr::tensor z = x * 1.0f;
    z[indices<2>{1, 1}] += v.slice(0, 2);  // the second one stays, both have the row's derivative
    CHECK(equal(z, {1, 7, 3}));
    backward(z);
    CHECK(equal(x.grad(), {1, 2 + 2, 3}));  // each picked row 1
    CHECK(equal(v.grad(), {2, 2, 0}));

    CHECK(messages::of<gr::error>([&] { x[indices<1>{0}] = 0.0f; }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(messages::of<gr::error>([&] { x[indices<1>{0}] += 0.0f; }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(equal(x, {1, 2, 3}));
    gr::no_grad guard;
    x[indices<1>{0}] = 9.0f;
    CHECK(x(0) == 9);
}

TEST_CASE_TEMPLATE("x[indices] = v: equal indices all have the derivative of the element that they name", T, float, double) {
    auto v = gr::tensor<T, 3>{4, 5, 6}.requires_grad_();
    auto y = gr::zeros<T, 2>();
    y[indices<3>{1, 0, 1}] = v * T(2);
    CHECK(y(1) == 12);
    gr::tensor(gr::sum(y * gr::tensor<T, 2>{3, 7})).backward();
    for (int i = 0; i < 3; ++i) CHECK(v.grad()(i) == (i == 1 ? 6 : 14));
}

TEST_CASE("index_select: indices written to before the backward pass are noticed") {
    auto x = vector{5, 6, 7}.requires_grad_();
    auto which = indices<3>{0, 1, 2};
    auto y = gr::index_select<0>(x, which);
    which.zero_();
    CHECK(messages::of<gr::error>([&] { backward(y); }).find("[int64[3]] is at version 1; expected version 0") != std::string::npos);
}

TEST_CASE("gather: one element for each index, derivatives add up") {
    auto x = counting().requires_grad_();
    auto y = gr::gather<1>(x, gr::tensor<std::int64_t, 2, 2>{{2, 2}, {0, 1}});
    CHECK(equal(y, {2, 2, 3, 4}));
    CHECK(y.grad_fn().name() == "GatherBackward0");
    backward(y);
    CHECK(equal(x.grad(), {0, 0, 3, 3, 4, 0}));
    x.zero_grad();
    auto z = gr::gather<0>(x, gr::tensor<std::int64_t, 1, 3>{1, 0, 1});
    CHECK(equal(z, {3, 1, 5}));
    backward(z);
    CHECK(equal(x.grad(), {0, 2, 0, 1, 0, 3}));
}

TEST_CASE("index_select: can be differentiated twice") {
    auto x = vector{2, 3, 4}.requires_grad_();
    vector y = x * x;
    auto z = gr::index_select<0>(y, indices<3>{1, 1, 2});
    auto dx = gr::autograd::grad(z, x, {.grad_outputs = {gr::ones<float, 3>()}, .create_graph = true});
    CHECK(equal(dx, {0, 12, 8}));  // 2 * 2 x1, 2 x2
    dx.backward(gr::ones<float, 3>());
    CHECK(equal(x.grad(), {0, 4, 2}));
}

TEST_CASE("cat: joins along an axis of run-time extents and takes its derivative apart") {
    auto x = counting().requires_grad_();
    gr::tensor<float, gr::dyn, 3> a = x.slice(0, 1), b = counting();
    auto y = gr::cat<0>(b, a, x);
    static_assert(std::is_same_v<decltype(y), gr::tensor<float, gr::dyn, 3>>);
    CHECK(y.shape() == gr::shape{5, 3});
    CHECK(equal(y, {0, 1, 2, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5}));
    CHECK(y.grad_fn().name() == "CatBackward0");
    backward(y);
    CHECK(equal(x.grad(), {7 + 10, 8 + 11, 9 + 12, 13, 14, 15}));
    x.zero_grad();

    auto wide = gr::concatenate<1>(x.slice<1>(0, 2), x.t().slice(2, 3).t());
    static_assert(std::is_same_v<decltype(wide), gr::tensor<float, 2, gr::dyn>>);
    CHECK(equal(wide, {0, 1, 2, 3, 4, 5}));
    backward(wide);
    CHECK(equal(x.grad(), {1, 2, 3, 4, 5, 6}));

    static_assert(std::is_same_v<decltype(gr::cat<0>(x, x)), gr::tensor<float, 4, 3>>);
    CHECK(equal(gr::cat<-1>(x, x), {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
    CHECK(gr::cat<0>({a, b, a}).shape() == gr::shape{4, 3});
    std::vector<gr::tensor<float, gr::dyn, 3>> parts(5, b);
    CHECK(gr::cat<0>(parts).shape() == gr::shape{10, 3});
    gr::tensor<float, gr::dyn, gr::dyn> narrow = x.slice<1>(0, 2);
    CHECK(messages::of<gr::error>([&] { gr::cat<0>(b, narrow); }) ==
          "gradus::cat(parts): shapes differ beside axis 0: one is float[2,3], another is float[2,2]");
}
TEST_CASE("rows: a list of copies, whose gradients are joined once, to any order") {
    auto const x = gr::tensor<double, 3, 2>{{1, 2}, {3, 4}, {5, 6}}.requires_grad_();
    auto const all = gr::rows(gr::tensor<double, gr::dyn, 2>(x));
    static_assert(std::is_same_v<decltype(all), std::vector<gr::tensor<double, 2>> const>);
    REQUIRE(all.size() == 3);
    CHECK(all[2](1) == 6);
    CHECK(all[0].data() != x.data());
    CHECK(all[1].grad_fn().name() == "UnbindBackward0");
    gr::tensor y = gr::sum(all[0] * all[0] * all[0]) + gr::sum(2.0 * all[2]);  // nothing depends on the second
    gr::tensor first = gr::autograd::grad(y, x, {.create_graph = true});
    CHECK(gr::allclose(first, gr::tensor<double, 3, 2>{{3, 12}, {0, 0}, {2, 2}}, 0, 0));
    gr::tensor second = gr::autograd::grad(gr::tensor(gr::sum(first)), x);
    CHECK(gr::allclose(second, gr::tensor<double, 3, 2>{{6, 12}, {0, 0}, {0, 0}}, 0, 0));
    auto const of_view = gr::rows(x.t());
    CHECK(of_view[1](2) == 6);
    gr::tensor z = gr::sum(of_view[1]);
    z.backward();
    CHECK(gr::allclose(x.grad(), gr::tensor<double, 3, 2>{{0, 1}, {0, 1}, {0, 1}}, 0, 0));
    CHECK(gr::rows(gr::empty<float, gr::dyn, 2>(0)).empty());
    gr::no_grad guard;
    CHECK(!gr::rows(x)[0].requires_grad());
}
TEST_CASE("index: what has been given a name is a copy, also when a function returns it") {
    gr::tensor<float, 4, 3> x = gr::ones<float, 4, 3>();
    gr::tensor<std::int64_t, 2> const at{0, 2};
    auto const rows = [&](gr::tensor<float, 4, 3> const& t) {
        auto r = t[at];
        r *= 2.0f;
        return r;
    };
    gr::tensor lower = (rows(x) -= 5.0f);
    CHECK(lower(0, 0) == -3);
    CHECK(x(0, 0) == 1);
}
