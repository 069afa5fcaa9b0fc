// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <string>

namespace gr = gradus;

namespace {

using vector = gr::tensor<double, 3>;
using context = gr::autograd::context;

vector ones() { return gr::ones<double, 3>(); }
vector start() { return vector{1, 2, 3}.requires_grad_(); }
/// The statements of these tests, each compiled once.
vector product(vector const& a, vector const& b) { return a * b; }
vector scaled(vector const& a, double k) { return a * k; }
bool equal(vector const& a, double x, double y, double z) { return a(0) == x && a(1) == y && a(2) == z; }

struct mul_constant : gr::autograd::function<mul_constant> {
    static vector forward(context& ctx, vector const& x, double k) {
        ctx.saved_data<double>() = k;
        CHECK(!gr::is_grad_enabled());
        return scaled(x, k);
    }
    static auto backward(context& ctx, vector const& gradient) { return std::tuple(scaled(gradient, ctx.saved_data<double>()), nothing); }
};
/// x y, what it saves being operands.
struct multiply : gr::autograd::function<multiply> {
    static vector forward(context& ctx, vector const& x, vector const& y) {
        ctx.save_for_backward(x, y);
        return product(x, y);
    }
    static auto backward(context& ctx, vector const& gradient) {
        return std::tuple(product(gradient, ctx.saved<1, double, 3>()), product(gradient, ctx.saved<0, double, 3>()));
    }
};
/// x x, what it saves being its result and half of its derivative: neither is an operand.
struct squared : gr::autograd::function<squared> {
    inline static int alive = 0;
    struct counted {
        counted() { ++alive; }
        counted(counted const&) = delete;
        ~counted() { --alive; }
    };
    static vector forward(context& ctx, vector const& x) {
        vector result = product(x, x);
        ctx.saved_data<counted>();
        ctx.save_for_backward(result, product(x, ones()));
        return result;
    }
    static vector backward(context& ctx, vector const& gradient) {
        CHECK(ctx.saved<0, double, 3>()(1) == 4);
        return scaled(product(gradient, ctx.saved<1, double, 3>()), 2);
    }
};
/// What the context says, and what backward is given.
struct observed {
    bool needs[3] = {}, given[3] = {};
    int calls = 0;
} seen;
struct three : gr::autograd::function<three> {
    static auto forward(context& ctx, vector const& a, int choice, vector const& b) {
        vector first = product(a, b), second = scaled(a, 2), third = scaled(b, 3);
        if (choice == 1) ctx.mark_non_differentiable(second);
        if (choice == 2) ctx.set_materialize_grads(false);
        for (int i = 0; i < 3; ++i) seen.needs[i] = ctx.needs_input_grad(i);
        return std::tuple(first, second, third);
    }
    static auto backward(context& ctx, vector const& first, vector const& second, vector const& third) {
        ++seen.calls;
        for (int i = 0; i < 3; ++i) seen.needs[i] = ctx.needs_input_grad(i);
        seen.given[0] = first.defined(), seen.given[1] = second.defined(), seen.given[2] = third.defined();
        CHECK((!second.defined() || equal(second, 0, 0, 0)));
        return std::tuple(ones(), nothing, scaled(ones(), 5));
    }
};
struct once : gr::autograd::function<once> {
    static constexpr bool once_differentiable = true;
    static vector forward(context& ctx, vector const& x) {
        ctx.save_for_backward(x);
        return product(x, x);
    }
    static vector backward(context& ctx, vector const& gradient) {
        CHECK(!gr::is_grad_enabled());
        return scaled(product(gradient, ctx.saved<0, double, 3>()), 2);
    }
};
struct in_place : gr::autograd::function<in_place> {
    static vector forward(context& ctx, vector const& x) {
        x.copy_(scaled(x, 2));
        ctx.mark_dirty(x);
        return x;
    }
    static vector backward(context&, vector const& gradient) { return scaled(gradient, 2); }
};
struct as_is : gr::autograd::function<as_is> {
    static auto forward(context&, vector const& x) { return std::tuple(x, x); }
    static vector backward(context&, vector const& a, vector const& b) { return product(a, b); }
};
using dynamic = gr::tensor<double, gr::dyn>;
struct wrong_shape : gr::autograd::function<wrong_shape> {
    static dynamic forward(context&, dynamic const& x) { return x.clone(); }
    static dynamic backward(context&, dynamic const&) { return gr::ones<double, gr::dyn>(2); }
};
namespace inner {
template <class T>
struct chained : gr::autograd::function<chained<T>> {
    static vector forward(context& ctx, vector const& x) {
        ctx.save_for_backward(x);
        return x.clone();
    }
    static vector backward(context&, vector const& gradient) { return gradient; }
};
}  // namespace inner

}  // namespace

