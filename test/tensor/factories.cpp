// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <numeric>

// Tensors from nothing, and what is counted in tensors.

namespace gr = gradus;
using messages::contains;
using messages::elements;

namespace {

using floats = std::vector<float>;
using integers = std::vector<std::int64_t>;

double mean_of(auto const& t) { return std::accumulate(t.begin(), t.end(), 0.0) / static_cast<double>(t.size()); }

}  // namespace

TEST_CASE("arange counts from start to before stop in steps") {
    CHECK(elements(gr::arange<std::int64_t, gr::dyn>(4)) == integers{0, 1, 2, 3});
    CHECK(elements(gr::arange<std::int64_t, gr::dyn>(7, 1, -2)) == integers{7, 5, 3});
    CHECK(elements(gr::arange<float, gr::dyn>(1, 2.5, 0.5)) == floats{1, 1.5f, 2});
    CHECK(gr::arange<float, gr::dyn>(3, 3).size() == 0);
    CHECK(contains(messages::of<gr::error>([] { gr::arange<float, gr::dyn>(3, 1); }), "no steps of 1"));
}

TEST_CASE("tensors like others, of their run-time shape") {
    auto x = gr::empty<float, gr::dyn, 2>(3);
    CHECK(elements(gr::zeros_like(x)) == floats(6, 0));
    CHECK(elements(gr::ones_like(x)) == floats(6, 1));
    CHECK(elements(gr::full_like(x, 2.5f)) == floats(6, 2.5f));
    CHECK(gr::empty_like(x).shape() == gr::shape{3, 2});
    CHECK(gr::randn_like(x).shape() == gr::shape{3, 2});
    CHECK(!gr::rand_like(gr::zeros_like(x).requires_grad_()).requires_grad());
}

TEST_CASE("a seed decides what is drawn") {
    gr::manual_seed(7);
    auto const a = elements(gr::randn<double, gr::dyn>(5));
    auto const b = elements(gr::rand<float, 3>());
    gr::manual_seed(7);
    CHECK(elements(gr::randn<double, 5>()) == a);
    CHECK(elements(gr::rand<float, gr::dyn>(3)) == b);
    gr::random mine(7);
    CHECK(elements(gr::randn<double, gr::dyn>(5, mine)) == a);
}

// Means of n draws of variance v are within 5 sqrt(v / n) of what is expected, but for once in a million seeds; the seed is fixed.
TEST_CASE("uniform, whole, permuted, coins and weights") {
    gr::random source(11);
    auto const u = gr::rand<float, gr::dyn>(10000, source);
    CHECK(std::abs(mean_of(u) - 0.5) < 5 * std::sqrt(1.0 / 12 / 10000));
    CHECK(*std::max_element(u.begin(), u.end()) < 1);
    auto const d = gr::rand<double, gr::dyn>(10000, source);
    CHECK(std::abs(mean_of(d) - 0.5) < 5 * std::sqrt(1.0 / 12 / 10000));
    auto const whole = gr::randint<std::int64_t, gr::dyn>(-2, 3, 10000, source);
    CHECK(elements(gr::unique(whole).values) == integers{-2, -1, 0, 1, 2});
    CHECK(std::abs(mean_of(whole)) < 5 * std::sqrt(2.0 / 10000));
    auto permuted = elements(gr::randperm(100, source));
    CHECK(!std::is_sorted(permuted.begin(), permuted.end()));
    std::sort(permuted.begin(), permuted.end());
    CHECK(permuted == elements(gr::arange<std::int64_t, gr::dyn>(100)));
    auto const coins = gr::bernoulli(gr::full<float, gr::dyn>(10000, 0.25f), source);
    CHECK(std::abs(mean_of(coins) - 0.25) < 5 * std::sqrt(0.1875 / 10000));
    auto const drawn = gr::multinomial(gr::tensor<float, 3>{1, 0, 3}, 10000, true, source);
    auto const counts = elements(gr::bincount(drawn, 3));
    CHECK(counts[1] == 0);
    CHECK(std::abs(static_cast<double>(counts[2]) - 7500) < 5 * std::sqrt(10000 * 0.1875));
    auto const without = gr::multinomial(gr::tensor<double, 3>{1, 2, 3}, 3, false, source);
    CHECK(elements(gr::unique(without).counts) == integers{1, 1, 1});
    CHECK(contains(messages::of<gr::error>([&] { gr::multinomial(gr::tensor<float, 3>{1, 0, 3}, 3); }),
                   "3 draws without replacement from 2 weights that are not 0"));
    CHECK(contains(messages::of<gr::error>([&] { gr::bernoulli(gr::tensor<float, 1>{1.5f}); }), "not between 0 and 1"));
    CHECK(contains(messages::of<gr::error>([&] { gr::randint<std::int64_t, 2>(3, 3); }), "no number from 3 to below 3"));
}

