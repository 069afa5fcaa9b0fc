// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <tuple>

// Rows 31 to 39, 43 and 44 of what PyTorch's users expect: grad(), derivatives of derivatives, gradients as tensors.

namespace gr = gradus;
using namespace messages;

namespace {

using vector = gr::tensor<double, 3>;
using scalar = gr::tensor<double>;
using numbers = std::vector<double>;

vector leaf() { return vector{1, 2, 3}.requires_grad_(); }
vector ones() { return gr::ones<double, 3>(); }
// one statement of each kind, so that the compiler meets each once
vector sum_of(vector const& a, vector const& b) { return a + b; }
vector product(vector const& a, vector const& b) { return a * b; }
vector times(vector const& a, double n) { return a * n; }
scalar total(vector const& a) { return gr::sum(a); }

}  // namespace

TEST_CASE("31 grad() leaves everybody's gradient alone") {
    vector x = leaf(), y = leaf();
    scalar out = total(product(x, y));
    auto [dx, dy] = gr::autograd::grad(out, std::tuple(x, y), {.retain_graph = true});
    CHECK(elements(dx) == elements(y));
    CHECK(elements(dy) == elements(x));
    CHECK_FALSE(x.grad().defined());
    CHECK_FALSE(y.grad().defined());
    vector alone = gr::autograd::grad(out, x);
    CHECK(elements(alone) == elements(y));
    CHECK_FALSE(alone.requires_grad());
    CHECK(contains(of<gr::autograd_error>([&] { static_cast<void>(gr::autograd::grad(out, x)); }), "Specify retain_graph=true"));
    vector along = gr::autograd::grad(product(x, y), x, {.grad_outputs = {vector{1, 0, 2}}});
    CHECK(elements(along) == numbers{1, 0, 6});
    CHECK(contains(of<gr::autograd_error>([&] { static_cast<void>(gr::autograd::grad(product(x, y), x)); }),
                   "grad can be implicitly created only for scalar outputs"));
    CHECK(contains(of<gr::autograd_error>([&] { static_cast<void>(gr::autograd::grad(total(x), ones())); }),
                   "One of the differentiated Tensors does not require grad"));
    CHECK(contains(of<gr::autograd_error>([&] { static_cast<void>(gr::autograd::grad(total(x), std::tuple())); }),
                   "grad requires non-empty inputs."));
}
TEST_CASE("31 grad() of several outputs, with respect to a computed tensor") {
    vector x = leaf();
    vector h = product(x, x);
    scalar a = total(h), b = total(times(h, 3));
    auto [dh, dx] = gr::autograd::grad(std::tuple(a, b), std::tuple(h, x));
    CHECK(elements(dh) == numbers{4, 4, 4});
    CHECK(elements(dx) == numbers{8, 16, 24});
}
TEST_CASE("32 an input that no output depends on") {
    vector x = leaf(), other = leaf();
    auto gradients = [&](gr::grad_options const& options) {
        return gr::autograd::grad(total(product(x, x)), std::tuple(x, other), options);
    };
    CHECK(contains(of<gr::autograd_error>([&] { gradients({}); }),
                   "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=true if this is the "
                   "desired behavior."));
    auto [dx, unused] = gradients({.allow_unused = true});
    CHECK(elements(dx) == numbers{2, 4, 6});
    CHECK_FALSE(unused.defined());
    CHECK(elements(std::get<1>(gradients({.materialize_grads = true}))) == numbers{0, 0, 0});
    CHECK(elements(std::get<1>(gradients({.allow_unused = true, .materialize_grads = true}))) == numbers{0, 0, 0});
    CHECK(contains(of<gr::autograd_error>([&] { gradients({.allow_unused = false, .materialize_grads = true}); }),
                   "Expected allow_unused to be True or not passed when materialize_grads=True"));
}
TEST_CASE("33 only nodes on the way to an input run") {
    vector x = leaf(), y = leaf();
    vector left = times(x, 2), right = times(y, 3);
    int left_runs = 0, right_runs = 0;
    left.register_hook([&](vector const&) { ++left_runs; });
    right.register_hook([&](vector const&) { ++right_runs; });
    scalar out = total(product(left, right));
    CHECK(elements(gr::autograd::grad(out, x, {.retain_graph = true})) == numbers{6, 12, 18});  // 6 y
    CHECK((left_runs == 1 && right_runs == 0));
    out.backward({.retain_graph = true, .inputs = {y}});
    CHECK((left_runs == 1 && right_runs == 1));
    CHECK(elements(gr::autograd::grad(out, left)) == numbers{3, 6, 9});
    CHECK((left_runs == 2 && right_runs == 1));
}
TEST_CASE("33 what an unneeded node saved stays") {
    vector x = leaf(), y = leaf();
    vector left = product(x, x), right = product(y, y);
    scalar out = total(sum_of(left, right));
    static_cast<void>(gr::autograd::grad(out, x));
    CHECK(left.grad_fn().saved_count() == 0);
    CHECK(right.grad_fn().saved_count() > 0);
    CHECK(elements(gr::autograd::grad(total(right), y)) == numbers{2, 4, 6});
}
TEST_CASE("34 create_graph: derivatives of derivatives") {
    warnings silent;
    gr::random random(3);
    vector x = gr::randn<double, 3>(random).requires_grad_(), y = gr::randn<double, 3>(random).requires_grad_();
    vector z = x * x + y * x + y * y;
    z.backward(ones(), {.create_graph = true});
    vector dx = x.grad().detach().clone(), dy = y.grad().detach().clone();
    CHECK(gr::allclose(dx, 2.0 * x + y, 1e-14));  // two roundings
    CHECK(gr::allclose(dy, x + 2.0 * y, 1e-14));
    CHECK(x.grad().requires_grad());
    vector sum = sum_of(times(x.grad(), 2), y.grad());
    sum.backward(ones());
    // H = [2 1; 1 2] times (2, 1)
    CHECK(gr::allclose(x.grad(), dx + 5.0, 1e-14));
    CHECK(gr::allclose(y.grad(), dy + 4.0, 1e-14));
    x.zero_grad();
    y.zero_grad();
}
TEST_CASE("34 create_graph: a third derivative with grad()") {
    vector x = leaf();
    vector y = product(product(x, x), product(x, x));  // x^4
    vector first = gr::autograd::grad(y, x, {.grad_outputs = {ones()}, .create_graph = true});
    vector second = gr::autograd::grad(first, x, {.grad_outputs = {ones()}, .create_graph = true});
    vector third = gr::autograd::grad(second, x, {.grad_outputs = {ones()}});
    CHECK(elements(first) == numbers{4, 32, 108});
    CHECK(elements(second) == numbers{12, 48, 108});
    CHECK(elements(third) == numbers{24, 48, 72});
    CHECK_FALSE(third.requires_grad());
    CHECK_FALSE(x.grad().defined());
}
TEST_CASE("35 backward with create_graph warns of the cycle, grad does not") {
    warnings heard;
    vector x = leaf();
    static_cast<void>(gr::autograd::grad(total(product(x, x)), x, {.create_graph = true}));
    CHECK(warnings::all().empty());
    total(product(x, x)).backward();
    CHECK(warnings::all().empty());
    total(product(x, x)).backward({.create_graph = true});
    REQUIRE(warnings::all().size() == 1);
    CHECK(contains(warnings::all()[0], "Using backward() with create_graph=True will create a reference cycle"));
    x.zero_grad();
}
TEST_CASE("36 tensors of size zero flow") {
    auto a = gr::zeros<double, 4, 0>().requires_grad_();
    auto b = gr::ones<double, 4, 1>().requires_grad_();
    gr::tensor c = a + b;
    static_assert(c.shape() == gr::shape{4, 0});
    CHECK(c.size() == 0);
    c.backward(gr::zeros<double, 4, 0>());
    CHECK(a.grad().shape() == gr::shape{4, 0});
    CHECK(elements(b.grad()) == numbers(4, 0));
    scalar nothing = gr::sum(a);
    CHECK(nothing.item() == 0);
    nothing.backward();
    CHECK(a.grad().size() == 0);
}
TEST_CASE("36 a run-time extent of zero") {
    auto a = gr::ones<double, gr::dyn, 3>(0).requires_grad_();
    auto w = gr::ones<double, 3, 2>().requires_grad_();
    gr::tensor out = gr::matmul(a, w);
    CHECK(out.shape() == gr::shape{0, 2});
    gr::tensor sums = gr::sum<0>(out);
    CHECK(elements(sums) == numbers{0, 0});
    sums.backward(gr::ones<double, 2>());
    CHECK(elements(w.grad()) == numbers(6, 0));
    CHECK(a.grad().shape() == gr::shape{0, 3});
    CHECK(elements(a.slice(0, 0)).empty());
    CHECK(a.clone().size() == 0);
}
TEST_CASE("37 a gradient is contiguous, whatever its leaf") {
    auto base = gr::arange<double, 6>();
    gr::tensor leaf = gr::tensor<double, 2, 3>(base.reshape<2, 3>()).t();
    leaf.requires_grad_();
    CHECK_FALSE(leaf.is_contiguous());
    gr::tensor out = leaf * leaf;
    out.backward(gr::ones<double, 3, 2>());
    CHECK(leaf.grad().is_contiguous());
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 2; ++k) CHECK(leaf.grad()(i, k) == 2 * leaf(i, k));
}
TEST_CASE("38 a gradient that is set has to be like its tensor") {
    vector x = leaf();
    x.set_grad(ones());
    total(x).backward();
    CHECK(elements(x.grad()) == numbers{2, 2, 2});
    x.set_grad({});
    CHECK_FALSE(x.grad().defined());
    CHECK(contains(of<gr::autograd_error>([&] { x.set_grad(x); }), "can't assign Variable as its own grad"));
    gr::tensor<double, gr::dyn> rows = gr::ones<double, gr::dyn>(3);
    CHECK(contains(of<gr::shape_error>([&] { rows.set_grad(gr::ones<double, gr::dyn>(4)); }),
                   "the tensor is double[4], wanted is double[3]"));
    vector shared{1, 1, 1};
    x.set_grad(shared);
    total(x).backward();
    CHECK(elements(shared) == numbers{2, 2, 2});  // accumulation is in place: the tensor given is the gradient
    gr::tensor<double, 2, 3> matrix = gr::ones<double, 2, 3>();
    gr::tensor<double, 3, 2> leaf_t = gr::ones<double, 3, 2>().requires_grad_();
    leaf_t.set_grad(matrix.t());  // a view
    gr::tensor(gr::sum(leaf_t)).backward();
    CHECK(elements(leaf_t.grad()) == numbers(6, 2));
}
TEST_CASE("39 zero_grad drops the gradient, zero_ of the gradient keeps its memory") {
    vector x = leaf();
    total(x).backward();
    vector g = x.grad();
    x.grad().zero_();
    CHECK(elements(g) == numbers{0, 0, 0});
    total(x).backward();
    CHECK(x.grad().data() == g.data());
    CHECK(elements(g) == numbers{1, 1, 1});
    x.zero_grad();
    CHECK_FALSE(x.grad().defined());
    CHECK(elements(g) == numbers{1, 1, 1});
    gr::any_tensor any = x;
    total(x).backward();
    any.zero_grad();
    CHECK_FALSE(x.grad().defined());
}
TEST_CASE("43 two steps over a tensor in the middle are one") {
    vector x = leaf(), w{0.5, -1, 2};
    vector h = product(x, x);
    auto loss = [&] { return total(product(product(h, h), w)); };
    vector whole = gr::autograd::grad(loss(), x, {.retain_graph = true});
    vector dh = gr::autograd::grad(loss(), h);
    vector stepped = gr::autograd::grad(h, x, {.grad_outputs = {dh}});
    CHECK(elements(whole) == elements(stepped));
}
