// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

// Tensors of run-time type: operations with several results, in-place forms, and sums of integers on every front end.

namespace gr = gradus;
using messages::contains;
using messages::elements;
using floats = std::vector<float>;
using indices = std::vector<std::int64_t>;

namespace {

gr::any_tensor matrix() { return gr::tensor<float, 2, 3>{{3, 1, 2}, {5, 7, 7}}; }
float const no_number = std::numeric_limits<float>::quiet_NaN();
template <class T = float>
std::vector<T> all(gr::any_tensor const& t) {
    gr::any_tensor const c = t.contiguous();
    auto const v = c.values<T>();
    return {v.begin(), v.end()};
}
// Floats of about 10 have 1e-6 a rounding and few of them here; doubles of about 6 have 1e-15, and matrices of 2 x 2 few operations.
indices whole(gr::any_tensor const& t) { return all<std::int64_t>(t); }

}  // namespace

TEST_CASE("order along an axis that run time tells: values and indices, derivatives to what was picked") {
    gr::any_tensor const a = matrix().requires_grad_();
    auto const [values, places] = a.topk(2);
    CHECK(all(values) == floats{3, 2, 7, 7});
    CHECK(whole(places) == indices{0, 2, 1, 2});
    CHECK(all(a.topk(1, 0, false).values) == floats{3, 1, 2});
    (values * gr::any_tensor(gr::tensor<float, 2>{10, 1})).sum().backward();
    CHECK(all(a.grad()) == floats{10, 0, 1, 0, 10, 1});
    a.zero_grad();
    CHECK(all(a.sort(1, true).values) == floats{3, 2, 1, 7, 7, 5});
    CHECK(whole(a.argsort(0)) == indices{0, 0, 0, 1, 1, 1});
    CHECK(whole(a.sort().indices) == indices{1, 2, 0, 0, 1, 2});
    auto const largest = a.max(1);
    CHECK(largest.values.shape() == gr::shape{2});
    CHECK(whole(largest.indices) == indices{0, 1});
    largest.values.sum().backward();
    CHECK(all(a.grad()) == floats{1, 0, 0, 0, 1, 0});  // the first of equal ones; amax shares
    CHECK(a.min(-1, true).values.shape() == gr::shape{2, 1});
    CHECK(all(a.min(-1).values) == floats{1, 5});
    CHECK(a.max().item() == 7);
    CHECK(a.min().item() == 1);
    CHECK(all(a.median(1).values) == floats{2, 7});
    CHECK(whole(a.median(1).indices) == indices{2, 1});
    CHECK(all(a.cummax(1).values) == floats{3, 3, 3, 5, 7, 7});
    CHECK(whole(a.cummin(1).indices) == indices{0, 1, 1, 0, 0, 0});
    CHECK(all<std::int32_t>(gr::any_tensor(gr::tensor<std::int32_t, 3>{4, 9, 5}).cummin(0).values) == std::vector<std::int32_t>{4, 4, 4});
    gr::any_tensor const gap = gr::tensor<float, 3>{1.0f, no_number, 0.0f};
    CHECK(std::isnan(gap.median(0).values.item()));
    CHECK(gap.median(0).indices.item() == 1);
    CHECK(gap.max(0).indices.item() == 1);
    CHECK(gr::any_tensor(gr::tensor<std::int32_t, 3>{4, 9, 5}).max(0).values.dtype() == gr::dtype::int32);
    CHECK(messages::of<gr::shape_error>([&] { a.topk(1, 2); }) ==
          "gradus::any_tensor::topk(k, axis): no such axis: the tensor is float[2,3], the axis is 2");
    CHECK(contains(messages::of<gr::shape_error>([&] { a.topk(4); }),
                   "there are not so many elements along axis 1: a is float[2,3] (4 > 3)"));
    CHECK(contains(messages::of<gr::shape_error>([&] { gr::any_tensor(gr::zeros<float, 0>()).median(0); }), "of no elements"));
}

