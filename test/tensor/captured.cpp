// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

// `auto y = x * 2` is an expression: it looks at x when it is computed. What it finds must be what it was written about.

namespace gr = gradus;

namespace {

template <class T>
using pair = gr::tensor<T, 2>;

/// Does computing an expression throw, with a sentence that has these words?
bool is_refused(auto const& expression, std::string_view words) {
    try {
        gr::tensor const computed = expression;
    } catch (gr::error const& e) {
        std::string_view const what = e.what();
        return what.find(words) != std::string_view::npos && what.find("write gr::tensor y") != std::string_view::npos &&
               what.find("captured.cpp:") != std::string_view::npos;
    }
    return false;
}

}  // namespace

TEST_CASE_TEMPLATE("an operand that was written to since is refused, whatever wrote to it", T, float, double) {
    constexpr auto p = gr::var<"p", T, 2>;
    constexpr auto twice = gr::compile(gr::update(p, p + p));
    pair<T> x{1, 2};
    auto const refused_after = [&](auto write) {
        auto const product = x * T(3);
        auto const shown = gr::reshape<2, 1>(x);
        gr::tensor const before = product;
        CHECK(before(0) == 3 * x(0));
        write();
        CHECK(is_refused(product, "mul(...): operand a"));
        CHECK(is_refused(gr::exp(T(1) - product), "mul(...): operand a"));
        CHECK(is_refused(shown, "operand a"));
        gr::tensor const after = x * T(3);
        CHECK(after(0) == 3 * x(0));
    };
    refused_after([&] { x += T(10); });
    refused_after([&] { x.exp_(); });
    refused_after([&] { x[1] = gr::tensor<T>{T(1)}; });  // through a view
    refused_after([&] { x.detach().fill_(T(2)); });      // through an alias
    refused_after([&] { twice(p = x); });                // by a program
    refused_after([&] { x.data()[0] = T(4), gr::increment_version(x); });
    auto w = pair<T>{1, 1}.requires_grad_();
    gr::optim::sgd sgd({w}, {.lr = 0.5});
    auto const loss = gr::sum(w * w);
    gr::tensor(loss).backward();
    sgd.step();
    CHECK(is_refused(loss, "mul(...): operand a, " + std::string(sizeof(T) == 4 ? "float" : "double") +
                               "[2], is not what it was when the expression was written: it was at version 0, it is at version 1"));
}

TEST_CASE("an operand anywhere in an expression, wherever that is computed") {
    gr::tensor<float, 2> x{1, 2}, y{3, 4}, z{5, 6};
    auto const mixed = gr::where(x > y, y, z) - y;
    z += 1.0f;
    CHECK(is_refused(mixed, "where(...): operand c"));
    CHECK_THROWS_AS(y += mixed, gr::error);
    CHECK_THROWS_AS(y.copy_(mixed), gr::error);
    CHECK_THROWS_AS(y[0] = gr::sum(mixed), gr::error);
    CHECK_THROWS_AS(gr::cat<0>(y, mixed), gr::error);
    CHECK_THROWS_AS(gr::autograd::grad(gr::sum(mixed), y), gr::error);
    CHECK_THROWS_AS(gr::checkpoint([](auto const& t) { return t * 2.0f; }, mixed), gr::error);
    CHECK((y(0) == 3 && y(1) == 4 && y.version() == 0));
    auto const gradient = gr::ones<float, 2>();
    auto const step = 0.5f * gradient;
    x -= step;
    CHECK_NOTHROW(x -= step);  // x itself is looked at anew
    CHECK(x(0) == 0);
}

TEST_CASE("what is overwritten within the statement that reads it is not refused") {
    gr::tensor<double, 2> x{1, 2};
    x = x * 2.0;
    x += x * x;
    x.copy_(gr::exp(x) * 0.0 + x);
    x[0] = x[1] * 2.0;
    CHECK((x(0) == 40 && x(1) == 20));
}

TEST_CASE_TEMPLATE("an expression is recorded if it was written while the thread recorded", T, float, double) {
    auto w = pair<T>{1, 2}.requires_grad_();
    auto const unrecorded = [&] {
        gr::no_grad guard;
        return w * T(2);
    }();
    CHECK(!gr::tensor(unrecorded).requires_grad());
    CHECK(!gr::tensor(gr::reshape<2, 1>(unrecorded)).requires_grad());
    gr::tensor const both = gr::sum(unrecorded * w);  // 2 w w, of which the first factor is a number
    CHECK(both.requires_grad());
    CHECK(gr::autograd::grad(both, w)(1) == 4);
    auto const recorded = w * T(2);
    auto const shown = gr::reshape<2, 1>(w);
    {
        gr::no_grad guard;
        CHECK(gr::tensor(recorded).requires_grad());
        CHECK(gr::tensor(shown).requires_grad());
        CHECK(!gr::tensor(recorded * T(2)).requires_grad());
        gr::enable_grad again;
        CHECK(gr::tensor(w * T(2)).requires_grad());
        CHECK(gr::tensor(unrecorded * w).requires_grad());
    }
    auto const view = [&] {
        gr::no_grad guard;
        return gr::reshape<2, 1>(w);
    }();
    CHECK(!gr::tensor(view).requires_grad());
}

TEST_CASE("what an in-place operation records is decided where it stands") {
    auto w = gr::tensor<float, 2>{1, 2}.requires_grad_();
    gr::tensor<float, 2> t{0, 0};
    auto const recorded = w * 2.0f;
    {
        gr::no_grad guard;
        t.copy_(recorded);
        w.copy_(recorded);
    }
    CHECK((!t.requires_grad() && w.is_leaf() && w(1) == 4));
    auto const unrecorded = [&] {
        gr::no_grad guard;
        return w * 2.0f;
    }();
    t.copy_(unrecorded);
    CHECK((!t.requires_grad() && t(1) == 8));
}

TEST_CASE_TEMPLATE("requires_grad counts as it was where the expression was written; what wanted a derivative must be able to have it", T,
                   float, double) {
    pair<T> w{1, 2}, v{3, 4};
    auto const before = w * T(2);
    auto const of_three = gr::where(w > T(1), w * w, v) * w;
    w.requires_grad_();
    v.requires_grad_();
    gr::tensor const unrecorded = before;
    CHECK((unrecorded(1) == 4 && !unrecorded.requires_grad()));
    CHECK(!gr::tensor(of_three).requires_grad());
    gr::tensor const half = gr::sum(of_three * w);  // w is read anew by the last product alone
    CHECK(gr::autograd::grad(half, w)(1) == 8);
    auto const with = w * T(2);
    auto const shown = gr::reshape<2, 1>(w);
    CHECK(gr::tensor(with).requires_grad());
    w.requires_grad_(false);
    CHECK(is_refused(with, "requires_grad has changed"));
    CHECK(is_refused(shown, "requires_grad has changed"));
    w.requires_grad_();  // off and on again: what it was
    gr::tensor const again = gr::sum(with * v.detach());
    CHECK(gr::autograd::grad(again, w)(0) == 6);
    CHECK(gr::tensor(shown).requires_grad());
    gr::tensor y = w * w;
    auto const of_computed = y * T(2);
    y.detach_();
    CHECK(is_refused(of_computed, "requires_grad has changed"));
    CHECK(!gr::tensor(y * T(2)).requires_grad());
    y.requires_grad_();  // another leaf than what had been computed
    CHECK(is_refused(of_computed, "requires_grad has changed"));
}
