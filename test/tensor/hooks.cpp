// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <gradus.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

// Rows 72 to 77 of what PyTorch's users expect: hooks.

namespace gr = gradus;

namespace {

using scalar = gr::tensor<float>;

scalar number(float value) { return gr::full<float>(value); }
scalar leaf(float value) { return number(value).requires_grad_(); }
scalar product(scalar const& a, scalar const& b) { return a * b; }
scalar shifted(scalar const& g, float by) { return g + by; }
scalar scaled(scalar const& g, float by) { return g * by; }
float item(gr::any_tensor const& t) { return t.as<float>().item(); }
/// The message of the error that f throws.

}  // namespace

TEST_CASE("72 register_hook: may replace the gradient, in the order of registration, until it is removed") {
    auto x = leaf(3);
    std::string order;
    auto y = product(x, x);
    auto doubles = y.register_hook([&](scalar const& g) {
        order += 'a';
        return scaled(g, 2);
    });
    auto adds = y.register_hook([&](scalar const& g) {
        order += 'b';
        return shifted(g, 1);
    });
    y.register_hook([&](scalar const& g) { order += std::to_string(static_cast<int>(g.item())); });  // looks only
    y.backward({.retain_graph = true});
    CHECK(order == "ab3");
    CHECK(x.grad().item() == 18);  // (1 * 2 + 1) * 2 * 3
    x.zero_grad();
    doubles.remove();
    doubles.remove();
    y.backward({.retain_graph = true});
    CHECK(order == "ab3b2");
    CHECK(x.grad().item() == 12);
    x.zero_grad();
    adds.remove();
    y.backward();
    CHECK(x.grad().item() == 6);
}

TEST_CASE("72 register_hook: on a leaf sees the sum of what arrives, once; a handle outlives its tensor") {
    auto x = leaf(3);
    int calls = 0;
    gr::hook_handle handle = x.register_hook([&](scalar const& g) {
        ++calls;
        return scaled(g, 2);
    });
    auto y = product(x, x);
    product(y, x).backward();  // x^3
    CHECK(calls == 1);
    CHECK(x.grad().item() == 54);
    x = {};
    y = {};
    handle.remove();
    CHECK(calls == 1);
}

TEST_CASE("72 register_hook: a removed hook lets go of what it holds") {
    auto x = leaf(3), held = number(1);
    auto handle = x.register_hook([held](scalar const&) {});
    CHECK_FALSE(held.state()->owned.is_one());
    handle.remove();
    CHECK(held.state()->owned.is_one());
}

TEST_CASE("72 register_hook: a gradient of another shape is refused") {
    auto x = leaf(3);
    auto y = product(x, x);
    y.grad_fn().register_hook([](auto const&, auto const&) { return std::vector<gr::any_tensor>{gr::ones<float, 2>(), {}}; });
    CHECK(messages::of<gr::autograd_error>([&] { y.backward(); }) ==
          "a hook has changed the type of a gradient: it was float, it is float[2]");
    auto z = product(x, x);
    z.grad_fn().register_prehook([](auto const&) { return std::vector<gr::any_tensor>(2); });
    CHECK(messages::of<gr::autograd_error>([&] { z.backward(); }) == "hooks return one gradient for each: expected 1, got 2");
}

TEST_CASE("73 order: tensor hooks, node pre-hooks, retain_grad, the node, its hooks") {
    auto x = leaf(1);
    auto y = x.clone();
    std::string order;
    y.retain_grad();  // captures late all the same
    y.grad_fn().register_hook([&](std::vector<gr::any_tensor> const& leaving, std::vector<gr::any_tensor> const& arrived) {
        order += " post";
        CHECK(item(leaving[0]) == doctest::Approx(-0.2));
        CHECK(item(arrived[0]) == doctest::Approx(-0.2));
        return std::vector<gr::any_tensor>{shifted(leaving[0].as<float>(), 0.5f)};
    });
    y.grad_fn().register_prehook([&](std::vector<gr::any_tensor> const& arrived) {
        order += " pre";
        CHECK(item(arrived[0]) == -1);
        return std::vector<gr::any_tensor>{scaled(arrived[0].as<float>(), 0.2f)};
    });
    y.register_hook([&](scalar const& g) {
        order += "tensor";
        return shifted(g, -2);
    });
    x.register_hook([&](scalar const& g) {
        order += " leaf";
        return scaled(g, 10);
    });
    x.register_post_accumulate_grad_hook([&](scalar const& l) {
        order += " accumulated";
        CHECK(l.grad().item() == doctest::Approx(3));
    });
    y.backward();
    CHECK(order == "tensor pre post leaf accumulated");
    CHECK(y.grad().item() == doctest::Approx(-0.2));
    CHECK(x.grad().item() == doctest::Approx(3));  // ((1 - 2) / 5 + 0.5) * 10
}

