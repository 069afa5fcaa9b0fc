// SPDX-License-Identifier: BSL-1.0
// Two 3x3 convolutions with relu, 1-8-16 channels, 28x28, batch 32: the loss and all gradients, beside a hand-written pass, image by image,
// that lays windows out as a matrix (im2col) and multiplies by register tiles. And one layer of 32-32 channels, 16x16, batch 16.
#include "timing.hpp"

#include <gradus.hpp>

namespace gr = gradus;

namespace {

constexpr gr::windows same{.padding = 1};

// ---- ours

struct two_layers {
    static constexpr int batch = 32, in = 1, hidden = 8, out = 16, side = 28;
    static constexpr auto x = gr::var<"x", float, batch, in, side, side>;
    static constexpr auto w1 = gr::var<"w1", float, hidden, in, 3, 3>;
    static constexpr auto b1 = gr::var<"b1", float, hidden>;
    static constexpr auto w2 = gr::var<"w2", float, out, hidden, 3, 3>;
    static constexpr auto b2 = gr::var<"b2", float, out>;
    static constexpr auto first = gr::let([] { return gr::relu(gr::conv2d<same>(x, w1, b1)); });
    static constexpr auto second = gr::let([] { return gr::relu(gr::conv2d<same>(first, w2, b2)); });
    static constexpr auto loss = gr::let([] { return gr::mean(gr::square(second)); });
    static constexpr auto step = gr::compile(loss, gr::grad(loss, w1), gr::grad(loss, b1), gr::grad(loss, w2), gr::grad(loss, b2));
};
struct one_layer {
    static constexpr int batch = 16, in = 32, out = 32, side = 16;
    static constexpr auto x = gr::var<"x", float, batch, in, side, side>;
    static constexpr auto w = gr::var<"w", float, out, in, 3, 3>;
    static constexpr auto loss = gr::let([] { return gr::mean(gr::square(gr::relu(gr::conv2d<same>(x, w)))); });
    static constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, x));
};

// ---- by hand

using batch = gr::simd::vec<float, gr::simd::native_width<float>>;
constexpr int W = gr::simd::native_width<float>;
using floats = std::vector<float>;

