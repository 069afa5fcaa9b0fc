// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <string>

// Of what PyTorch's users expect: views, detach, clone, assignment to elements.

namespace gr = gradus;

namespace {

using vector = gr::tensor<float, 2>;
using matrix = gr::tensor<float, 2, 2>;
using table = gr::tensor<float, 2, 3>;

template <class T>
bool equal(T const& t, std::initializer_list<float> expected) {
    auto const a = t.to_array();
    return a.size() == static_cast<std::int64_t>(expected.size()) && std::equal(a.begin(), a.end(), expected.begin());
}
matrix square(matrix const& x) { return x * x; }
vector square(vector const& x) { return x * x; }
void double_it(auto const& x) { x *= 2.0f; }
void backward(matrix const& y) { y.backward(gr::ones<float, 2, 2>()); }
void backward(vector const& y) { y.backward(gr::ones<float, 2>()); }
table counting() { return {0, 1, 2, 3, 4, 5}; }
matrix ones() { return gr::ones<float, 2, 2>(); }
bool throws_with(auto f, std::string_view part) {
    try {
        f();
    } catch (gr::error const& e) { return std::string_view(e.what()).find(part) != std::string_view::npos; }
    return false;
}

}  // namespace

TEST_CASE("55 detach: shares the elements, not the history") {
    auto x = ones().requires_grad_();
    matrix z = square(x);
    auto d = z.detach();
    CHECK(d.data() == z.data());
    CHECK_FALSE(d.requires_grad());
    CHECK_FALSE(d.grad_fn());
    CHECK(d.is_leaf());
    CHECK(z.requires_grad());
}

TEST_CASE("56 detach: shares the version, so that writing through it is noticed") {
    auto x = ones().requires_grad_();
    matrix y = square(x);
    x.detach().zero_();
    CHECK(x.version() == 1);
    CHECK(throws_with([&] { backward(y); }, "modified by an inplace operation: [float[2,2]]"));
}

TEST_CASE("57 detach: a detached branch has no derivative") {
    auto x = vector{1, 2}.requires_grad_();
    gr::tensor y = square(x).detach() + x;
    y.backward(gr::ones<float, 2>());
    CHECK(equal(x.grad(), {1, 1}));
}

TEST_CASE("59 clone: other memory, the same derivative") {
    auto x = vector{1, 2}.requires_grad_();
    auto c = x.clone();
    CHECK(c.grad_fn().name() == "CloneBackward0");
    CHECK(c.data() != x.data());
    CHECK(gr::allclose(x, c));
    backward(c);
    CHECK(equal(x.grad(), {1, 1}));
    auto whole = counting();
    auto turned = whole.t().clone();
    CHECK(turned.is_contiguous());
    CHECK(equal(turned, {0, 3, 1, 4, 2, 5}));
}

TEST_CASE("views: share memory and version, with their own shape") {
    auto x = counting();
    auto check = [&](auto const& view, std::initializer_list<float> elements) {
        CHECK(equal(view, elements));
        CHECK(view.version() == x.version());
        CHECK(view.data() >= x.data());
        CHECK(view.data() < x.data() + 6);
    };
    check(x.reshape<3, 2>(), {0, 1, 2, 3, 4, 5});
    check(x.flatten(), {0, 1, 2, 3, 4, 5});
    check(x.t(), {0, 3, 1, 4, 2, 5});
    check(x.transpose<1, 0>(), {0, 3, 1, 4, 2, 5});
    check(x.slice<1, 3, 1, 1>(), {1, 2, 4, 5});
    check(x.slice<0, 3, 2, 1>(), {0, 2, 3, 5});
    check(x.slice<1>(1, 3), {1, 2, 4, 5});
    check(x.slice<1>(-2, -1), {1, 4});
    check(x.narrow<1>(1, 2), {1, 2, 4, 5});
    check(x.select<1>(-1), {2, 5});
    check(x[1], {3, 4, 5});
    check(x[1][2], {5});
    check(x.unsqueeze<1>(), {0, 1, 2, 3, 4, 5});
    check(x[1].expand<2, 3>(), {3, 4, 5, 3, 4, 5});
    check(x.t().slice(1, 3), {1, 4, 2, 5});
    static_assert(std::is_same_v<decltype(x.unsqueeze<1>()), gr::tensor<float, 2, 1, 3>>);
    static_assert(std::is_same_v<decltype(x.unsqueeze<-1>().squeeze<2>()), table>);
    static_assert(std::is_same_v<decltype(x.slice<1>(0, 2)), gr::tensor<float, 2, gr::dyn>>);
    x.t()[2].zero_();
    CHECK(equal(x, {0, 1, 0, 3, 4, 0}));
    CHECK(x.version() == 1);
    // no strides describe this one: a copy
    CHECK(x.t().reshape<6>().version() == 0);
    CHECK(equal(x.t().reshape<6>(), {0, 3, 1, 4, 0, 0}));
}

