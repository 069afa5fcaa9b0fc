// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <vector>

// Tensors of 16 bits: recorded, differentiated, written to, printed and optimised like others; every statement rounds its result.
namespace {

namespace gr = gradus;
using gr::bfloat16;
using gr::float16;

template <class A, class B>
void check_near(A const& got, B const& expected, double bits) {
    REQUIRE(got.size() == expected.size());
    for (std::int64_t i = 0; i < got.size(); ++i) {
        auto const x = static_cast<double>(got.data()[i]), y = static_cast<double>(expected.data()[i]);
        CHECK(std::abs(x - y) <= std::ldexp(std::abs(y), -static_cast<int>(bits)));
    }
}

}  // namespace

TEST_CASE_TEMPLATE("half: one statement and its derivatives are those of float, rounded once", T, bfloat16, float16) {
    gr::random random(1);
    auto x = gr::randn<T, gr::dyn, 8>(5, random);
    gr::tensor w = gr::randn<T, 8, 3>(random);
    w.requires_grad_();
    x.requires_grad_();
    gr::tensor l = gr::sum(gr::tanh(gr::matmul(x, w)));
    static_assert(std::is_same_v<decltype(l), gr::tensor<T>>);
    l.backward();
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(w.grad())>, gr::tensor<T, 8, 3>>);

    gr::tensor wide_x = gr::tensor(gr::cast<float>(x)).detach();
    gr::tensor wide_w = gr::tensor(gr::cast<float>(w)).detach();
    wide_x.requires_grad_();
    wide_w.requires_grad_();
    gr::tensor wide = gr::sum(gr::tanh(gr::matmul(wide_x, wide_w)));
    wide.backward();
    double const digits = std::numeric_limits<T>::digits - 2;  // the product is saved in 16 bits, too
    CHECK(l.item() == T(wide.item()));
    check_near(x.grad(), wide_x.grad(), digits - 3);
    check_near(w.grad(), wide_w.grad(), digits - 3);
}
TEST_CASE("half: the gradient of a cast is cast back, that of a sum of two statements is of 16 bits") {
    gr::tensor<bfloat16, 3> x{bfloat16(1), bfloat16(2), bfloat16(-3)};
    x.requires_grad_();
    gr::tensor<float, 3> y = gr::cast<float>(x) * 0.1F;
    CHECK(y.values()[1] == 2 * 0.1F);
    gr::tensor<bfloat16, 3> z = x * x;
    gr::tensor<float> l = gr::sum(y) + gr::sum(gr::cast<float>(z));
    l.backward();
    CHECK(x.grad().dtype() == gr::dtype::bfloat16);
    CHECK(static_cast<float>(x.grad().values()[1]) == static_cast<float>(bfloat16(4 + static_cast<float>(bfloat16(0.1F)))));
    gr::tensor<float> again = gr::sum(gr::cast<float>(x));
    again.backward();  // in place
    CHECK(static_cast<float>(x.grad().values()[2]) ==
          static_cast<float>(bfloat16(static_cast<float>(bfloat16(-6 + static_cast<float>(bfloat16(0.1F)))) + 1)));
}
TEST_CASE("half: a plain number stays a float until the result is rounded, in statements as in programs") {
    using namespace gr::literals;
    gr::tensor<bfloat16, 2> x{bfloat16(3), bfloat16(300)};
    gr::tensor<bfloat16, 2> tenth = x * 0.1, less = x - 0.4F, picked = gr::where(x > 3.001, x, 0.1);
    static constexpr auto s = gr::var<"s", bfloat16, 2>;
    static constexpr auto program = gr::compile(s * 0.1_c, s - 0.4_c);
    auto const [p, q] = program(s = x);
    for (int i = 0; i < 2; ++i) {
        float const wide = x.values()[static_cast<std::size_t>(i)];
        CHECK(tenth.values()[static_cast<std::size_t>(i)] == bfloat16(wide * 0.1F));
        CHECK(less.values()[static_cast<std::size_t>(i)] == bfloat16(wide - 0.4F));
        CHECK(p(i) == bfloat16(wide * 0.1F));
        CHECK(q(i) == bfloat16(wide - 0.4F));
    }
    CHECK(picked.values()[0] == bfloat16(0.1));
    CHECK(picked.values()[1] == bfloat16(300));
}
TEST_CASE("half: views, indices and writes in place") {
    auto x = gr::arange<float16, 12>();
    gr::tensor m = x.reshape<3, 4>();
    m[1] *= 2;
    m.copy_(m + 1);
    CHECK(static_cast<float>(x.values()[0]) == 1);
    CHECK(static_cast<float>(x.values()[5]) == 11);
    gr::tensor leaf = gr::ones<float16, 4>();
    leaf.requires_grad_();
    gr::tensor<std::int64_t, 3> rows{2, 0, 2};
    gr::tensor picked = leaf[rows] * 3;
    gr::tensor l = gr::sum(picked) + gr::sum(leaf);
    l.backward();
    CHECK(static_cast<float>(leaf.grad().values()[2]) == 7);
    CHECK(static_cast<float>(leaf.grad().values()[1]) == 1);
    leaf.zero_grad();
    CHECK(static_cast<double>(l.item()) == 13);
}
TEST_CASE("half: derivatives of derivatives") {
    gr::tensor<bfloat16, 2> x{bfloat16(0.5), bfloat16(-2)};
    x.requires_grad_();
    gr::tensor y = gr::sum(x * x * x);
    gr::tensor<bfloat16, 2> g = gr::autograd::grad(y, x, {.create_graph = true});
    gr::tensor twice = gr::sum(g);
    twice.backward();
    CHECK(static_cast<float>(x.grad().values()[0]) == 3);
    CHECK(static_cast<float>(x.grad().values()[1]) == -12);
}
TEST_CASE("half: printing, numbers, vectors") {
    std::ostringstream out;
    gr::tensor<bfloat16, 2> x{bfloat16(0.5), bfloat16(-2)};
    out << x << ' ' << gr::tensor<float16, 2>{float16(1), float16(2)};
    CHECK(out.str() == "tensor([ 0.5000, -2.0000], dtype=bfloat16) tensor([1., 2.], dtype=float16)");
    std::vector<bfloat16> const data(x.begin(), x.end());
    gr::tensor again(data);
    static_assert(std::is_same_v<decltype(again), gr::tensor<bfloat16, gr::dyn>>);
    CHECK(gr::any_tensor(gr::tensor<bfloat16>(gr::sum(again))).item() == -1.5);
}
TEST_CASE("half: optimisers compute in float, remember floats and round parameters once") {
    gr::tensor<bfloat16, 3> w{bfloat16(1), bfloat16(-2), bfloat16(3)}, v{bfloat16(1), bfloat16(-2), bfloat16(3)};
    gr::tensor<float, 3> f{1, -2, 3};
    w.requires_grad_();
    v.requires_grad_();
    f.requires_grad_();
    gr::optim::adam half({w}, {.lr = 0.1}), wide({f}, {.lr = 0.1});
    gr::optim::sgd plain({v}, {.lr = 0.1, .momentum = 0.9});
    for (int i = 0; i < 3; ++i) {
        for (gr::tensor<bfloat16> l : {gr::tensor<bfloat16>(gr::sum(w * w)), gr::tensor<bfloat16>(gr::sum(v * v))}) l.backward();
        gr::tensor<float>(gr::sum(f * f)).backward();
        half.step();
        wide.step();
        plain.step();
        for (auto* o : {&half, &wide}) o->zero_grad();
        plain.zero_grad();
    }
    CHECK(half.state(0).exp_avg.dtype() == gr::dtype::float32);
    check_near(w, f, 6);
    CHECK(std::abs(static_cast<float>(v.values()[0]) - 0.062F) < 0.004F);
}
TEST_CASE("half: a layer learns") {
    gr::random random(7);
    gr::nn::linear<bfloat16, 2, 8> body(random);
    gr::nn::linear<bfloat16, 8, 1> head(random);
    gr::optim::adam step(gr::nn::parameters(body, head), {.lr = 0.05});
    gr::tensor<bfloat16, 4, 2> const points = gr::cast<bfloat16>(gr::tensor<float, 4, 2>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
    gr::tensor<bfloat16, 4, 1> const target = gr::cast<bfloat16>(gr::tensor<float, 4, 1>{0, 1, 1, 0});
    float error = 1;
    for (int i = 0; i < 300; ++i) {
        step.zero_grad();
        gr::tensor mse = gr::mean(gr::square(head(gr::tanh(body(points))) - target));
        mse.backward();
        step.step();
        error = mse.item();
    }
    CHECK(error < 0.01F);
}