/// Rows of windows: [channels 9, side side].
void im2col(float const* x, int channels, int side, float* to) {
    for (int c = 0; c < channels; ++c)
        for (int k = 0; k < 9; ++k)
            for (int i = 0; i < side; ++i) {
                int const row = i + k / 3 - 1, shift = k % 3 - 1, begin = std::max(0, -shift), end = side - std::max(0, shift);
                float* const line = to + ((c * 9 + k) * side + i) * side;
                bool const inside = row >= 0 && row < side;
                if (!inside || begin > 0) line[0] = 0;
                if (!inside || end < side) line[side - 1] = 0;
                if (inside) std::copy_n(x + (c * side + row) * side + begin + shift, end - begin, line + begin);
                else std::fill_n(line, side, 0.0F);
            }
}
void col2im(float const* from, int channels, int side, float* x) {
    std::fill_n(x, channels * side * side, 0.0F);
    for (int c = 0; c < channels; ++c)
        for (int k = 0; k < 9; ++k)
            for (int i = 0; i < side; ++i) {
                int const row = i + k / 3 - 1, shift = k % 3 - 1;
                if (row < 0 || row >= side) continue;
                float const* const line = from + ((c * 9 + k) * side + i) * side;
                float* const to = x + (c * side + row) * side + shift;
                for (int j = std::max(0, -shift), end = side - std::max(0, shift); j < end; ++j) to[j] += line[j];
            }
}
/// C = A B; a(i, p) is element p of row i of A, n is a multiple of the vector's width, m of Rows.
template <int Rows>
void multiply_rows(auto const& a, float const* b, float* c, int i, int n, int k) {
    constexpr int columns = 2 * W;
    int j = 0;
    for (; j + columns <= n; j += columns) {
        batch sum[Rows][2];
        for (auto& row : sum) row[0] = row[1] = batch(0.0F);
        for (int p = 0; p < k; ++p) {
            auto const left = batch::load_unaligned(b + p * n + j), right = batch::load_unaligned(b + p * n + j + W);
#pragma GCC unroll 8
            for (int r = 0; r < Rows; ++r) {
                batch const factor(a(i + r, p));
                sum[r][0] = gr::simd::fma<float, W>(factor, left, sum[r][0]);
                sum[r][1] = gr::simd::fma<float, W>(factor, right, sum[r][1]);
            }
        }
        for (int r = 0; r < Rows; ++r) {
            sum[r][0].store_unaligned(c + (i + r) * n + j);
            sum[r][1].store_unaligned(c + (i + r) * n + j + W);
        }
    }
    for (; j < n; j += W)
        for (int r = 0; r < Rows; ++r) {
            batch sum(0.0F);
            for (int p = 0; p < k; ++p) sum = gr::simd::fma<float, W>(batch(a(i + r, p)), batch::load_unaligned(b + p * n + j), sum);
            sum.store_unaligned(c + (i + r) * n + j);
        }
}
void multiply(auto const& a, float const* b, float* c, int m, int n, int k) {
    for (int i = 0; i < m; i += 8) multiply_rows<8>(a, b, c, i, n, k);
}
/// C += A B^T for long rows of A and B; m is a multiple of 4, n of 3.
void add_product_of_rows(float const* a, float const* b, float* c, int m, int n, int k) {
    for (int j = 0; j < n; j += 3)
        for (int i = 0; i < m; i += 4) {
            batch sum[4][3];
            for (auto& row : sum)
                for (batch& s : row) s = batch(0.0F);
            for (int p = 0; p < k; p += W) {
#pragma GCC unroll 4
                for (int r = 0; r < 4; ++r) {
                    auto const left = batch::load_unaligned(a + (i + r) * k + p);
#pragma GCC unroll 3
                    for (int q = 0; q < 3; ++q)
                        sum[r][q] = gr::simd::fma<float, W>(left, batch::load_unaligned(b + (j + q) * k + p), sum[r][q]);
                }
            }
            for (int r = 0; r < 4; ++r)
                for (int q = 0; q < 3; ++q) c[(i + r) * n + j + q] += gr::simd::reduce_add<float, W>(sum[r][q]);
        }
}

/// The pass through a layer and back, for one image after the other.
struct layer {
    int in, out, side, size = side * side;
    floats columns = floats(static_cast<std::size_t>(in * 9 * size)), y = floats(static_cast<std::size_t>(out * size)), gradient = y,
           from_above = columns, x = floats(static_cast<std::size_t>(in * size));

    void forward(float const* input, float const* w, float const* bias) {
        im2col(input, in, side, columns.data());
        multiply([&](int i, int p) { return w[i * in * 9 + p]; }, columns.data(), y.data(), out, size, in * 9);
        for (int o = 0; o < out; ++o)
            for (int p = 0; p < size; ++p)
                y[static_cast<std::size_t>(o * size + p)] =
                    std::max(0.0F, y[static_cast<std::size_t>(o * size + p)] + (bias ? bias[o] : 0));
    }
    /// The gradient of y is there.
    void of_weights(float* dw, float* db) {
        add_product_of_rows(gradient.data(), columns.data(), dw, out, in * 9, size);
        for (int o = 0; db && o < out; ++o) {
            batch sum(0.0F);
            for (int p = 0; p < size; p += W) sum += batch::load_unaligned(gradient.data() + o * size + p);
            db[o] += gr::simd::reduce_add<float, W>(sum);
        }
    }
    void of_input(float const* w) {
        multiply([&](int i, int p) { return w[p * in * 9 + i]; }, gradient.data(), from_above.data(), in * 9, size, out);
        col2im(from_above.data(), in, side, x.data());
    }
    float square_loss(float count) {
        float sum = 0;
        batch all(0.0F), factor(2 / count);
        for (std::size_t p = 0; p < y.size(); p += static_cast<std::size_t>(W)) {
            auto const v = batch::load_unaligned(y.data() + p);
            all = gr::simd::fma<float, W>(v, v, all);
            (v * factor).store_unaligned(gradient.data() + p);
        }
        sum += gr::simd::reduce_add<float, W>(all);
        return sum / count;
    }
};

