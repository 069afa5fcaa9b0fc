// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <numeric>

// Masks, several index tensors, ranges that run time tells: PyTorch's test/test_indexing.py and its rules in closed form.

namespace gr = gradus;
using messages::contains;
using messages::elements;

namespace {

using floats = std::vector<float>;
using integers = std::vector<std::int64_t>;
template <int N>
using indices = gr::tensor<std::int64_t, N>;

/// 0, 1, 2, ... as PyTorch's arange(24).reshape(2, 3, 4).
gr::tensor<float, 2, 3, 4> block() {
    auto t = gr::empty<float, 2, 3, 4>();
    std::iota(t.begin(), t.end(), 0.0f);
    return t;
}
gr::tensor<float, 2, 3> matrix() { return {{0, 1, 2}, {3, 4, 5}}; }
/// 1, 2, 3, ... as cotangent.
void backward(auto const& y) {
    auto g = gr::tensor(y.to_array());
    std::iota(g.begin(), g.end(), 1.0f);
    y.backward(g);
}

}  // namespace

TEST_CASE("a mask picks the elements where it is true, whole rows where it names fewer axes; derivatives go back there") {
    auto x = matrix().requires_grad_();
    auto y = x[x > 2.5f];
    static_assert(std::is_same_v<decltype(y), gr::tensor<float, gr::dyn>>);
    CHECK(elements(y) == floats{3, 4, 5});
    CHECK(y.grad_fn().name() == "IndexBackward0");
    backward(y);
    CHECK(elements(x.grad()) == floats{0, 0, 0, 1, 2, 3});
    x.zero_grad();
    auto rows = x[gr::tensor<bool, 2>{false, true}];
    static_assert(std::is_same_v<decltype(rows), gr::tensor<float, gr::dyn, 3>>);
    CHECK(rows.shape() == gr::shape{1, 3});
    backward(rows);
    CHECK(elements(x.grad()) == floats{0, 0, 0, 1, 2, 3});
    CHECK(x[x > 100.0f].size() == 0);
    CHECK(contains(messages::of<gr::shape_error>([&] { x[gr::tensor<bool, 3>{true, false, true}]; }),
                   "a mask has the shape of the axes that it is about: it is bool[3], from axis 0 on the tensor is float[2,3]"));
}

TEST_CASE("a mask and indices write: values, numbers, and += ; the tape knows") {
    auto x = matrix();
    x[x > 2.5f] = 9.0f;
    CHECK(elements(x) == floats{0, 1, 2, 9, 9, 9});
    x[x < 1.5f] += 10.0f;
    CHECK(elements(x) == floats{10, 11, 2, 9, 9, 9});
    x.index(gr::every, indices<2>{0, 2}) *= 2.0f;
    CHECK(elements(x) == floats{20, 11, 4, 18, 9, 18});
    x.t()[gr::tensor<bool, 3>{false, true, false}] = gr::tensor<float, 1, 2>{{-1, -2}};  // through a view with gaps
    CHECK(elements(x) == floats{20, -1, 4, 18, -2, 18});
    CHECK(x.version() == 4);

    auto w = matrix().requires_grad_();
    auto v = gr::tensor<float, 2>{7, 8}.requires_grad_();
    gr::tensor y = w * 1.0f;
    y.index(indices<2>{0, 1}, indices<2>{2, 0}) = v;
    CHECK(elements(y) == floats{0, 1, 7, 8, 4, 5});
    backward(y);
    CHECK(elements(w.grad()) == floats{1, 2, 0, 0, 5, 6});
    CHECK(elements(v.grad()) == floats{3, 4});
    CHECK(contains(messages::of<gr::autograd_error>([&] { w[w > 0.0f] = 0.0f; }), "a leaf Variable that requires grad"));
}

TEST_CASE("what a node saved and an indexed write then changes is missed") {
    auto w = gr::tensor<float, 3>{1, 2, 3}.requires_grad_();
    gr::tensor y = w * 2.0f;
    gr::tensor z = y * y;
    y[indices<1>{1}] = 5.0f;
    CHECK(contains(messages::of<gr::autograd_error>([&] { z.backward(gr::ones<float, 3>()); }), "is at version 1; expected version 0"));
    indices<2> names{0, 1};
    gr::tensor picked = w.index(names);
    names += std::int64_t{1};
    CHECK(
        contains(messages::of<gr::autograd_error>([&] { picked.backward(gr::ones<float, 2>()); }), "is at version 1; expected version 0"));
}