TEST_CASE("78 function: forward and backward, with data and with saved tensors") {
    vector x = start(), y = vector{4, 5, 6}.requires_grad_();
    vector z = mul_constant::apply(x, 3.0);
    CHECK(z.requires_grad());
    CHECK(equal(z, 3, 6, 9));
    CHECK(z.grad_fn().name() == "mul_constantBackward");
    CHECK(z.grad_fn().next_functions().size() == 1);
    CHECK(z.grad_fn().where().find("function.cpp:") != std::string::npos);
    z.backward(vector{1, 10, 100});
    CHECK(equal(x.grad(), 3, 30, 300));

    x.zero_grad();
    z = multiply::apply(x, y);
    CHECK(z.grad_fn().saved_count() == 2);
    z.backward(ones());
    CHECK(equal(x.grad(), 4, 5, 6));
    CHECK(equal(y.grad(), 1, 2, 3));
    CHECK_THROWS_WITH_AS(z.backward(ones()), doctest::Contains("Specify retain_graph=true"), gr::autograd_error);

    gr::no_grad guard;
    CHECK(!mul_constant::apply(x, 3.0).requires_grad());
}

TEST_CASE("78 function: saved results make no cycle, and what is neither operand nor result can be saved") {
    vector x = start();
    {
        vector y = squared::apply(x);
        CHECK(squared::alive == 1);
        y.backward(ones());
        CHECK(equal(x.grad(), 2, 4, 6));
    }
    CHECK(squared::alive == 0);
    { vector unused = squared::apply(x); }
    CHECK(squared::alive == 0);
}

TEST_CASE("78 function: a saved tensor that is modified in place is refused") {
    vector x = start(), y = start();
    vector h = scaled(x, 1), z = multiply::apply(h, y);
    h.zero_();
    CHECK_THROWS_WITH_AS(z.backward(ones()),
                         doctest::Contains("has been modified by an inplace operation: [double[3]], which is output 0 of MulBackward0, is "
                                           "at version 1; expected version 0"),
                         gr::autograd_error);
}

TEST_CASE("78 function: backward is recorded under create_graph") {
    vector x = start(), y = vector{4, 5, 6}.requires_grad_();
    vector dx = gr::autograd::grad(multiply::apply(x, y), x, {.grad_outputs = {ones()}, .create_graph = true});
    CHECK(equal(dx, 4, 5, 6));
    // dx = y: its derivative with respect to y is the identity, and x has none
    CHECK(equal(gr::autograd::grad(dx, y, {.grad_outputs = {x.detach()}}), 1, 2, 3));
    vector cube = multiply::apply(multiply::apply(x, x), x);
    vector first = gr::autograd::grad(cube, x, {.grad_outputs = {ones()}, .create_graph = true});
    CHECK(equal(first, 3, 12, 27));
    CHECK(equal(gr::autograd::grad(first, x, {.grad_outputs = {ones()}}), 6, 12, 18));
}

TEST_CASE("78 function: arguments may be expressions, and tensors declared otherwise") {
    vector x = start();
    gr::tensor<double, gr::dyn> other = x;
    vector y = multiply::apply(x * 2.0, gr::tensor<double, 3>(other));
    y.backward(ones());
    CHECK(equal(x.grad(), 4, 8, 12));  // 2 x^2
    x.zero_grad();
    vector z = mul_constant::apply(other, 2);
    z.backward(ones());
    CHECK(equal(x.grad(), 2, 2, 2));
}

