// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <limits>
#include <numeric>
#include <span>

// Tensors as values: how they are made, read, converted, and refused.

namespace gr = gradus;
using namespace messages;

namespace {

using numbers = std::vector<float>;
using rows = gr::tensor<float, gr::dyn, 4>;
using matrix = gr::tensor<float, gr::dyn, gr::dyn>;
using list = gr::tensor<float, gr::dyn>;
using vector = gr::tensor<float, 3>;

matrix sum_of(matrix const& a, rows const& b) { return a + b; }
std::string shape_error_of(auto call) { return of<gr::shape_error>(call); }

}  // namespace

TEST_CASE("factories: ones, zeros, full, with run-time extents first") {
    auto fixed = gr::ones<float, 2, 3>();
    static_assert(fixed.shape() == gr::shape{2, 3} && fixed.is_static && fixed.rank() == 2);
    CHECK(elements(fixed) == numbers(6, 1));
    auto some = gr::zeros<float, gr::dyn, 4>(2);
    CHECK(some.shape() == gr::shape{2, 4});
    CHECK(elements(some) == numbers(8, 0));
    CHECK(elements(gr::full<float, gr::dyn>(3, 0.5f)) == numbers(3, 0.5f));
    CHECK(elements(gr::full<std::int32_t, 2>(7)) == std::vector<std::int32_t>{7, 7});
    CHECK(gr::full<double>(2.5).item() == 2.5);
    auto both = gr::empty<float, gr::dyn, gr::dyn>(3, 5);
    CHECK((both.size() == 15 && both.size(1) == 5 && both.is_contiguous()));
    CHECK(reinterpret_cast<std::uintptr_t>(gr::empty<float, 64, 64>().data()) % 64 == 0);
    CHECK(shape_error_of([] { gr::empty<float, gr::dyn>(-1); }) == "gradus: a negative extent: -1 for axis 0 of [dyn]");
    CHECK(shape_error_of([] { gr::empty<float, gr::dyn, gr::dyn>(std::int64_t{1} << 32, std::int64_t{1} << 32); }) ==
          "gradus: too many elements: [4294967296,4294967296]");
    CHECK_FALSE(fixed.requires_grad());
}
TEST_CASE("factories: eye and arange") {
    CHECK(elements(gr::eye<float, 2, 3>()) == numbers{1, 0, 0, 0, 1, 0});
    CHECK(elements(gr::eye<float, 2>()) == numbers{1, 0, 0, 1});
    CHECK(elements(gr::arange<std::int64_t, 4>()) == std::vector<std::int64_t>{0, 1, 2, 3});
}
TEST_CASE("factories: random numbers depend on the seed and nothing else") {
    gr::random a(7), b(7);
    auto x = gr::randn<float, gr::dyn, 50>(40, a);
    auto y = gr::randn<float, 40, 50>(b);
    CHECK(elements(x) == elements(y));
    double mean = 0, square = 0;
    for (float e : x) {
        mean += double{e} / 2000;
        square += double{e} * double{e} / 2000;
    }
    CHECK(std::abs(mean) < 0.1);         // 4.5 standard deviations of a mean of 2000
    CHECK(std::abs(square - 1) < 0.15);  // 4.7 of a variance
    auto u = gr::rand<float, 1000>(a);
    double total = 0;
    for (float e : u) {
        REQUIRE((e >= 0 && e < 1));
        total += double{e} / 1000;
    }
    CHECK(std::abs(total - 0.5) < 0.05);  // 5.5 of a mean of 1000, each with variance 1/12
}
TEST_CASE("factories: from_span copies, from_blob does not") {
    std::vector<float> data(8);
    std::iota(data.begin(), data.end(), 0.0f);
    rows copy = gr::from_span<float, gr::dyn, 4>(std::span<float const>(data), 2);
    rows shared = gr::from_blob<float, gr::dyn, 4>(data.data(), 2);
    CHECK(elements(copy) == data);
    CHECK((shared.data() == data.data() && copy.data() != data.data()));
    data[5] = 50;
    CHECK((shared(1, 1) == 50 && copy(1, 1) == 5));
    shared.fill_(1);
    CHECK(data == numbers(8, 1));
    CHECK(shape_error_of([&] { gr::from_span<float, gr::dyn, 4>(std::span<float const>(data), 3); }) ==
          "gradus::from_span(values): 8 values for float[3,4]");
}
TEST_CASE("tensors from arrays and lists of numbers, and back") {
    gr::tensor<float, 2, 2> a{{1, 2}, {3, 4}};
    gr::tensor<float, 2, 2> b{1, 2, 3, 4};
    CHECK(elements(a) == elements(b));
    gr::array<float, 2, 2> values{{5, 6}, {7, 8}};
    gr::tensor from = values;
    static_assert(std::is_same_v<decltype(from), gr::tensor<float, 2, 2>>);
    CHECK(from.data() != values.data());
    CHECK(from.to_array() == values);
    gr::array<float, gr::dyn, 4> some = gr::full<float, gr::dyn, 4>(2, 3.0f).to_array();
    CHECK(some.shape() == gr::shape{2, 4});
    CHECK(some(1, 3) == 3);
    CHECK(a.t().to_array() == gr::array<float, 2, 2>{{1, 3}, {2, 4}});  // in the order of the view
}
TEST_CASE("elements are read by index, as a range, as a number") {
    gr::tensor<float, 2, 2> a{{1, 2}, {3, 4}};
    CHECK((a(0, 1) == 2 && a(1, 0) == 3));
    auto t = a.t();
    CHECK((t(0, 1) == 3 && t(1, 0) == 2));
    CHECK(a[1](0) == 3);
    CHECK(std::accumulate(a.begin(), a.end(), 0.0f) == 10);
    CHECK(a.values().size() == 4);
    CHECK(gr::tensor<float, 1, 1>{5}.item() == 5);
    CHECK(gr::full<float>(6.0f)() == 6);
    CHECK(contains(of<gr::error>([&] { static_cast<void>(a.item()); }), "a tensor with 4 elements cannot be converted to a number"));
    CHECK(contains(of<gr::error>([&] { t.values(); }), "do not follow each other in memory: use contiguous() or clone()"));
    CHECK(elements(t) == numbers{1, 3, 2, 4});
}
TEST_CASE("copies of a tensor are handles of one") {
    vector a{1, 2, 3}, b = a;
    b.fill_(7);
    CHECK(elements(a) == numbers{7, 7, 7});
    b = vector{1, 1, 1};
    CHECK(elements(a) == numbers{7, 7, 7});
    CHECK(a.clone().data() != a.data());
}
TEST_CASE("conversions: a static tensor is a dynamic one, a dynamic one is asked") {
    auto fixed = gr::ones<float, 3, 4>();
    rows some = fixed;
    matrix any = some;
    CHECK((any.data() == fixed.data() && any.shape() == gr::shape{3, 4}));
    gr::tensor<float, 3, 4> back = any;
    CHECK(back.state().get() == fixed.state().get());
    CHECK(shape_error_of([&] { gr::tensor<float, 3, 5> wrong = any; }) ==
          "gradus::tensor(a): the tensor is float[3,4], wanted is float[3,5]");
    static_assert(!std::is_constructible_v<gr::tensor<double, 3, 4>, gr::tensor<float, 3, 4>>);
    gr::tensor<float, 3, 4> computed = sum_of(any, some);
    CHECK(elements(computed) == numbers(12, 2));
    CHECK(shape_error_of([&] { gr::tensor<float, 2, 4> wrong = sum_of(any, some); }) ==
          "gradus::tensor(a): the tensor is float[3,4], wanted is float[2,4]");
}
TEST_CASE("any_tensor gives its type back to those who know it") {
    auto fixed = gr::ones<float, 3, 4>();
    gr::any_tensor any = fixed;
    CHECK((any.dtype() == gr::dtype::float32 && any.shape() == gr::shape{3, 4} && any.rank() == 2 && any.size() == 12 && any.is_leaf()));
    CHECK(any.as<float, gr::dyn, 4>().data() == fixed.data());
    auto refused = [&]<class T, gr::extent... E>(gr::tensor<T, E...>) { return shape_error_of([&] { any.as<T, E...>(); }); };
    CHECK(refused(gr::tensor<double, 3, 4>()) == "gradus::any_tensor::as: the tensor is float[3,4], wanted is double[3,4]");
    CHECK(refused(vector()) == "gradus::any_tensor::as: the tensor is float[3,4], wanted is float[3]");
    CHECK(refused(gr::tensor<float, 3, 5>()) == "gradus::any_tensor::as: the tensor is float[3,4], wanted is float[3,5]");
    CHECK_FALSE(gr::any_tensor().as<float, 3>().defined());
}
TEST_CASE("shapes that only run time tells are refused with the numbers they have") {
    auto a = gr::ones<float, gr::dyn, gr::dyn>(3, 4);
    auto p = gr::ones<float, gr::dyn>(4), q = gr::ones<float, gr::dyn>(5), one = gr::ones<float, gr::dyn>(1);
    auto b = gr::ones<float, gr::dyn, 6>(5);
    CHECK(shape_error_of([&] { gr::tensor c = gr::matmul(a, b); }) ==
          "gradus::matmul(a, b): inner extents differ: a is float[3,4], b is float[5,6] (4 != 5)");
    auto nested = [](list const& x, list const& y) { return gr::tensor(gr::exp(x) * 2.0f + gr::tanh(y)); };
    CHECK(shape_error_of([&] { nested(p, q); }) == "gradus::add(a, b): shapes do not broadcast: a is float[4], b is float[5] (4 != 5)");
    CHECK(shape_error_of([&] { nested(p, one); }) ==
          "gradus::add(a, b): shapes do not broadcast: a is float[4], b is float[1] (4 != 1; an extent of 1 that only run time tells does "
          "not broadcast, one declared as 1 does)");
    CHECK(nested(q, q).size() == 5);
    CHECK(nested(one, one).size() == 1);
    CHECK(shape_error_of([&] { gr::tensor c = gr::mse_loss(p, q); }) ==
          "gradus::mse_loss(a, b): prediction and target differ: a is float[4], b is float[5]");
    CHECK(shape_error_of([&] { sum_of(a, gr::ones<float, gr::dyn, 4>(1)); }).substr(0, 82) ==
          "gradus::add(a, b): shapes do not broadcast: a is float[3,4], b is float[1,4] (3 !=");
    CHECK(shape_error_of([&] { sum_of(gr::ones<float, gr::dyn, gr::dyn>(3, 5), gr::ones<float, gr::dyn, 4>(3)); }) ==
          "gradus::add(a, b): shapes do not broadcast: a is float[3,5], b is float[3,4] (5 != 4)");
}
TEST_CASE("an extent declared as 1 broadcasts against one that only run time tells") {
    auto column = gr::full<float, gr::dyn, 1>(3, 2.0f).requires_grad_();
    auto row = gr::full<float, 1, gr::dyn>(4, 5.0f);
    gr::tensor table = column * row;
    CHECK(table.shape() == gr::shape{3, 4});
    CHECK(elements(table) == numbers(12, 10));
    table.backward(gr::ones<float, gr::dyn, gr::dyn>(3, 4));
    CHECK(column.grad().shape() == gr::shape{3, 1});
    CHECK(elements(column.grad()) == numbers(3, 20));  // 4 times 5
}
TEST_CASE("undefined tensors refuse") {
    vector u, v{1, 2, 3};
    CHECK_FALSE(u.defined());
    CHECK(u.data() == nullptr);
    auto said = [](auto call) { return of<gr::error>(call); };
    auto product = [](vector const& a, vector const& b) { return vector(a * b); };
    CHECK(contains(said([&] { product(u, v); }), "undefined"));
    CHECK(contains(said([&] { product(v, u); }), "undefined"));
    CHECK(contains(said([&] { product(v, v.grad()); }), "the gradient of a tensor that has none"));
    CHECK(contains(said([&] { static_cast<void>(u.size()); }), "undefined"));
    CHECK(contains(said([&] { static_cast<void>(u(0)); }), "undefined"));
    CHECK(contains(said([&] { static_cast<void>(gr::tensor<float>()()); }), "undefined"));
    CHECK(contains(said([&] { u.clone(); }), "undefined"));
    CHECK(contains(said([&] { u.requires_grad_(); }), "undefined"));
    CHECK(contains(said([&] { u.fill_(1); }), "undefined"));
    CHECK(contains(said([&] { u[0]; }), "undefined"));
    CHECK(contains(said([&] { u.to_array(); }), "undefined"));
    CHECK(contains(said([&] { static_cast<void>(gr::any_tensor().dtype()); }), "undefined"));
    CHECK(contains(said([&] { gr::any_tensor().requires_grad_(); }), "undefined"));
    CHECK_FALSE(vector(list()).defined());
}
TEST_CASE("an expression owns its operands") {
    auto w = gr::full<float, 3, 2>(2.0f).requires_grad_();
    auto made = [&] {
        vector x{1, 2, 3};
        return gr::matmul(x, w) + gr::ones<float, 2>() * 0.5f;  // temporaries and a local
    };
    auto e = made();
    auto again = e;
    gr::tensor first = e, second = std::move(again);
    CHECK(elements(first) == numbers{12.5f, 12.5f});
    CHECK(elements(second) == elements(first));
    first.backward(gr::ones<float, 2>());
    CHECK(elements(w.grad()) == numbers{1, 1, 2, 2, 3, 3});
}
TEST_CASE("let on tensors is what its function returns") {
    constexpr auto model = [](auto x, auto y) {
        auto product = gr::let([=] { return x * y; });
        return product + product;
    };
    vector x = vector{1, 2, 3}.requires_grad_(), y{4, 5, 6};
    gr::tensor z = model(x, y);
    CHECK(elements(z) == numbers{8, 20, 36});
    gr::tensor same = gr::let([=] { return x; });
    CHECK(same.data() == x.data());
    constexpr auto symbolic = model(gr::var<"x", float, 3>, gr::var<"y", float, 3>);
    static_assert(symbolic.shape() == gr::shape{3});
}
TEST_CASE("allclose: |a - b| <= atol + rtol |b|") {
    using pair = gr::tensor<double, 2>;
    double const infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(gr::allclose(pair{1, 2}, pair{1, 2}));
    CHECK(gr::allclose(pair{1, 2}, pair{1 + 9e-6, 2}));
    CHECK_FALSE(gr::allclose(pair{1, 2}, pair{1 + 2e-5, 2}));
    CHECK(gr::allclose(pair{1, 2}, pair{1.5, 2}, 0, 0.5));
    CHECK(gr::allclose(pair{0, 0}, pair{9e-9, 0}));
    CHECK_FALSE(gr::allclose(pair{0, 0}, pair{2e-8, 0}));
    CHECK(gr::allclose(pair{100, 1}, pair{200, 1}, 0.5));  // rtol counts the second
    CHECK_FALSE(gr::allclose(pair{200, 1}, pair{100, 1}, 0.5));
    CHECK(gr::allclose(pair{infinity, 1}, pair{infinity, 1}));
    CHECK_FALSE(gr::allclose(pair{infinity, 1}, pair{-infinity, 1}));
    CHECK_FALSE(gr::allclose(pair{1, 1}, pair{infinity, 1}));
    CHECK_FALSE(gr::allclose(pair{nan, 1}, pair{nan, 1}));
    CHECK_FALSE(gr::allclose(gr::ones<double, gr::dyn>(2), gr::ones<double, gr::dyn>(3)));
}