TEST_CASE("several index tensors broadcast, side by side in place, apart in front") {
    auto x = block();
    auto side = x.index(gr::every, indices<2>{0, 2}, indices<2>{1, -1});
    static_assert(std::is_same_v<decltype(side), gr::tensor<float, 2, 2>>);
    CHECK(elements(side) == floats{1, 11, 13, 23});
    auto apart = x.index(indices<2>{1, 0}, gr::every, indices<2>{1, 3});
    static_assert(std::is_same_v<decltype(apart), gr::tensor<float, 2, 3>>);
    CHECK(elements(apart) == floats{13, 17, 21, 3, 7, 11});
    auto broadcast = x.index(gr::tensor<std::int64_t, 2, 1>{{0}, {1}}, gr::tensor<std::int32_t, 3>{0, 1, 2}, 0);
    CHECK(broadcast.shape() == gr::shape{2, 3});
    CHECK(elements(broadcast) == floats{0, 4, 8, 12, 16, 20});
    auto with_mask = x.index(gr::ellipsis, gr::tensor<bool, 3>{true, false, true}, indices<2>{0, 1});
    CHECK(with_mask.shape() == gr::shape{2, 2});
    CHECK(elements(with_mask) == floats{0, 9, 12, 21});
    CHECK(contains(messages::of<gr::shape_error>([&] { x.index(indices<2>{0, 1}, gr::tensor<std::int64_t, gr::dyn>{0, 1, 2}); }),
                   "index tensors do not broadcast to one shape: one is int64[2], another is int64[3]"));
    CHECK(contains(messages::of<gr::shape_error>([&] { x.index(0, indices<2>{0, 3}); }),
                   "index 3 is out of bounds for axis 0 of float[3,4]"));

    auto w = block().requires_grad_();
    backward(w.index(indices<2>{1, 1}, 0, indices<2>{2, 2}));  // an element named twice
    CHECK(w.grad()(1, 0, 2) == 3);
    CHECK(gr::tensor(gr::sum(w.grad())).item() == 3);
    w.zero_grad();
    gr::tensor<float, 2> const picked = w.index(indices<2>{0, 1}, 1, indices<2>{2, 3});
    gr::tensor const cubes = gr::sum(picked * picked * picked);
    auto const g = gr::autograd::grad(cubes, w, {.create_graph = true});
    gr::tensor(gr::sum(g)).backward();
    CHECK(w.grad()(0, 1, 2) == 6 * 6);  // 6 x at x = 6
    CHECK(w.grad()(1, 1, 3) == 6 * 19);
}

TEST_CASE("index_put_ writes, or adds equal indices one after the other") {
    auto x = gr::zeros<float, 3>();
    auto v = gr::tensor<float, 4>{1, 2, 3, 4}.requires_grad_();
    x.index_put_(std::tuple(indices<4>{0, 2, 2, 0}), v, true);
    CHECK(elements(x) == floats{5, 0, 5});
    backward(x);
    CHECK(elements(v.grad()) == floats{1, 3, 3, 1});
    auto n = gr::tensor<std::int64_t, 3>{0, 0, 0};
    n.index_put_(std::tuple(indices<3>{1, 1, 1}), std::int64_t{1}, true);
    CHECK(elements(n) == integers{0, 3, 0});
    n.index_put_(std::tuple(gr::range{1, gr::to_end}), std::int64_t{7});
    CHECK(elements(n) == integers{0, 7, 7});
}