TEST_CASE("elements by indices along an axis") {
    gr::any_tensor const a = matrix().requires_grad_(), names = gr::tensor<std::int64_t, 2>{2, 2};
    CHECK(all(a.index_select(1, names)) == floats{2, 2, 7, 7});
    gr::any_tensor const rows = gr::tensor<std::int64_t, 1, 3>{{1, 0, 1}};
    CHECK(all(a.gather(0, rows)) == floats{5, 1, 7});
    gr::any_tensor const source = gr::tensor<float, 1, 3>{{10, 20, 30}};
    CHECK(all(a.scatter_add(0, rows, source)) == floats{3, 21, 2, 15, 7, 37});
    (a.gather(0, rows) * source).sum().backward();
    CHECK(all(a.grad()) == floats{0, 20, 0, 10, 0, 30});
    gr::any_tensor const b = matrix();
    b.scatter_add_(-2, rows, source);
    CHECK(all(b) == floats{3, 21, 2, 15, 7, 37});
    CHECK_THROWS_AS(a.gather(0, gr::any_tensor(gr::tensor<std::int64_t, 1, 3>{{1, 2, 1}})), gr::shape_error);
    CHECK(contains(messages::of<gr::error>([&] { a.gather(0, gr::any_tensor()); }), "undefined"));
}

TEST_CASE("unbind, split and chunk are views of the same memory") {
    gr::any_tensor const a = matrix();
    CHECK(a.unbind().size() == 2);
    CHECK(all(a.unbind(1)[2]) == floats{2, 7});
    auto const parts = a.split(2, 1);
    CHECK(parts.size() == 2);
    CHECK(parts[0].shape() == gr::shape{2, 2});
    CHECK(all(parts[1]) == floats{2, 7});
    CHECK(all(a.split({1, 2}, 1)[1]) == floats{1, 2, 7, 7});
    CHECK(a.chunk(2, 1)[0].shape() == gr::shape{2, 2});
    CHECK(a.chunk(5, 1).size() == 3);
    parts[1].fill_(0);
    CHECK(all(a) == floats{3, 1, 0, 5, 7, 0});
    CHECK(contains(messages::of<gr::shape_error>([&] { a.split({1, 1}, 1); }), "the parts do not add up to axis 1 of float[2,3]"));
    CHECK(contains(messages::of<gr::shape_error>([&] { a.split({4, -1}, 1); }), "the parts do not add up"));
    CHECK(contains(messages::of<gr::shape_error>([&] { a.split(0); }), "parts of 0 elements"));
    CHECK(contains(messages::of<gr::shape_error>([&] { a.chunk(0); }), "into 0 parts"));
    CHECK_THROWS_AS(a.unbind(2), gr::shape_error);
}

TEST_CASE("reductions over all axes and over some, with the axes kept; matrices") {
    gr::any_tensor const a = matrix();
    CHECK(a.any().item() == 1);
    CHECK(a.all({0}, true).shape() == gr::shape{1, 3});
    CHECK(a.count_nonzero().item() == 6);
    CHECK(a.argmin().item() == 1);
    CHECK(std::abs(a.norm().item() - std::sqrt(137.0)) < 1e-5);
    CHECK(std::abs(a.variance().item() - 197.0 / 30) < 1e-5);  // (137 - 25^2 / 6) / 5 by hand
    CHECK(std::abs(a.stddev({0, 1}, true, 0).item() - std::sqrt(197.0 / 36)) < 1e-5);
    CHECK(std::abs(a.logsumexp().item() - std::log(std::exp(3.0) + std::exp(1.0) + std::exp(2.0) + std::exp(5.0) + 2 * std::exp(7.0))) <
          1e-5);
    CHECK(all(a.cumprod(1)) == floats{3, 3, 6, 5, 35, 245});
    CHECK(all(a.flip({0, 1})) == floats{7, 7, 5, 2, 1, 3});
    CHECK(all(a.roll(1, 1)) == floats{2, 3, 1, 7, 5, 7});
    gr::any_tensor const m = gr::tensor<double, 2, 2>{{0, 2}, {-3, 1}}.requires_grad_();
    auto const [sign, logarithm] = gr::slogdet(m);
    CHECK(sign.item() == 1);
    CHECK(std::abs(logarithm.item() - std::log(6.0)) < 1e-12);
    logarithm.backward();
    CHECK(std::abs(m.grad().select(0, 0).select(0, 1).item() - 0.5) < 1e-12);  // m^-T = [[1, 3], [-2, 0]] / 6
    CHECK(std::abs(gr::det(m).item() - 6) < 1e-12);
    CHECK(std::abs(gr::matmul(gr::inv(m), m).select(0, 0).select(0, 0).item() - 1) < 1e-12);
}

