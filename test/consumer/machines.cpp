// SPDX-License-Identifier: BSL-1.0
// The program of test/machines.py: prints what it computes, a line each, with the difference that the order of sums and the last bits of
// functions make between machines, relative to 1 or to the number: in float thirty roundings, in double as many.
#include <gradus.hpp>
#ifndef __wasi__
#include <gradus/io/npy.hpp>
#endif

#include <cstdio>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace gr = gradus;
using namespace gr::literals;

namespace {

constexpr auto x = gr::var<"x", float, "batch", 5>;
constexpr auto y = gr::var<"y", float, "batch", 3>;
constexpr auto w = gr::var<"w", float, 5, 3>;
constexpr auto b = gr::var<"b", float, 3>;
constexpr auto prediction = gr::let([] { return gr::tanh(gr::matmul(x, w) + b); });
constexpr auto loss = gr::mean(gr::square(prediction - y)) + 1e-2_c * gr::sum(gr::square(w));
constexpr auto step = gr::compile(loss, gr::update(w, w - 0.1_c * gr::grad(loss, w)), gr::update(b, b - 0.1_c * gr::grad(loss, b)));

constexpr auto u = gr::var<"u", double, "n", 7>;
constexpr auto rows = gr::compile(gr::softmax<1>(u), gr::grad(gr::logsumexp(u), u), gr::amax<1>(u), gr::argmax<1>(u));

constexpr auto p = gr::var<"p", double, 4>;
constexpr auto v = gr::var<"v", double, 4>;
constexpr auto f = gr::sum(gr::exp(p) * gr::sin(p) + gr::log1p(p * p));
constexpr auto hessian_vector = gr::compile(gr::jvp(gr::grad(f, p), p, v));

constexpr auto l = gr::var<"l", gr::float16, "k">;
constexpr auto i = gr::var<"i", std::int32_t, "k">;
constexpr auto small = gr::compile(l * l + 1_c, gr::cumsum<0>(i), gr::where(i > 3_c, i, -i));

template <class T>
constexpr double tolerance = std::is_same_v<T, float> ? 30 * 0x1p-24 : std::is_same_v<T, double> ? 30 * 0x1p-53 : 0;
template <class Values>
void print(char const* name, Values const& of, double difference = tolerance<std::remove_cvref_t<decltype(*of.data())>>) {
    std::printf("%s %.1e", name, difference);
    for (auto const& value : std::span(of.data(), static_cast<std::size_t>(of.size()))) std::printf(" %.17g", static_cast<double>(value));
    std::printf("\n");
}
// Numbers that are the same everywhere: quotients of small integers.
template <class T>
std::vector<T> numbers(int count, int from) {
    std::vector<T> out;
    for (int k = 0; k < count; ++k) out.push_back(static_cast<T>((k * 37 + from) % 101 - 50) / T(32));
    return out;
}

void programs() {
    std::vector<float> const data = numbers<float>(19 * 5, 3), target = numbers<float>(19 * 3, 11);
    std::vector<float> weight = numbers<float>(5 * 3, 7), bias(3);
    float value = 0;
    for (int k = 0; k < 5; ++k) value = step(x = data, y = target, w = weight, b = bias);
    print("loss", std::vector{value});
    print("weight", weight);
    print("bias", bias);
    std::vector<double> const table = numbers<double>(3 * 7, 5);
    auto const [shares, slope, most, place] = rows(u = table);
    print("softmax", shares);
    print("logsumexp_slope", slope);
    print("amax", most);
    print("argmax", place);
    double const at[4] = {-0.5, 0.25, 1, 2}, direction[4] = {1, -1, 0.5, 2};
    auto const [product] = hessian_vector(p = at, v = direction);
    print("hessian_vector", product);
    std::vector<gr::float16> halves;
    std::vector<std::int32_t> counts;
    for (int k = 0; k < 13; ++k) {
        halves.push_back(static_cast<gr::float16>(static_cast<float>(k) / 8.0f));
        counts.push_back(k * 5 % 9);
    }
    auto const [squares, sums, chosen] = small(l = halves, i = counts);
    print("float16", squares);
    print("cumsum", sums);
    print("where", chosen);
}

void tensors() {
    gr::tensor<float, 6, 9> const in(numbers<float>(6 * 9, 1));
    auto weights = gr::tensor<float, 9, 4>(numbers<float>(9 * 4, 2)).requires_grad_();
    gr::tensor shares = gr::softmax<1>(gr::matmul(in, weights));
    gr::tensor cost = gr::sum(gr::square(shares));
    cost.backward();
    print("tensor_loss", cost.values());
    print("tensor_gradient", weights.grad().values());
    {
        gr::no_grad const guard;
        weights -= 0.5f * weights.grad();
    }
    print("tensor_updated", weights.values());
    gr::random random(7);
    print("random", gr::rand<double, 5>(random).values());
    print("normal", gr::randn<float, 5>(random).values());
}

#ifdef __wasi__  // without files, and what is thrown ends a program
void files() {}
void errors() {}
#else
void files() {
    auto const file = std::filesystem::path("gradus_machines.npy");
    gr::tensor<double, 2, 3> const written{{1, 2, 3}, {-0.1, 1e300, 1e-300}};
    gr::io::save_npy(file, written);
    gr::io::save_npy(file, written);  // replaces what is there
    print("npy", gr::io::load_npy<gr::tensor<double, 2, 3>>(file).values(), 0);
    std::filesystem::remove(file);
    try {
        static_cast<void>(gr::io::load_npy(file));
    } catch (gr::io_error const& e) { std::printf("missing text %s\n", e.what()); }
}

void errors() {
    std::vector<float> const data(8);
    try {
        static_cast<void>(gr::compile(x * 2_c)(x = data));
    } catch (gr::error const& e) { std::printf("refused text %s\n", e.what()); }
}
#endif

}  // namespace

int main() {
    std::printf("lanes note %d\n", gr::simd::native_width<float>);
    programs();
    tensors();
    files();
    errors();
}
