// SPDX-License-Identifier: BSL-1.0
// Functions of a few doubles, value and gradient per call: Rosenbrock's of 8 numbers, the fit of a curve with three
// parameters to 16 points, the squared distance of a six-joint arm's hand from a target.
#include "by_hand.hpp"
#include "peers.hpp"
#include "timing.hpp"

#include <gradus.hpp>

#include <array>

namespace gr = gradus;
using namespace gr::literals;

namespace {

using batch = xsimd::batch<double>;
constexpr int lanes = static_cast<int>(batch::size);

// ---- Rosenbrock

constexpr auto x = gr::var<"x", double, 8>;
constexpr auto head = gr::slice<0, 7>(x);
constexpr auto valley = gr::sum(100_c * gr::square(gr::slice<1, 8>(x) - gr::square(head)) + gr::square(1_c - head));
constexpr auto rosenbrock = gr::compile(valley, gr::grad(valley, x));

__attribute__((noinline)) double rosenbrock_loops(double const* __restrict p, double* __restrict g) {
    double l = 0;
    for (int i = 0; i < 8; ++i) g[i] = 0;
    for (int i = 0; i < 7; ++i) {
        double u = p[i + 1] - p[i] * p[i], v = 1 - p[i];
        l += 100 * u * u + v * v;
        g[i + 1] += 200 * u;
        g[i] += -400 * u * p[i] - 2 * v;
    }
    return l;
}
// arrays first, so that the compiler has something to vectorise
__attribute__((noinline)) double rosenbrock_arrays(double const* __restrict p, double* __restrict g) {
    double u[8], v[8], a[8], l = 0;
    for (int i = 0; i < 7; ++i) u[i] = p[i + 1] - p[i] * p[i], v[i] = 1 - p[i];
    for (int i = 0; i < 7; ++i) l += 100 * u[i] * u[i] + v[i] * v[i];
    for (int i = 0; i < 7; ++i) a[i] = -400 * u[i] * p[i] - 2 * v[i];
    g[0] = a[0];
    for (int i = 1; i < 7; ++i) g[i] = a[i] + 200 * u[i - 1];
    g[7] = 200 * u[6];
    return l;
}

// ---- curve fit: a exp(-b t) + c

constexpr auto t = gr::var<"t", double, 16>;
constexpr auto y = gr::var<"y", double, 16>;
constexpr auto a = gr::var<"a", double>;
constexpr auto b = gr::var<"b", double>;
constexpr auto c = gr::var<"c", double>;
constexpr auto misfit = gr::sum(gr::square(a * gr::exp(-b * t) + c - y));
constexpr auto fit = gr::compile(misfit, gr::grad(misfit, a), gr::grad(misfit, b), gr::grad(misfit, c));

__attribute__((noinline)) double fit_loops(double pa, double pb, double pc, double const* pt, double const* py, double* g) {
    double l = 0, g0 = 0, g1 = 0, g2 = 0;
    for (int i = 0; i < 16; ++i) {
        double e = std::exp(-pb * pt[i]), r = pa * e + pc - py[i];
        l += r * r;
        g2 += r;
        r *= e;
        g0 += r;
        g1 += r * pt[i];
    }
    g[0] = 2 * g0;
    g[1] = -2 * pa * g1;
    g[2] = 2 * g2;
    return l;
}
__attribute__((noinline)) double fit_simd(double pa, double pb, double pc, double const* pt, double const* py, double* g) {
    batch l(0.0), g0(0.0), g1(0.0), g2(0.0), va(pa), vb(-pb), vc(pc);
    for (int i = 0; i < 16; i += lanes) {
        batch time = batch::load_unaligned(pt + i), e = xsimd::exp(vb * time), r = xsimd::fma(va, e, vc) - batch::load_unaligned(py + i);
        l = xsimd::fma(r, r, l);
        g2 += r;
        r = r * e;
        g0 += r;
        g1 = xsimd::fma(r, time, g1);
    }
    g[0] = 2 * by_hand::sum(g0);
    g[1] = -2 * pa * by_hand::sum(g1);
    g[2] = 2 * by_hand::sum(g2);
    return by_hand::sum(l);
}

// ---- arm: p <- Rz(q_i) (Rx(alpha_i) p + (a_i, 0, d_i)), from the hand to the shoulder

constexpr double link[6] = {0.03, -0.425, -0.39225, 0.02, 0.01, 0.05}, offset[6] = {0.089159, 0.015, 0.025, 0.10915, 0.09465, 0.0823};
constexpr double ca[6] = {0.26749882862458735, 0.9800665778412416, 0.9210609940028851,
                          0.4535961214255773,  0.3623577544766736, 0.955336489125606},
                 sa[6] = {0.963558185417193,  0.19866933079506122, -0.3894183423086505,
                          0.8912073600614354, -0.9320390859672263, 0.29552020666133955};

constexpr auto q = gr::var<"q", double, 6>;
constexpr auto target = gr::var<"target", double, 3>;
constexpr auto sines = gr::sin(q);
constexpr auto cosines = gr::cos(q);
template <int I>
constexpr auto element(auto v) {
    return gr::reshape<>(gr::slice<I, I + 1>(v));
}
/// The hand in the frame of joint I.
template <int I>
struct joint {
    static constexpr auto sine = gr::let([] { return element<I>(sines); });
    static constexpr auto cosine = gr::let([] { return element<I>(cosines); });
    static constexpr auto ux = gr::let([] { return joint<I + 1>::x + gr::constant<link[I]>; });
    static constexpr auto uy = gr::let([] { return gr::constant<ca[I]> * joint<I + 1>::y - gr::constant<sa[I]> * joint<I + 1>::z; });
    static constexpr auto x = gr::let([] { return cosine * ux - sine * uy; });
    static constexpr auto y = gr::let([] { return sine * ux + cosine * uy; });
    static constexpr auto z =
        gr::let([] { return gr::constant<sa[I]> * joint<I + 1>::y + gr::constant<ca[I]> * joint<I + 1>::z + gr::constant<offset[I]>; });
};
template <>
struct joint<5> {
    static constexpr auto x = gr::let([] { return gr::constant<link[5]> * element<5>(cosines); });
    static constexpr auto y = gr::let([] { return gr::constant<link[5]> * element<5>(sines); });
    static constexpr auto z = gr::constant<offset[5]>;
};
constexpr auto distance = gr::square(joint<0>::x - element<0>(target)) + gr::square(joint<0>::y - element<1>(target)) +
                          gr::square(joint<0>::z - element<2>(target));
constexpr auto arm = gr::compile(distance, gr::grad(distance, q));

/// The chain and its way back, for sines and cosines from anywhere.
[[gnu::always_inline]] inline double arm_with(double const* s, double const* c6, double const* tg, double* g) {
    double X[6], Y[6], px = 0, py = 0, pz = 0;
#pragma GCC unroll 6
    for (int i = 5; i >= 0; --i) {
        double ux = px + link[i], uy = ca[i] * py - sa[i] * pz, uz = sa[i] * py + ca[i] * pz + offset[i];
        px = c6[i] * ux - s[i] * uy, py = s[i] * ux + c6[i] * uy, pz = uz;
        X[i] = px, Y[i] = py;
    }
    double dx = px - tg[0], dy = py - tg[1], dz = pz - tg[2], bx = 2 * dx, by = 2 * dy, bz = 2 * dz;
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) {
        g[i] = by * X[i] - bx * Y[i];
        double ux = c6[i] * bx + s[i] * by, uy = c6[i] * by - s[i] * bx;
        bx = ux, by = ca[i] * uy + sa[i] * bz, bz = ca[i] * bz - sa[i] * uy;
    }
    return dx * dx + dy * dy + dz * dz;
}
__attribute__((noinline)) double arm_loops(double const* pq, double const* tg, double* g) {
    double s[6], c6[6];
    for (int i = 0; i < 6; ++i) s[i] = std::sin(pq[i]), c6[i] = std::cos(pq[i]);
    return arm_with(s, c6, tg, g);
}
__attribute__((noinline)) double arm_simd(double const* pq, double const* tg, double* g) {
    alignas(64) double padded[8] = {pq[0], pq[1], pq[2], pq[3], pq[4], pq[5]}, s[8], c6[8];
    for (int i = 0; i < 8; i += lanes) {
        auto [sine, cosine] = xsimd::sincos(batch::load_aligned(padded + i));
        sine.store_aligned(s + i);
        cosine.store_aligned(c6 + i);
    }
    return arm_with(s, c6, tg, g);
}