TEST_CASE("unique, bincount, histc") {
    auto const u = gr::unique(gr::tensor<float, 2, 3>{{3, 1, 3}, {2, 1, 3}});
    CHECK(elements(u.values) == floats{1, 2, 3});
    CHECK(elements(u.inverse) == integers{2, 0, 2, 1, 0, 2});
    CHECK(elements(u.counts) == integers{2, 1, 3});
    gr::tensor<std::int64_t, 5> const x{1, 3, 1, 0, 3};
    CHECK(elements(gr::bincount(x)) == integers{1, 2, 0, 2});
    CHECK(elements(gr::bincount(x, 6)) == integers{1, 2, 0, 2, 0, 0});
    CHECK(elements(gr::bincount(x, gr::tensor<float, 5>{1, 2, 4, 8, 16})) == floats{8, 5, 0, 18});
    CHECK(contains(messages::of<gr::error>([] { gr::bincount(gr::tensor<std::int64_t, 1>{-1}); }), "a number is negative: -1"));
    CHECK(elements(gr::histc(gr::tensor<float, 3>{1, 2, 1}, 4, 0, 3)) == floats{0, 2, 1, 0});  // PyTorch's own example
    CHECK(elements(gr::histc(gr::tensor<float, 4>{0, 1, 2, 4}, 2)) == floats{2, 2});
}

TEST_CASE("quantiles interpolate, along an axis or of all; derivatives go to the two elements") {
    auto x = gr::tensor<double, 2, 3>{{0, 4, 2}, {1, 3, 8}}.requires_grad_();
    CHECK(gr::quantile(x, 0.5).item() == 2.5);
    auto const y = gr::quantile<1>(x, 0.25);
    CHECK(elements(y) == std::vector<double>{1, 2});
    y.backward(gr::ones<double, 2>());
    CHECK(elements(x.grad()) == std::vector<double>{0.5, 0, 0.5, 0.5, 0.5, 0});
    CHECK(elements(gr::quantile<0>(x, 1)) == std::vector<double>{1, 4, 8});
    CHECK(contains(messages::of<gr::error>([&] { gr::quantile(x, 1.5); }), "q is between 0 and 1"));
}

TEST_CASE("random numbers are written over the elements of tensors, views and picked elements") {
    gr::random source(3), same(3);
    gr::tensor<float, gr::dyn> x = gr::empty<float, gr::dyn>(4000);
    std::uint32_t const before = x.version();
    x.uniform_(2, 4, source);
    CHECK(x.version() == before + 1);
    CHECK(std::abs(mean_of(x) - 3) < 5 * std::sqrt(1.0 / 3 / 4000));
    for (float v : x) CHECK((v >= 2 && v < 4));
    gr::any_tensor const y = gr::empty(gr::shape{4000}, gr::dtype::float32);
    y.uniform_(2, 4, same);
    CHECK(elements(y.as<float, gr::dyn>()) == elements(x));  // the same numbers of the same seed
    CHECK(std::abs(mean_of(x.normal_(1, 2, source)) - 1) < 5 * std::sqrt(4.0 / 4000));
    CHECK(std::abs(mean_of(x.exponential_(4, source)) - 0.25) < 5 * std::sqrt(1.0 / 16 / 4000));
    CHECK(std::abs(mean_of(x.bernoulli_(0.2, source)) - 0.2) < 5 * std::sqrt(0.16 / 4000));
    gr::tensor<std::int64_t, 2, 3> n{{9, 9, 9}, {9, 9, 9}};
    n[0].random_(0, 5, source);
    for (std::int64_t i = 0; i < 3; ++i) CHECK((n(0, i) < 5 && n(1, i) == 9));
    gr::tensor<float, 4> z{1, 2, 3, 4};
    z[z > 2.5f].uniform_(-1, 0, source);
    CHECK((z(1) == 2 && z(2) < 0 && z(3) < 0));
    auto w = gr::tensor<float, 2>{1, 2}.requires_grad_();
    gr::tensor h = w * 3.0f;
    h.normal_(0, 1, source);
    gr::tensor loss = gr::sum(h);
    loss.backward();
    CHECK(elements(w.grad()) == floats{0, 0});
    CHECK_THROWS_AS(w.normal_(), gr::autograd_error);
    CHECK(contains(messages::of<gr::error>([&] { n.normal_(); }), "draws numbers with fractions: the tensor is int64[2,3]"));
    CHECK_THROWS_AS(n.random_(3, 3), gr::error);
    CHECK_THROWS_AS(h.uniform_(1, 0), gr::error);
    CHECK_THROWS_AS(h.bernoulli_(1.5), gr::error);
}

TEST_CASE("powers at equal ratios, and tensors of run-time type like others") {
    auto const powers = gr::logspace<double, gr::dyn>(-1, 2, 4);
    double const expected[] = {0.1, 1, 10, 100};
    for (int i = 0; i < 4; ++i) CHECK(std::abs(powers(i) / expected[i] - 1) < 1e-14);  // pow within 2 ulp of a rounded exponent
    CHECK(elements(gr::randint_like(gr::empty<std::int64_t, gr::dyn>(3), 7, 8)) == integers{7, 7, 7});
    gr::any_tensor const a = gr::tensor<std::int32_t, 2, 1>{{1}, {2}};
    CHECK(gr::empty_like(a).shape() == gr::shape{2, 1});
    CHECK(gr::zeros_like(a).sum().item() == 0);
    CHECK(gr::ones_like(a).dtype() == gr::dtype::int32);
    CHECK(gr::full_like(a, 3).sum().item() == 6);
    gr::random source(5), same(5);
    gr::any_tensor const b = gr::randn({3, 2}, gr::dtype::float64, source), c = gr::randn_like(b, same);
    CHECK(elements(b.as<double, 3, 2>()) == elements(c.as<double, 3, 2>()));
    CHECK(gr::rand({100}, gr::dtype::float32).amax().item() < 1);
    CHECK(gr::rand_like(b).dtype() == gr::dtype::float64);
    CHECK(gr::randint(4, 5, {2}, gr::dtype::int64).sum().item() == 8);
}
