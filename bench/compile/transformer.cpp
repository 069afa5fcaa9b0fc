// SPDX-License-Identifier: BSL-1.0
// A block of a transformer: layer norm, attention of four heads, layer norm, two layers with gelu, each added to what it was made of, with
// 13 gradients in one program.
#include <gradus.hpp>

#include <cstdio>

namespace gr = gradus;

constexpr int length = 64, width = 64, heads = 4, hidden = 256;
template <gr::fixed_string Name, int... N>
constexpr auto parameter = gr::var<Name, float, N...>;

constexpr auto x = gr::var<"x", float, length, width>;
constexpr auto scale_1 = parameter<"scale_1", width>;
constexpr auto shift_1 = parameter<"shift_1", width>;
constexpr auto scale_2 = parameter<"scale_2", width>;
constexpr auto shift_2 = parameter<"shift_2", width>;
constexpr auto w_query = parameter<"w_query", width, width>;
constexpr auto w_key = parameter<"w_key", width, width>;
constexpr auto w_value = parameter<"w_value", width, width>;
constexpr auto w_out = parameter<"w_out", width, width>;
constexpr auto w_1 = parameter<"w_1", width, hidden>;
constexpr auto w_2 = parameter<"w_2", hidden, width>;
constexpr auto b_1 = parameter<"b_1", hidden>;
constexpr auto b_2 = parameter<"b_2", width>;

constexpr auto by_heads(auto rows) { return gr::permute<1, 0, 2>(gr::reshape<length, heads, width / heads>(rows)); }

constexpr auto normal_1 = gr::let([] { return gr::layer_norm(x, scale_1, shift_1); });
constexpr auto attended = gr::let([] {
    return gr::scaled_dot_product_attention(by_heads(gr::matmul(normal_1, w_query)), by_heads(gr::matmul(normal_1, w_key)),
                                            by_heads(gr::matmul(normal_1, w_value)));
});
constexpr auto first = gr::let([] { return x + gr::matmul(gr::reshape<length, width>(gr::permute<1, 0, 2>(attended)), w_out); });
constexpr auto normal_2 = gr::let([] { return gr::layer_norm(first, scale_2, shift_2); });
constexpr auto block = gr::let([] { return first + gr::matmul(gr::gelu(gr::matmul(normal_2, w_1) + b_1), w_2) + b_2; });
constexpr auto loss = gr::let([] { return gr::mean(block * block); });

constexpr auto gradients_of(auto... p) { return gr::compile(loss, gr::grad(loss, p)...); }
constexpr auto step = gradients_of(x, scale_1, shift_1, w_query, w_key, w_value, w_out, scale_2, shift_2, w_1, b_1, w_2, b_2);

template <int... N>
auto numbers(gr::random& random) {
    return gr::array<float, N...>::normal(random, 0.0f, 0.1f);
}

int main() {
    gr::random random(1);
    auto const rows = numbers<length, width>(random), q = numbers<width, width>(random), k = numbers<width, width>(random),
               v = numbers<width, width>(random), o = numbers<width, width>(random);
    auto const up = numbers<width, hidden>(random);
    auto const down = numbers<hidden, width>(random);
    auto const wide = numbers<hidden>(random);
    auto const narrow = numbers<width>(random);
    auto const l = std::get<0>(step(x = rows, scale_1 = narrow, shift_1 = narrow, w_query = q, w_key = k, w_value = v, w_out = o,
                                    scale_2 = narrow, shift_2 = narrow, w_1 = up, b_1 = wide, w_2 = down, b_2 = narrow));
    std::printf("%d kernels: loss %.6f\n", step.kernels(), static_cast<double>(l));
    return l > 0 ? 0 : 1;
}
