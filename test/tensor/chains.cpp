// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

// Rows 41 and 42 of what PyTorch's users expect: graphs of any depth end, and are passed, without recursion.

namespace gr = gradus;
using namespace messages;

namespace {

using scalar = gr::tensor<double>;

constexpr int length = 150'000;

scalar next(scalar const& y) { return y + 1e-6; }
scalar product(scalar const& a, scalar const& b) { return a * b; }
scalar chain(scalar y, int count = length) {
    for (int i = 0; i < count; ++i) y = next(y);
    return y;
}

}  // namespace

TEST_CASE("41 a chain of 150,000 nodes is let go") {
    scalar x = scalar{0}.requires_grad_();
    scalar y = chain(x);
    CHECK(y.item() == doctest::Approx(0.15).epsilon(1e-9));  // 150,000 roundings of 2^-53
    y = {};
    CHECK_FALSE(y.defined());
}
TEST_CASE("41 whoever holds its middle keeps the part behind") {
    scalar x = scalar{0}.requires_grad_();
    scalar middle = chain(x), end = chain(middle);
    middle.retain_grad();
    end = {};
    middle.backward();
    CHECK(x.grad().item() == 1);
    CHECK(middle.grad().item() == 1);
}
TEST_CASE("41 a chain over saved values and gradients") {
    warnings silent;
    scalar x = scalar{1}.requires_grad_();
    scalar y = x;
    for (int i = 0; i < length; ++i) y = product(y, x);
    y = {};
    scalar owner = scalar{1}.requires_grad_();  // gradients that have gradients that ...
    for (int i = 0; i < length; ++i) {
        scalar holder = scalar{1}.requires_grad_();
        holder.set_grad(owner);
        owner = holder;
    }
    owner = {};
    CHECK_FALSE(owner.defined());
}
TEST_CASE("42 the backward pass of a chain of 150,000 nodes") {
    scalar x = scalar{2}.requires_grad_();
    scalar y = chain(x);
    y.backward();
    CHECK(x.grad().item() == 1);
    CHECK(gr::autograd::grad(y, x).item() == 1);  // nothing was saved; finds its way first
    y.backward({.inputs = {x}});
    CHECK(x.grad().item() == 2);
    y = {};
    scalar z = scalar{1}.requires_grad_();
    y = z;
    for (int i = 0; i < length; ++i) y = product(y, z);
    y.backward();
    CHECK(z.grad().item() == length + 1);
}
TEST_CASE("42 a path per subset is not walked") {
    scalar x = scalar{1}.requires_grad_();
    scalar y = x;
    for (int i = 0; i < 1000; ++i) y = product(y, y);  // 2^1000 paths, 1000 nodes
    y.backward();
    CHECK(x.grad().item() == std::ldexp(1.0, 1000));
}
TEST_CASE("42 hooks and retained gradients all along a chain") {
    scalar x = scalar{2}.requires_grad_();
    int calls = 0;
    scalar y = x;
    std::vector<scalar> kept;
    for (int i = 0; i < 10'000; ++i) {
        y = next(y);
        y.register_hook([&calls](scalar const&) { ++calls; });
        y.retain_grad();
        kept.push_back(y);
    }
    y.backward();
    CHECK(calls == 10'000);
    for (scalar const& k : kept) REQUIRE(k.grad().item() == 1);
    CHECK(x.grad().item() == 1);
}
