// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

// Tensors as arguments of compiled programs.

namespace gr = gradus;

namespace {

constexpr auto x = gr::var<"x", float, "n", 2>;
constexpr auto w = gr::var<"w", float, 2>;
constexpr auto loss = gr::sum(gr::matmul(x, w));
constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::update(w, w - gr::grad(loss, w)));

constexpr auto value_of = gr::compile(loss);

gr::tensor<float, gr::dyn, 2> rows() { return {{1, 2}, {3, 4}, {5, 6}}; }

}  // namespace

TEST_CASE("program(x = tensor): reads tensors, static or not, and writes to those that it updates; results are tensors") {
    gr::tensor<float, 2> weight{10, 100};
    auto [l, dw] = step(x = rows(), w = weight);
    static_assert(std::is_same_v<decltype(dw), gr::tensor<float, 2>>);
    CHECK(l.item() == 10 * (1 + 3 + 5) + 100 * (2 + 4 + 6));
    CHECK(dw(0) == 9);
    CHECK(dw(1) == 12);
    CHECK(weight(0) == 1);
    CHECK(weight(1) == 88);
}

TEST_CASE("program(x = tensor): views are read as they are meant, with gaps or without") {
    gr::tensor<float, 2> weight{10, 100};
    gr::tensor lower = rows().slice(1, 3);
    CHECK(std::get<0>(value_of(x = lower, w = weight)).item() == 10 * (3 + 5) + 100 * (4 + 6));
    gr::tensor<float, 2, 3> wide{1, 3, 5, 2, 4, 6};  // its transpose is rows()
    CHECK(std::get<0>(value_of(x = wide.t(), w = weight)).item() == 1290);
    float value = 0;
    CHECK(messages::of<gr::binding_error>([&] { value_of(gr::out(value), x = wide.t(), w = weight); }) ==
          "gradus::program(x = data): the elements of this view do not follow each other in memory: bind data.contiguous()");
    value_of(gr::out(value), x = wide.t().contiguous(), w = weight);
    CHECK(value == 1290);
}

TEST_CASE("program(w = tensor): a view with gaps is not updated") {
    gr::tensor<float, 2, 2> pairs{1, 2, 3, 4};
    auto column = pairs.select<1>(0);
    CHECK(messages::of<gr::binding_error>([&] { step(x = rows(), w = column); }).find("a view whose elements do not follow each other") !=
          std::string::npos);
    CHECK(pairs(0, 0) == 1);
}

TEST_CASE("program(x = tensor): an undefined tensor is refused") {
    gr::tensor<float, 2> none;
    CHECK(messages::of<gr::binding_error>([&] { step(x = rows(), w = none); }) == "gradus::program(w = data): the tensor is undefined");
    gr::tensor<float, gr::dyn, 2> no_rows;
    gr::tensor<float, 2> weight{1, 1};
    CHECK(messages::of<gr::binding_error>([&] { step(x = no_rows, w = weight); }) == "gradus::program(x = data): the tensor is undefined");
    gr::tensor<float> no_target;
    CHECK(messages::of<gr::binding_error>([&] { value_of(gr::out(no_target), x = rows(), w = weight); }) ==
          "gradus::program(out = data): the tensor is undefined");
}

TEST_CASE("program(x = tensor): sizes are checked") {
    gr::tensor<float, gr::dyn> three{1, 2, 3};
    CHECK(messages::of<gr::shape_error>([&] { step(x = rows(), w = three); }) ==
          "gradus::program(w = data): the data has extent 3 where 2 is expected (w is float[2])");
}

TEST_CASE("51 program(w = tensor): an update counts as a write, so an earlier graph's backward throws") {
    auto weight = gr::tensor<float, 2>{10, 100}.requires_grad_();
    gr::tensor y = weight * weight;
    gr::tensor<float, gr::dyn, 2> const data = rows();
    {
        gr::no_grad guard;
        step(x = data, w = weight);
    }
    CHECK(weight.version() == 1);
    CHECK(data.version() == 0);  // only read
    CHECK(weight.is_leaf());
    CHECK(messages::of<gr::autograd_error>([&] {
              y.backward(gr::any_tensor(gr::ones<float, 2>()));
          }).find("is at version 1; expected version 0") != std::string::npos);
}

TEST_CASE("60 program(w = tensor): a leaf that requires a gradient is not updated while the thread records") {
    auto weight = gr::tensor<float, 2>{10, 100}.requires_grad_();
    auto l = gr::zeros<float>();
    auto g = gr::zeros<float, 2>();
    CHECK(messages::of<gr::autograd_error>([&] { step(x = rows(), w = weight); }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(messages::of<gr::autograd_error>([&] { step(gr::out(l, g), x = rows(), w = weight); }) ==
          "a leaf Variable that requires grad is being used in an in-place operation.");
    CHECK(weight(0) == 10);
    CHECK(l.version() == 0);
}

TEST_CASE("program(gr::out(tensor)): results go to tensors, which count as written, and nothing is recorded") {
    gr::tensor<float, 2> weight{1, 1}, gradient = gr::zeros<float, 2>();
    auto value = gr::zeros<float>();
    step(gr::out(value, gradient), x = rows(), w = weight);
    CHECK(value.item() == 21);
    CHECK(gradient(1) == 12);
    CHECK(gradient.version() == 1);
    CHECK(weight.version() == 1);
    CHECK(weight(0) == -8);
    CHECK(!value.requires_grad());
    gr::tensor<float, 2, 2> pairs{1, 2, 3, 4};
    auto column = pairs.select<1>(0);
    CHECK(messages::of<gr::binding_error>([&] {
              step(gr::out(value, column), x = rows(), w = weight);
          }).starts_with("gradus::program(out = data): the elements of this view"));
}

TEST_CASE("program(x = tensor): the call is a node of the tape where an operand requires a gradient") {
    auto weight = gr::tensor<float, 2>{1, 1}.requires_grad_();
    auto [l] = value_of(x = rows(), w = weight);
    CHECK(l.grad_fn().name() == "ProgramBackward0");
    l.backward();
    CHECK(weight.grad()(1) == 12);
}