TEST_CASE("78 function: a chain of 150,000 nodes ends without recursion") {
    vector h = start();
    for (int i = 0; i < 150000; ++i) h = inner::chained<std::string>::apply(h);
    CHECK(h.grad_fn().name() == "chainedBackward");
    h = start();
    CHECK(h.is_leaf());
}

TEST_CASE("79 function: needs_input_grad counts all arguments") {
    vector a = start(), b = start();
    auto first_of = [](auto const& results) { return std::get<0>(results); };
    vector y = first_of(three::apply(a, 0, b.detach()));
    CHECK((seen.needs[0] && !seen.needs[1] && !seen.needs[2]));
    y = first_of(three::apply(a, 0, b));
    CHECK((seen.needs[0] && !seen.needs[1] && seen.needs[2]));
    y.backward({.gradient = ones(), .inputs = {b}});
    CHECK((!seen.needs[0] && !seen.needs[1] && seen.needs[2]));
    CHECK(!a.grad().defined());
    CHECK(equal(b.grad(), 5, 5, 5));
    CHECK((seen.given[0] && seen.given[1] && seen.given[2]));
}

TEST_CASE("79 function: mark_non_differentiable") {
    vector a = start(), b = start();
    auto [x, y, z] = three::apply(a, 1, b);
    CHECK((x.requires_grad() && !y.requires_grad() && z.requires_grad()));
    CHECK(x.grad_fn() == z.grad_fn());
    z.backward(ones());
    CHECK((seen.given[0] && seen.given[1] && seen.given[2]));
    CHECK(equal(a.grad(), 1, 1, 1));
}

TEST_CASE("79 function: set_materialize_grads") {
    vector a = start(), b = start();
    auto [x, y, z] = three::apply(a, 2, b);
    seen.calls = 0;
    gr::autograd::backward(std::tuple(x, z), {ones(), ones()});
    CHECK(seen.calls == 1);
    CHECK((seen.given[0] && !seen.given[1] && seen.given[2]));
}

TEST_CASE("79 function: once_differentiable") {
    vector x = start();
    vector dx = gr::autograd::grad(once::apply(x), x, {.grad_outputs = {ones()}, .create_graph = true});
    CHECK(equal(dx, 2, 4, 6));
    CHECK_THROWS_WITH_AS(dx.backward(ones()), doctest::Contains("trying to differentiate twice a function that was marked with"),
                         gr::autograd_error);
    vector plain = gr::autograd::grad(once::apply(x), x, {.grad_outputs = {ones()}});
    CHECK(!plain.requires_grad());
}

TEST_CASE("80 function: mark_dirty") {
    vector x = start(), h = scaled(x, 1);
    h.retain_grad();
    auto const before = h.version();
    vector y = in_place::apply(h);
    CHECK(h.version() > before);
    CHECK(y.data() == h.data());
    CHECK(h.grad_fn().name() == "in_placeBackward");
    y.backward(ones());
    CHECK(equal(x.grad(), 2, 2, 2));
    CHECK(equal(h.grad(), 1, 1, 1));
    CHECK_THROWS_WITH_AS(in_place::apply(x), doctest::Contains("a leaf Variable that requires grad is being used in an in-place operation"),
                         gr::autograd_error);
}

TEST_CASE("80 function: an operand returned as it is, twice") {
    vector x = start();
    auto [a, b] = as_is::apply(x);
    CHECK((x.is_leaf() && !a.is_leaf() && !b.is_leaf() && a.data() == x.data()));
    gr::autograd::backward(std::tuple(a, b), {vector{1, 2, 3}, vector{4, 5, 6}});
    CHECK(equal(x.grad(), 4, 10, 18));
}

TEST_CASE("81 function: a gradient of another shape is refused") {
    dynamic x = gr::ones<double, gr::dyn>(3).requires_grad_();
    dynamic y = wrong_shape::apply(x);
    CHECK_THROWS_WITH_AS(y.backward(gr::ones<double, gr::dyn>(3)),
                         doctest::Contains("Function wrong_shapeBackward returned an invalid gradient at index 0 - got double[2] but "
                                           "expected shape compatible with double[3]"),
                         gr::autograd_error);
    CHECK(!x.grad().defined());
}
