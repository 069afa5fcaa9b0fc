// SPDX-License-Identifier: BSL-1.0
// The tutorial's 5x3 layer, loss and both gradients per call, beside plain loops, a register of four lanes and Eigen.
#include "peers.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#include <xsimd/xsimd.hpp>

#ifdef GRADUS_BENCH_EIGEN
#include <Eigen/Dense>
#endif

namespace gr = gradus;

namespace {

constexpr auto x = gr::var<"x", float, 5>;
constexpr auto w = gr::var<"w", float, 5, 3>;
constexpr auto b = gr::var<"b", float, 3>;
constexpr auto y = gr::var<"y", float, 3>;
constexpr auto loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y);
constexpr auto step = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));

__attribute__((noinline)) float loops(float const* px, float const* pw, float const* pb, float const* py, float* gw, float* gb) {
    float z[3], d[3], l = 0;
    for (int j = 0; j < 3; ++j) z[j] = pb[j];
    for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 3; ++j) z[j] += px[i] * pw[i * 3 + j];
    for (int j = 0; j < 3; ++j) {
        float e = std::exp(-std::fabs(z[j])), r = 1.0f / (1.0f + e);
        l += (z[j] > 0 ? z[j] : 0.0f) - z[j] * py[j] + std::log1p(e);
        d[j] = ((z[j] > 0 ? r : e * r) - py[j]) * (1.0f / 3.0f);
    }
    for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 3; ++j) gw[i * 3 + j] = px[i] * d[j];
    for (int j = 0; j < 3; ++j) gb[j] = d[j];
    return l * (1.0f / 3.0f);
}

#ifdef __SSE2__
// One register of four lanes holds the three outputs; rows of w are read and written with a lane that belongs to the next.
using four = xsimd::make_sized_batch_t<float, 4>;
four load3(float const* p) {
    alignas(16) float a[4] = {p[0], p[1], p[2], 0.0f};
    return four::load_aligned(a);
}
void store3(float* p, four v) {
    alignas(16) float a[4];
    v.store_aligned(a);
    for (int j = 0; j < 3; ++j) p[j] = a[j];
}
__attribute__((noinline)) float simd(float const* px, float const* pw, float const* pb, float const* py, float* gw, float* gb) {
    four z = load3(pb), label = load3(py);
    for (int i = 0; i < 4; ++i) z = xsimd::fma(four(px[i]), four::load_unaligned(pw + 3 * i), z);
    z = xsimd::fma(four(px[4]), load3(pw + 12), z);
    four e = xsimd::exp(-xsimd::abs(z)), r = four(1.0f) / (four(1.0f) + e);
    four l = xsimd::max(z, four(0.0f)) - z * label + xsimd::log1p(e);
    four d = (xsimd::select(z > four(0.0f), r, e * r) - label) * four(1.0f / 3.0f);
    for (int i = 0; i < 4; ++i) (four(px[i]) * d).store_unaligned(gw + 3 * i);
    store3(gw + 12, four(px[4]) * d);
    store3(gb, d);
    alignas(16) float a[4];
    l.store_aligned(a);
    return (a[0] + a[1] + a[2]) * (1.0f / 3.0f);
}
#endif

#ifdef GRADUS_BENCH_EIGEN
using matrix = Eigen::Matrix<float, 5, 3, Eigen::RowMajor>;
using row3 = Eigen::Matrix<float, 1, 3>;
using row5 = Eigen::Matrix<float, 1, 5>;
__attribute__((noinline)) float eigen(float const* px, float const* pw, float const* pb, float const* py, float* gw, float* gb) {
    Eigen::Map<row5 const> in(px);
    Eigen::Map<row3 const> label(py);
    Eigen::Map<row3> db(gb);
    row3 z = in * Eigen::Map<matrix const>(pw) + Eigen::Map<row3 const>(pb);
    Eigen::Array<float, 1, 3> e = (-z.array().abs()).exp(), r = (1.0f + e).inverse();
    float l = (z.array().max(0.0f) - z.array() * label.array() + e.log1p()).sum() * (1.0f / 3.0f);
    db = ((z.array() > 0.0f).select(r, e * r) - label.array()) * (1.0f / 3.0f);
    Eigen::Map<matrix>(gw).noalias() = in.transpose() * db;
    return l;
}
#endif

/// For any scalar: p is w, then b.
template <class T>
T loss_of(T const* p, float const* px, float const* py) {
    using std::exp, std::log;
    T l(0.0f);
    for (int j = 0; j < 3; ++j) {
        T z = p[15 + j];
        for (int i = 0; i < 5; ++i) z += px[i] * p[3 * i + j];
        if (z > 0.0f) l += z + log(1.0f + exp(-z)) - z * py[j];
        else l += log(1.0f + exp(z)) - z * py[j];
    }
    return l * (1.0f / 3.0f);
}

struct outcome {
    float l = 0;
    gr::array<float, 5, 3> gw;
    gr::array<float, 3> gb;
};

}  // namespace

int main() {
    gr::random random(1);
    auto X = gr::array<float, 5>::ones();
    auto W = gr::array<float, 5, 3>::uniform(random, -1.0f, 1.0f);
    auto B = gr::array<float, 3>::uniform(random, -1.0f, 1.0f);
    gr::array<float, 3> Y{};
    outcome r[4];
    auto by_hand = [&](char const* name, auto f, outcome& o) {
        return timing::enter(
            name, [&X, &W, &B, &Y, &o, f] { o.l = f(X.data(), W.data(), B.data(), Y.data(), o.gw.data(), o.gb.data()); }, o.l, o.gw, o.gb);
    };
    std::vector<timing::contestant> all{
        timing::enter("gradus", [&] { step(gr::out(r[0].l, r[0].gw, r[0].gb), x = X, w = W, b = B, y = Y); }, r[0].l, r[0].gw, r[0].gb)};
    all.push_back(by_hand("loops", loops, r[1]));
#ifdef __SSE2__
    all.push_back(by_hand("xsimd", simd, r[2]));
#endif
#ifdef GRADUS_BENCH_EIGEN
    all.push_back(by_hand("Eigen", eigen, r[3]));
#endif
    std::array<float, 18> parameters;
    std::copy_n(W.data(), 15, parameters.data());
    std::copy_n(B.data(), 3, parameters.data() + 15);
    peers::enter<18>(all, [&X, &Y](auto const* p) { return loss_of(p, X.data(), Y.data()); }, parameters.data(), {15, 3});
    timing::race("tutorial 5x3 float", all, 1e-6);
}
