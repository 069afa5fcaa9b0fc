// SPDX-License-Identifier: BSL-1.0
#include "../tensor/messages.hpp"

#include <gradus.hpp>

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

// Memory that is an argument and a result: what the plan allows gives the result of separate memory, the rest is refused.
namespace gr = gradus;

namespace {

template <class T>
constexpr auto x = gr::var<"x", T, 6, 6>;
template <class T>
constexpr auto w = gr::var<"w", T, 6, 6>;
template <class T>
constexpr auto s = gr::var<"s", T>;
constexpr auto rows = gr::var<"rows", double, "n", 4>;
constexpr auto row = gr::var<"row", double, 4>;

template <class T>
using matrix = gr::array<T, 6, 6>;
template <class T>
matrix<T> counted(double from = 1) {
    matrix<T> m;
    for (int i = 0; i < 36; ++i) m.data()[i] = static_cast<T>((i * 7 % 11 + from) / 8);
    return m;
}
/// Calls f(first, second) on memory of their own, then on one memory: the first one's new value is the same, or the call is refused
/// and changes nothing. Was it right?
template <class T>
bool shares(auto const& f) {
    matrix<T> const before = counted<T>();
    matrix<T> apart = before, other = before, both = before;
    f(apart, other);
    std::string const why = messages::of<gr::binding_error>([&] { f(both, both); });
    CHECK((why == "nothing is thrown" ? both == apart : both == before));
    return why == "nothing is thrown";
}

}  // namespace