// ---- for any scalar

template <class T>
T rosenbrock_of(T const* p) {
    T l(0.0);
    for (int i = 0; i < 7; ++i) {
        T const u = p[i + 1] - p[i] * p[i], v = 1.0 - p[i];
        l += 100.0 * u * u + v * v;
    }
    return l;
}
template <class T>
T fit_of(T const* p, double const* pt, double const* py) {
    using std::exp;
    T l(0.0);
    for (int i = 0; i < 16; ++i) {
        T const r = p[0] * exp(-pt[i] * p[1]) + p[2] - py[i];
        l += r * r;
    }
    return l;
}
template <class T>
T arm_of(T const* p, double const* tg) {
    using std::cos, std::sin;
    T px(0.0), py(0.0), pz(0.0);
    for (int i = 5; i >= 0; --i) {
        T const s = sin(p[i]), c6 = cos(p[i]), ux = px + link[i], uy = ca[i] * py - sa[i] * pz, uz = sa[i] * py + ca[i] * pz + offset[i];
        px = c6 * ux - s * uy, py = s * ux + c6 * uy, pz = uz;
    }
    return (px - tg[0]) * (px - tg[0]) + (py - tg[1]) * (py - tg[1]) + (pz - tg[2]) * (pz - tg[2]);
}

template <std::size_t N>
struct outcome {
    double l = 0;
    std::array<double, N> g{};
};

}  // namespace