TEST_CASE("in-place forms keep the type, are recorded, and refuse what another kind of number holds") {
    gr::any_tensor const a = gr::tensor<float, 3>{1, 4, -2};
    a.abs_().sqrt_().mul_(2).add_(1.0);
    CHECK(std::abs(all(a)[2] - (2 * std::sqrt(2.0f) + 1)) < 1e-6f);
    a.clamp_(0, 4).floor_().pow_(2).neg_();
    CHECK(all(a) == floats{-9, -16, -9});
    a.masked_fill_(a < -10, 3).relu_();
    CHECK(all(a) == floats{0, 3, 0});
    gr::any_tensor const w = gr::tensor<float, 2>{1, 2}.requires_grad_(), h = w * 1.0;
    h.exp_().mul_(w);
    h.sum().backward();
    for (int i = 0; i < 2; ++i)
        CHECK(std::abs(all(w.grad())[static_cast<std::size_t>(i)] - static_cast<float>(i + 2) * std::exp(static_cast<float>(i + 1))) <
              1e-5f);  // (w e^w)'
    CHECK_THROWS_AS(w.exp_(), gr::autograd_error);
    gr::any_tensor const whole_numbers = gr::tensor<std::int32_t, 2>{1, 2};
    whole_numbers += 3;
    whole_numbers += gr::any_tensor(gr::tensor<std::int64_t, 2>{1, 1});
    CHECK(all<std::int32_t>(whole_numbers) == std::vector<std::int32_t>{5, 6});
    CHECK(messages::of<gr::error>([&] { whole_numbers += 0.5; }) ==
          "gradus::any_tensor: an in-place operation does not change the type: the tensor is int32[2], the result is float[2]");
    CHECK_THROWS_AS(whole_numbers.exp_(), gr::error);
    CHECK(all<std::int32_t>(whole_numbers) == std::vector<std::int32_t>{5, 6});
}

TEST_CASE("integers and bools are summed and multiplied in 64 bits: typed tensors, run-time tensors, symbols") {
    gr::tensor<std::int32_t, 2> const large{2'000'000'000, 2'000'000'000};
    gr::tensor<bool, 3> const mask{true, false, true};
    std::int64_t const sum = 4'000'000'000, product = 4'000'000'000'000'000'000;
    CHECK(gr::tensor<std::int64_t>(gr::sum(large)).item() == sum);
    CHECK(gr::tensor<std::int64_t>(gr::prod(large)).item() == product);
    CHECK(elements(gr::cumsum(large)) == indices{2'000'000'000, sum});
    CHECK(gr::tensor<std::int64_t>(gr::sum(mask)).item() == 2);
    gr::any_tensor const any = large;
    CHECK(any.sum().as<std::int64_t>().item() == sum);
    CHECK(any.prod().as<std::int64_t>().item() == product);
    CHECK(whole(any.cumsum(0)) == indices{2'000'000'000, sum});
    CHECK(gr::any_tensor(mask).sum().as<std::int64_t>().item() == 2);
    constexpr auto n = gr::var<"n", std::int32_t, 2>;
    constexpr auto program = gr::compile(gr::sum(n), gr::cumprod(n));
    auto const [total, products] = program(n = large);
    CHECK(total.item() == sum);
    CHECK(elements(products) == indices{2'000'000'000, product});
}