TEST_CASE("views: their errors name the axis, the index and the tensor") {
    gr::tensor<float, gr::dyn, 3> x = counting();
    CHECK(throws_with([&] { x.select(2); }, "index 2 is out of bounds for axis 0 of float[2,3]"));
    CHECK(throws_with([&] { x[-3]; }, "index -3 is out of bounds for axis 0 of float[2,3]"));
    CHECK(throws_with([&] { x.slice<1>(0, 3, 0); }, "slice(start, stop, step): step must be greater than zero: it is 0"));
    CHECK(throws_with([&] { x.squeeze<0>(); }, "squeeze(): axis 0 of float[2,3] has more than one element"));
    CHECK(throws_with([&] { x.expand<5, 3>(); }, "broadcast"));
}

TEST_CASE("views: the derivative of each is the transposed map") {
    auto x = counting().requires_grad_();
    auto check = [&](auto const& view, std::initializer_list<float> expected) {
        auto g = gr::tensor(view.to_array());  // the elements as cotangent: they show where they come from
        view.backward(g);
        CHECK(equal(x.grad(), expected));
        x.zero_grad();
    };
    check(x.reshape<3, 2>(), {0, 1, 2, 3, 4, 5});
    check(x.flatten(), {0, 1, 2, 3, 4, 5});
    check(x.t(), {0, 1, 2, 3, 4, 5});
    check(x.slice<0, 3, 2, 1>(), {0, 0, 2, 3, 0, 5});
    check(x.slice<1>(1, 2), {0, 1, 0, 0, 4, 0});
    check(x[1], {0, 0, 0, 3, 4, 5});
    check(x[1][2], {0, 0, 0, 0, 0, 5});
    check(x.unsqueeze<1>().squeeze<1>(), {0, 1, 2, 3, 4, 5});
    check(x[1].expand<2, 3>(), {0, 0, 0, 6, 8, 10});
    check(x.t().slice(1, 3), {0, 1, 2, 0, 4, 5});
    check(x.t().reshape<6>(), {0, 1, 2, 3, 4, 5});
    CHECK(x.t().grad_fn().name() == "PermuteBackward0");
    CHECK(x[1].grad_fn().name() == "SelectBackward0");
    CHECK(x[1].expand<2, 3>().grad_fn().name() == "ExpandBackward0");
}

TEST_CASE("views: can be differentiated twice") {
    auto x = vector{2, 3}.requires_grad_();
    vector y = square(x).unsqueeze<0>().t().flatten();
    auto dx = gr::autograd::grad(y, x, {.grad_outputs = {gr::ones<float, 2>()}, .create_graph = true});
    CHECK(equal(dx, {4, 6}));
    dx[1].backward(gr::full<float>(1.0f));
    CHECK(equal(x.grad(), {0, 2}));  // d (2 x1) / dx
    x.zero_grad();

    auto v = x[0];
    gr::tensor cube = v * v * v;
    auto first = gr::autograd::grad(cube, x, {.create_graph = true});
    CHECK(equal(first, {12, 0}));
    backward(first);
    CHECK(equal(x.grad(), {12, 0}));  // 6 x0
}

TEST_CASE("65 in place on a view: the base has another history, and other views of it see that") {
    auto root = ones().requires_grad_();
    SUBCASE("backward from the base") {
        auto x = root.clone();
        double_it(x.slice(0, 1));
        CHECK(x.grad_fn().name() == "CopySlices");
        backward(x);
        CHECK(equal(root.grad(), {2, 2, 1, 1}));
    }
    SUBCASE("a view of a view is written") {
        auto x = root.clone();
        double_it(x.slice(0, 1).slice<1>(1, 2));
        backward(x);
        CHECK(equal(root.grad(), {1, 2, 1, 1}));
    }
    SUBCASE("backward from another view, which had been there before") {
        auto x = root.clone();
        auto first = x.slice(0, 1), second = x.slice(0, 1);
        double_it(first);
        CHECK(second.grad_fn().name() == "AsStridedBackward0");
        second.backward(gr::ones<float, 1, 2>());
        CHECK(equal(root.grad(), {2, 2, 0, 0}));
    }
    SUBCASE("the view is written through its parent") {
        auto x = root.clone();
        auto outer = x.slice(0, 1);
        auto inner = outer.slice<1>(1, 2);
        double_it(outer);
        inner.backward(gr::ones<float, 1, 1>());
        CHECK(equal(root.grad(), {0, 2, 0, 0}));
    }
    SUBCASE("a base that begins to require a gradient makes its views require it") {
        auto x = ones();
        auto v = x[1];
        CHECK_FALSE(v.requires_grad());
        x.copy_(root);
        CHECK(v.requires_grad());
        v.backward(gr::ones<float, 2>());
        CHECK(equal(root.grad(), {0, 0, 1, 1}));
    }
    SUBCASE("a base with strides of its own") {
        auto x = matrix{1, 2, 3, 4}.t().detach();  // {1, 3}, {2, 4}
        x[0].copy_(root[1]);
        CHECK(equal(x, {1, 1, 2, 4}));
        backward(x);
        CHECK(equal(root.grad(), {0, 0, 1, 1}));
        x.t().backward(matrix{1, 2, 3, 4});
        CHECK(equal(root.grad(), {0, 0, 2, 4}));
    }
}

