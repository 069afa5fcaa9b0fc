// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

namespace gr = gradus;
using messages::contains;

namespace {

gr::tensor<float, 2, 3> matrix() { return {{1, 2, 3}, {4, 5, 6}}; }

}  // namespace

TEST_CASE("any_tensor: tells dtype, shape and strides at run time") {
    gr::any_tensor a = matrix();
    CHECK(a.dtype() == gr::dtype::float32);
    CHECK(a.shape() == gr::shape{2, 3});
    CHECK(a.rank() == 2);
    CHECK(a.size() == 6);
    CHECK(a.size(-1) == 3);
    CHECK(a.stride(0) == 3);
    CHECK(a.is_contiguous());
    gr::any_tensor t = matrix().t();
    CHECK(t.shape() == gr::shape{3, 2});
    CHECK(!t.is_contiguous());
}

TEST_CASE("any_tensor: as() is the same tensor, and refuses another dtype, rank or static extent") {
    auto m = matrix();
    gr::any_tensor a = m;
    gr::tensor<float, gr::dyn, 3> typed = a.as<float, gr::dyn, 3>();
    CHECK(typed.data() == m.data());
    CHECK(gr::any_tensor(typed) == a);
    CHECK(messages::of<gr::shape_error>([&] { a.as<double, 2, 3>(); }) ==
          "gradus::any_tensor::as: the tensor is float[2,3], wanted is double[2,3]");
    CHECK(messages::of<gr::shape_error>([&] { a.as<float, 2>(); }) ==
          "gradus::any_tensor::as: the tensor is float[2,3], wanted is float[2]");
    CHECK(messages::of<gr::shape_error>([&] { a.as<float, gr::dyn, 2>(); }) ==
          "gradus::any_tensor::as: the tensor is float[2,3], wanted is float[dyn,2]");
}

TEST_CASE("any_tensor: equal are handles of one tensor, whatever its elements") {
    auto m = matrix();
    gr::any_tensor a = m, b = m, c = matrix();
    CHECK(a == b);
    CHECK(a != c);
    CHECK(a != a.detach());  // the same memory, another tensor
    CHECK(gr::any_tensor() == gr::any_tensor());
}

TEST_CASE("any_tensor: values() are the elements, of this dtype and without gaps") {
    gr::any_tensor a = matrix();
    std::span<float> values = a.values<float>();
    CHECK(values.size() == 6);
    values[5] = 60;
    CHECK(a.as<float, 2, 3>()(1, 2) == 60);
    CHECK(messages::of<gr::shape_error>([&] { a.values<std::int32_t>(); }) ==
          "gradus::any_tensor::values: the tensor is float[2,3], wanted is int32[2,3]");
    gr::any_tensor view = matrix().t();
    CHECK(contains(messages::of<gr::error>([&] { view.values<float>(); }), "do not follow each other in memory"));
    CHECK(view.clone().values<float>()[1] == 4);
}

TEST_CASE("any_tensor: item() is a number of any dtype") {
    CHECK(gr::any_tensor(gr::full<float>(0.5f)).item() == 0.5);
    CHECK(gr::any_tensor(gr::full<std::int64_t, 1, 1>(std::int64_t{-7})).item() == -7);
    CHECK(gr::any_tensor(gr::full<bool>(true)).item() == 1);
    CHECK(contains(messages::of<gr::error>([] { gr::any_tensor(matrix()).item(); }),
                   "a tensor with 6 elements cannot be converted to a number"));
}

TEST_CASE("any_tensor: an undefined one says so") {
    gr::any_tensor none;
    CHECK(!none.defined());
    CHECK(none.data() == nullptr);
    CHECK(contains(messages::of<gr::error>([&] { none.shape(); }), "undefined"));
    CHECK(contains(messages::of<gr::error>([&] { none.clone(); }), "undefined"));
    CHECK(!none.as<float, 3>().defined());
}

TEST_CASE("11 any_tensor: integers cannot require a gradient") {
    CHECK(contains(messages::of<gr::autograd_error>([] { gr::any_tensor(gr::zeros<std::int32_t, 2>()).requires_grad_(); }),
                   "only Tensors of floating point dtype can require gradients"));
}

TEST_CASE("10 any_tensor: flags of computed tensors cannot be changed") {
    auto x = matrix();
    gr::any_tensor y = x.requires_grad_().clone();
    CHECK(contains(messages::of<gr::autograd_error>([&] { y.requires_grad_(false); }),
                   "you can only change requires_grad flags of leaf variables"));
    y.requires_grad_(true);  // it does already
    CHECK(!y.is_leaf());
}

TEST_CASE("any_tensor: gradient, detach and clone are those of the typed tensor") {
    auto x = matrix();
    gr::any_tensor a = x;
    a.requires_grad_();
    CHECK(x.requires_grad());
    CHECK(!a.grad().defined());
    gr::any_tensor copy = a.clone();
    CHECK(!copy.is_leaf());
    CHECK(copy.data() != a.data());
    copy.as<float, 2, 3>().backward(gr::any_tensor(gr::ones<float, 2, 3>()));
    CHECK(a.grad() == gr::any_tensor(x.grad()));
    CHECK(a.grad().values<float>()[3] == 1);
    gr::any_tensor d = a.detach();
    CHECK(d.data() == a.data());
    CHECK(!d.requires_grad());
}

TEST_CASE("39 any_tensor: zero_grad drops the gradient, or fills it with zeros") {
    auto x = matrix();
    gr::any_tensor a = x.requires_grad_();
    auto pass = [&] { x.clone().backward(gr::any_tensor(gr::ones<float, 2, 3>())); };
    pass();
    gr::any_tensor const first = a.grad();
    a.zero_grad(false);
    CHECK(a.grad() == first);
    CHECK(first.values<float>()[0] == 0);
    pass();
    CHECK(first.values<float>()[0] == 1);
    a.zero_grad();
    CHECK(!a.grad().defined());
    CHECK(first.values<float>()[0] == 1);  // whoever holds it keeps it
}

TEST_CASE("56 any_tensor: increment_version makes a pass that needs the old elements throw") {
    auto x = gr::ones<float, 2>().requires_grad_();
    gr::tensor y = x * x;
    gr::any_tensor a = x;
    auto const before = a.version();
    a.values<float>()[0] = 5;
    increment_version(a);
    CHECK(a.version() == before + 1);
    CHECK(contains(messages::of<gr::autograd_error>([&] { y.backward(gr::any_tensor(gr::ones<float, 2>())); }),
                   "modified by an inplace operation"));
}

TEST_CASE("any_tensor: a list of parameters of many types is a list of handles") {
    auto w = gr::zeros<float, 2, 3>();
    auto b = gr::zeros<double, gr::dyn>(4);
    std::vector<gr::any_tensor> parameters{w, b};
    for (gr::any_tensor const& p : parameters) p.requires_grad_();
    CHECK(w.requires_grad());
    CHECK(b.requires_grad());
    CHECK(parameters[1].dtype() == gr::dtype::float64);
    CHECK(parameters[1].size() == 4);
}
