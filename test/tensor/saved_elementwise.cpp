// SPDX-License-Identifier: BSL-1.0
#include "saved.hpp"

namespace gr = gradus;
using saved::by, saved::within;

namespace {

using matrix = gr::tensor<double, 3, 4>;
constexpr std::int64_t bytes = 3 * 4 * 8;

matrix const a = saved::operand<3, 4>(1), b = saved::operand<3, 4>(2);

/// Does overwriting `operand` after `f` has run make the backward pass impossible?
template <class F>
bool is_saved(F const& f, matrix const& operand) {
    gr::tensor y = f(a, b);
    {
        gr::no_grad guard;
        operand.add_(0.0);
    }
    std::string said = messages::of<gr::autograd_error>([&] { y.backward(gr::ones<double, 3, 4>()); });
    return messages::contains(said, "modified by an inplace operation");
}
gr::tensor<double, 3, 4> product(matrix const& x, matrix const& y) { return x * y; }
gr::tensor<double, 3, 4> quotient(matrix const& x, matrix const& y) { return x / y; }

template <class X>
using node_of = gr::core::recorded<gr::core::slot_source<X>>;
/// Does the derivative with respect to operand `of` read operand `operand`? Known to the compiler.
template <class X>
constexpr bool reads(int of, int operand) {
    return node_of<X>::reads[static_cast<std::size_t>(operand)] >> node_of<X>::gradient[static_cast<std::size_t>(of)] & 1;
}

}  // namespace

TEST_CASE("40 sums and differences save nothing") {
    CHECK(within(by([](auto x, auto y) { return x + y; }, a, b), 0, 0));
    CHECK(within(by([](auto x, auto y) { return x - y; }, a, b), 0, 0));
    CHECK(within(by([](auto x) { return -x; }, a), 0, 0));
    CHECK(within(by([](auto x) { return x + 2.0; }, a), 0, 0));
    CHECK(within(by([](auto x) { return x * 2.0; }, a), 0, 0));  // the number is in the node
}
TEST_CASE("40 the input: grad * f'(self)") {
    CHECK(within(by([](auto x) { return gr::abs(x); }, a), 1, bytes));       // self.sgn()
    CHECK(within(by([](auto x) { return gr::square(x); }, a), 1, bytes));    // pow: self
    CHECK(within(by([](auto x) { return gr::pow(x, 3.0); }, a), 1, bytes));  // pow: self
    CHECK(within(by([](auto x) { return gr::log(x); }, a), 1, bytes));       // grad.div(self)
    CHECK(within(by([](auto x) { return gr::log1p(x); }, a), 1, bytes));     // grad / (self + 1)
    CHECK(within(by([](auto x) { return gr::sin(x); }, a), 1, bytes));       // self.cos()
    CHECK(within(by([](auto x) { return gr::cos(x); }, a), 1, bytes));       // -self.sin()
    CHECK(within(by([](auto x) { return gr::erf(x); }, a), 1, bytes));       // exp(-(self.pow(2)))
    CHECK(within(by([](auto x) { return gr::softplus(x); }, a), 1, bytes));  // softplus_backward(grad, self, ..)
}
TEST_CASE("40 the result: grad * g(result)") {
    CHECK(within(by([](auto x) { return gr::exp(x); }, a), 1, bytes));         // result
    CHECK(within(by([](auto x) { return gr::expm1(x); }, a), 1, bytes));       // result + 1
    CHECK(within(by([](auto x) { return gr::sqrt(x); }, a), 1, bytes));        // 2 * result
    CHECK(within(by([](auto x) { return gr::rsqrt(x); }, a), 1, bytes));       // -0.5 * result.pow(3)
    CHECK(within(by([](auto x) { return gr::tanh(x); }, a), 1, bytes));        // tanh_backward(grad, result)
    CHECK(within(by([](auto x) { return gr::sigmoid(x); }, a), 1, bytes));     // sigmoid_backward(grad, result)
    CHECK(within(by([](auto x) { return gr::relu(x - 1.0); }, a), 1, bytes));  // threshold_backward(grad, result, 0)
}
TEST_CASE("40 both operands, and the result of a power") {
    CHECK(within(by(product, a, b), 2, 2 * bytes));                                           // other; self
    CHECK(within(by(quotient, a, b), 2, 2 * bytes));                                          // other; self, other
    CHECK(within(by([](auto x, auto y) { return gr::maximum(x, y); }, a, b), 2, 2 * bytes));  // self, other
    CHECK(within(by([](auto x, auto y) { return gr::minimum(x, y); }, a, b), 2, 2 * bytes));  // self, other
    CHECK(within(by([](auto x, auto y) { return gr::pow(x, y); }, a, b), 3, 3 * bytes));      // self, exponent; result
    gr::tensor<bool, 3, 4> mask = a > b;
    CHECK(within(by([&](auto x, auto y) { return gr::where(mask, x, y); }, a, b), 1, 12));  // condition
}
TEST_CASE("40 what only an unwanted derivative reads is not saved") {
    a.requires_grad_(), b.requires_grad_(false);
    CHECK(within(saved::of(product(a, b)), 1, bytes));
    CHECK_FALSE(is_saved(product, a));
    CHECK(is_saved(product, b));
    CHECK(within(saved::of(quotient(a, b)), 1, bytes));  // div: self's derivative is grad / other
    CHECK_FALSE(is_saved(quotient, a));
    a.requires_grad_(false), b.requires_grad_();
    CHECK(within(saved::of(product(a, b)), 1, bytes));
    CHECK_FALSE(is_saved(product, b));
    CHECK(is_saved(product, a));
    a.zero_grad(), b.zero_grad();
    product(a, b).backward(gr::ones<double, 3, 4>());
    CHECK_FALSE(a.grad().defined());
    CHECK(messages::elements(b.grad()) == messages::elements(a));
}
TEST_CASE("40 one square saves its operand once") {
    a.requires_grad_();
    CHECK(within(saved::of(product(a, a)), 2, 2 * bytes));  // two operands that happen to be one: PyTorch counts two, too
    gr::tensor y = gr::exp(a) * a;                          // one node: saves less than a node each would
    CHECK(within(saved::of(y), 3, 3 * bytes));
}
TEST_CASE("40 what is saved is known to the compiler") {
    using X = decltype(a * b);
    static_assert(!reads<X>(0, 0) && reads<X>(0, 1) && reads<X>(1, 0) && !reads<X>(1, 1));
    using S = decltype(a + b);
    static_assert(node_of<S>::saved == 0 && node_of<S>::gradient[0] == gr::core::identity_gradient);
    static_assert(node_of<S>::reads[0] == 0 && node_of<S>::reads[1] == 0 && node_of<S>::reads[2] == 0);
    using N = decltype(a * 2.0);
    static_assert(!reads<N>(0, 0) && reads<N>(0, 1) && node_of<N>::gradient[1] == -1);
    using E = decltype(gr::exp(a));
    static_assert(!reads<E>(0, 0) && reads<E>(0, 1));  // symbol 1 is the result
    CHECK(saved::of(gr::tensor(a + b)).tensors == 0);
}