int main() {
    gr::random random(1);
    {
        auto X = gr::array<double, 8>::uniform(random, -1.0, 1.0);
        outcome<8> r[3];
        std::vector<timing::contestant> all{
            timing::enter(
                "gradus", [&] { rosenbrock(gr::out(r[0].l, r[0].g), x = X); }, r[0].l, r[0].g),
            timing::enter(
                "loops", [&] { r[1].l = rosenbrock_loops(X.data(), r[1].g.data()); }, r[1].l, r[1].g),
            timing::enter("loops over arrays", [&] { r[2].l = rosenbrock_arrays(X.data(), r[2].g.data()); }, r[2].l, r[2].g)};
        peers::enter<8>(all, [](auto const* p) { return rosenbrock_of(p); }, X.data(), {8});
        timing::race("Rosenbrock 8 double", all, 1e-13);
    }
    {
        gr::array<double, 16> T;
        for (int i = 0; i < 16; ++i) T(i) = 0.25 * i;
        auto Y = gr::array<double, 16>::uniform(random, 0.0, 2.0);
        double A = 1.5, B = 0.7, C = 0.3;
        outcome<3> r[3];
        std::vector<timing::contestant> all{
            timing::enter(
                "gradus", [&] { fit(gr::out(r[0].l, r[0].g[0], r[0].g[1], r[0].g[2]), a = A, b = B, c = C, t = T, y = Y); }, r[0].l,
                r[0].g),
            timing::enter(
                "loops", [&] { r[1].l = fit_loops(A, B, C, T.data(), Y.data(), r[1].g.data()); }, r[1].l, r[1].g),
            timing::enter("xsimd", [&] { r[2].l = fit_simd(A, B, C, T.data(), Y.data(), r[2].g.data()); }, r[2].l, r[2].g)};
        double const parameters[] = {A, B, C};
        peers::enter<3>(all, [&T, &Y](auto const* p) { return fit_of(p, T.data(), Y.data()); }, parameters, {3});
        timing::race("curve fit 16 double", all, 1e-12);
    }
    {
        auto Q = gr::array<double, 6>::uniform(random, -1.5, 1.5);
        gr::array<double, 3> T{0.4, 0.2, 0.6};
        outcome<6> r[3];
        std::vector<timing::contestant> all{
            timing::enter(
                "gradus", [&] { arm(gr::out(r[0].l, r[0].g), q = Q, target = T); }, r[0].l, r[0].g),
            timing::enter(
                "loops", [&] { r[1].l = arm_loops(Q.data(), T.data(), r[1].g.data()); }, r[1].l, r[1].g),
            timing::enter("xsimd", [&] { r[2].l = arm_simd(Q.data(), T.data(), r[2].g.data()); }, r[2].l, r[2].g)};
        peers::enter<6>(all, [&T](auto const* p) { return arm_of(p, T.data()); }, Q.data(), {6});
        timing::race("arm 6 double", all, 1e-12);
    }
}