TEST_CASE("66 narrow: multiplied in place, the operand's derivative is the old elements") {
    vector a{2, 5};
    auto b = gr::full<float, 1>(3.0f).requires_grad_();
    auto view = a.narrow(1, 1);
    view *= b;
    CHECK(a(1) == 15);
    CHECK(a.requires_grad());
    view.backward(gr::ones<float, 1>());
    CHECK(equal(b.grad(), {5}));
}

TEST_CASE("67 views of several outputs, and of no_grad mode, refuse to be written where that would be recorded") {
    auto root = ones().requires_grad_();
    auto x = root.clone();
    auto rows = x.unbind();
    CHECK(equal(rows[1], {1, 1}));
    CHECK(rows[1].grad_fn().name() == "UnbindBackward0");
    CHECK(throws_with([&] { double_it(rows[1]); },
                      "Output 0 of UnbindBackward0 is a view and is being modified inplace. This view is the output of a function that "
                      "returns multiple views"));
    vector v;
    {
        gr::no_grad guard;
        v = x[0];
        double_it(v);
    }
    CHECK(x(0, 1) == 2);
    CHECK(
        throws_with([&] { v.copy_(root[1]); }, "A view was created in no_grad mode and is being modified inplace with grad mode enabled"));
    CHECK(x(0, 1) == 2);
}

TEST_CASE("68 assignment to elements: no derivative for what is overwritten, all of it for what is written") {
    auto x = ones().requires_grad_();
    auto v = vector{3, 4}.requires_grad_();
    SUBCASE("a row") {
        matrix y = square(x);
        y[1] = v;
        CHECK(equal(y, {1, 1, 3, 4}));
        backward(y);
        CHECK(equal(x.grad(), {2, 2, 0, 0}));
        CHECK(equal(v.grad(), {1, 1}));
    }
    SUBCASE("a number") {
        matrix y = square(x);
        y[0] = 7.0f;
        y[1][0] = 9;
        CHECK(equal(y, {7, 7, 9, 1}));
        backward(y);
        CHECK(equal(x.grad(), {0, 0, 0, 2}));
    }
    SUBCASE("one element, by a tensor") {
        matrix y = square(x);
        y[0][1] = v[1];
        backward(y);
        CHECK(y(0, 1) == 4);
        CHECK(equal(x.grad(), {2, 0, 2, 2}));
        CHECK(equal(v.grad(), {0, 1}));
    }
    SUBCASE("a range, by an expression and by broadcasting") {
        matrix y = square(x);
        y.slice(0, 2) = v;
        CHECK(equal(y, {3, 4, 3, 4}));
        y[0] = v + v;
        CHECK(equal(y, {6, 8, 3, 4}));
        backward(y);
        CHECK(equal(x.grad(), {0, 0, 0, 0}));
        CHECK(equal(v.grad(), {3, 3}));
    }
    SUBCASE("elements of the same tensor") {
        matrix y = square(x);
        y[1][0] = 5.0f;
        y[0] = y[1];
        CHECK(equal(y, {5, 1, 5, 1}));
        backward(y);
        CHECK(equal(x.grad(), {0, 0, 0, 4}));
    }
}

TEST_CASE("70 broadcasting: the derivative sums to the operand's shape") {
    auto a = gr::ones<float, 3, 1>().requires_grad_();
    auto b = gr::ones<float, 1, 4>().requires_grad_();
    gr::tensor y = a + b;
    y.backward(gr::ones<float, 3, 4>());
    CHECK(equal(a.grad(), {4, 4, 4}));
    CHECK(equal(b.grad(), {3, 3, 3, 3}));
}

TEST_CASE("71 cast: the derivative has the leaf's dtype") {
    auto x = vector{1, 2}.requires_grad_();
    gr::tensor y = gr::cast<double>(x) * 0.1;
    CHECK(y.dtype() == gr::dtype::float64);
    y.backward(gr::ones<double, 2>());
    CHECK(x.grad().dtype() == gr::dtype::float32);
    CHECK(x.grad()(1) == 0.1f);  // rounded once
}
