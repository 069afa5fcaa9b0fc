// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Extents of zero: sums of nothing are 0, means and variances NaN, largest elements are refused, and what has the extent is empty.
namespace {

namespace gr = gradus;

template <class T>
using row = gr::tensor<T, gr::dyn>;
template <class T>
using matrix = gr::tensor<T, gr::dyn, gr::dyn>;

}  // namespace

TEST_CASE_TEMPLATE("empty: programs over a named dimension of no elements", T, float, double) {
    static constexpr auto x = gr::var<"x", T, "n", 3>;
    static constexpr auto y = gr::var<"y", T, 3, "n">;
    static constexpr auto product = gr::matmul(y, x);
    static constexpr auto program = gr::compile(gr::sum<0>(x), gr::mean(x), gr::variance(x), gr::logsumexp<0>(x), product,
                                                gr::softmax<0>(x), gr::grad(gr::sum(product * product), x));
    std::vector<T> const none;
    auto const [sums, mean, variance, logarithm, zeros, soft, slope] = program(x = none, y = none, gr::dim<"n"> = 0);
    for (int i = 0; i < 3; ++i) {
        CHECK(sums(i) == 0);
        CHECK(logarithm(i) == -std::numeric_limits<T>::infinity());
        for (int j = 0; j < 3; ++j) CHECK(zeros(i, j) == 0);
    }
    CHECK(std::isnan(mean));
    CHECK(std::isnan(variance));
    CHECK(soft.size() == 0);
    CHECK(slope.size() == 0);
}

TEST_CASE_TEMPLATE("empty: nothing has a largest or smallest element, in programs and on tensors", T, float, double) {
    auto refusal = [](auto call) {
        try {
            call();
        } catch (gr::shape_error const& e) { return std::string(e.what()); }
        return std::string();
    };
    static constexpr auto x = gr::var<"x", T, "n", 3>;
    static constexpr auto largest = gr::compile(gr::amax<0>(x));
    static constexpr auto slope = gr::compile(gr::grad(gr::sum(gr::amin<0>(x)), x));
    static constexpr auto index = gr::compile(gr::argmax<0>(x));
    static constexpr auto least = gr::compile(gr::argmin<0>(x));
    static constexpr auto infinite = gr::compile(gr::norm<0, gr::order<std::numeric_limits<double>::infinity()>>(x));
    static constexpr auto rows = gr::compile(gr::amax<1>(x), gr::sum<0>(x), gr::prod<1>(x), gr::any<0>(x), gr::all<0>(x));
    std::vector<T> const none;
    T kept[3] = {1, 2, 3};
    std::string const type = std::is_same_v<T, float> ? "float[n,3]" : "double[n,3]", rest = "(a): axis 0 has no elements: a is " + type;
    CHECK(refusal([&] { largest(gr::out(kept), x = none, gr::dim<"n"> = 0); }) == "gradus::amax" + rest);
    CHECK(kept[2] == 3);
    CHECK(refusal([&] { slope(x = none, gr::dim<"n"> = 0); }) == "gradus::amin" + rest);
    CHECK(refusal([&] { index(x = none, gr::dim<"n"> = 0); }) == "gradus::argmax" + rest);
    CHECK(refusal([&] { least(x = none, gr::dim<"n"> = 0); }) == "gradus::argmin" + rest);
    CHECK(refusal([&] { infinite(x = none, gr::dim<"n"> = 0); }) == "gradus::norm" + rest);
    CHECK(std::get<0>(rows(x = none, gr::dim<"n"> = 0)).size() == 0);

    auto const t = gr::zeros<T, gr::dyn, 3>(0);
    auto const refused = [&](auto f) { return refusal([&] { gr::tensor y = f(t); }).find("axis 0 has no elements") != std::string::npos; };
    CHECK(refused([](auto const& a) { return gr::amax<0>(a); }));
    CHECK(refused([](auto const& a) { return gr::amin<0>(a * T(2)); }));
    CHECK(refused([](auto const& a) { return gr::amax(a); }));
    CHECK(refused([](auto const& a) { return gr::argmax<0>(a); }));
    CHECK(refused([](auto const& a) { return gr::argmin<0>(a); }));
    CHECK(refused([](auto const& a) { return gr::norm<0, gr::order<std::numeric_limits<double>::infinity()>>(a); }));
    gr::tensor of_rows = gr::amax<1>(t);
    CHECK(of_rows.size() == 0);
    auto target = gr::ones<T, 3>();
    CHECK(!refusal([&] { target.copy_(gr::amax<0>(t)); }).empty());
    CHECK(target(0) == 1);
    gr::tensor sums = gr::sum<0>(t);
    CHECK(sums(2) == 0);
}

