// SPDX-License-Identifier: BSL-1.0
// Logistic regression: the mean loss of a batch and the gradients of weights and bias, beside xsimd, plain loops and Eigen.
#include "by_hand.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#ifdef GRADUS_BENCH_EIGEN
#include <Eigen/Dense>
#endif

namespace gr = gradus;

namespace {

template <int Rows, int Columns>
struct model {
    static constexpr auto x = gr::var<"x", float, Rows, Columns>;
    static constexpr auto y = gr::var<"y", float, Rows>;
    static constexpr auto w = gr::var<"w", float, Columns>;
    static constexpr auto b = gr::var<"b", float>;
    static constexpr auto loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y);
    static constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));
};

/// Blocks of 16 rows, so that x is read once.
template <int Rows, int Columns>
__attribute__((noinline)) float loops(float const* __restrict x, float const* __restrict w, float b, float const* __restrict y,
                                      float* __restrict gw, float* __restrict gb) {
    float l = 0, sb = 0, g[Columns] = {};
    for (int r = 0; r < Rows; r += 16) {
        float z[16], d[16];
        for (int i = 0; i < 16; ++i) {
            float s = 0;
            for (int k = 0; k < Columns; ++k) s += x[(r + i) * Columns + k] * w[k];
            z[i] = s + b;
        }
        for (int i = 0; i < 16; ++i) {
            float e = std::exp(-std::fabs(z[i])), q = 1.0f / (1.0f + e);
            l += (z[i] > 0 ? z[i] : 0.0f) - z[i] * y[r + i] + std::log1p(e);
            d[i] = ((z[i] > 0 ? q : e * q) - y[r + i]) * (1.0f / Rows);
            sb += d[i];
        }
        for (int i = 0; i < 16; ++i)
            for (int k = 0; k < Columns; ++k) g[k] += d[i] * x[(r + i) * Columns + k];
    }
    for (int k = 0; k < Columns; ++k) gw[k] = g[k];
    *gb = sb;
    return l * (1.0f / Rows);
}

/// Blocks of 64 rows stay in the cache between the two passes; as many dot products as lanes end in one register; the
/// gradient stays in registers.
template <int Rows, int Columns>
__attribute__((noinline)) float simd(float const* x, float const* w, float bias, float const* y, float* gw, float* gb) {
    using V = xsimd::batch<float>;
    constexpr int N = static_cast<int>(V::size), vectors = Columns / N, block = Rows % 64 ? Rows : 64;
    V l(0.0f), sb(0.0f), g[vectors], wv[vectors];
    for (int j = 0; j < vectors; ++j) g[j] = V(0.0f), wv[j] = V::load_unaligned(w + j * N);
    alignas(64) float d[block];
    for (int r = 0; r < Rows; r += block) {
        for (int i = 0; i < block; i += N) {
            V a[N];
            for (int k = 0; k < N; ++k) {
                float const* p = x + (r + i + k) * Columns;
                V s = V::load_unaligned(p) * wv[0];
                for (int j = 1; j < vectors; ++j) s = xsimd::fma(V::load_unaligned(p + j * N), wv[j], s);
                a[k] = s;
            }
            if constexpr (N < 16) (xsimd::haddp(a) + V(bias)).store_aligned(d + i);
            else
                for (int k = 0; k < N; ++k) d[i + k] = xsimd::hadd(a[k]) + bias;  // xsimd 8.1's haddp is wrong with AVX-512
        }
        for (int i = 0; i < block; i += N) {
            V z = V::load_aligned(d + i), label = V::load_unaligned(y + r + i), e = xsimd::exp(-xsimd::abs(z)), s = V(1.0f) / (V(1.0f) + e);
            l += xsimd::max(z, V(0.0f)) - z * label + xsimd::log1p(e);
            V slope = (xsimd::select(z > V(0.0f), s, e * s) - label) * V(1.0f / Rows);
            sb += slope;
            slope.store_aligned(d + i);
        }
        for (int i = 0; i < block; ++i) {
            V slope(d[i]);
            for (int j = 0; j < vectors; ++j) g[j] = xsimd::fma(slope, V::load_unaligned(x + (r + i) * Columns + j * N), g[j]);
        }
    }
    for (int j = 0; j < vectors; ++j) g[j].store_unaligned(gw + j * N);
    *gb = by_hand::sum(sb);
    return by_hand::sum(l) * (1.0f / Rows);
}

#ifdef GRADUS_BENCH_EIGEN
template <int Rows, int Columns>
__attribute__((noinline)) float eigen(float const* px, float const* pw, float b, float const* py, float* gw, float* gb) {
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // g++ 12 warns of fixed ones
    using column = Eigen::Array<float, Rows, 1>;
    Eigen::Map<matrix const> x(px, Rows, Columns);
    Eigen::Map<Eigen::Matrix<float, Columns, 1> const> w(pw);
    Eigen::Map<column const> y(py);
    column z;
    z.matrix().noalias() = x * w;
    z += b;
    column e = (-z.abs()).exp(), q = (1.0f + e).inverse();
    float l = (z.max(0.0f) - z * y + e.log1p()).sum() * (1.0f / Rows);
    z = ((z > 0.0f).select(q, e * q) - y) * (1.0f / Rows);
    Eigen::Map<Eigen::Matrix<float, Columns, 1>>(gw).noalias() = x.transpose() * z.matrix();
    *gb = z.sum();
    return l;
}
#endif

template <int Columns>
struct outcome {
    float l = 0, gb = 0;
    gr::array<float, Columns> gw;
};

template <int Rows, int Columns>
void run(char const* workload) {
    using M = model<Rows, Columns>;
    constexpr auto x = M::x;
    constexpr auto y = M::y;
    constexpr auto w = M::w;
    constexpr auto b = M::b;
    gr::random random(1);
    auto X = gr::array<float, Rows, Columns>::uniform(random, -1.0f, 1.0f);
    auto W = gr::array<float, Columns>::uniform(random, -0.5f, 0.5f);
    auto Y = gr::array<float, Rows>::uniform(random, 0.0f, 1.0f);
    for (int i = 0; i < Rows; ++i) Y(i) = Y(i) < 0.5f ? 0.0f : 1.0f;
    float B = 0.1f;
    outcome<Columns> r[4];
    gr::workspace scratch;
    auto by_hand = [&](char const* name, auto f, outcome<Columns>& o) {
        return timing::enter(
            name, [&X, &Y, &W, &B, &o, f] { o.l = f(X.data(), W.data(), B, Y.data(), o.gw.data(), &o.gb); }, o.l, o.gb, o.gw);
    };
    std::vector<timing::contestant> all{timing::enter(
        "gradus", [&] { M::step(gr::out(r[0].l, r[0].gw, r[0].gb), scratch, x = X, w = W, b = B, y = Y); }, r[0].l, r[0].gb, r[0].gw)};
    all.push_back(by_hand("loops", loops<Rows, Columns>, r[1]));
#ifndef XSIMD_NO_SUPPORTED_ARCHITECTURE
    all.push_back(by_hand("xsimd", simd<Rows, Columns>, r[2]));
#endif
#ifdef GRADUS_BENCH_EIGEN
    all.push_back(by_hand("Eigen", eigen<Rows, Columns>, r[3]));
#endif
    timing::race(workload, all, 1e-5);
}

}  // namespace

int main() {
    run<128, 16>("logistic regression 128x16 float");
    run<1024, 64>("logistic regression 1024x64 float");
}