TEST_CASE("74 a hook is about what the tensor was when it was registered") {
    auto a = leaf(1);
    auto b = a.clone();
    float before = 0, after = 0;
    b.register_hook([&](scalar const& g) {
        before = g.item();
        return scaled(g, 2);
    });
    b *= 2.0f;
    b.register_hook([&](scalar const& g) {
        after = g.item();
        return scaled(g, 2);
    });
    product(b, number(1)).backward();
    CHECK(before == 4);  // twice by the operation, twice by the later hook
    CHECK(after == 1);
    CHECK(a.grad().item() == 8);
}

TEST_CASE("74 retain_grad: follows the tensor through in-place operations") {
    auto a = leaf(1);
    auto b = a.clone();
    b.retain_grad();
    b *= 2.0f;
    product(b, number(3)).backward();
    CHECK(b.grad().item() == 3);
    CHECK(a.grad().item() == 6);
}

TEST_CASE("75 post-accumulate hook: an optimizer in the backward pass") {
    auto w = leaf(3);
    int steps = 0;
    w.register_post_accumulate_grad_hook([&](scalar const& p) {
        CHECK_FALSE(gr::is_grad_enabled());
        CHECK(p.grad().item() == 6);
        p -= 0.5f * p.grad();
        p.zero_grad();
        CHECK_FALSE(p.grad().defined());
        ++steps;
    });
    product(w, w).backward();
    CHECK(steps == 1);
    CHECK(w.item() == 0);
    CHECK_FALSE(w.grad().defined());
    CHECK(w.is_leaf());
    CHECK(messages::of<gr::autograd_error>([&] { product(w, w).register_post_accumulate_grad_hook([](scalar const&) {}); }) ==
          "post accumulate grad hooks cannot be registered on non-leaf tensors");
}

TEST_CASE("77 hooks: a tensor without a gradient has none to look at") {
    auto x = number(1);
    CHECK(messages::of<gr::autograd_error>([&] { x.register_hook([](scalar const&) {}); }) ==
          "cannot register a hook on a variable that doesn't require gradient");
    CHECK(messages::of<gr::autograd_error>([&] { x.register_post_accumulate_grad_hook([](scalar const&) {}); }) != "nothing is thrown");
    CHECK(messages::of<gr::autograd_error>([&] { x.grad_fn().register_hook([](auto const&, auto const&) {}); }) != "nothing is thrown");
}

TEST_CASE("arrival hooks: a gradient is shown as soon as no node is left that could add to it") {
    auto first = leaf(2), second = leaf(3), third = leaf(5);
    std::string order;
    auto tell = [&order](scalar const& t, char name) {
        gr::core::add_arrival_hook(*t.state(), [&order, name](gr::core::array_view<gr::core::tensor_ref> gradient,
                                                              gr::core::array_view<gr::core::tensor_ref const>) {
            order += name + std::to_string(static_cast<int>(item(gr::any_tensor(gradient[0]))));
        });
    };
    tell(first, 'a'), tell(second, 'b'), tell(third, 'c');
    auto one = product(first, number(1)), two = product(one, second), three = product(two, third);
    one.register_hook([&](scalar const&) { order += 'n'; });
    two.register_hook([&](scalar const&) { order += 'm'; });
    three.backward({.retain_graph = true});
    CHECK(order == "c6mb10na15");
    CHECK(first.grad().item() == 15);
    // what is used again behind has its gradient later, once
    order.clear();
    auto four = product(product(three, second), number(1));
    four.backward({.retain_graph = true});
    CHECK(order == "c18mb60na45");
    // several roots, one of them the leaf itself; other hooks first; derivatives that are returned are shown to nobody
    order.clear();
    third.register_hook([&](scalar const& g) { return scaled(g, 2); });
    gr::autograd::backward(std::tuple(three, third), {}, {.retain_graph = true});
    CHECK(order == "mb10na15c14");
    order.clear();
    static_cast<void>(gr::autograd::grad(three, third));
    CHECK(order.empty());
}