TEST_CASE_TEMPLATE("empty: tensors, and what their backward passes leave", T, float, double) {
    auto a = gr::ones<T, gr::dyn, gr::dyn>(2, 0).requires_grad_(), b = gr::ones<T, gr::dyn, gr::dyn>(0, 3).requires_grad_();
    gr::tensor product = gr::matmul(a, b);
    CHECK(product.shape() == gr::shape{2, 3});
    for (T element : product.values()) CHECK(element == 0);
    gr::tensor total = gr::sum(product);
    total.backward();
    CHECK(a.grad().shape() == gr::shape{2, 0});
    CHECK(b.grad().shape() == gr::shape{0, 3});

    auto none = gr::zeros<T, gr::dyn>(0).requires_grad_();
    gr::tensor spread = gr::variance(none);
    CHECK(std::isnan(spread.item()));
    spread.backward();
    CHECK(none.grad().size() == 0);
    auto some = gr::ones<T, gr::dyn>(2).requires_grad_();
    gr::tensor joined = gr::concatenate<0>(none, some);
    CHECK(joined.size() == 2);
    gr::tensor sum = gr::sum(joined * joined);
    sum.backward();
    CHECK(some.grad().values()[1] == 2);
    CHECK(gr::to_string(none).str().find("[]") != std::string::npos);
}

TEST_CASE("empty: null pointers given with a size are refused, without one they are nothing") {
    static constexpr auto x = gr::var<"x", float, "n">;
    static constexpr auto total = gr::compile(gr::sum(x), x * x);
    auto refusal = [](auto call) {
        try {
            call();
        } catch (gr::binding_error const& e) { return std::string(e.what()); }
        return std::string();
    };
    std::span<float> const none(static_cast<float*>(nullptr), 4);
    float values[4] = {1, 2, 3, 4}, sum = 0;
    CHECK(refusal([&] { total(x = none); }) == "gradus::program(x = data): the data has 4 elements and no memory: its pointer is null");
    CHECK(refusal([&] { total(gr::out(sum, none), x = values); }) ==
          "gradus::program(out = data): the data has 4 elements and no memory: its pointer is null");
    CHECK(refusal([&] {
              gr::from_span<float, gr::dyn>(std::span<float const>(none), 4);
          }).starts_with("gradus::from_span(values): the data has 4 elements and no memory"));
    CHECK(refusal([&] {
              gr::from_blob<float, gr::dyn>(none.data(), 4);
          }).starts_with("gradus::from_blob(data): the data has 4 elements and no memory"));
    CHECK(refusal([&] { row<float>{none}; }).starts_with("gradus::tensor(values): the data has 4 elements and no memory"));
    CHECK(std::get<0>(total(x = none.first(0))) == 0);
    CHECK(gr::from_blob<float, gr::dyn>(none.data(), 0).size() == 0);
    CHECK(row<float>{none.first(0)}.size() == 0);
}
TEST_CASE("empty: what was moved from is refused") {
    static constexpr auto m = gr::var<"m", float, 80, 80>;
    static constexpr auto total = gr::compile(gr::sum(m));
    gr::array<float, 80, 80> large;
    auto const moved = std::move(large);
    CHECK_THROWS_AS(total(m = large), gr::binding_error);  // NOLINT: it was moved from, that is the test
    CHECK(std::get<0>(total(m = moved)) == 0);
    row<float> t = gr::ones<float, gr::dyn>(3);
    auto const kept = std::move(t);
    row<float> const undefined;
    for (row<float> const* gone : std::initializer_list<row<float> const*>{&t, &undefined}) {
        CHECK_THROWS_AS(row<float>(*gone * 2.0f), gr::error);
        CHECK_THROWS_AS(gone->size(), gr::error);
        CHECK_THROWS_AS(gone->grad(), gr::error);
        CHECK_THROWS_AS(gone->clone(), gr::error);
        CHECK_THROWS_AS(gone->slice(0, 1), gr::error);
        CHECK_THROWS_AS(gone->values(), gr::error);
        CHECK(!gr::to_string(*gone).str().empty());
    }
    CHECK_THROWS_AS(t.requires_grad_(), gr::error);
    CHECK_THROWS_AS(t.backward(), gr::error);
    CHECK_THROWS_AS(t += kept, gr::error);
    CHECK_THROWS_AS(gr::allclose(undefined, kept), gr::error);
}
