// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <sstream>

// What users of PyTorch write without thinking about it.

namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto p = gr::var<"p", float, 3>;
constexpr auto x = gr::var<"x", double, "n">;
constexpr auto sum_of_squares = gr::compile(gr::sum(gr::square(p)));
constexpr auto twice = gr::compile(2_c * x);
constexpr auto length = gr::compile(gr::sqrt(gr::sum(gr::square(x))));

gr::tensor<float, 3> numbers() { return {1, 2, 4}; }

}  // namespace

TEST_CASE("an expression of one element is a number") {
    auto const t = numbers();
    CHECK(gr::sum(t).item() == 7);
    CHECK(gr::slice<1, 2>(t * 3.0f).item() == 6);
    double const d = gr::sum(t);
    CHECK(d == 7);
    float total = 1;
    total += gr::sum(t);
    total += gr::tensor(gr::amax(t));
    CHECK(total == 12);
    std::vector<double> losses;
    losses.push_back(gr::mean(t * 3.0f));
    CHECK(losses[0] == 7);
    bool const less = gr::sum(t) < 8.0f;
    CHECK(less);
    CHECK(messages::contains(messages::of<gr::error>([&] { static_cast<void>((t * 2.0f).item()); }), "3 elements"));
}

TEST_CASE("what is an expression of numbers stays one: no derivative is lost") {
    auto const w = numbers().requires_grad_();
    gr::tensor const loss = 0.5 * gr::sum(w) + gr::square(gr::sum(w)) / 2;
    loss.backward();
    CHECK(messages::elements(w.grad()) == std::vector<float>(3, 7.5f));
}

TEST_CASE("one of two expressions: a tensor says what they have in common") {
    auto const t = numbers();
    for (bool const flag : {false, true}) {
        gr::tensor const y = flag ? gr::tensor(t * 2.0f) : t + 1.0f;
        CHECK(messages::elements(y) == (flag ? std::vector<float>{2, 4, 8} : std::vector<float>{2, 3, 5}));
    }
}

TEST_CASE("an auto that is a tensor accumulates, and its history with it") {
    auto const w = numbers().requires_grad_();
    auto total = gr::zeros<float>();
    for (int i = 1; i <= 3; ++i) total = total + gr::sum(w * static_cast<float>(i));
    auto other = gr::zeros<float>();
    for (int i = 1; i <= 3; ++i) other += gr::sum(w * static_cast<float>(i));
    CHECK(total.item() == 42);
    CHECK(other.item() == 42);
    total.backward();
    CHECK(messages::elements(w.grad()) == std::vector<float>(3, 6));
    other.backward();
    CHECK(messages::elements(w.grad()) == std::vector<float>(3, 12));
}

TEST_CASE("an expression is printed as the tensor that it is computed as") {
    std::ostringstream out;
    out << numbers() * 2.0f << ' ' << gr::sum(numbers().requires_grad_());
    out << ' ' << numbers().shape();
    CHECK(out.str() == "tensor([2., 4., 8.]) tensor(7., grad_fn=<SumBackward0>) [3]");
}

TEST_CASE("the only result of a program is a number, an array or a tensor, and a tuple still") {
    std::array<float, 3> const data{1, 2, 2};
    float const value = sum_of_squares(p = data);
    CHECK(value == 9);
    double sum = 1;
    sum += sum_of_squares(p = data);
    CHECK(sum == 10);
    auto [bound] = sum_of_squares(p = data);
    CHECK(bound == 9);
    CHECK(std::get<0>(sum_of_squares(p = data)) == 9);
    CHECK(std::apply([](float v) { return v; }, sum_of_squares(p = data)) == 9);

    std::vector<double> const more{3, 4};
    gr::array<double, gr::dyn> const doubled = twice(x = more);
    CHECK(doubled(1) == 8);
    double const of_vector = length(x = more);
    CHECK(of_vector == 5);

    auto const t = numbers().requires_grad_();
    double const of_tensor = sum_of_squares(p = t);
    CHECK(of_tensor == 21);
    gr::tensor<float> const recorded = sum_of_squares(p = t);
    recorded.backward();
    CHECK(messages::elements(t.grad()) == std::vector<float>{2, 4, 8});
}