void fill(auto& a, int seed) {
    for (int i = seed; float& v : a) v = static_cast<float>(i++ * 7919 % 101 - 50) / 100;
}

void race_two_layers() {
    using l = two_layers;
    gr::array<float, l::batch, l::in, l::side, l::side> x;
    gr::array<float, l::hidden, l::in, 3, 3> w1, dw1[2];
    gr::array<float, l::hidden> b1, db1[2];
    gr::array<float, l::out, l::hidden, 3, 3> w2, dw2[2];
    gr::array<float, l::out> b2, db2[2];
    fill(x, 0), fill(w1, 1), fill(b1, 2), fill(w2, 3), fill(b2, 4);
    float loss[2]{};
    gr::workspace scratch;
    auto const ours = [&] {
        l::step(gr::out(loss[0], dw1[0], db1[0], dw2[0], db2[0]), scratch, l::x = x, l::w1 = w1, l::b1 = b1, l::w2 = w2, l::b2 = b2);
    };
    layer first{l::in, l::hidden, l::side}, second{l::hidden, l::out, l::side};
    auto const by_hand = [&] {
        std::fill_n(dw1[1].data(), dw1[1].size(), 0.0F), std::fill_n(db1[1].data(), db1[1].size(), 0.0F);
        std::fill_n(dw2[1].data(), dw2[1].size(), 0.0F), std::fill_n(db2[1].data(), db2[1].size(), 0.0F);
        loss[1] = 0;
        for (int n = 0; n < l::batch; ++n) {
            first.forward(x.data() + n * l::in * first.size, w1.data(), b1.data());
            second.forward(first.y.data(), w2.data(), b2.data());
            loss[1] += second.square_loss(static_cast<float>(l::batch * l::out * second.size));
            second.of_weights(dw2[1].data(), db2[1].data());
            second.of_input(w2.data());
            for (std::size_t p = 0; p < first.y.size(); ++p) first.gradient[p] = first.y[p] > 0 ? second.x[p] : 0;
            first.of_weights(dw1[1].data(), db1[1].data());
        }
    };
    timing::race("convolutions 1-8-16 3x3 28x28 batch 32, gradients",
                 {timing::enter("gradus", ours, loss[0], dw1[0], db1[0], dw2[0], db2[0]),
                  timing::enter("im2col and tiles", by_hand, loss[1], dw1[1], db1[1], dw2[1], db2[1])},
                 1e-4);
}
void race_one_layer() {
    using l = one_layer;
    gr::array<float, l::batch, l::in, l::side, l::side> x, dx[2];
    gr::array<float, l::out, l::in, 3, 3> w, dw[2];
    fill(x, 0), fill(w, 1);
    float loss[2]{};
    gr::workspace scratch;
    auto const ours = [&] { l::step(gr::out(loss[0], dw[0], dx[0]), scratch, l::x = x, l::w = w); };
    layer only{l::in, l::out, l::side};
    auto const by_hand = [&] {
        std::fill_n(dw[1].data(), dw[1].size(), 0.0F);
        loss[1] = 0;
        for (int n = 0; n < l::batch; ++n) {
            only.forward(x.data() + n * l::in * only.size, w.data(), nullptr);
            loss[1] += only.square_loss(static_cast<float>(l::batch * l::out * only.size));
            only.of_weights(dw[1].data(), nullptr);
            only.of_input(w.data());
            std::copy(only.x.begin(), only.x.end(), dx[1].data() + n * l::in * only.size);
        }
    };
    timing::race("convolution 32-32 3x3 16x16 batch 16, gradients",
                 {timing::enter("gradus", ours, loss[0], dw[0], dx[0]), timing::enter("im2col and tiles", by_hand, loss[1], dw[1], dx[1])},
                 1e-4);
}

}  // namespace

int main() {
    race_two_layers();
    race_one_layer();
}