TEST_CASE_TEMPLATE("overlap: a target on an argument's memory", T, float, double) {
    auto into = [](auto const& program) { return shares<T>([&](matrix<T>& to, matrix<T>& from) { program(gr::out(to), x<T> = from); }); };
    CHECK(into(gr::compile(gr::exp(x<T>) * x<T>)));
    CHECK(!into(gr::compile(gr::transpose(x<T>))));
    CHECK(!into(gr::compile(x<T> + gr::transpose(x<T>))));
    CHECK(!into(gr::compile(gr::flip<0>(x<T>))));
    CHECK(!into(gr::compile(gr::matmul(x<T>, x<T>))));
    into(gr::compile(gr::softmax(x<T>) + gr::sum<0>(x<T>)));
    CHECK(!into(gr::compile(gr::concatenate<0>(gr::slice<3, 6>(x<T>), gr::slice<0, 3>(x<T>)))));
    into(gr::compile(gr::cumsum<0>(x<T>) * x<T>));
    constexpr auto products = gr::compile(gr::matmul(w<T>, gr::matmul(x<T>, x<T>)));  // x is read by the first one only
    matrix<T> W = counted<T>(3);
    CHECK(shares<T>([&](matrix<T>& to, matrix<T>& from) { products(gr::out(to), x<T> = from, w<T> = W); }));
    CHECK(!shares<T>([&](matrix<T>& to, matrix<T>& from) { products(gr::out(to), x<T> = W, w<T> = from); }));
}
TEST_CASE_TEMPLATE("overlap: an update and another argument", T, float, double) {
    auto both = [](auto const& program) { return shares<T>([&](matrix<T>& to, matrix<T>& from) { program(w<T> = to, x<T> = from); }); };
    CHECK(both(gr::compile(gr::update(w<T>, w<T> - x<T> * x<T>))));
    CHECK(both(gr::compile(gr::update(w<T>, w<T> * x<T>), gr::sum(x<T> * w<T>))));
    CHECK(!both(gr::compile(gr::update(w<T>, w<T> + gr::transpose(x<T>)), gr::sum(x<T>))));
    both(gr::compile(gr::update(w<T>, w<T> + x<T>), gr::matmul(gr::tanh(x<T>), w<T> + x<T>)));
    CHECK(!both(gr::compile(gr::update(w<T>, w<T> + x<T>), gr::update(x<T>, w<T> - x<T>))));
    CHECK(both(gr::compile(gr::update(w<T>, gr::matmul(w<T>, x<T>)))));  // written back when all has been read
}
TEST_CASE("overlap: sentences name both, and how much they share") {
    constexpr auto twice = gr::compile(rows * gr::constant<2>, gr::sum(rows));
    std::vector<double> memory(24, 1.0);
    std::span<double> const all(memory);
    double total = 0;
    auto middle = all.subspan(4, 16);
    CHECK(messages::of<gr::binding_error>([&] { twice(gr::out(middle, total), rows = all.first(16)); }) ==
          "gradus::program(gr::out(...), rows = data): target 0 and rows have 96 bytes in common: the program reads rows when it has "
          "written to target 0. Give one of them memory of its own");
    CHECK(memory == std::vector<double>(24, 1.0));
    auto behind = all.subspan(16, 8);
    twice(gr::out(behind, total), rows = all.subspan(8, 8));  // side by side
    CHECK(memory[16] == 2);
    twice(gr::out(middle, total), rows = middle);
    CHECK(memory[4] == 2);
    CHECK(total == 20);
    CHECK(messages::of<gr::binding_error>([&] { twice(gr::out(middle, memory[5]), rows = std::vector<double>(16)); }) ==
          "gradus::program(gr::out(...)): target 0 and target 1 have 8 bytes in common: the program writes to both. Give one of them "
          "memory of its own");
    auto nothing = all.subspan(6, 0);
    twice(gr::out(nothing, total), rows = nothing);
    CHECK(total == 0);

    constexpr auto descend = gr::compile(gr::update(row, row * gr::constant<2>), gr::update(s<double>, s<double> + gr::sum(row)));
    CHECK(messages::of<gr::binding_error>([&] { descend(row = all.first(4), s<double> = memory[3]); }) ==
          "gradus::program(row = data, s = data): row and s have 8 bytes in common: the program writes to both. Give one of them memory of "
          "its own");
    gr::workspace scratch(4096);
    double* const inside = reinterpret_cast<double*>(scratch.data());
    constexpr auto product = gr::compile(gr::matmul(gr::tanh(gr::matmul(x<double>, x<double>)), x<double>));
    CHECK(messages::of<gr::binding_error>([&] { product(x<double> = std::span<double, 36>(inside + 1, 36), scratch); }) ==
          "gradus::program(x = data, workspace): the data is memory of the workspace, which the program writes to. Give it memory of its "
          "own");
}
TEST_CASE("overlap: numbers that are only read are copied, those that are written to are compared") {
    constexpr auto t = gr::var<"t", double>;
    constexpr auto sums = gr::compile(gr::sum(row * t), gr::sum(row) - t, gr::sum(row * row) * t);
    std::vector<double> memory{1, 2, 3, 4};
    double a = 2, b = 0, c = 0;
    sums(gr::out(b, a, c), row = memory, t = a);  // a is a target and the argument
    CHECK(a == 8);
    CHECK(b == 20);
    CHECK(c == 60);
    CHECK(messages::of<gr::binding_error>([&] {
              sums(gr::out(a, b, a), row = memory, t = c);
          }).find("target 0 and target 2 have 8 bytes in common") != std::string::npos);
    CHECK(messages::of<gr::binding_error>([&] {
              sums(gr::out(a, memory[2], b), row = memory, t = c);
          }).find("target 1 and row have 8 bytes in common") != std::string::npos);
    sums(gr::out(a, b, c), row = memory, t = memory[2]);
    CHECK(a == 30);
    CHECK(b == 7);
    constexpr auto grow = gr::compile(gr::update(s<double>, s<double> + t * t), t + s<double>);
    double n = 3;
    CHECK(std::get<0>(grow(s<double> = n, t = n)) == 6);
    CHECK(n == 12);
}
TEST_CASE("overlap: tensors") {
    constexpr auto step = gr::compile(gr::update(w<float>, w<float> - gr::constant<0.5> * x<float>));
    constexpr auto turn = gr::compile(gr::update(w<float>, gr::transpose(x<float>)));
    gr::tensor<float, 6, 6> t(counted<float>());
    auto const before = t.to_array();
    step(w<float> = t, x<float> = t);
    CHECK(t(2, 1) == before(2, 1) / 2);
    turn(w<float> = t, x<float> = t.t());  // a view with gaps is copied before
    CHECK(t(2, 1) == before(2, 1) / 2);
    CHECK(messages::of<gr::binding_error>([&] { turn(w<float> = t, x<float> = t.detach()); }).find("w and x have 144 bytes in common") !=
          std::string::npos);
    std::vector<float> memory(50, 1.0f);
    auto const first = gr::from_blob<float, 6, 6>(memory.data()), second = gr::from_blob<float, 6, 6>(memory.data() + 7);
    CHECK(messages::of<gr::binding_error>([&] { step(w<float> = first, x<float> = second); }).find("w and x have 116 bytes in common") !=
          std::string::npos);
    CHECK(first.version() == 0);

    // statements: computed beside where they read something else of what they write
    gr::tensor<float, 6, 6> u(counted<float>());
    u += u.t();
    CHECK(u(2, 1) == before(2, 1) + before(1, 2));
    u.copy_(gr::flip<0>(u) * 1.0f);
    CHECK(u(5, 0) == 2 * before(0, 0));
    gr::tensor<float, gr::dyn> line(std::vector<float>{1, 2, 3, 4, 5});
    line.slice(1, 5) = line.slice(0, 4);
    CHECK(line.to_array() == gr::tensor<float, gr::dyn>(std::vector<float>{1, 1, 2, 3, 4}).to_array());
    line.slice(0, 4) += line.slice(1, 5) * 10.0f;
    CHECK(line.to_array() == gr::tensor<float, gr::dyn>(std::vector<float>{11, 21, 32, 43, 4}).to_array());
}
