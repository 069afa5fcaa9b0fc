// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <sstream>

// Rows 1 to 15 of what PyTorch's users expect: recording, leaves, names.

namespace gr = gradus;
using namespace messages;

namespace {

using vector = gr::tensor<double, 3>;

vector leaf() { return vector{1, 2, 3}.requires_grad_(); }
vector twice(vector const& x) { return x * 2.0; }
gr::tensor<double> total(vector const& x) { return gr::sum(x); }

struct logistic_regression {
    gr::tensor<float, 5> x = gr::ones<float, 5>();
    gr::tensor<float, 3> y = gr::zeros<float, 3>();
    gr::tensor<float, 5, 3> w = gr::zeros<float, 5, 3>().requires_grad_();
    gr::tensor<float, 3> b = gr::zeros<float, 3>().requires_grad_();
    gr::tensor<float, 3> z = gr::matmul(x, w) + b;
    gr::tensor<float> loss = gr::binary_cross_entropy_with_logits(z, y);
};

}  // namespace

TEST_CASE("1 a logistic regression is recorded") {
    logistic_regression model;
    CHECK(model.z.requires_grad());
    CHECK(model.z.grad_fn().name() == "AddBackward0");
    CHECK(model.loss.grad_fn().name() == "BinaryCrossEntropyWithLogitsBackward0");
    CHECK(model.loss.grad_fn().next_functions()[0] == model.z.grad_fn());
}
TEST_CASE("2 its loss and gradients in numbers") {
    logistic_regression model;
    // sigmoid(0) = 1/2: the loss is log 2, each of the 3 logits has the derivative (1/2 - 0) / 3, and all of x is 1
    CHECK(model.loss.item() == doctest::Approx(std::log(2.0)).epsilon(1e-6));  // float: 6e-8 a step, few steps
    model.loss.backward();
    for (float g : model.w.grad().values()) CHECK(g == doctest::Approx(1.0 / 6).epsilon(1e-6));
    for (float g : model.b.grad().values()) CHECK(g == doctest::Approx(1.0 / 6).epsilon(1e-6));
}
TEST_CASE("3 nodes are named as PyTorch names them") {
    vector x = leaf(), y = leaf();
    auto name = [](auto const& t) { return t.grad_fn().name(); };
    CHECK(name(vector(x + y)) == "AddBackward0");
    CHECK(name(vector(x - y)) == "SubBackward0");
    CHECK(name(vector(x * y)) == "MulBackward0");
    CHECK(name(twice(x)) == "MulBackward0");
    CHECK(name(vector(gr::exp(x))) == "ExpBackward0");
    CHECK(name(vector(gr::square(x))) == "PowBackward0");
    CHECK(name(total(x)) == "SumBackward0");
    CHECK(name(x.clone()) == "CloneBackward0");
    CHECK(name(x[0]) == "SelectBackward0");
    CHECK(name(x.slice(0, 2)) == "SliceBackward0");
    CHECK(name(x.reshape<3, 1>()) == "ViewBackward0");
    CHECK(twice(x).grad_fn().next_functions()[0].name() == "torch::autograd::AccumulateGrad");
    CHECK(gr::grad_function().name() == "");
}
TEST_CASE("3 the last operation of an expression names its node") {
    vector x = leaf();
    vector y = gr::exp(x * x) - x;
    CHECK(y.grad_fn().name() == "SubBackward0");
}
TEST_CASE("4 a result requires a gradient if an operand does and the thread records") {
    vector a{1, 2, 3}, b = leaf();
    CHECK_FALSE(a.requires_grad());
    CHECK(vector(a + b).requires_grad());
    vector c = a + a;
    CHECK_FALSE(c.requires_grad());
    CHECK_FALSE(c.grad_fn());
    gr::no_grad guard;
    CHECK_FALSE(vector(a + b).requires_grad());
}
TEST_CASE("5 leaves are what no recorded operation has computed") {
    vector x = leaf(), constant{1, 2, 3};
    CHECK(x.is_leaf());
    CHECK(constant.is_leaf());
    CHECK(twice(constant).is_leaf());
    CHECK_FALSE(twice(x).is_leaf());
    CHECK(twice(x).detach().is_leaf());
    CHECK_FALSE(x.grad_fn());
}
TEST_CASE("6 the table of the leaf tutorial") {
    auto x = gr::ones<float, 1, 3>();
    auto w = gr::ones<float, 3, 2>().requires_grad_();
    auto b = gr::ones<float, 1, 2>().requires_grad_();
    auto y = gr::ones<float, 1, 2>();
    gr::tensor z = gr::matmul(x, w) + b;
    gr::tensor predicted = gr::relu(z);
    gr::tensor loss = gr::mse_loss(predicted, y);
    CHECK((x.is_leaf() && w.is_leaf() && b.is_leaf() && y.is_leaf()));
    CHECK_FALSE((z.is_leaf() || predicted.is_leaf() || loss.is_leaf()));
    CHECK_FALSE((w.retains_grad() || z.retains_grad()));
    CHECK(elements(z) == std::vector<float>{4, 4});
    CHECK(loss.item() == 9);
    loss.backward();
    // d loss / d z = 2 (4 - 1) / 2 for each of two elements
    CHECK(elements(w.grad()) == std::vector<float>(6, 3));
    CHECK(elements(b.grad()) == std::vector<float>{3, 3});
}
TEST_CASE("7 a gradient is undefined until a backward pass fills it, in leaves that require it only") {
    vector x{1, 2, 3}, w = leaf();
    CHECK_FALSE(w.grad().defined());
    gr::tensor loss = gr::sum(x * w);
    CHECK_FALSE(w.grad().defined());
    loss.backward();
    CHECK(elements(w.grad()) == elements(x));
    CHECK_FALSE(x.grad().defined());
}
TEST_CASE("8 reading the gradient of a computed tensor warns, once per access") {
    vector x = leaf(), y = twice(x);
    warnings heard;
    CHECK_FALSE(y.grad().defined());
    REQUIRE(warnings::all().size() == 1);
    CHECK(contains(warnings::all()[0], "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed."));
    CHECK(contains(warnings::all()[0], "use .retain_grad() on the non-leaf Tensor"));
    CHECK_FALSE(y.grad().defined());
    CHECK(warnings::all().size() == 2);
    CHECK_FALSE(x.grad().defined());
    y.retain_grad();
    CHECK_FALSE(y.grad().defined());
    CHECK_FALSE(y.detach().grad().defined());
    CHECK(warnings::all().size() == 2);
}
TEST_CASE("9 retain_grad keeps the gradient of a computed tensor") {
    vector in = leaf(), h = in * 3.0;
    h.retain_grad();
    CHECK(h.retains_grad());
    gr::tensor out = gr::sum(gr::square(h));
    out.backward({.retain_graph = true});
    CHECK(elements(h.grad()) == std::vector<double>{6, 12, 18});    // 2 h
    CHECK(elements(in.grad()) == std::vector<double>{18, 36, 54});  // 18 in
    out.backward();
    CHECK(elements(h.grad()) == std::vector<double>{12, 24, 36});  // accumulates
    CHECK(elements(in.grad()) == std::vector<double>{36, 72, 108});
    in.retain_grad();
    CHECK_FALSE(in.retains_grad());
    vector constant{1, 2, 3};
    CHECK(contains(of<gr::autograd_error>([&] { constant.retain_grad(); }), "can't retain_grad on Tensor that has requires_grad=False"));
}
TEST_CASE("10 requires_grad_ is for leaves") {
    vector x{1, 2, 3};
    CHECK(x.requires_grad_().requires_grad());
    CHECK(x.is_leaf());
    vector y = twice(x);
    std::string said = of<gr::autograd_error>([&] { y.requires_grad_(false); });
    CHECK(contains(said, "you can only change requires_grad flags of leaf variables."));
    CHECK(contains(
        said,
        " If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."));
    CHECK(y.requires_grad_().requires_grad());
    CHECK_FALSE(x.requires_grad_(false).requires_grad());
    CHECK_FALSE(twice(x).requires_grad());
}
TEST_CASE("11 an integer has no gradient") {
    // a typed tensor: test/fail/integer_requires_grad.cpp
    gr::any_tensor labels = gr::arange<std::int64_t, 3>(), mask = gr::full<bool, 2>(true), weights = vector{1, 2, 3};
    CHECK(contains(of<gr::autograd_error>([&] { labels.requires_grad_(); }), "only Tensors of floating point dtype can require gradients"));
    CHECK(contains(of<gr::autograd_error>([&] { mask.requires_grad_(); }), "floating point"));
    CHECK_FALSE(labels.requires_grad());
    CHECK_FALSE(labels.requires_grad_(false).requires_grad());
    CHECK(weights.requires_grad_().requires_grad());
    gr::any_tensor computed = twice(leaf());
    CHECK(contains(of<gr::autograd_error>([&] { computed.requires_grad_(false); }),
                   "you can only change requires_grad flags of leaf variables."));
}
TEST_CASE("12 results that are no real numbers do not require a gradient") {
    vector x = leaf();
    gr::tensor positive = x > 0.0;
    gr::tensor best = gr::argmax(x);
    gr::tensor whole = gr::cast<std::int32_t>(x);
    static_assert(positive.dtype() == gr::dtype::boolean && best.dtype() == gr::dtype::int64);
    CHECK_FALSE((positive.requires_grad() || best.requires_grad() || whole.requires_grad()));
    CHECK((positive.is_leaf() && !best.grad_fn()));
}
TEST_CASE("13 printing tells what part a tensor has in the tape") {
    gr::tensor<double, 1> x{1.5};
    auto shown = [](auto const& t) {
        std::ostringstream out;
        out << t;
        return out.str();
    };
    CHECK(shown(x) == "tensor([1.5000], dtype=double)");
    x.requires_grad_();
    CHECK(shown(x) == "tensor([1.5000], dtype=double, requires_grad=True)");
    CHECK(shown(x.clone()) == "tensor([1.5000], dtype=double, grad_fn=<CloneBackward0>)");
}
TEST_CASE("14 next_functions walks from a loss to its leaves") {
    vector w = leaf(), b = leaf(), x{1, 2, 3};
    vector product = w * x;
    vector z = product + b;
    gr::tensor loss = total(z);
    auto add = loss.grad_fn().next_functions();
    REQUIRE(add.size() == 1);
    CHECK(add[0] == z.grad_fn());
    auto operands = add[0].next_functions();
    REQUIRE(operands.size() == 2);
    CHECK(operands[0].name() == "MulBackward0");
    CHECK(operands[1].name() == "torch::autograd::AccumulateGrad");
    CHECK(operands[1].variable().state().get() == b.state().get());
    CHECK(operands[1].next_functions().empty());
    auto factors = operands[0].next_functions();
    REQUIRE(factors.size() == 2);
    CHECK(factors[0].variable().state().get() == w.state().get());
    CHECK_FALSE(factors[1]);  // x is a constant
    CHECK_FALSE(operands[0].variable().defined());
    CHECK_FALSE(twice(w).grad_fn().next_functions()[1]);  // so is a number
}
TEST_CASE("15 what was computed later runs first, leaves as early as they can") {
    vector a = leaf();
    std::string order;
    vector b = twice(a), c = twice(b), d = b + c;
    auto note = [&order](char which) { return [&order, which](vector const&) { order += which; }; };
    a.register_hook(note('a'));
    b.register_hook(note('b'));
    c.register_hook(note('c'));
    d.register_hook(note('d'));
    total(d).backward();
    CHECK(order == "dcba");
    CHECK(elements(a.grad()) == std::vector<double>{6, 6, 6});  // 2 + 4
}