TEST_CASE("ranges clamp, steps are positive, views show the same memory") {
    auto x = gr::tensor<float, 5>{0, 1, 2, 3, 4};
    CHECK(elements(x.slice(1, 100)) == floats{1, 2, 3, 4});
    CHECK(elements(x.slice(-100, -1, 2)) == floats{0, 2});
    CHECK(elements(x.slice(1)) == floats{1, 2, 3, 4});
    CHECK(x.slice(4, 2).size() == 0);
    CHECK(elements(x.index(gr::range{0, gr::to_end, 3})) == floats{0, 3});
    CHECK(contains(messages::of<gr::shape_error>([&] { x.slice(4, 0, -1); }), "step must be greater than zero: it is -1"));
    x.index(gr::range{1, gr::to_end, 2}) = 7.0f;
    CHECK(elements(x) == floats{0, 7, 2, 7, 4});

    auto b = block();
    auto corner = b.index(gr::ellipsis, gr::new_axis, gr::range{2, 4});
    static_assert(std::is_same_v<decltype(corner), gr::tensor<float, 2, 3, 1, gr::dyn>>);
    CHECK(corner.shape() == gr::shape{2, 3, 1, 2});
    CHECK(elements(b.index(-1, gr::ellipsis, 1)) == floats{13, 17, 21});
    b.index(0, 1) = -1.0f;
    CHECK(b(0, 1, 3) == -1);
    auto w = gr::tensor<float, 5>{0, 1, 2, 3, 4}.requires_grad_();
    backward(w.slice(0, 5, 2));
    CHECK(elements(w.grad()) == floats{1, 0, 2, 0, 3});
}

TEST_CASE("nonzero and where(mask) are the places of what is true") {
    auto x = gr::tensor<float, 2, 3>{{0, 5, 0}, {7, 0, 8}};
    auto places = gr::nonzero(x);
    CHECK(places.shape() == gr::shape{3, 2});
    CHECK(elements(places) == integers{0, 1, 1, 0, 1, 2});
    auto [i, j] = gr::where(x > 0.0f);
    CHECK(elements(i) == integers{0, 1, 1});
    CHECK(elements(x.index(i, j)) == floats{5, 7, 8});
    CHECK(gr::nonzero(x * 0.0f).shape() == gr::shape{0, 2});
}

TEST_CASE("masked_select, masked_fill_, masked_scatter_: masks broadcast, derivatives go where they belong") {
    auto x = matrix().requires_grad_();
    gr::tensor<bool, 3> const columns{true, false, true};
    auto y = gr::masked_select(x * 2.0f, columns);
    CHECK(elements(y) == floats{0, 4, 6, 10});
    CHECK(y.grad_fn().name() == "MaskedSelectBackward0");
    backward(y);
    CHECK(elements(x.grad()) == floats{2, 0, 4, 6, 0, 8});
    x.zero_grad();

    gr::tensor z = x * 1.0f;
    z.masked_fill_(columns, -1.0f);
    CHECK(elements(z) == floats{-1, 1, -1, -1, 4, -1});
    backward(z);
    CHECK(elements(x.grad()) == floats{0, 2, 0, 0, 5, 0});
    x.zero_grad();

    auto source = gr::tensor<float, 5>{10, 20, 30, 40, 50}.requires_grad_();
    gr::tensor s = x * 1.0f;
    s.masked_scatter_(columns, source);
    CHECK(elements(s) == floats{10, 1, 20, 30, 4, 40});
    backward(s);
    CHECK(elements(source.grad()) == floats{1, 3, 4, 6, 0});
    CHECK(elements(x.grad()) == floats{0, 2, 0, 0, 5, 0});
    CHECK(contains(messages::of<gr::shape_error>([&] { s.masked_scatter_(columns, gr::zeros<float, 3>()); }),
                   "the mask is true 4 times, source has 3 elements"));
}

TEST_CASE("take_along_axis broadcasts beside its axis") {
    auto x = matrix().requires_grad_();
    auto best = gr::take_along_axis<1>(x, gr::tensor(gr::argmax<1, gr::keepdim>(x)));
    static_assert(std::is_same_v<decltype(best), gr::tensor<float, 2, 1>>);
    CHECK(elements(best) == floats{2, 5});
    auto both = gr::take_along_axis<1>(x, gr::tensor<std::int64_t, 1, 2>{{1, 0}});
    CHECK(elements(both) == floats{1, 0, 4, 3});
    backward(both);
    CHECK(elements(x.grad()) == floats{2, 1, 0, 4, 3, 0});
}
