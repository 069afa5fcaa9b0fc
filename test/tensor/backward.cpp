// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <tuple>

// Rows 16 to 30 of what PyTorch's users expect: backward passes, accumulation, roots.

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
vector plus(vector const& a, double n) { return a + n; }
vector times(vector const& a, double n) { return a * n; }
scalar total(vector const& a) { return gr::sum(a); }

}  // namespace

TEST_CASE("16 gradients accumulate over backward passes") {
    auto x = gr::eye<double, 4, 5>().requires_grad_();
    gr::tensor out = gr::transpose(gr::square(x + 1.0));
    auto v = gr::ones<double, 5, 4>();
    auto check = [&](double diagonal, double beside) {
        for (int i = 0; i < 4; ++i)
            for (int k = 0; k < 5; ++k) CHECK(x.grad()(i, k) == (i == k ? diagonal : beside));
    };
    out.backward(v, {.retain_graph = true});
    check(4, 2);
    out.backward(v, {.retain_graph = true});
    check(8, 4);
    x.grad().zero_();
    out.backward(v);
    check(4, 2);
}
TEST_CASE("17 mean of 3 (x + 2)^2") {
    auto x = gr::ones<double, 2, 2>().requires_grad_();
    gr::tensor y = x + 2.0;
    gr::tensor out = gr::mean(y * y * 3.0);
    CHECK(out.item() == 27);
    out.backward();
    CHECK(elements(x.grad()) == numbers(4, 4.5));
}
TEST_CASE("18 second backward on freed graph throws") {
    vector x = leaf();
    scalar y = total(product(x, x));
    y.backward();
    CHECK(elements(x.grad()) == numbers{2, 4, 6});
    std::string said = of<gr::autograd_error>([&] { y.backward(); });
    CHECK(contains(said, "Trying to backward through the graph a second time"));
    CHECK(contains(said, "Saved intermediate values of the graph are freed when you call .backward()"));
    CHECK(contains(said, "Specify retain_graph=true"));
    CHECK(elements(x.grad()) == numbers{2, 4, 6});
}
TEST_CASE("19 a graph that saved nothing can be passed twice") {
    vector b = leaf();
    scalar y = total(plus(b, 1));
    y.backward();
    y.backward();
    CHECK(elements(b.grad()) == numbers{2, 2, 2});
}
TEST_CASE("20 retain_graph allows another pass") {
    vector x = leaf();
    scalar y = total(product(x, x));
    y.backward({.retain_graph = true});
    y.backward({.retain_graph = true});
    CHECK(elements(x.grad()) == numbers{4, 8, 12});
    y.backward();
    CHECK(of<gr::autograd_error>([&] { y.backward(); }) != "nothing is thrown");
}
TEST_CASE("21 a root that is no scalar needs a gradient") {
    vector x = leaf(), y = times(x, 2);
    CHECK(contains(of<gr::autograd_error>([&] { y.backward(); }), "grad can be implicitly created only for scalar outputs"));
    CHECK_FALSE(x.grad().defined());
    y.backward(ones());
    CHECK(elements(x.grad()) == numbers{2, 2, 2});
    vector z = times(x, 2);
    z.backward({.gradient = vector{1, 0, -1}});
    CHECK(elements(x.grad()) == numbers{4, 2, 0});
    auto single = gr::ones<double, 1, 1>().requires_grad_();
    gr::tensor one = single * 3.0;
    one.backward();  // one element, whatever the rank
    CHECK(elements(single.grad()) == numbers{3});
}
TEST_CASE("22 a gradient is shaped like its root, and there is one for each") {
    auto x = gr::ones<double, 2, 2>().requires_grad_();
    gr::tensor y = x * 2.0;
    CHECK(contains(of<gr::autograd_error>([&] { y.backward(gr::ones<double, 2>()); }),
                   "Mismatch in shape: grad_output[0] has a shape of [2] and output[0] has a shape of [2, 2]."));
    CHECK(contains(of<gr::autograd_error>([&] { y.backward(gr::ones<float, 2, 2>()); }), "float"));
    auto g = gr::ones<double, 2, 2>();
    CHECK(of<gr::autograd_error>([&] { gr::autograd::backward(std::tuple(y, y), {g}); }) == "got 2 tensors and 1 gradients");
    CHECK(of<gr::autograd_error>([&] { gr::autograd::backward(std::tuple(y), {g, g}); }) == "got 1 tensors and 2 gradients");
    CHECK(contains(of<gr::autograd_error>([&] { gr::autograd::backward(std::tuple(y, y), {g, gr::ones<double, 3>()}); }),
                   "grad_output[1] has a shape of [3]"));
    CHECK_FALSE(x.grad().defined());  // a refused call has changed nothing
    y.backward(g);
    CHECK(elements(x.grad()) == numbers(4, 2));
}
TEST_CASE("23 a root that is not recorded has no backward pass") {
    auto said = [](auto const& t) { return of<gr::autograd_error>([&] { t.backward(); }); };
    CHECK(contains(said(gr::zeros<double, 3>()), "element 0 of tensors does not require grad and does not have a grad_fn"));
    CHECK(contains(said(total(ones())), "element 0 of tensors does not require grad and does not have a grad_fn"));
    CHECK(contains(said(scalar()), "element 0 of tensors does not require grad"));
    vector x = leaf();
    CHECK(contains(of<gr::autograd_error>([&] { gr::autograd::backward(std::tuple(total(x), total(ones()))); }), "element 1 of tensors"));
    CHECK_FALSE(x.grad().defined());
}
TEST_CASE("24 a leaf as root gets the gradient itself") {
    vector x = leaf(), g{4, 5, 6};
    x.backward(g);
    CHECK(elements(x.grad()) == elements(g));
    CHECK(x.grad().data() != g.data());
    x.backward(g);
    CHECK(elements(x.grad()) == numbers{8, 10, 12});
    CHECK(elements(g) == numbers{4, 5, 6});
    vector again{x.grad()};
    x.backward(again);  // its own gradient
    CHECK(elements(x.grad()) == numbers{16, 20, 24});
}
TEST_CASE("25 of several roots each counts, as often as it is given") {
    vector x = leaf();
    scalar y = total(product(x, x)), z = total(times(x, 10));
    gr::autograd::backward(std::tuple(y, y));
    CHECK(elements(x.grad()) == numbers{4, 8, 12});
    x.zero_grad();
    vector p = times(x, 2);
    gr::autograd::backward(std::tuple(z, p, x), {scalar{1}, ones(), ones()});
    CHECK(elements(x.grad()) == numbers{13, 13, 13});
}
TEST_CASE("26 roots that depend on each other combine in one pass") {
    vector x = leaf(), gy{1, -1, 2}, gz{3, 1, 0.5};
    vector y = product(x, x);
    vector z = product(product(y, y), y);
    gr::autograd::backward(std::tuple(y, z), {gy, gz});
    for (int i = 0; i < 3; ++i) {
        double const v = x(i);
        CHECK(x.grad()(i) == 2 * v * gy(i) + 6 * v * v * v * v * v * gz(i));  // z = x^6; small whole numbers and halves are exact
    }
}
TEST_CASE("27 accumulation is in place, with create_graph it is not") {
    vector x = leaf();
    total(product(x, x)).backward();
    vector first = x.grad();
    total(product(x, x)).backward();
    CHECK(x.grad().state().get() == first.state().get());
    CHECK(elements(first) == numbers{4, 8, 12});
    warnings silent;
    total(product(x, x)).backward({.create_graph = true});
    CHECK(x.grad().state().get() != first.state().get());
    CHECK(elements(first) == numbers{4, 8, 12});
    CHECK(elements(x.grad()) == numbers{6, 12, 18});
    x.zero_grad();  // it holds what it was computed from, x included
}
TEST_CASE("28 two leaves never share a gradient's memory") {
    vector a = leaf(), b = leaf(), g{1, 2, 3};
    SUBCASE("without") { sum_of(a, b).backward(g); }
    SUBCASE("with create_graph") {
        warnings silent;
        sum_of(a, b).backward(g, {.create_graph = true});
    }
    CHECK((a.grad().data() != b.grad().data() && a.grad().data() != g.data() && b.grad().data() != g.data()));
    a.grad().zero_();
    CHECK(elements(b.grad()) == numbers{1, 2, 3});
    CHECK(elements(g) == numbers{1, 2, 3});
    a.zero_grad();
    b.zero_grad();
}
TEST_CASE("28 a retained gradient is not the leaf's") {
    vector a = leaf(), h = plus(a, 1);
    h.retain_grad();
    total(h).backward();
    CHECK(h.grad().data() != a.grad().data());
    h.grad().zero_();
    CHECK(elements(a.grad()) == numbers{1, 1, 1});
}
TEST_CASE("28 a view of a gradient keeps its memory from being taken") {
    vector a = leaf();
    vector seen;
    vector h = plus(a, 1);
    h.register_hook([&](vector const& g) { seen = g; });
    total(times(h, 2)).backward();
    CHECK(seen.data() != a.grad().data());
    total(plus(a, 1)).backward();
    CHECK(elements(seen) == numbers{2, 2, 2});
    CHECK(elements(a.grad()) == numbers{3, 3, 3});
}
TEST_CASE("29 one buffer that waits in three places") {
    vector x = leaf(), y = leaf();
    vector a = plus(x, 2), b = plus(y, 2), c = plus(x, 2);
    vector before = sum_of(sum_of(a, b), c);
    for (int i = 0; i < 4; ++i) {
        a = times(a, 2);
        b = times(b, 2);
        c = times(c, 2);
    }
    vector out = sum_of(before, sum_of(sum_of(a, b), c));
    total(out).backward();
    CHECK(elements(x.grad()) == numbers{34, 34, 34});  // 2 (1 + 2^4)
    CHECK(elements(y.grad()) == numbers{17, 17, 17});
}
TEST_CASE("30 backward for some inputs adds to those only") {
    vector x = leaf(), y = leaf();
    vector h = product(x, y);
    scalar out = total(product(h, y));  // x y^2
    out.backward({.retain_graph = true, .inputs = {x}});
    CHECK(elements(x.grad()) == numbers{1, 4, 9});
    CHECK_FALSE(y.grad().defined());
    out.backward({.retain_graph = true, .inputs = {x}});
    CHECK(elements(x.grad()) == numbers{2, 8, 18});
    out.backward({.retain_graph = true, .inputs = {h}});  // not a leaf
    CHECK(elements(h.grad()) == elements(y));
    CHECK(elements(x.grad()) == numbers{2, 8, 18});
    out.backward({.inputs = {x, y}});
    CHECK(elements(x.grad()) == numbers{3, 12, 27});
    CHECK(elements(y.grad()) == numbers{2, 8, 18});        // 2 x y
    total(product(x, y)).backward({.inputs = {x, y, x}});  // named twice, added once
    CHECK(elements(x.grad()) == numbers{4, 14, 30});
    CHECK(elements(y.grad()) == numbers{3, 10, 21});
    total(product(x, y)).backward({.create_graph = true, .inputs = {y, y}});
    CHECK(elements(y.grad()) == numbers{4, 12, 24});
    y.zero_grad();  // the gradient's graph holds y: a cycle, as in PyTorch
    CHECK(contains(of<gr::autograd_error>([&] { total(x).backward({.inputs = {ones()}}); }),
                   "One of the differentiated Tensors does not require grad"));
}
